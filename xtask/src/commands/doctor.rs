//! `doctor`: every known problem that can be looked for, all findings at once.

use anyhow::Result;
use serde_json::{Value, json};

use super::App;
use crate::fail::{Fail, not_so};
use crate::preflight;

pub fn run(app: &App) -> Result<Option<Value>> {
    let checks = app.target()?.doctor()?;
    preflight::print(&checks, &app.ui);
    let failed: Vec<_> = checks.iter().filter(|check| !check.passes()).collect();
    app.ui
        .event(&json!({"checks": checks, "ok": failed.is_empty()}));
    if failed.is_empty() {
        app.ui.say("no known problem found");
        return Ok(None);
    }
    let names: Vec<_> = failed.iter().map(|check| check.name).collect();
    let fail = not_so(format!("something is wrong: {}", names.join(", ")));
    let hints = failed.iter().filter_map(|check| check.hint.clone());
    Err(hints.fold(fail, Fail::hint).reported().into())
}
