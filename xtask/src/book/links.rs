//! The links of a page: where they are in its text, and how they read from a page
//! that lies elsewhere.

/// Calls `new` with every target of a link or picture, and puts what it answers in
/// its place. Blocks of code are left as they are.
pub fn rewrite(text: &str, mut new: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        match fence {
            Some(open) => {
                if bare.starts_with(open) && bare.trim_start_matches('`').is_empty() {
                    fence = None;
                }
                out.push_str(line);
            }
            // What has more of them later is code within a line.
            None if bare.starts_with("```") && !bare.trim_start_matches('`').contains('`') => {
                fence = Some(&bare[..bare.len() - bare.trim_start_matches('`').len()]);
                out.push_str(line);
            }
            None => out.push_str(&rewrite_line(line, &mut new)),
        }
    }
    out
}

/// How a link or a picture begins, in Markdown and in HTML, and how its target ends.
const BEGINNINGS: [(&str, char); 3] = [("](", ')'), (" href=\"", '"'), (" src=\"", '"')];

fn rewrite_line(line: &str, new: &mut impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    loop {
        let found = BEGINNINGS
            .iter()
            .filter_map(|(begins, ends)| Some((rest.find(begins)? + begins.len(), *ends)))
            .min();
        let Some((start, ends)) = found else { break };
        let Some(length) = rest[start..].find(ends) else {
            break;
        };
        let target = &rest[start..start + length];
        out.push_str(&rest[..start]);
        out.push_str(&new(target).unwrap_or_else(|| target.to_owned()));
        rest = &rest[start + length..];
    }
    out + rest
}

/// The path that a target means on a page, both from the root of the repository and
/// with `/` between the names; `None` where it leads out of the repository.
pub fn resolve(page: &str, target: &str) -> Option<String> {
    if target.starts_with('/') || target.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// How a page names another file, both from the same root.
pub fn relative(page: &str, file: &str) -> String {
    let from: Vec<&str> = page.split('/').collect();
    let from = &from[..from.len() - 1];
    let to: Vec<&str> = file.split('/').collect();
    let dirs = &to[..to.len() - 1];
    let shared = from.iter().zip(dirs).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; from.len() - shared];
    parts.extend(&to[shared..]);
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_and_pictures_are_found_and_code_is_not() {
        let text = "[`a`](one.md#x) and ![b](two.svg), <img src=\"three.svg\" alt=\"](four\"/>\n\
                    ````console\n[c](five)\n```\n[d](six)\n````\n[open](seven\n[e](https://e.example/)\n";
        let mut seen = Vec::new();
        let out = rewrite(text, |target| {
            seen.push(target.to_owned());
            (target == "two.svg").then(|| "../2.svg".to_owned())
        });
        assert_eq!(
            seen,
            ["one.md#x", "two.svg", "three.svg", "https://e.example/"]
        );
        assert_eq!(out, text.replace("(two.svg)", "(../2.svg)"));
    }

    #[test]
    fn a_target_is_a_path_of_the_repository_or_none() {
        let resolve = |target| resolve("docs/a.md", target);
        assert_eq!(resolve("b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(resolve("../deploy/").as_deref(), Some("deploy"));
        assert_eq!(resolve("./x/../y").as_deref(), Some("docs/y"));
        assert_eq!(resolve("../../etc/passwd"), None);
        assert_eq!(resolve("/etc/passwd"), None);
        assert_eq!(resolve("https://e.example/"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// From wherever a page lies, its name for a file leads to that file.
        #[test]
        fn what_is_named_is_found(page in "[ab](/[ab]){0,3}", file in "[ab](/[ab]){0,3}") {
            let found = resolve(&page, &relative(&page, &file));
            prop_assert_eq!(found, Some(file));
        }

        /// Whatever a page holds, all that is no link stays.
        #[test]
        fn a_page_without_changes_stays(text in "[\\]\\[()\"`a \n]{0,60}") {
            prop_assert_eq!(rewrite(&text, |_| None), text);
        }
    }
}
