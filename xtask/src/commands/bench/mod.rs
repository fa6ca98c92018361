//! `bench`: what this program adds to the commands that it runs, as ratios.
//!
//! It measures an installation of its own, beside the user's. Clocks differ
//! between machines, so budgets are ratios and differences, and no test times
//! anything.

mod log;
mod reading;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use crate::app::{Answer, App};
use crate::artifact::Artifact;
use crate::exec::Outputs;
use crate::exec::resolve;
use crate::fail::broken;
use crate::local::Local;
use crate::local::platform;
use crate::plan::{Action, Piece, Plan};
use crate::state::State;
use crate::target::steps::SigningTarget;
use crate::target::{CosignRuns, Signing};

/// The profile that this program was built with.
const PROFILE: &str = if cfg!(debug_assertions) {
    "dev"
} else {
    "release"
};

/// The ports of the measured installation.
const PORT_BASE: u16 = 19_800;

/// Measure this installation against bare commands, as ratios
#[derive(Debug, Args)]
pub(crate) struct BenchCommand {
    /// Also build the servers and this program from nothing (many minutes)
    #[arg(long)]
    cold: bool,
    /// How often to measure each
    #[arg(short = 'n', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    runs: u16,
}

impl BenchCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        run(app, self.cold, self.runs)
    }
}

fn run(app: &App, cold: bool, runs: u16) -> Result<Answer> {
    let bench = Bench::new(app, runs)?;
    let measured = bench.measure(cold);
    bench.xtask(&["uninstall", "--yes", "--keep-tools"])?;
    if bench.root.exists() {
        std::fs::remove_dir_all(&bench.root)?;
    }
    let rows = measured?;
    for row in &rows {
        app.ui.say(format!(
            "{:<42} {:>10}  {}",
            row.what, row.figure, row.against
        ));
    }
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| json!({"what": row.what, "figure": row.figure, "against": row.against}))
        .collect();
    Ok(Answer::result(json!({"rows": rows, "runs": runs})))
}

struct Row {
    what: &'static str,
    figure: String,
    against: String,
}

struct Bench<'a> {
    app: &'a App,
    program: PathBuf,
    /// Everything that a benchmark leaves, for a while.
    root: PathBuf,
    state: PathBuf,
    runs: u16,
}

impl<'a> Bench<'a> {
    fn new(app: &'a App, runs: u16) -> Result<Bench<'a>> {
        app.state.create()?;
        let root = app.state.path("bench");
        Ok(Bench {
            app,
            program: std::env::current_exe()?,
            state: root.join("state"),
            root,
            runs,
        })
    }

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
        Ok(within("install, servers built", median(times), 1500))
    }

    fn again(&self) -> Result<Row> {
        let took = self.median(|| self.timed(&["install"]))?;
        Ok(within("install, nothing to do", took, 300))
    }

    fn sign(&self) -> Result<Row> {
        let target = self.target()?;
        let image = Artifact::Image(target.sample()?);
        let bare = self.median(|| {
            self.bare(
                &target,
                &target.sign(
                    std::slice::from_ref(&image),
                    target.default_user(),
                    target.rekor(),
                    CosignRuns::InCluster,
                )?,
            )
        })?;
        let ours = self.median(|| self.timed(&["sign"]))?;
        Ok(over("sign, over token, look-up and cosign", ours, bare))
    }

    fn verify(&self) -> Result<Row> {
        let target = self.target()?;
        let image = Artifact::Image(target.sample()?);
        let plan = || {
            target.verify(
                std::slice::from_ref(&image),
                &target.identity(target.default_user())?,
                &target.issuer()?,
                CosignRuns::InCluster,
            )
        };
        let bare = self.median(|| self.bare(&target, &plan()?))?;
        let ours = self.median(|| self.timed(&["verify"]))?;
        Ok(over("verify, over cosign", ours, bare))
    }

    fn help(&self) -> Result<Row> {
        let took = self.median(|| self.timed(&["--help"]))?;
        Ok(within("--help, the built program", took, 15))
    }

    /// The commands of a plan one after the other, without the plan: the token
    /// is asked for in process and what xtask does besides is left out.
    fn bare(&self, target: &Local, plan: &Plan) -> Result<Duration> {
        let started = Instant::now();
        let mut outputs = Outputs::new();
        for action in plan.steps.iter().flat_map(|step| &step.actions) {
            match action {
                Action::Xtask(words)
                    if words.get(1).is_some_and(|word| *word == "token".into()) =>
                {
                    let out = words.last().and_then(|word| word.0.first());
                    let Some(Piece::Text(out)) = out else {
                        return Err(broken("the token goes nowhere").into());
                    };
                    target.write_token(target.default_user(), Path::new(out))?;
                }
                Action::Xtask(_) => {}
                Action::Run(command) => {
                    let words = resolve(&command.words, &outputs)?;
                    let mut process = Command::new(&words[0]);
                    process
                        .args(&words[1..])
                        .envs(command.env.iter().cloned())
                        .stdin(Stdio::null());
                    let output = process
                        .output()
                        .with_context(|| format!("run {}", words[0]))?;
                    if !output.status.success() {
                        return Err(broken(format!("{} failed", words[0])).into());
                    }
                    if let Some(name) = &command.output {
                        outputs.insert(
                            name.clone(),
                            String::from_utf8_lossy(&output.stdout).trim().to_owned(),
                        );
                    }
                }
            }
        }
        Ok(started.elapsed())
    }

    /// Install against a bare `go build`, each with an empty build cache. The
    /// modules are there already: a network is not what is measured.
    fn cold_servers(&self) -> Result<Row> {
        let cache = |name: &str| self.root.join(name);
        let local = self.target()?;
        let build = local.servers.build()?;
        let bare = {
            let (go_cache, out) = (cache("go-bare"), cache("bare"));
            let steps = build.iter().flat_map(|step| &step.actions);
            let mut go_build = steps.filter_map(|action| match action {
                Action::Run(command) if command.words.get(1) == Some(&"build".into()) => {
                    Some(command)
                }
                _ => None,
            });
            let command = go_build.next().context("a plan without go build")?;
            let elsewhere = |word: String| match word.ends_with(".partial/") {
                true => format!("{}/", out.display()),
                false => word,
            };
            let words = resolve(&command.words, &Outputs::new())?;
            let words: Vec<String> = words.into_iter().map(elsewhere).collect();
            let mut go = Command::new(&words[0]);
            go.args(&words[1..])
                .envs(command.env.iter().cloned())
                .env("GOCACHE", &go_cache);
            go.current_dir(self.app.repo.join("deploy/local"));
            let took = finished(go)?;
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
        cargo.current_dir(&self.app.repo);
        let before = platform::cpu_of_children();
        let took = finished(cargo)?;
        let cpu = before
            .zip(platform::cpu_of_children())
            .map(|(before, after)| after - before);
        std::fs::remove_dir_all(&target)?;
        let figure = cpu.map_or_else(|| seconds(took), |cpu| format!("{cpu:.1} s"));
        let what = if cpu.is_some() { "CPU" } else { "wall time" };
        let against = format!("{what}; budget 35 s of CPU");
        Ok(Row {
            what: "first cargo xtask, from a clean checkout",
            figure,
            against,
        })
    }

    fn target(&self) -> Result<Local> {
        Local::open(
            &self.app.repo,
            &State::open(self.state.clone())?,
            Vec::new(),
        )
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
    let said = String::from_utf8_lossy(&output.stderr)
        .lines()
        .map(str::to_owned)
        .collect();
    Err(broken(format!("{command:?} failed")).tail(said).into())
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
        "ratio {ratio:.2} ({} against {}); budget 50 ms",
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
