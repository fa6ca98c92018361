//! `status`: a row for each component.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::fail::not_so;
use crate::target::{Component, ComponentState};
use crate::time;

/// Show each component; exit status 1 where one is down
#[derive(Debug, Args)]
pub(crate) struct StatusCommand {}

#[derive(Serialize)]
struct Components {
    components: Vec<Component>,
    ok: bool,
}

const HEADER: [&str; 9] = [
    "component",
    "state",
    "address",
    "pid",
    "version",
    "up for",
    "memory",
    "entries",
    "certificate ends",
];

impl StatusCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let target = app.target()?;
        let components = target.status()?;
        say_table(app, &components);
        for component in &components {
            if let Some(warning) = &component.warning {
                let warning = app.ui.with_prefix(warning);
                app.ui
                    .say(format!("warning: {}: {warning}", component.name));
            }
        }
        let down: Vec<_> = components
            .iter()
            .filter(|component| component.state != ComponentState::Up)
            .map(|component| component.name.as_str())
            .collect();
        let ok = down.is_empty();
        let fail = || not_so(format!("not up: {}", down.join(", "))).hint(target.why_down(&down));
        let fail = (!ok).then(fail);
        Ok(Answer::document(Components { components, ok }).but(fail))
    }
}

fn say_table(app: &App, components: &[Component]) {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(components.iter().map(row));
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        app.ui.say(cells.join("  ").trim_end());
    }
}

fn row(component: &Component) -> [String; HEADER.len()] {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let since = component.since.as_deref();
    let ends = component.certificate_ends.as_deref();
    [
        component.name.clone(),
        component.state.to_string(),
        component.address.clone(),
        text(component.pid.map(|pid| pid.to_string())),
        text(component.version.as_deref().map(short_version)),
        text(since.map(|since| time::short(time::age(since)))),
        text(
            component
                .memory_kib
                .map(|kib| format!("{} MiB", kib / 1024)),
        ),
        text(component.log_size.map(|size| size.to_string())),
        text(ends.map(|ends| ends.chars().take(10).collect())),
    ]
}

/// A pseudo-version of Go (`v0.0.0-20260303133905-11d2eeb52b42`) by its date.
fn short_version(version: &str) -> String {
    match version.split('-').collect::<Vec<_>>().as_slice() {
        [base, date, _commit] if date.len() >= 14 => {
            format!("{base}-{}", &date[date.len() - 14..date.len() - 6])
        }
        _ => version.to_owned(),
    }
}
