//! Reading and proving: over the text's pipeline, in a large log, and of many bundles.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Bench, PROFILE, Row, finished, log, milliseconds, ratio, seconds};

impl Bench {
    /// Reading and proving an entry of Rekor v1, over the pipeline of the text, which
    /// prints its certificate and proves nothing.
    pub fn inspect(&self) -> Result<Vec<Row>> {
        self.xtask(&["install", "--rekor", "both"])?;
        self.xtask(&["sign", "--rekor", "v1", "--blob", &self.blob()?])?;
        let rekor = format!("http://127.0.0.1:{}", super::PORT_BASE + 9);
        let pipeline = format!(
            "curl -s '{rekor}/api/v1/log/entries?logIndex=0' | jq -r '.[].body' | base64 -d | \
             jq -r .spec.signature.publicKey.content | base64 -d | openssl x509 -noout -text"
        );
        let tools = ["curl", "jq", "base64", "openssl"];
        if let Some(missing) = tools.iter().find(|tool| which::which(tool).is_err()) {
            anyhow::bail!("{missing} was not found on the PATH");
        }
        let bare = self.median(|| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &pipeline]);
            finished(shell)
        })?;
        let one = ["inspect-rekor", "--rekor", "v1", "--log-index", "0"];
        let ours = self.median(|| self.timed(&one))?;
        let row = |what, ours| Row {
            what,
            figure: milliseconds(ours),
            against: format!("{}; budget 0.25", ratio(ours, bare)),
        };
        let v2 = self.median(|| self.timed(&["inspect-rekor", "--rekor", "v2"]))?;
        Ok(vec![
            row("inspect-rekor, v1, over the text's pipeline", ours),
            row("inspect-rekor, v2, over the same", v2),
        ])
    }

    /// The same in a log of a million entries, over one of a thousand.
    pub fn large_log(&self) -> Result<Vec<Row>> {
        let dir = self.state.join("local");
        let data = dir.join("data/rekor-v2");
        let bundle = std::fs::read(self.blob()? + ".sigstore.json")?;
        let entry = xtask::bundle::read(&bundle)?.entry;
        let entry = entry
            .context("a bundle without a log entry")?
            .canonicalized_body;
        // Whatever is seen of the log from here on is another one.
        self.xtask(&["stop", "rekor-v2"])?;
        let measure = |size: u64, index: u64| -> Result<(Duration, usize, usize)> {
            // What is in the directory goes, since the server holds the directory open.
            for old in [data.join("tile"), dir.join("checkpoints")] {
                std::fs::remove_dir_all(old)?;
            }
            let key = dir.join("keys/rekor-v2.key");
            // A smaller one first, so that there is something to be consistent with.
            log::write(&data, &key, "127.0.0.1", size - 300, index, &entry)?;
            let index = index.to_string();
            let words = ["inspect-rekor", "--rekor", "v2", "--log-index", &index];
            self.xtask(&words)?;
            log::write(&data, &key, "127.0.0.1", size, index.parse()?, &entry)?;
            let (requests, bytes) = self.asked(&words)?;
            Ok((self.median(|| self.timed(&words))?, requests, bytes))
        };
        let (small, ..) = measure(1000, 321)?;
        let (large, requests, bytes) = measure(1_000_000, 654_321)?;
        Ok(vec![
            Row {
                what: "inspect-rekor, 1,000,000 entries over 1,000",
                figure: milliseconds(large),
                against: format!("{}; budget 1.5", ratio(large, small)),
            },
            Row {
                what: "proof and consistency in that log",
                figure: format!("{requests} requests"),
                against: format!(
                    "{} KiB of checkpoint, tiles and one entry bundle; budget 8 and 40 KiB",
                    bytes / 1024
                ),
            },
        ])
    }

    /// How many requests a command makes, and how many bytes come back.
    fn asked(&self, words: &[&str]) -> Result<(usize, usize)> {
        let mut command = Command::new(&self.program);
        command.args(["--verbose", "--on", "local", "--state"]);
        command.arg(&self.state).args(words);
        let output = command.output().context("run inspect-rekor")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let asked: Vec<&str> = said.lines().filter(|line| line.contains("GET ")).collect();
        let bytes = asked.iter().filter_map(|line| {
            let bytes = line.strip_suffix(" bytes")?;
            bytes.rsplit(' ').next()?.parse::<usize>().ok()
        });
        Ok((asked.len(), bytes.sum()))
    }

    /// Bundles that are proved without a server, all named in one command; with
    /// `cold` by a release build.
    pub fn offline(&self, cold: bool) -> Result<Row> {
        let (program, profile) = match cold {
            true => (self.release()?, "release"),
            false => (self.program.clone(), PROFILE),
        };
        let blob = self.blob()?;
        self.xtask(&["sign", "--blob", &blob])?;
        let count = if cold { 10_000 } else { 1_000 };
        let mut command = Command::new(program);
        command
            .args(["--quiet", "--on", "local", "--state"])
            .arg(&self.state);
        command.args(["inspect-rekor", "--blob", &blob, "--bundle"]);
        command.args(std::iter::repeat_n(blob.clone() + ".sigstore.json", count));
        let took = finished(command)?;
        Ok(Row {
            what: "bundles proved offline, a second",
            figure: format!("{:.0}", count as f64 / took.as_secs_f64()),
            against: format!(
                "{count} in {}, profile {profile}; budget 3000 in release",
                seconds(took)
            ),
        })
    }

    /// This program, built with optimisation.
    fn release(&self) -> Result<PathBuf> {
        let target = self.root.join("release");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--release", "--package", "xtask"]);
        cargo
            .env("CARGO_TARGET_DIR", &target)
            .current_dir(super::repository());
        finished(cargo)?;
        Ok(target.join("release/xtask"))
    }

    /// A file to sign.
    fn blob(&self) -> Result<String> {
        let file = self.root.join("measured.txt");
        std::fs::write(&file, "measured\n")?;
        Ok(file.to_string_lossy().into_owned())
    }
}
