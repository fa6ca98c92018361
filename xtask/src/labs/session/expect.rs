//! What the commands of a lab must come to, and what the reader sees of them.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use super::{Ended, Session, end, lines};
use crate::exec::redirecting_variables;
use crate::fail::{NOT_SO, broken};
use crate::problems;
use crate::proof::Link;
use crate::state;
use crate::text::quote;

/// Why a command must answer no.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Because<'r> {
    /// It meets the known problem with this id.
    Problem(&'r str),
    /// Exactly these links do not hold.
    Checks(&'r [Link]),
}

/// How much of an answer the reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// All that is for a reader.
    Full,
    /// Only the checks that do not hold, and the error.
    Failures,
}

impl Session<'_> {
    /// What the commands that caught something said, each once.
    pub(crate) fn caught(&self) -> &[String] {
        &self.caught
    }

    /// Notes what caught the attack.
    pub(crate) fn note_caught(&mut self, what: &str) {
        if !self.caught.iter().any(|caught| caught == what) {
            self.caught.push(what.to_owned());
        }
    }

    /// Shows and runs a command that must do what it says.
    pub(crate) fn expect_ok(&self, words: &[&str]) -> Result<()> {
        let ended = self.show(words, Output::Full)?;
        if ended.code == Some(0) {
            return Ok(());
        }
        Err(broken(format!("{} should have worked", words[0]))
            .tail(lines(&ended.err))
            .into())
    }

    /// Shows and runs a command that must answer no, for this reason.
    pub(crate) fn expect_refusal(
        &mut self,
        words: &[&str],
        because: Because<'_>,
        output: Output,
    ) -> Result<()> {
        let said = self.expect_any_refusal(words, output)?;
        // What the reader saw is text. The reason is asked for as JSON: a sentence may be
        // reworded, and the answer to the same question is the same.
        let answer = end(self.command(&["--json"], words))?;
        let found = reason(&answer.out);
        if !found.is(because) {
            let what = format!(
                "the attack was not caught: {} refuses because of {found:?}, not of {because:?}",
                words[0]
            );
            return Err(broken(what).into());
        }
        self.note_caught(&said);
        Ok(())
    }

    /// Has cosign and this program refuse a bundle of a file, the latter because these
    /// checks do not hold.
    pub(crate) fn expect_file_refused(
        &mut self,
        file: &str,
        bundle: &Path,
        checks: &[Link],
    ) -> Result<()> {
        let bundle = bundle.to_string_lossy().into_owned();
        let named = ["--blob", file, "--bundle", &bundle];
        // cosign has its own reason for each.
        self.expect_any_refusal(&[&["verify"], &named[..]].concat(), Output::Failures)?;
        let inspect = [&["inspect-rekor"], &named[..]].concat();
        self.expect_refusal(&inspect, Because::Checks(checks), Output::Failures)
    }

    /// Shows and runs a command that must answer no, and returns the error that it says.
    fn expect_any_refusal(&self, words: &[&str], output: Output) -> Result<String> {
        let ended = self.show(words, output)?;
        let mut errors = ended.err.lines();
        match errors.find_map(|line| line.strip_prefix("error: ")) {
            Some(error) if ended.code == Some(i32::from(NOT_SO)) => Ok(error.to_owned()),
            _ => {
                let what = format!("the attack was not caught: {} does not refuse", words[0]);
                Err(broken(what).tail(lines(&ended.err)).into())
            }
        }
    }

    /// Shows and runs cosign, which must fail with a known problem.
    pub(crate) fn expect_cosign_refusal(&self, words: &[&Path], problem: &str) -> Result<()> {
        let quoted: Vec<String> = words
            .iter()
            .map(|word| quote(&word.to_string_lossy()))
            .collect();
        self.say(&format!("\n$ cosign {}", quoted.join(" ")));
        let mut cosign = Command::new(self.env("WORKSHOP_COSIGN")?);
        cosign.args(words);
        cosign.env("TUF_ROOT", self.env("TUF_ROOT")?);
        // What cosign keeps for itself belongs to the lab.
        cosign.env("HOME", &self.dir);
        for variable in redirecting_variables() {
            cosign.env_remove(variable);
        }
        let ended = end(cosign)?;
        let found = problems::explain(broken("cosign failed").tail(lines(&ended.err))).problem;
        if ended.code == Some(0) || found != Some(problem) {
            let what = format!("the attack was not caught: cosign meets {found:?}, no {problem}");
            return Err(broken(what).tail(lines(&ended.err)).into());
        }
        self.say(ended.err.lines().last().unwrap_or("cosign refuses"));
        Ok(())
    }

    /// Shows the last line of a server's log that holds this, in the server's own words.
    /// Without one the server had another reason.
    pub(crate) fn expect_logged(&mut self, server: &str, because: &str) -> Result<()> {
        let log = self.installation().join(format!("logs/{server}.log"));
        let text = state::read(&log)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.lines().rev().find(|line| line.contains(because));
        let line = line.ok_or_else(|| {
            let last = text.lines().rev().take(3).map(str::to_owned).collect();
            broken(format!(
                "the attack was not caught: {server} logs no {because:?}"
            ))
            .tail(last)
        })?;
        self.say(&format!("\n# in the log of {server}:"));
        self.say(line);
        self.note_caught(because);
        Ok(())
    }

    /// Runs a program that the reader does not see.
    pub(crate) fn expect_tool(&self, command: Command) -> Result<()> {
        let ended = end(command)?;
        if ended.code == Some(0) {
            return Ok(());
        }
        Err(broken("a tool of the lab failed")
            .tail(lines(&ended.err))
            .into())
    }

    /// Shows a command, runs it and shows what it says.
    fn show(&self, words: &[&str], output: Output) -> Result<Ended> {
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        self.say(&format!("\n$ cargo xtask {}", quoted.join(" ")));
        let ended = end(self.quiet(words))?;
        let full = output == Output::Full;
        let told = |line: &&str| !line.starts_with("next: ") && (full || line.starts_with('✗'));
        for line in ended.out.lines().filter(told) {
            self.say(line);
        }
        // The hints lead to the reader's own installation, which is another. What
        // cosign says besides is long; the checkpoints of two histories are not.
        let evidence = words[0] == "inspect-rekor";
        let told = |line: &&str| line.starts_with("error: ") || evidence && line.starts_with("  |");
        for line in ended.err.lines().filter(told) {
            self.say(line);
        }
        Ok(ended)
    }
}

/// Why a command answered no, as its JSON says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reason {
    problem: Option<String>,
    /// The checks that do not hold.
    checks: Vec<Link>,
}

impl Reason {
    fn is(&self, because: Because<'_>) -> bool {
        match because {
            Because::Problem(id) => self.problem.as_deref() == Some(id),
            Because::Checks(names) => self.checks == names,
        }
    }
}

/// Reads the reason from the lines of JSON that a command printed: the problem of its
/// `result`, and the checks of its documents.
fn reason(printed: &str) -> Reason {
    let mut reason = Reason::default();
    let documents = printed.lines().map(serde_json::from_str::<Value>);
    for document in documents.map_while(Result::ok) {
        if document["event"] == "result" {
            reason.problem = document["problem"].as_str().map(str::to_owned);
        }
        let checks = document["checks"].as_array().into_iter().flatten();
        let failed = checks.filter(|check| check["ok"] == false);
        reason
            .checks
            .extend(failed.filter_map(|check| Link::deserialize(&check["name"]).ok()));
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_an_id_or_the_names_of_checks() {
        let refused = reason(
            "{\"event\":\"plan\"}\n{\"event\":\"fail\",\"problem\":\"server-down\"}\n\
             {\"event\":\"result\",\"ok\":false,\"problem\":\"unsigned\"}\n",
        );
        assert!(refused.is(Because::Problem("unsigned")));
        assert!(!refused.is(Because::Problem("server-down")));
        assert!(!reason("{\"event\":\"result\",\"problem\":null}").is(Because::Problem("")));
        let checks = |sct, entry| {
            format!(
                "{{\"checks\":[{{\"name\":\"entry\",\"ok\":{entry}}},{{\"name\":\"sct\",\"ok\":{sct}}}]}}"
            )
        };
        assert!(reason(&checks(false, true)).is(Because::Checks(&[Link::Sct])));
        assert!(!reason(&checks(false, false)).is(Because::Checks(&[Link::Sct])));
        assert!(!reason(&checks(true, true)).is(Because::Checks(&[Link::Sct])));
    }
}
