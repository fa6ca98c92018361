//! Known problems: what a tool says, what it means and what to do.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::fail::{BROKEN, Fail};

/// A problem that users met before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Problem {
    /// Strings that all are in what the tool said.
    says: Vec<String>,
    /// What happened, one sentence without a full stop.
    means: String,
    /// What to type.
    hint: Option<String>,
    /// Where it is discussed.
    link: Option<String>,
    /// The exit status it stands for.
    exit: Option<u8>,
}

/// The file is part of the program, so that a mistake in it is a failed test
/// and never an error a user sees.
static PROBLEMS: LazyLock<Vec<Problem>> =
    LazyLock::new(|| serde_yaml::from_str(include_str!("problems.yml")).unwrap_or_default());

/// A tool's failure in plain words, where the problem is a known one.
pub fn explain(fail: Fail) -> Fail {
    if fail.tail.is_empty() {
        return fail;
    }
    let said = fail.tail.join("\n");
    match PROBLEMS
        .iter()
        .find(|problem| problem.says.iter().all(|text| said.contains(text.as_str())))
    {
        None => fail,
        Some(problem) => Fail {
            what: problem.means.clone(),
            hints: problem
                .hint
                .iter()
                .cloned()
                .chain(
                    problem
                        .link
                        .iter()
                        .map(|link| format!("more about it: {link}")),
                )
                .chain(fail.hints)
                .collect(),
            exit: problem.exit.unwrap_or(BROKEN),
            tail: fail.tail,
            known: true,
            reported: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fail::{NOT_SO, broken};

    #[test]
    fn the_table_parses() {
        let table: Vec<Problem> = serde_yaml::from_str(include_str!("problems.yml")).unwrap();
        assert!(table.len() > 10);
        assert!(
            table
                .iter()
                .all(|problem| !problem.says.is_empty() && !problem.means.ends_with('.'))
        );
    }

    #[test]
    fn a_known_problem_is_explained_and_keeps_the_tools_words() {
        let fail = explain(broken("cosign failed").tail(vec!["Error: no signatures found".into()]));
        assert_eq!(fail.exit, NOT_SO);
        assert_eq!(fail.what, "the image carries no signature");
        assert_eq!(fail.tail, ["Error: no signatures found"]);
    }

    #[test]
    fn an_unknown_problem_stays_as_it_is() {
        let fail = explain(broken("cosign failed").tail(vec!["something new".into()]));
        assert_eq!((fail.what.as_str(), fail.exit), ("cosign failed", BROKEN));
    }
}
