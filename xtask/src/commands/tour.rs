//! `tour`: all of it as one narrated run.

use anyhow::Result;
use serde_json::Value;

use super::App;

pub fn run(_app: &App) -> Result<Option<Value>> { Ok(None) }
