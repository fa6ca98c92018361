//! `preflight`: what the machine has, all findings at once.

use anyhow::Result;
use serde_json::{Value, json};

use super::App;
use crate::preflight;
use crate::target::PreflightOptions;

pub fn run(app: &App, options: &PreflightOptions) -> Result<Option<Value>> {
    let target = app.target()?;
    let checks = target.preflight(options)?;
    preflight::print(&checks, &app.ui);
    let verdict = preflight::verdict(&checks);
    app.ui
        .event(&json!({"checks": checks, "ok": verdict.is_ok()}));
    verdict.map_err(|fail| fail.reported())?;
    Ok(None)
}
