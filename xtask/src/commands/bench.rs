//! `bench`
use anyhow::Result;
use serde_json::Value;

use super::App;

pub fn run(_app: &App, _cold: bool, _runs: u16) -> Result<Option<Value>> { Ok(None) }
