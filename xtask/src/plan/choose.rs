//! Which steps of a plan run.

use super::{Action, Plan};
use crate::fail::{Fail, broken};

impl Plan {
    /// These steps and all that they need, directly or not.
    pub fn needed_by(&self, chosen: &[bool]) -> Vec<bool> {
        let mut all = chosen.to_vec();
        for i in (0..all.len()).rev() {
            if all[i] {
                for (j, earlier) in self.steps[..i].iter().enumerate() {
                    all[j] |= self.steps[i].needs.contains(&earlier.name);
                }
            }
        }
        all
    }

    /// Which steps `--from NAME` runs: it, all that need it, and before them those
    /// whose output one of them reads and those that must be done again.
    pub fn steps_from(&self, name: &str) -> Result<Vec<bool>, Fail> {
        let names: Vec<_> = self.steps.iter().map(|step| step.name.as_str()).collect();
        if !names.contains(&name) {
            return Err(
                broken(format!("`{}` has no step named {name:?}", self.command))
                    .hint(format!("its steps are: {}", names.join(", "))),
            );
        }
        let mut chosen: Vec<bool> = names.iter().map(|n| *n == name).collect();
        for (i, step) in self.steps.iter().enumerate() {
            let needs_chosen = |need: &String| {
                self.steps[..i]
                    .iter()
                    .zip(&chosen)
                    .any(|(s, c)| *c && s.name == *need)
            };
            if step.needs.iter().any(needs_chosen) {
                chosen[i] = true;
            }
        }
        for i in (0..self.steps.len()).rev() {
            if chosen[i] {
                let wanted: Vec<_> = self.steps[i]
                    .actions
                    .iter()
                    .flat_map(Action::inputs)
                    .collect();
                for (j, step) in self.steps[..i].iter().enumerate() {
                    let mut outputs = step.actions.iter().filter_map(Action::output);
                    let read = outputs.any(|output| wanted.contains(&output));
                    if read || step.again && self.steps[i].needs.contains(&step.name) {
                        chosen[j] = true;
                    }
                }
            }
        }
        Ok(chosen)
    }
}
