//! `preflight`: what the machine has, all findings at once.

use anyhow::Result;
use serde_json::{Value, json};

use super::App;
use crate::preflight;

pub fn run(app: &App, port_base: Option<u16>) -> Result<Option<Value>> {
    let target = app.target()?;
    let checks = target.preflight(port_base)?;
    preflight::print(&checks, &app.ui);
    let verdict = preflight::verdict(&checks);
    app.ui
        .event(&json!({"checks": checks, "ok": verdict.is_ok()}));
    verdict.map_err(|fail| fail.reported())?;
    Ok(None)
}
