//! Many files at once, against as many bare cosigns.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Bench, Row, milliseconds};

/// How many files.
const FILES: usize = 200;

/// How many at once.
const JOBS: &str = "16";

impl Bench {
    /// Signing and verifying many files, over as many cosigns at once.
    pub(super) fn many(&self) -> Result<Vec<Row>> {
        let dir = self.root.join("files");
        std::fs::create_dir_all(&dir)?;
        let name = |n: usize| dir.join(format!("file-{n}")).display().to_string();
        let files: Vec<String> = (0..FILES).map(name).collect();
        for file in &files {
            std::fs::write(file, file)?;
        }
        let bare_sign = self.side_by_side("sign", &files)?;
        let again = ["sign", "--again", "--jobs", JOBS];
        let sign = self.timed(&words(&again, &files))?;
        let bare_verify = self.side_by_side("verify", &files)?;
        let verify = self.timed(&words(&["verify", "--jobs", JOBS], &files))?;
        let signed = self.timed(&words(&["sign"], &files))?;
        Ok(vec![
            row("sign 200 files, over 16 cosigns at once", sign, bare_sign),
            row(
                "verify 200 files, over 16 cosigns at once",
                verify,
                bare_verify,
            ),
            Row {
                what: "sign 200 files again, nothing to do",
                figure: milliseconds(signed),
                against: String::new(),
            },
        ])
    }

    /// The calls of cosign in a dry run of one file, made of all files and run so many at
    /// once.
    fn side_by_side(&self, verb: &str, files: &[String]) -> Result<Duration> {
        let first = files.first().context("no files")?;
        let script = self.bare_of(&[verb, "--blob", first])?;
        let is_cosign = |line: &&str| line.contains("/cosign ");
        let cosign = script.lines().find(is_cosign).context("no cosign")?;
        let before = script
            .lines()
            .filter(|line| !is_cosign(line) && !line.starts_with('#'));
        let before: Vec<&str> = before.collect();
        // The names hold nothing that a shell reads otherwise.
        let each = cosign.replace(first, "{}");
        let all = files.join("\n");
        let at_once = format!("xargs -P {JOBS} -I '{{}}' sh -c '{each}' <<'END'\n{all}\nEND");
        self.shell(&format!("{}\n{at_once}", before.join("\n")))
    }
}

fn words<'a>(first: &[&'a str], files: &'a [String]) -> Vec<&'a str> {
    let files = files.iter().map(String::as_str);
    first.iter().copied().chain(files).collect()
}

fn row(what: &'static str, ours: Duration, bare: Duration) -> Row {
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    Row {
        what,
        figure: format!("{ratio:.2}"),
        against: format!("{} against {}", milliseconds(ours), milliseconds(bare)),
    }
}
