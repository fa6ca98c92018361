//! A plan as a shell script: what `--dry-run` prints, and what pastes.

use std::fmt::Write;

use super::ready::Wait;
use super::{Action, Command, Piece, Plan, Step, StepArgs, Word};
use crate::text::quote;

/// The whole plan. Nothing is probed, so steps that a run would skip are in it.
pub(crate) fn script(plan: &Plan, chosen: &[bool]) -> String {
    let mut out = String::new();
    let total = plan.steps.len();
    for (i, step) in plan.steps.iter().enumerate().filter(|(i, _)| chosen[*i]) {
        let _ = writeln!(out, "# {}/{total} {}: {}", i + 1, step.name, step.title);
        for line in commands(step, &plan.globals) {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

/// The command lines of one step, its readiness condition last.
pub(crate) fn commands(step: &Step, globals: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = step
        .actions
        .iter()
        .map(|action| line(action, globals))
        .collect();
    if let Some(ready) = &step.ready {
        lines.push(xtask(&Wait::from(ready).words(), globals));
    }
    lines
}

/// One action as a line.
pub(crate) fn line(action: &Action, globals: &[String]) -> String {
    match action {
        Action::Run(command) => program(command),
        Action::Xtask(words) => xtask(words, globals),
    }
}

fn xtask(words: &[Word], globals: &[String]) -> String {
    let globals = globals.iter().map(|option| quote(option));
    ["cargo".to_owned(), "xtask".to_owned()]
        .into_iter()
        .chain(globals)
        .chain(words.iter().map(word))
        .collect::<Vec<_>>()
        .join(" ")
}

fn program(command: &Command) -> String {
    let assignments = command
        .env
        .iter()
        .map(|(name, value)| format!("{name}={}", quote(value)));
    let mut line = assignments
        .chain(command.words.iter().map(word))
        .collect::<Vec<_>>()
        .join(" ");
    if let Some(dir) = &command.dir {
        line = format!("cd {} && {line}", quote(&dir.to_string_lossy()));
    }
    match &command.output {
        Some(name) => format!("{name}=$({line})"),
        None if command.dir.is_some() => format!("({line})"),
        None => line,
    }
}

fn word(word: &Word) -> String {
    if word.0.is_empty() {
        return quote("");
    }
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => quote(text),
        Piece::Output(name) => format!("\"${name}\""),
    };
    word.0.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::words;
    use proptest::prelude::*;

    fn plan() -> Plan {
        let mut plan = Plan::new("demo", vec!["--on".into(), "local".into()]);
        let look = Command::new(words!["look", "up it"])
            .output("IT")
            .dir("/a b")
            .env("A", "x y");
        plan.push(Step::new("look", "look it up").run(look));
        let mut say = words!["step", "say"];
        say.push(Word(vec![
            Piece::Text("it's ".into()),
            Piece::Output("IT".into()),
        ]));
        plan.push(Step::new("say", "say it").needs(["look"]).xtask(say));
        plan
    }

    #[test]
    fn a_plan_prints_as_a_script() {
        let expected = "# 1/2 look: look it up\n\
            IT=$(cd '/a b' && A='x y' look 'up it')\n\
            # 2/2 say: say it\n\
            cargo xtask --on local step say \"it's \"\"$IT\"\n";
        assert_eq!(script(&plan(), &[true, true]), expected);
        assert!(!script(&plan(), &[false, true]).contains("look it up"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A shell reads back exactly the same word, whatever it holds.
        #[test]
        fn a_shell_reads_what_was_meant(text in "[^\0]{0,40}") {
            let script = format!("printf %s {}", quote(&text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }
}
