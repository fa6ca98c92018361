//! `status`: a row for each component.

use anyhow::Result;
use serde_json::{Value, json};

use super::App;
use crate::fail::not_so;
use crate::target::ComponentState;
use crate::time;
use crate::ui::typed;

pub fn run(app: &App) -> Result<Option<Value>> {
    let target = app.target()?;
    let components = target.status()?;
    let down: Vec<_> = components
        .iter()
        .filter(|c| c.state != ComponentState::Up)
        .map(|c| c.name.as_str())
        .collect();
    app.ui
        .event(&json!({"components": components, "ok": down.is_empty()}));
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let mut rows = vec![
        [
            "component",
            "state",
            "address",
            "pid",
            "version",
            "up for",
            "memory",
            "entries",
            "certificate ends",
        ]
        .map(str::to_owned),
    ];
    rows.extend(components.iter().map(|c| {
        [
            c.name.clone(),
            c.state.to_string(),
            c.address.clone(),
            text(c.pid.map(|pid| pid.to_string())),
            text(c.version.as_deref().map(short_version)),
            text(
                c.since
                    .as_deref()
                    .map(|since| time::short(time::age(since))),
            ),
            text(c.memory_kib.map(|kib| format!("{} MiB", kib / 1024))),
            text(c.log_size.map(|size| size.to_string())),
            text(
                c.certificate_ends
                    .as_deref()
                    .map(|ends| ends.chars().take(10).collect()),
            ),
        ]
    }));
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        app.ui.say(cells.join("  ").trim_end());
    }
    for component in &components {
        if let Some(warning) = &component.warning {
            app.ui
                .say(format!("warning: {}: {}", component.name, typed(warning)));
        }
    }
    if down.is_empty() {
        return Ok(None);
    }
    Err(not_so(format!("not up: {}", down.join(", ")))
        .hint(target.why_down(&down))
        .reported()
        .into())
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
