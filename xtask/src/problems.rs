//! Known problems: what a tool says, what it means and what to do.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::fail::{BROKEN, Fail};

/// A problem that users met before.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
struct Problem {
    /// What a program asks for; rows that mean the same share it.
    id: String,
    /// What a tool really said.
    #[cfg(test)]
    sample: String,
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
    /// Whether what the tool said is needed as well: it names what this is about.
    #[serde(default)]
    shown: bool,
}

/// The file is part of the program, so that a mistake in it is a failed test
/// and never an error a user sees.
static PROBLEMS: LazyLock<Vec<Problem>> =
    LazyLock::new(|| serde_yaml::from_str(include_str!("problems.yml")).unwrap_or_default());

/// A tool's failure in plain words, where the problem is a known one.
pub(crate) fn explain(fail: Fail) -> Fail {
    let Some(problem) = first_match(&fail.tail.join("\n")) else {
        return fail;
    };
    let link = problem.link.iter();
    let link = link.map(|link| format!("more about it: {link}"));
    Fail {
        what: problem.means.clone(),
        hints: problem
            .hint
            .iter()
            .cloned()
            .chain(link)
            .chain(fail.hints)
            .collect(),
        exit: problem.exit.unwrap_or(BROKEN),
        tail: fail.tail,
        problem: Some(&problem.id),
        known: !problem.shown,
    }
}

/// The first row of which every string is in what a tool said.
fn first_match(said: &str) -> Option<&'static Problem> {
    let matches = |problem: &&Problem| problem.says.iter().all(|text| said.contains(text));
    PROBLEMS.iter().find(matches)
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
        assert_eq!((fail.exit, fail.problem), (NOT_SO, Some("unsigned")));
        assert_eq!(fail.what, "the image carries no signature");
        assert_eq!(fail.tail, ["Error: no signatures found"]);
    }

    /// Each row explains its own sample: none is hidden by one before it.
    #[test]
    fn each_problem_is_found_by_what_a_tool_says() {
        for problem in PROBLEMS.iter() {
            let first = first_match(&problem.sample).unwrap();
            assert!(
                std::ptr::eq(first, problem),
                "the sample of {} ({:?}) is explained by {}",
                problem.id,
                problem.sample,
                first.id
            );
        }
    }

    /// A script that asks for an id gets every row that means the same, and no other.
    #[test]
    fn an_id_is_a_meaning() {
        for one in PROBLEMS.iter() {
            for other in PROBLEMS.iter() {
                assert_eq!(
                    one.id == other.id,
                    one.means == other.means,
                    "{} and {}: {:?} and {:?}",
                    one.id,
                    other.id,
                    one.means,
                    other.means
                );
            }
        }
    }

    /// The table as a page: a section for each of its comments, a row for each entry.
    fn page(introduction: &str) -> String {
        let mut page = introduction.to_owned();
        // The first comment is about the file itself.
        for section in include_str!("problems.yml").split("\n\n").skip(1) {
            let about = section.lines().next().unwrap().trim_start_matches("# ");
            page += &format!("\n\n## From {about}\n\n");
            page += "| what is said | what it means | what to do |\n|---|---|---|";
            for problem in serde_yaml::from_str::<Vec<Problem>>(section).unwrap() {
                let says: Vec<String> = problem
                    .says
                    .iter()
                    .map(|text| format!("`{}`", text.trim()))
                    .collect();
                let link = problem.link.map(|link| format!("[more about it]({link})"));
                let todo: Vec<String> = problem.hint.into_iter().chain(link).collect();
                page += &format!(
                    "\n| {} | {} | {} |",
                    says.join(" and "),
                    problem.means,
                    todo.join("; ")
                );
            }
        }
        page + "\n"
    }

    /// Where the table changed, SNAPSHOTS=overwrite writes the page again; what stands
    /// before its first section stays.
    #[test]
    fn the_page_has_every_problem() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (introduction, _) = text.split_once("\n\n## From ").unwrap();
        let shown = snapbox::Data::read_from(path.as_ref(), Some(snapbox::data::DataFormat::Text));
        snapbox::Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .eq(page(introduction), shown.raw());
    }

    #[test]
    fn an_unknown_problem_stays_as_it_is() {
        let fail = explain(broken("cosign failed").tail(vec!["something new".into()]));
        assert_eq!((fail.what.as_str(), fail.exit), ("cosign failed", BROKEN));
    }
}
