//! Runs any plan: independent steps side by side, what is done skipped, a
//! failed branch stopped while the others finish.

use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::board::{Board, at};
use super::outcome::{End, Outcome, StepValue};
use super::reporter::{Reporter, StepEvent};
use super::{Action, Plan, Ready, Step, shell};
use crate::exec::{Heard, Outputs, interrupt, resolve};
use crate::fail::{Fail, broken};

/// What a plan needs from whoever runs it.
pub(crate) trait StepRunner: Sync {
    /// Runs a subcommand of `cargo xtask` in this process and returns what it made; the
    /// words carry no global options.
    fn xtask(&self, words: &[String], report: &dyn Fn(StepEvent<'_>)) -> Result<StepValue>;

    /// Waits until the condition holds; fails where it does not hold in time or never
    /// will.
    fn wait(&self, ready: &Ready, report: &dyn Fn(StepEvent<'_>)) -> Result<()>;

    /// Whether a step that runs by itself ends in order when it is interrupted. Others end
    /// at once: they leave nothing behind.
    fn heeds_interrupts(&self) -> bool {
        false
    }
}

/// Runs the chosen steps of a plan to the end of each. With `force` their probes are not
/// asked. That steps failed is for the [outcome](Outcome::all_done) to say.
///
/// # Errors
/// Where it was interrupted.
pub(crate) fn run(
    plan: &Plan,
    chosen: &[bool],
    force: bool,
    runner: &dyn StepRunner,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    reporter.plan(plan);
    let run = Run {
        plan,
        force,
        runner,
        reporter,
        outputs: Mutex::default(),
    };
    let mut board = Board::new(plan, chosen);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        loop {
            for i in board.startable(reporter) {
                let (send, run) = (send.clone(), &run);
                scope.spawn(move || {
                    // Without this a panic would leave the plan waiting.
                    let step = std::panic::AssertUnwindSafe(|| run.step(i));
                    let panicked =
                        |_| Err(broken("a step panicked: that is a bug of this program"));
                    let end = std::panic::catch_unwind(step).unwrap_or_else(panicked);
                    let _ = send.send((i, end));
                });
            }
            if !board.running.contains(&true) {
                break;
            }
            match receive.recv_timeout(Duration::from_millis(50)) {
                Ok((i, end)) => board.ended(i, end),
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
    Ok(board.outcome(chosen))
}

/// What every step of a running plan needs.
struct Run<'a> {
    plan: &'a Plan,
    force: bool,
    runner: &'a dyn StepRunner,
    reporter: &'a dyn Reporter,
    outputs: Mutex<Outputs>,
}

impl Run<'_> {
    /// Runs a step to its end, whatever it is, and reports it.
    fn step(&self, i: usize) -> Result<(End, Vec<StepValue>), Fail> {
        let step = &self.plan.steps[i];
        let report = |event: StepEvent<'_>| self.reporter.step(at(self.plan, i), event);
        let started = Instant::now();
        report(StepEvent::Started);
        let seen = match &step.done {
            Some(probe) if !self.force => probe(),
            _ => Ok(None),
        };
        let made = match seen {
            Ok(Some(seen)) => {
                report(StepEvent::Skipped(&seen));
                return Ok((End::Skipped, Vec::new()));
            }
            Ok(None) => self.actions(step, &report),
            Err(error) => Err(error),
        };
        match made {
            Ok(made) => {
                report(StepEvent::Done(started.elapsed()));
                Ok((End::Done, made))
            }
            Err(error) => {
                // A tool that was told to stop has nothing to say about it.
                let fail = if interrupt::interrupted() {
                    broken("interrupted")
                } else {
                    Fail::from_error(&error)
                };
                report(StepEvent::Failed(&fail));
                Err(fail)
            }
        }
    }

    fn actions(
        &self,
        step: &Step,
        report: &(dyn Fn(StepEvent<'_>) + Sync),
    ) -> Result<Vec<StepValue>> {
        let outputs = || self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let hear = |heard: Heard<'_>| match heard {
            Heard::Line(line) => report(StepEvent::Output(line)),
            Heard::Progress { done, total } => report(StepEvent::Progress { done, total }),
        };
        let mut made = Vec::new();
        for action in &step.actions {
            report(StepEvent::Command(&shell::line(action, &self.plan.globals)));
            let known = outputs().clone();
            match action {
                Action::Xtask(words) => {
                    made.push(self.runner.xtask(&resolve(words, &known)?, &report)?);
                }
                Action::Run(command) => {
                    let printed = crate::exec::run(command, &known, &hear)?;
                    if let Some(name) = &command.output {
                        outputs().insert(name.clone(), printed.trim_end().to_owned());
                    }
                }
            }
        }
        if let Some(ready) = &step.ready {
            self.runner.wait(ready, &report)?;
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ready::Wait;
    use crate::plan::{Command, StepArgs, StepRef, Word};
    use crate::words;
    use std::sync::Barrier;

    /// Remembers which subcommands it was asked for; `fail` fails, and those
    /// that `meet` wait for each other.
    struct Fake {
        asked: Mutex<Vec<String>>,
        meeting: Barrier,
    }

    impl StepRunner for Fake {
        fn xtask(&self, words: &[String], _: &dyn Fn(StepEvent<'_>)) -> Result<StepValue> {
            self.asked.lock().unwrap().push(words.join(" "));
            match words[0].as_str() {
                "fail" => return Err(broken("it failed").into()),
                "meet" => drop(self.meeting.wait()),
                _ => {}
            }
            Ok(Box::new(words.join(" ")))
        }

        fn wait(&self, ready: &Ready, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
            let words = Wait::from(ready).words();
            let words = resolve(&words[1..], &Outputs::new())?;
            self.xtask(&words, report).map(drop)
        }
    }

    /// Shows nothing.
    struct Silent;

    impl Reporter for Silent {
        fn plan(&self, _: &Plan) {}
        fn step(&self, _: StepRef<'_>, _: StepEvent<'_>) {}
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
        Ok(run(plan, &chosen, false, host, &Silent)?.all_done()?.ends)
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
    fn what_steps_make_comes_in_the_order_of_the_plan() {
        let plan = plan(vec![
            Step::new("a", "").xtask(words!["a"]),
            Step::new("b", "").xtask(words!["b"]),
            Step::new("c", "").needs(["b"]).xtask(words!["c"]),
        ]);
        let outcome = run(&plan, &[true, false, true], false, &fake(), &Silent).unwrap();
        assert_eq!(outcome.made::<String>().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(outcome.made::<u8>().count(), 0);
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
        let chosen = plan.steps_from("middle").unwrap();
        assert_eq!(chosen, [false, true, true, true]);
        let host = fake();
        run(&plan, &chosen, true, &host, &Silent).unwrap();
        assert_eq!(*host.asked.lock().unwrap(), ["middle", "got text"]);
        assert!(plan.steps_from("nothing").unwrap_err().hints[0].contains("unrelated, writes"));
    }

    #[test]
    fn readiness_comes_after_the_actions() {
        let ready = Ready::answers("x", "tcp://x", Duration::from_secs(1));
        let plan = plan(vec![
            Step::new("x", "").xtask(words!["launch"]).ready(ready),
        ]);
        let host = fake();
        runs(&plan, &host).unwrap();
        assert_eq!(
            *host.asked.lock().unwrap(),
            ["launch", "wait x tcp://x --within 1"]
        );
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
        let error = runs(&plan, &fake()).unwrap_err().to_string();
        assert_eq!(error, "sh prints more than it should");
    }
}
