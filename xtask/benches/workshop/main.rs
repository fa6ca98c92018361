//! What this program adds to the commands that it runs, as ratios: `cargo bench`.
//!
//! It drives the built program on an installation of its own. Clocks differ between
//! machines, so budgets are ratios and differences, and no test times anything.
//! `cargo bench --bench workshop -- --cold -n 5` also builds from nothing.

mod log;
mod many;
mod reading;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;

/// The profile that the program was built with.
const PROFILE: &str = if cfg!(debug_assertions) {
    "dev"
} else {
    "release"
};

/// The ports of the measured installation.
const PORT_BASE: u16 = 19_800;

/// Measures this program against bare commands.
#[derive(Parser)]
struct Options {
    /// Also build the servers and this program from nothing (many minutes)
    #[arg(long)]
    cold: bool,
    /// How often to measure each
    #[arg(short = 'n', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    runs: u16,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let root = tempfile::tempdir()?;
    let bench = Bench {
        program: env!("CARGO_BIN_EXE_xtask").into(),
        state: root.path().join("state"),
        root: root.path().to_owned(),
        runs: options.runs,
    };
    let measured = bench.measure(options.cold);
    bench.xtask(&["uninstall", "--yes", "--keep-tools"])?;
    for row in measured? {
        println!("{:<42} {:>10}  {}", row.what, row.figure, row.against);
    }
    Ok(())
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

struct Row {
    what: &'static str,
    figure: String,
    against: String,
}

struct Bench {
    program: PathBuf,
    /// Everything that a benchmark leaves, for a while.
    root: PathBuf,
    state: PathBuf,
    runs: u16,
}

impl Bench {
    fn measure(&self, cold: bool) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        if cold {
            rows.push(self.cold_servers()?);
            rows.push(self.cold_program()?);
        }
        self.xtask(&["install", "--port-base", &PORT_BASE.to_string()])?;
        rows.push(self.ready()?);
        rows.push(self.again()?);
        rows.push(self.sign()?);
        rows.push(self.verify()?);
        rows.push(self.help()?);
        rows.push(self.offline(cold)?);
        rows.extend(self.many()?);
        rows.extend(self.inspect()?);
        rows.extend(self.large_log()?);
        Ok(rows)
    }

    /// From nothing but built servers to all ready and the trusted root written.
    fn ready(&self) -> Result<Row> {
        let mut times = Vec::new();
        for _ in 0..self.runs {
            self.xtask(&["uninstall", "--yes", "--keep-tools"])?;
            times.push(self.timed(&["install", "--port-base", &PORT_BASE.to_string()])?);
        }
        Ok(within("install, servers built", median(times), 700))
    }

    fn again(&self) -> Result<Row> {
        let took = self.median(|| self.timed(&["install"]))?;
        Ok(within("install, nothing to do", took, 300))
    }

    fn sign(&self) -> Result<Row> {
        let script = self.bare("sign")?;
        let bare = self.median(|| self.shell(&script))?;
        let ours = self.median(|| self.timed(&["sign"]))?;
        Ok(over("sign, over token, look-up and cosign", ours, bare))
    }

    fn verify(&self) -> Result<Row> {
        let script = self.bare("verify")?;
        let bare = self.median(|| self.shell(&script))?;
        let ours = self.median(|| self.timed(&["verify"]))?;
        Ok(over("verify, over cosign", ours, bare))
    }

    fn help(&self) -> Result<Row> {
        let took = self.median(|| self.timed(&["--help"]))?;
        Ok(within("--help, the built program", took, 15))
    }

    /// What a dry run of a command prints, without what the program does besides: it
    /// remembers the signature and deletes the token.
    fn bare(&self, command: &str) -> Result<String> {
        self.bare_of(&[command])
    }

    fn bare_of(&self, words: &[&str]) -> Result<String> {
        let words = [words, &["--dry-run"]].concat();
        let output = self.command(&words).output()?;
        let script = String::from_utf8(output.stdout)?;
        let left_out = [" step record ", " step forget ", " step prove "];
        let lines = script
            .lines()
            .filter(|line| !left_out.iter().any(|step| line.contains(step)));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Runs a dry run's script, in which `cargo xtask` is the built program.
    fn shell(&self, script: &str) -> Result<Duration> {
        let mut shell = Command::new("sh");
        let cargo = "cargo() { shift; \"$PROGRAM\" \"$@\"; }\nset -e\n";
        shell
            .args(["-c", &format!("{cargo}{script}")])
            .env("PROGRAM", &self.program);
        finished(shell)
    }

    /// Install against a bare `go build`, each with an empty build cache. The
    /// modules are there already: a network is not what is measured.
    fn cold_servers(&self) -> Result<Row> {
        let cache = |name: &str| self.root.join(name);
        let bare = {
            let (go_cache, out) = (cache("go-bare"), cache("bare"));
            let output = self.command(&["install", "--dry-run"]).output()?;
            let script = String::from_utf8(output.stdout)?;
            let mut lines = script.lines();
            let build = lines.find(|line| line.contains(" go build "));
            let build = build.context("a plan without go build")?;
            let mut words = build.split(' ').map(str::to_owned).collect::<Vec<_>>();
            let to = words.iter().position(|word| word == "-o");
            words[to.context("go build goes nowhere")? + 1] = format!("{}/", out.display());
            let mut shell = Command::new("sh");
            shell
                .args(["-c", &words.join(" ")])
                .env("GOCACHE", &go_cache);
            let took = finished(shell)?;
            std::fs::remove_dir_all(&go_cache)?;
            std::fs::remove_dir_all(&out)?;
            took
        };
        let (go_cache, servers) = (cache("go-ours"), cache("ours"));
        let mut install = self.command(&["install", "--port-base", &PORT_BASE.to_string()]);
        install
            .env("GOCACHE", &go_cache)
            .env("WORKSHOP_CACHE", &servers);
        let ours = finished(install)?;
        self.xtask(&["uninstall", "--yes", "--keep-tools"])?;
        std::fs::remove_dir_all(&go_cache)?;
        std::fs::remove_dir_all(&servers)?;
        let ratio = ours.as_secs_f64() / bare.as_secs_f64();
        let against = format!("{} against {}; budget 1.1", seconds(ours), seconds(bare));
        Ok(Row {
            what: "install, cold, over a bare go build",
            figure: format!("{ratio:.2}"),
            against,
        })
    }

    /// What a reader waits for at the first `cargo xtask`.
    fn cold_program(&self) -> Result<Row> {
        let target = self.root.join("target");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--quiet", "--package", "xtask"])
            .env("CARGO_TARGET_DIR", &target);
        cargo.current_dir(repository());
        let before = cpu_of_children();
        let took = finished(cargo)?;
        let cpu = before.zip(cpu_of_children());
        let cpu = cpu.map(|(before, after)| after - before);
        std::fs::remove_dir_all(&target)?;
        Ok(Row {
            what: "first cargo xtask, from a clean checkout",
            figure: cpu.map_or_else(|| seconds(took), |cpu| format!("{cpu:.1} s")),
            against: if cpu.is_some() {
                "of CPU"
            } else {
                "of wall time"
            }
            .to_owned(),
        })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--quiet", "--on", "local", "--state"])
            .arg(&self.state)
            .args(words);
        command
    }

    fn xtask(&self, words: &[&str]) -> Result<()> {
        finished(self.command(words)).map(drop)
    }

    fn timed(&self, words: &[&str]) -> Result<Duration> {
        finished(self.command(words))
    }

    fn median(&self, mut once: impl FnMut() -> Result<Duration>) -> Result<Duration> {
        // Once for the caches.
        once()?;
        Ok(median(
            (0..self.runs).map(|_| once()).collect::<Result<_>>()?,
        ))
    }
}

/// Runs a command to its end and says how long it took.
fn finished(mut command: Command) -> Result<Duration> {
    let started = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {command:?}"))?;
    let took = started.elapsed();
    if output.status.success() {
        return Ok(took);
    }
    bail!(
        "{command:?} failed\n{}",
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The seconds of CPU that the ended children of this process took, and theirs;
/// `None` where the system does not tell without more code than it is worth.
fn cpu_of_children() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // cutime and cstime of proc(5), in clock ticks, of which Linux shows a hundred a
    // second on both architectures.
    let ticks: u64 = fields
        .get(13..15)?
        .iter()
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Some(ticks as f64 / 100.0)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A time, and its ratio to a budget in milliseconds.
fn within(what: &'static str, took: Duration, budget: u64) -> Row {
    let ratio = took.as_secs_f64() * 1000.0 / budget as f64;
    let against = format!("ratio {ratio:.2} to the budget of {budget} ms");
    Row {
        what,
        figure: milliseconds(took),
        against,
    }
}

fn over(what: &'static str, ours: Duration, bare: Duration) -> Row {
    let more = ours.saturating_sub(bare);
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    let against = format!(
        "ratio {ratio:.2} ({} against {}); budget 20 ms",
        milliseconds(ours),
        milliseconds(bare)
    );
    Row {
        what,
        figure: format!("+{}", milliseconds(more)),
        against,
    }
}

fn ratio(ours: Duration, bare: Duration) -> String {
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    format!(
        "ratio {ratio:.2} ({} against {}), profile {PROFILE}",
        milliseconds(ours),
        milliseconds(bare)
    )
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
