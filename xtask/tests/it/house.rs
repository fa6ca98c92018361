//! The house itself: which room may know which, and how large a file and a function
//! may be. CONTRIBUTING.md says what each room is for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms of `xtask/src` by floor, the lowest first. An import leads to the same
/// floor or to a lower one. A file belongs to the longest name that leads to it.
const FLOORS: [&[&str]; 15] = [
    &["fail", "time", "random", "parallel"],
    &["text", "format", "state", "problems", "exec"],
    &["http"],
    &["trust", "tlog"],
    &["entry", "bundle"],
    &["proof"],
    &["plan"],
    &["ui"],
    &[
        "preflight",
        "artifact",
        "rekor",
        "ct_log",
        "registry",
        "signatures",
    ],
    &["target", "cosign"],
    &["local", "cluster"],
    &["evidence", "report", "book"],
    &["walkthrough", "labs", "listing"],
    &["app", "cli"],
    &["commands", "main", "lib"],
];

/// Files longer than [`FILE`], functions longer than [`FUNCTION`] and arrows that go up
/// although the rule forbids it, each with its reason. At most five.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// The most lines of a file without its tests.
const FILE: usize = 300;
/// The most lines of half of the files.
const MEDIAN: usize = 120;
/// The most lines of a function, from its signature to its closing brace.
const FUNCTION: usize = 60;
/// From this many lines on a function has a comment that gives a reason.
const REASON: usize = 40;

/// A file of `xtask/src`, without its tests.
struct Room {
    /// Below `xtask/src`: `proof/chain.rs`.
    path: String,
    /// Its module: `proof::chain`.
    module: String,
    /// Its lines.
    lines: Vec<String>,
}

fn rooms() -> Vec<Room> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files.sort();
    let room = |file: &PathBuf| {
        let path = file
            .strip_prefix(&src)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
        let text = std::fs::read_to_string(file).unwrap();
        let end = text.find("\n#[cfg(test)]\nmod tests");
        Room {
            module: module.replace('/', "::"),
            lines: text[..end.unwrap_or(text.len())]
                .lines()
                .map(str::to_owned)
                .collect(),
            path,
        }
    };
    files.iter().map(room).collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The floor of a module and the name of its room.
fn floor(module: &str) -> Option<(usize, &'static str)> {
    let floors = FLOORS.iter().enumerate();
    let all = floors.flat_map(|(floor, rooms)| rooms.iter().map(move |room| (floor, *room)));
    all.filter(|(_, room)| is_below(module, room))
        .max_by_key(|(_, room)| room.len())
}

fn is_below(module: &str, room: &str) -> bool {
    module
        .strip_prefix(room)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What a file names of this crate, with the line: `proof::chain::verify`. Comments and
/// the declarations of modules are no imports.
fn names(room: &Room) -> Vec<(usize, String)> {
    let code = |line: &String| match line.find("//") {
        Some(at) if !line[..at].contains('"') => line[..at].to_owned(),
        _ => line.clone(),
    };
    let lines: Vec<String> = room.lines.iter().map(code).collect();
    let parent = room
        .module
        .rsplit_once("::")
        .map_or("", |(parent, _)| parent);
    let mut names = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        for (prefix, base) in [
            ("crate::", ""),
            ("super::", parent),
            ("self::", &room.module),
        ] {
            for (at, _) in line.match_indices(prefix) {
                let before = line[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                    continue;
                }
                let mut rest = line[at + prefix.len()..].to_owned();
                // An import can go over several lines.
                for more in &lines[number + 1..] {
                    if rest.matches('{').count() <= rest.matches('}').count()
                        || !line.contains("use ")
                    {
                        break;
                    }
                    rest.push_str(more.trim());
                }
                let base = if base.is_empty() {
                    String::new()
                } else {
                    format!("{base}::")
                };
                names.extend(
                    spread(&rest)
                        .into_iter()
                        .map(|name| (number + 1, format!("{base}{name}"))),
                );
            }
        }
    }
    names
}

/// The paths that a text begins with: `a::{b, c::d}` is two.
fn spread(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let (head, rest) = text.split_at(end.unwrap_or(text.len()));
    if !head.ends_with("::") || !rest.starts_with('{') {
        return vec![head.trim_end_matches(':').to_owned()];
    }
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in rest.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if c == ',' && depth == 1 {
            parts.push(String::new());
        } else if !(c == '{' && depth == 1) {
            parts.last_mut().unwrap().push(c);
        }
    }
    let parts = parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty());
    parts
        .flat_map(spread)
        .map(|part| match part.as_str() {
            "self" => head.trim_end_matches(':').to_owned(),
            _ => format!("{head}{part}"),
        })
        .collect()
}

/// What is found and not excepted, as one message.
fn assert_none(found: Vec<(String, String)>) {
    let excepted = |key: &str| EXCEPTIONS.iter().any(|(name, _)| *name == key);
    let lines: Vec<String> = found
        .into_iter()
        .filter(|(key, _)| !excepted(key))
        .map(|(_, line)| line)
        .collect();
    assert!(
        lines.is_empty(),
        "{}\n{} in all",
        lines.join("\n"),
        lines.len()
    );
}

#[test]
fn no_import_goes_up() {
    let mut found = Vec::new();
    for room in rooms() {
        let Some((own, name)) = floor(&room.module) else {
            found.push((
                room.path.clone(),
                format!("{}: its room is on no floor", room.path),
            ));
            continue;
        };
        for (line, named) in names(&room) {
            if let Some((other, above)) = floor(&named)
                && other > own
            {
                let text = format!(
                    "xtask/src/{}:{line}: {named} is of {above}, on floor {}, above {name} on floor {}",
                    room.path,
                    other + 1,
                    own + 1
                );
                found.push((format!("{} -> {above}", room.path), text));
            }
        }
    }
    assert_none(found);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let rooms = rooms();
    let modules: BTreeSet<&str> = rooms.iter().map(|room| room.module.as_str()).collect();
    // The file that holds what is named: the longest module that leads to it.
    let file = |named: &str| {
        let mut name = named;
        loop {
            if let Some(module) = modules.get(name) {
                return Some(*module);
            }
            name = name.rsplit_once("::")?.0;
        }
    };
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for room in &rooms {
        let of = imports.entry(&room.module).or_default();
        of.extend(names(room).iter().filter_map(|(_, named)| file(named)));
        of.remove(room.module.as_str());
    }
    let reached = |from: &str| {
        let mut all = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(module) = next.pop() {
            for to in imports.get(module.as_str()).into_iter().flatten() {
                if all.insert(to.to_string()) {
                    next.push(to.to_string());
                }
            }
        }
        all
    };
    let reach: BTreeMap<&str, BTreeSet<String>> = modules
        .iter()
        .map(|module| (*module, reached(module)))
        .collect();
    let mut circles = BTreeSet::new();
    for module in &modules {
        if reach[module].contains(*module) {
            let back =
                |other: &&&str| reach[**other].contains(*module) && reach[module].contains(**other);
            let circle: Vec<&str> = modules.iter().filter(back).copied().collect();
            circles.insert(circle.join(", "));
        }
    }
    let found = circles.into_iter();
    assert_none(
        found
            .map(|circle| (circle.clone(), format!("these import each other: {circle}")))
            .collect(),
    );
}

#[test]
fn no_command_imports_a_command() {
    let mut found = Vec::new();
    for room in rooms() {
        let Some(own) = room.module.strip_prefix("commands::") else {
            continue;
        };
        for (line, named) in names(&room) {
            let other = named.strip_prefix("commands::").unwrap_or_default();
            let other = other.split("::").next().unwrap_or_default();
            let is_command = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(format!("src/commands/{other}.rs"))
                .is_file();
            if is_command && other != own.split("::").next().unwrap_or_default() {
                found.push((
                    room.path.clone(),
                    format!(
                        "xtask/src/{}:{line}: {named} is another command's",
                        room.path
                    ),
                ));
            }
        }
    }
    assert_none(found);
}

#[test]
fn files_are_short() {
    let rooms = rooms();
    let mut sizes: Vec<usize> = rooms.iter().map(|room| room.lines.len()).collect();
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    let long = rooms.iter().filter(|room| room.lines.len() > FILE);
    assert_none(
        long.map(|room| {
            (
                room.path.clone(),
                format!(
                    "xtask/src/{}: {} lines, at most {FILE}",
                    room.path,
                    room.lines.len()
                ),
            )
        })
        .collect(),
    );
    assert!(
        median <= MEDIAN,
        "half of the files have more than {median} lines, and it is to be {MEDIAN}"
    );
}

#[test]
fn functions_are_short_and_the_longer_ones_give_a_reason() {
    let mut found = Vec::new();
    for room in rooms() {
        for (start, name, body) in functions(&room.lines) {
            let key = format!("{}: {name}", room.path);
            let place = format!("xtask/src/{}:{}: fn {name}", room.path, start + 1);
            let reason = body.iter().any(|line| line.trim_start().starts_with("// "));
            if body.len() > FUNCTION {
                found.push((
                    key,
                    format!("{place}: {} lines, at most {FUNCTION}", body.len()),
                ));
            } else if body.len() > REASON && !reason {
                found.push((
                    key,
                    format!("{place}: {} lines without a reason", body.len()),
                ));
            }
        }
    }
    assert_none(found);
}

/// The functions of a file that rustfmt has laid out: the line, the name and all lines.
fn functions(lines: &[String]) -> Vec<(usize, String, &[String])> {
    let mut all = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let Some((before, name)) = code.split_once("fn ") else {
            continue;
        };
        let starts = before.split_whitespace().all(|word| {
            word.starts_with("pub") || ["const", "unsafe", "crate)", "super)"].contains(&word)
        });
        if !starts {
            continue;
        }
        let close = format!("{indent}}}");
        let Some(length) = lines[start..].iter().position(|line| {
            *line == close
                || line.starts_with(indent)
                    && line.trim_end().ends_with(';')
                    && line[indent.len()..].starts_with(')')
        }) else {
            continue;
        };
        let one_line = line.trim_end().ends_with('}') || line.trim_end().ends_with(';');
        let length = if one_line { 0 } else { length };
        let name = name.split(['(', '<']).next().unwrap_or_default();
        all.push((start, name.to_owned(), &lines[start..=start + length]));
    }
    all
}

#[test]
fn the_exceptions_are_few_and_each_is_needed_with_a_reason() {
    assert!(EXCEPTIONS.len() <= 5, "at most five");
    for (name, reason) in EXCEPTIONS {
        assert!(reason.len() > 20, "{name} has no reason");
        let file = name.split([':', ' ', ',']).next().unwrap_or_default();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        assert!(file.is_file(), "{name} names no file");
    }
}

/// The first sentence of the comment at the top of a file: what it is for.
fn purpose(room: &Room) -> String {
    let comment = room.lines.iter().map_while(|line| line.strip_prefix("//!"));
    let first: Vec<&str> = comment
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let text = first.join(" ");
    let sentence = text.split(". ").next().unwrap_or_default();
    // In a table of Markdown a bar ends the cell, and these links lead nowhere.
    let sentence = sentence.trim_end_matches(['.', ':']).replace('|', "\\|");
    sentence.replace("[`", "`").replace("`]", "`")
}

/// The table of CONTRIBUTING.md is made of the first sentence of each file;
/// `SNAPSHOTS=overwrite cargo test --test it house::` makes it again.
#[test]
fn contributing_says_what_every_file_is_for() {
    let mut rows: Vec<(String, String)> = Vec::new();
    for room in rooms() {
        let text = purpose(&room);
        assert!(
            !text.is_empty(),
            "xtask/src/{} does not say what it is for",
            room.path
        );
        let name = match room.path.strip_suffix("mod.rs") {
            Some(folder) => folder.to_owned(),
            None => room.path.clone(),
        };
        rows.push((name, text));
    }
    rows.sort();
    let rows = rows
        .iter()
        .map(|(name, text)| format!("| `{name}` | {text} |\n"));
    let table = format!(
        "| in `xtask/src` | what it is for |\n|---|---|\n{}",
        rows.collect::<String>()
    );
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../CONTRIBUTING.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let start = text
        .find("| in `xtask/src` |")
        .expect("the table of xtask/src is there");
    let length: usize = text[start..]
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'))
        .map(str::len)
        .sum();
    if std::env::var("SNAPSHOTS").is_ok_and(|what| what == "overwrite") {
        let new = format!("{}{table}{}", &text[..start], &text[start + length..]);
        return std::fs::write(&page, new).unwrap();
    }
    assert!(
        text[start..start + length] == table,
        "the table is not of these files; make it again: SNAPSHOTS=overwrite cargo test --test it house::"
    );
}
