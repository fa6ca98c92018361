//! The ways back on a cluster: what install or a chapter made is removed.

use anyhow::Result;

use crate::cluster::objects::DEFAULT;
use crate::cluster::trust::REGISTRY_TLS;
use crate::cluster::{Cluster, LABEL};
use crate::fail::broken;
use crate::plan::{Command, Plan, Step};
use crate::target::{Lifecycle, Removal, Reset, TargetKind};
use crate::undo;
use crate::words;

/// The step of a removal that takes the binding of `oidc-reviewer` away.
const BINDING: &str = "clusterrolebindings";

/// The step of a removal that takes away what is kept on this machine.
const FORGET: &str = "forget";

/// What `prefetch` leaves in the directory of the target: what was chosen, and the
/// charts with their values.
const FETCHED: [&str; 3] = ["settings.json", "values", "charts"];

impl Reset for Cluster {
    fn reset(&self, chapter: &str) -> Result<Plan> {
        let mut plan = Plan::new("reset", self.globals.clone());
        let steps = match chapter {
            "tools" | "cluster" | "identity" | "authority" => {
                self.uninstall(Removal::default())?.steps
            }
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
                let closing = self.stop(&["registry".to_owned()])?;
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

    /// Removes everything, or only what is not in the minikube that is deleted. Where
    /// the cluster does not answer, what is here goes all the same with `--from forget`.
    fn uninstall(&self, removal: Removal<'_>) -> Result<Plan> {
        let mut plan = Plan::new("uninstall", self.globals.clone());
        for step in self.stop(&[])?.steps {
            // They run on this machine, whatever the cluster says.
            plan.push(step.again());
        }
        if self.settings.is_ok() && removal.delete_minikube.is_none() {
            self.push_removal(&mut plan)?;
        }
        let dir = self.dir.clone();
        let needs: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        plan.push(
            Step::new("forget", format!("remove {}", self.dir.display()))
                .needs(needs)
                .done(move || Ok((!dir.exists()).then(|| "there is nothing".to_owned())))
                .run(Command::new(words!["rm", "-rf", self.dir.as_path()])),
        );
        if let Some(profile) = removal.delete_minikube {
            let needs: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
            let delete = words!["minikube", format!("--profile={profile}"), "delete"];
            plan.push(
                Step::new("delete-minikube", format!("delete the minikube {profile}"))
                    .needs(needs)
                    .run(Command::new(delete)),
            );
        }
        Ok(plan)
    }

    fn removal_question(&self, removal: Removal<'_>) -> Result<String> {
        Ok(match removal.delete_minikube {
            None => format!(
                "Remove Sigstore from the cluster {} with all its keys and logs, and {}?",
                self.settings()?.context,
                self.dir.parent().unwrap_or(&self.dir).display()
            ),
            Some(profile) => format!("Delete the minikube {profile} with everything in it?"),
        })
    }

    fn removal_hint(&self) -> Option<&'static str> {
        Some("where the cluster is gone: cargo xtask uninstall --yes --from forget")
    }

    fn require_named(&self) -> Result<()> {
        if self.kind == TargetKind::Minikube || self.named || self.installed {
            return Ok(());
        }
        Err(
            broken("nothing was installed on a cluster from this state directory")
                .hint("to remove what was installed from another, name the cluster: --context NAME")
                .into(),
        )
    }

    fn require_profile(&self, profile: &str) -> Result<()> {
        let fail = broken(format!(
            "the minikube {profile} is not the one of this target"
        ));
        if self.kind != TargetKind::Minikube {
            return Err(fail.hint("name the target as well: --on minikube").into());
        }
        let ours = &self.settings()?.context;
        if profile == ours {
            return Ok(());
        }
        Err(fail
            .hint(format!(
                "only that one is deleted: --delete-minikube {ours}"
            ))
            .into())
    }
}
