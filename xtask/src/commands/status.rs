//! `status`: a row for each component.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::fail::not_so;
use crate::target::{Component, ComponentState, KeyInUse};
use crate::time;
use crate::trust::generations::Generation;

/// Show each component; exit status 1 where one is down
#[derive(Debug, Args)]
pub(crate) struct StatusCommand {}

#[derive(Serialize)]
struct Status {
    components: Vec<Component>,
    trusted_root: Option<Generation>,
    keys: Vec<KeyInUse>,
    ok: bool,
}

const COMPONENTS: [&str; 9] = [
    "component",
    "state",
    "address",
    "pid",
    "version",
    "up for",
    "restarts",
    "memory",
    "entries",
];

const KEYS: [&str; 4] = ["key", "in use since", "before it", "certificate ends"];

impl StatusCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let target = app.target()?;
        let components = target.status()?;
        let status = Status {
            trusted_root: Generation::read(&target.dir()).map(Generation::told),
            keys: target.keys_in_use()?,
            ok: components.iter().all(is_up),
            components,
        };
        say_table(
            app,
            &COMPONENTS,
            &["pid", "memory", "version", "up for"],
            status.components.iter().map(component_row),
        );
        say_trust(app, &status);
        for component in &status.components {
            if let Some(warning) = &component.warning {
                let warning = app.ui.with_prefix(warning);
                app.ui
                    .say(format!("warning: {}: {warning}", component.name));
            }
        }
        let down = status
            .components
            .iter()
            .filter(|component| !is_up(component));
        let down: Vec<_> = down.map(|component| component.name.as_str()).collect();
        let fail = || not_so(format!("not up: {}", down.join(", "))).hint(target.why_down(&down));
        let fail = (!status.ok).then(fail);
        Ok(Answer::document(status).but(fail))
    }
}

fn is_up(component: &Component) -> bool {
    component.state == ComponentState::Up
}

/// Which trusted root there is, and which keys it and the servers have.
fn say_trust(app: &App, status: &Status) {
    if let Some(Generation {
        generation, since, ..
    }) = &status.trusted_root
    {
        let since = since.as_ref().map(|since| format!(", since {since}"));
        let since = since.unwrap_or_default();
        app.ui
            .say(format!("\ntrusted root: generation {generation}{since}"));
    }
    if status.keys.is_empty() {
        return;
    }
    app.ui.say("");
    let rows = status.keys.iter().map(|key| {
        let mut of_key = status.components.iter().filter(|one| one.name == key.key);
        let ends = of_key.find_map(|one| one.certificate_ends.as_deref());
        [
            key.key.clone(),
            key.since.clone(),
            key.former.to_string(),
            ends.map_or("-".into(), |ends| ends.chars().take(10).collect()),
        ]
    });
    say_table(app, &KEYS, &["before it"], rows);
}

/// A table without the columns in which there is nothing, and on a terminal without as
/// many of these as it takes to fit.
fn say_table<const N: usize>(
    app: &App,
    header: &[&str; N],
    spare: &[&str],
    rows: impl Iterator<Item = [String; N]>,
) {
    let rows: Vec<[String; N]> = rows.collect();
    let mut widths: Vec<usize> = (0..N)
        .map(|column| {
            let used = rows.iter().any(|row| row[column] != "-");
            let cells = rows.iter().map(|row| row[column].chars().count());
            let widest = cells.chain([header[column].len()]).max().unwrap_or(0);
            if used { widest } else { 0 }
        })
        .collect();
    let columns = app.ui.columns().unwrap_or(usize::MAX);
    for name in spare {
        let used = widths.iter().filter(|width| **width > 0);
        if used.map(|width| width + 2).sum::<usize>() <= columns.saturating_add(2) {
            break;
        }
        let column = header.iter().position(|other| other == name);
        if let Some(width) = column.and_then(|column| widths.get_mut(column)) {
            *width = 0;
        }
    }
    for row in [header.map(str::to_owned)].iter().chain(&rows) {
        let cells = row.iter().zip(&widths).filter(|(_, width)| **width > 0);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        app.ui.say(cells.join("  ").trim_end());
    }
}

fn component_row(component: &Component) -> [String; COMPONENTS.len()] {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let since = component.since.as_deref();
    let memory = component.memory_kib;
    [
        component.name.clone(),
        component.state.to_string(),
        component.address.clone(),
        text(component.pid.map(|pid| pid.to_string())),
        text(component.version.as_deref().map(short_version)),
        text(since.map(|since| time::short(time::age(since)))),
        text(
            component
                .restarts
                .filter(|count| *count > 0)
                .map(|count| count.to_string()),
        ),
        text(memory.map(|kib| format!("{} MiB", kib / 1024))),
        text(component.log_size.map(|size| size.to_string())),
    ]
}

/// A pseudo-version of Go (`v0.0.0-20260303133905-11d2eeb52b42`) by its date: `20260303`.
fn short_version(version: &str) -> String {
    match version.split('-').collect::<Vec<_>>().as_slice() {
        [_, date, _commit] if date.len() >= 14 => date[date.len() - 14..date.len() - 6].to_owned(),
        _ => version.to_owned(),
    }
}
