//! The way back from a chapter: what it had a reader start is stopped, what it had
//! them make is removed.

use anyhow::Result;

use super::Local;
use crate::plan::{Command, Plan, Step};
use crate::undo;
use crate::words;

impl Local {
    /// Undoes what the chapter of this name has a reader do; an empty plan where
    /// nothing of that stays.
    ///
    /// # Errors
    /// Where the manifest is damaged.
    pub fn undo_plan(&self, chapter: &str) -> Result<Plan> {
        let stop = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            self.stop_plan(&names)
        };
        let mut plan = match chapter {
            "tools" => self.uninstall_plan(true),
            "cluster" => self.uninstall_plan(false),
            "identity" => stop(&["dex"])?,
            "authority" => stop(&["fulcio", "ctlog", "trillian"])?,
            "logs" => stop(&["rekor-v1", "rekor-v2", "tiles"])?,
            "install" => stop(&["timestamp"])?,
            _ => Plan::new("reset", self.globals.clone()),
        };
        plan.command = "reset".to_owned();
        if chapter == "install" {
            let trust = self.dir.join("trust");
            plan.push(
                Step::new("trust", "remove the trust material")
                    .run(Command::new(words!["rm", "-rf", trust])),
            );
        }
        undo::push(&mut plan, self, chapter)?;
        Ok(plan)
    }
}
