//! Runs any plan: independent steps side by side, what is done skipped, a
//! failed branch stopped while the others finish.

use std::collections::HashMap;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Action, Plan, Ready, Step, shell};
use crate::exec::interrupt;
use crate::exec::{program, resolve};
use crate::fail::{Fail, broken};
use crate::ui::{StepRef, Ui};

/// How many steps run at once: all servers, and not two hundred cosigns.
const AT_ONCE: usize = 16;

/// What a step that runs in this process has to say meanwhile.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    /// What it waits for just now.
    Waiting(&'a str),
    /// Something that goes wrong, and may still pass.
    Trouble(&'a [String]),
    /// A line of what it watches.
    Line(&'a str),
}

/// What a plan needs from whoever runs it.
pub trait Host: Sync {
    /// Runs a subcommand of `cargo xtask` in this process; the words carry no
    /// global options.
    ///
    /// # Errors
    /// Those of the subcommand.
    fn xtask(&self, words: &[String], say: &dyn Fn(Said<'_>)) -> Result<()>;

    /// Waits until the condition holds.
    ///
    /// # Errors
    /// Where it does not hold in time or never will.
    fn wait(&self, ready: &Ready, say: &dyn Fn(Said<'_>)) -> Result<()>;
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It ran.
    Done,
    /// There was nothing to do.
    Skipped,
    /// It failed.
    Failed,
    /// A step that it needs did not succeed.
    Blocked,
}

/// What the outputs of commands were, by name.
pub type Outputs = HashMap<&'static str, String>;

/// How a plan ended.
pub struct Outcome {
    /// The name and end of each chosen step, in the order of the plan.
    pub ends: Vec<(String, End)>,
}

impl Outcome {
    /// Whether any step did something.
    pub fn changed(&self) -> bool {
        self.ends.iter().any(|(_, end)| *end == End::Done)
    }

    /// The names of the steps that did something.
    pub(crate) fn done(&self) -> Vec<String> {
        let done = self.ends.iter().filter(|(_, end)| *end == End::Done);
        done.map(|(name, _)| name.clone()).collect()
    }
}

/// Runs the chosen steps of a plan. With `force` their probes are not asked.
///
/// # Errors
/// The failure of the first step that failed, in the order of the plan; an
/// interruption.
pub fn run(plan: &Plan, chosen: &[bool], force: bool, host: &dyn Host, ui: &Ui) -> Result<Outcome> {
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|s| (s.name.as_str(), s.title.as_str(), s.needs.as_slice()))
        .collect();
    ui.plan(&plan.command, &steps);
    let mut ends: Vec<Option<End>> = chosen
        .iter()
        .map(|chosen| (!chosen).then_some(End::Skipped))
        .collect();
    let mut running = vec![false; plan.steps.len()];
    let mut first: Option<(usize, Fail)> = None;
    let outputs = Mutex::new(Outputs::new());
    let (send, receive) = mpsc::channel();

    std::thread::scope(|scope| {
        loop {
            let stopping = interrupt::interrupted();
            let mut settled = false;
            for i in 0..plan.steps.len() {
                let full = running.iter().filter(|running| **running).count() >= AT_ONCE;
                if ends[i].is_some() || running[i] || full {
                    continue;
                }
                let step = &plan.steps[i];
                match state(plan, step, &ends) {
                    Needs::Pending => {}
                    Needs::Failed(by) if !step.always => {
                        ui.blocked(at(plan, i), &by);
                        ends[i] = Some(End::Blocked);
                        settled = true;
                    }
                    _ if stopping && !step.always => {
                        ends[i] = Some(End::Blocked);
                        settled = true;
                    }
                    _ => {
                        running[i] = true;
                        let (send, outputs) = (send.clone(), &outputs);
                        scope.spawn(move || {
                            // Without this a panic would leave the plan waiting.
                            let step = || one(plan, i, force, host, ui, outputs);
                            let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step))
                                .unwrap_or_else(|_| {
                                    Err(broken("a step panicked: that is a bug of this program"))
                                });
                            let _ = send.send((i, end));
                        });
                    }
                }
            }
            if settled {
                continue;
            }
            if !running.contains(&true) {
                break;
            }
            match receive.recv_timeout(Duration::from_millis(50)) {
                Ok((i, end)) => {
                    running[i] = false;
                    ends[i] = Some(end.unwrap_or_else(|fail| {
                        // Of steps that ran side by side, whichever fails first in
                        // time, the first of the plan says most about the cause.
                        if first.as_ref().is_none_or(|(earlier, _)| i < *earlier) {
                            first = Some((i, fail));
                        }
                        End::Failed
                    }));
                }
                Err(_) if interrupt::interrupted() => interrupt::stop_children(),
                Err(_) => {}
            }
        }
    });

    if interrupt::interrupted() {
        return Err(broken("interrupted")
            .hint("the next run goes on where this one stopped")
            .into());
    }
    match first {
        Some((_, fail)) => Err(fail.into()),
        None => Ok(Outcome {
            ends: plan
                .steps
                .iter()
                .zip(ends)
                .zip(chosen)
                .filter(|(_, chosen)| **chosen)
                .filter_map(|((step, end), _)| Some((step.name.clone(), end?)))
                .collect(),
        }),
    }
}

enum Needs {
    Pending,
    Failed(String),
    Met,
}

fn state(plan: &Plan, step: &Step, ends: &[Option<End>]) -> Needs {
    let mut failed = None;
    for (earlier, end) in plan
        .steps
        .iter()
        .zip(ends)
        .filter(|(earlier, _)| step.needs.contains(&earlier.name))
    {
        match end {
            None => return Needs::Pending,
            Some(End::Failed | End::Blocked) => failed = Some(earlier.name.clone()),
            Some(End::Done | End::Skipped) => {}
        }
    }
    failed.map_or(Needs::Met, Needs::Failed)
}

fn at(plan: &Plan, i: usize) -> StepRef<'_> {
    let step = &plan.steps[i];
    StepRef {
        number: i + 1,
        of: plan.steps.len(),
        name: &step.name,
        title: &step.title,
    }
}

fn one(
    plan: &Plan,
    i: usize,
    force: bool,
    host: &dyn Host,
    ui: &Ui,
    outputs: &Mutex<Outputs>,
) -> Result<End, Fail> {
    let step = &plan.steps[i];
    let place = at(plan, i);
    let started = Instant::now();
    ui.start(place);
    let ran = match &step.done {
        Some(probe) if !force => match probe() {
            Ok(Some(seen)) => {
                ui.skipped(place, &seen);
                return Ok(End::Skipped);
            }
            Ok(None) => actions(plan, step, place, host, ui, outputs),
            Err(error) => Err(error),
        },
        _ => actions(plan, step, place, host, ui, outputs),
    };
    match ran {
        Ok(()) => {
            ui.done(place, started.elapsed());
            Ok(End::Done)
        }
        Err(error) => {
            // A tool that was told to stop has nothing to say about it.
            let fail = if interrupt::interrupted() {
                broken("interrupted")
            } else {
                Fail::from_error(&error)
            };
            ui.failed(place, &fail);
            Err(fail)
        }
    }
}

fn actions(
    plan: &Plan,
    step: &Step,
    place: StepRef<'_>,
    host: &dyn Host,
    ui: &Ui,
    outputs: &Mutex<Outputs>,
) -> Result<()> {
    let say = |said: Said<'_>| ui.said(place, said);
    for action in &step.actions {
        ui.command(place, &shell::line(action, &plan.globals));
        let known = outputs
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        match action {
            Action::Xtask(words) => host.xtask(&resolve(words, &known)?, &say)?,
            Action::Run(command) => {
                let printed = program(command, &known, place, ui)?;
                if let Some(name) = command.output {
                    outputs
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .insert(name, printed.trim_end().to_owned());
                }
            }
        }
    }
    match &step.ready {
        Some(ready) => host.wait(ready, &say),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Command, Word};
    use crate::ui::Style;
    use crate::words;
    use std::sync::Barrier;

    /// Remembers which subcommands it was asked for; `fail` fails, and those
    /// that `meet` wait for each other.
    struct Fake {
        asked: Mutex<Vec<String>>,
        meeting: Barrier,
    }

    impl Host for Fake {
        fn xtask(&self, words: &[String], _: &dyn Fn(Said<'_>)) -> Result<()> {
            self.asked.lock().unwrap().push(words.join(" "));
            match words[0].as_str() {
                "fail" => return Err(broken("it failed").into()),
                "meet" => drop(self.meeting.wait()),
                _ => {}
            }
            Ok(())
        }

        fn wait(&self, ready: &Ready, say: &dyn Fn(Said<'_>)) -> Result<()> {
            self.xtask(&["wait".into(), ready.address.clone()], say)
        }
    }

    fn quiet() -> Ui {
        Ui::new(Style {
            quiet: true,
            ..Style::default()
        })
    }

    fn fake() -> Fake {
        Fake {
            asked: Mutex::default(),
            meeting: Barrier::new(2),
        }
    }

    fn plan(steps: Vec<Step>) -> Plan {
        let mut plan = Plan::new("test", Vec::new());
        steps.into_iter().for_each(|step| plan.push(step));
        plan
    }

    fn runs(plan: &Plan, host: &Fake) -> Result<Vec<(String, End)>> {
        let chosen = vec![true; plan.steps.len()];
        run(plan, &chosen, false, host, &quiet()).map(|outcome| outcome.ends)
    }

    #[test]
    fn independent_steps_run_side_by_side() {
        // Each waits for the other: one after the other they never would end.
        let plan = plan(vec![
            Step::new("a", "").xtask(words!["meet"]),
            Step::new("b", "").xtask(words!["meet"]),
            Step::new("c", "").needs(["a", "b"]).xtask(words!["c"]),
        ]);
        let host = fake();
        runs(&plan, &host).unwrap();
        assert_eq!(*host.asked.lock().unwrap(), ["meet", "meet", "c"]);
    }

    #[test]
    fn a_failure_stops_its_branch_and_no_other() {
        let plan = plan(vec![
            Step::new("bad", "").xtask(words!["fail"]),
            Step::new("after-bad", "")
                .needs(["bad"])
                .xtask(words!["never"]),
            Step::new("good", "").xtask(words!["good"]),
            Step::new("after-good", "")
                .needs(["good"])
                .xtask(words!["after-good"]),
            Step::new("clean", "")
                .needs(["after-bad"])
                .always()
                .xtask(words!["clean"]),
        ]);
        let host = fake();
        assert_eq!(runs(&plan, &host).unwrap_err().to_string(), "it failed");
        let mut asked = host.asked.lock().unwrap().clone();
        asked.sort();
        assert_eq!(asked, ["after-good", "clean", "fail", "good"]);
    }

    #[test]
    fn what_is_done_is_skipped_and_what_needs_it_runs() {
        let plan = plan(vec![
            Step::new("done", "")
                .done(|| Ok(Some("seen".into())))
                .xtask(words!["never"]),
            Step::new("next", "")
                .needs(["done"])
                .done(|| Ok(None))
                .xtask(words!["next"]),
        ]);
        let host = fake();
        let ends = runs(&plan, &host).unwrap();
        assert_eq!(
            ends,
            [("done".into(), End::Skipped), ("next".into(), End::Done)]
        );
        assert_eq!(*host.asked.lock().unwrap(), ["next"]);
    }

    #[test]
    fn from_a_step_means_it_and_all_that_need_it_and_what_they_read() {
        let echo = |text: &str| Command::new(words!["echo", text]);
        let mut read = words!["got"];
        read.push(Word::output("OUT"));
        let plan = plan(vec![
            Step::new("unrelated", "").xtask(words!["never"]),
            Step::new("writes", "").run(echo("text").output("OUT")),
            Step::new("middle", "")
                .needs(["writes"])
                .done(|| Ok(Some("seen".into())))
                .xtask(words!["middle"]),
            Step::new("reads", "").needs(["middle"]).xtask(read),
        ]);
        let chosen = plan.from_step("middle").unwrap();
        assert_eq!(chosen, [false, true, true, true]);
        let host = fake();
        run(&plan, &chosen, true, &host, &quiet()).unwrap();
        assert_eq!(*host.asked.lock().unwrap(), ["middle", "got text"]);
        assert!(plan.from_step("nothing").unwrap_err().hints[0].contains("unrelated, writes"));
    }

    #[test]
    fn readiness_comes_after_the_actions() {
        let ready = Ready {
            component: "x".into(),
            address: "tcp://x".into(),
            within: Duration::from_secs(1),
        };
        let plan = plan(vec![
            Step::new("x", "").xtask(words!["launch"]).ready(ready),
        ]);
        let host = fake();
        runs(&plan, &host).unwrap();
        assert_eq!(*host.asked.lock().unwrap(), ["launch", "wait tcp://x"]);
    }

    #[test]
    fn a_tool_that_fails_is_quoted() {
        let script = "echo one; echo two >&2; exit 7";
        let plan = plan(vec![
            Step::new("x", "").run(Command::new(words!["sh", "-c", script])),
        ]);
        let fail = Fail::from_error(&runs(&plan, &fake()).unwrap_err());
        assert_eq!(fail.what, "sh failed with exit status: 7");
        assert!(fail.tail.contains(&"one".to_owned()) && fail.tail.contains(&"two".to_owned()));
    }

    #[test]
    fn a_tool_that_prints_without_end_is_cut() {
        let endless =
            "yes 0123456789012345678901234567890123456789 | tr -d '\\n' | head -c 40000000";
        let command = Command::new(words!["sh", "-c", endless]).output("OUT");
        let plan = plan(vec![Step::new("x", "").run(command)]);
        let fail = runs(&plan, &fake()).unwrap_err();
        assert_eq!(fail.to_string(), "sh prints more than it should");
    }
}
