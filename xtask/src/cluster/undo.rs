//! The way back from a chapter on a cluster: what it had a reader install is removed.

use anyhow::Result;

use super::objects::DEFAULT;
use super::trust::REGISTRY_TLS;
use super::{Cluster, LABEL};
use crate::plan::{Command, Plan, Step};
use crate::undo;
use crate::words;

/// The step of a removal that takes the binding of `oidc-reviewer` away.
const BINDING: &str = "clusterrolebindings";

/// The step of a removal that takes away what is kept on this machine.
const FORGET: &str = "forget";

/// What `prefetch` leaves in the directory of the target: what was chosen, and the
/// charts with their values.
const FETCHED: [&str; 3] = ["settings.json", "values", "charts"];

impl Cluster {
    /// Undoes what the chapter of this name has a reader do; an empty plan where
    /// nothing of that stays.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn undo_plan(&self, chapter: &str) -> Result<Plan> {
        let mut plan = Plan::new("reset", self.globals.clone());
        let steps = match chapter {
            "tools" | "cluster" | "identity" | "authority" => self.uninstall_plan(false)?.steps,
            _ => Vec::new(),
        };
        let wanted = |step: &Step| match chapter {
            "identity" => step.name == BINDING,
            "authority" => step.name != BINDING && step.name != FORGET,
            // What chapter 1 fetched is not of chapter 2.
            "cluster" => step.name != FORGET,
            _ => true,
        };
        steps
            .into_iter()
            .filter(wanted)
            .for_each(|step| plan.push(step));
        let (scope, ours) = (
            format!("--namespace={DEFAULT}"),
            format!("--selector={LABEL}"),
        );
        let trust = Command::new(words!["rm", "-rf", self.dir.join("trust")]);
        match chapter {
            "cluster" => {
                let mut words = words!["find", self.dir.as_path()];
                words.extend(words!["-mindepth", "1", "-maxdepth", "1"]);
                for name in FETCHED {
                    words.extend(words!["!", "-name", name]);
                }
                words.extend(words!["-exec", "rm", "-rf", "{}", "+"]);
                let needs: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
                plan.push(
                    Step::new(FORGET, "forget the installation, and keep what was fetched")
                        .needs(needs)
                        .run(Command::new(words)),
                );
            }
            "authority" => plan
                .push(Step::new("trust", "remove the trust material from this machine").run(trust)),
            "logs" => {
                // That of the registry carries the label as well, and is not of chapter 5.
                let others = format!("--field-selector=metadata.name!={REGISTRY_TLS}");
                plan.push(
                    Step::new("copies", "remove the copies of the public keys")
                        .run(self.delete(words![scope, "secrets", ours, others])?),
                );
            }
            "install" => {
                // It leads to a pod that goes.
                let closing = self.stop_plan(&["registry".to_owned()])?;
                closing.steps.into_iter().for_each(|step| plan.push(step));
                let objects = words![scope, "deployments,services,configmaps", ours];
                plan.push(
                    Step::new("objects", "remove the registry and the trust material")
                        .run(self.delete(objects)?)
                        .run(trust),
                );
            }
            _ => {}
        }
        undo::push(&mut plan, self, chapter)?;
        Ok(plan)
    }
}
