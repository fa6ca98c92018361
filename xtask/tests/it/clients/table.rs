//! `docs/clients.md` has a row for each client, and each row is one that a test runs.

use std::collections::BTreeSet;

use crate::support::repo::repository;

/// The cells of the rows of the table with this header, without the links.
fn rows(page: &str, header: &str) -> Vec<Vec<String>> {
    let table = page.split_once(header).expect(header).1;
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        row.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.map(cells).collect()
}

#[test]
fn each_row_is_run_by_a_test() {
    let page = std::fs::read_to_string(repository().join("docs/clients.md")).unwrap();
    let rows = rows(&page, "| client | signs | verifies |");
    let run: BTreeSet<&str> = [
        include_str!("lines.rs"),
        include_str!("libraries.rs"),
        include_str!("registry.rs"),
    ]
    .into_iter()
    .flat_map(|text| text.split("#[test]\nfn ").skip(1))
    .map(|rest| rest.split('(').next().unwrap())
    .collect();
    let mut named = BTreeSet::new();
    for row in &rows {
        let test = row.last().unwrap().trim_matches('`');
        assert!(test == "not run" || run.contains(test), "{row:?}");
        named.insert(test);
    }
    named.remove("not run");
    assert_eq!(named, run);
}
