//! `report`: the whole ceremony of a signature as a page to look at.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::App;
use crate::cli::EvidenceOptions;

pub fn run(_app: &App, _options: &EvidenceOptions, _output: &Path) -> Result<Option<Value>> {
    Ok(None)
}
