//! How a cluster is reset: what install or a chapter made is removed.

use anyhow::Result;

use crate::cluster::facts::RemovalFacts;
use crate::cluster::object::DEFAULT;
use crate::cluster::servers::REGISTRY_TLS;
use crate::cluster::{Cluster, LABEL};
use crate::fail::broken;
use crate::plan::{Command, Plan, Step};
use crate::target::steps::push_unsign_of;
use crate::target::{Made, Removal, Reset, TargetKind, WayBack, no_way_back};
use crate::words;

/// The step that takes away what is kept on this machine.
const FORGET: &str = "forget";

/// What `prefetch` leaves in the directory of the target: what was chosen, and the
/// charts with their values.
const FETCHED: [&str; 3] = ["settings.json", "values", "charts"];

impl Reset for Cluster {
    fn reset(&self, _: &str, ways: &[WayBack]) -> Result<Plan> {
        self.reset_plan(ways, &RemovalFacts::gather(self, ways)?)
    }

    /// Removes everything, or only what is not in the minikube that is deleted. Where
    /// the cluster does not answer, what is here goes all the same with `--from forget`.
    fn uninstall(&self, removal: Removal<'_>) -> Result<Plan> {
        self.uninstall_plan(removal, &RemovalFacts::gather(self, &[])?)
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

    fn what_stays(&self, _: Removal<'_>) -> Option<String> {
        None
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

impl Cluster {
    /// The plan of a reset. It looks at nothing: what it has to know are the facts.
    pub(in crate::cluster) fn reset_plan(
        &self,
        ways: &[WayBack],
        facts: &RemovalFacts,
    ) -> Result<Plan> {
        let mut plan = Plan::new("reset", self.globals());
        for way in ways {
            match *way {
                WayBack::Uninstall { keep_tools: false } => {
                    plan.steps = self.uninstall_plan(Removal::default(), facts)?.steps;
                }
                WayBack::Uninstall { keep_tools: true } => {
                    self.push_stop(&mut plan, facts)?;
                    if self.settings().is_ok() {
                        self.push_removal(&mut plan)?;
                    }
                    plan.push(self.forget_all_but_fetched(&plan));
                }
                // A cluster that is not known has no binding of ours.
                WayBack::Remove(Made::Binding) if self.settings().is_err() => {}
                WayBack::Remove(Made::Binding) => plan.push(self.binding_removal()?),
                WayBack::Remove(Made::Sigstore) => {
                    self.push_stop(&mut plan, facts)?;
                    if self.settings().is_ok() {
                        self.push_sigstore_removal(&mut plan)?;
                    }
                }
                WayBack::Remove(Made::Trust) => plan.push(
                    Step::new("trust", "remove the trust material from this machine")
                        .run(self.forget_trust()),
                ),
                WayBack::Remove(Made::Copies) => plan.push(self.copies_removal()?),
                WayBack::Remove(Made::Registry) => {
                    // It leads to a pod that goes.
                    let closing = self.stop_plan(&["registry".to_owned()], facts)?;
                    closing.steps.into_iter().for_each(|step| plan.push(step));
                    plan.push(self.registry_removal()?);
                }
                WayBack::Unsign { attestations } => {
                    if let Some(sample) = facts.sample.clone() {
                        push_unsign_of(&mut plan, sample, &self.dir, attestations);
                    }
                }
                WayBack::StopServers => return Err(no_way_back(*way).into()),
            }
        }
        Ok(plan)
    }

    /// The plan of an uninstall, likewise.
    pub(in crate::cluster) fn uninstall_plan(
        &self,
        removal: Removal<'_>,
        facts: &RemovalFacts,
    ) -> Result<Plan> {
        let mut plan = Plan::new("uninstall", self.globals());
        self.push_stop(&mut plan, facts)?;
        if self.settings().is_ok() && removal.delete_minikube.is_none() {
            self.push_removal(&mut plan)?;
        }
        let dir = self.dir.clone();
        let needs = names(&plan);
        plan.push(
            Step::new(FORGET, format!("remove {}", self.dir.display()))
                .needs(needs)
                .done(move || Ok((!dir.exists()).then(|| "there is nothing".to_owned())))
                .run(Command::new(words!["rm", "-rf", self.dir.as_path()])),
        );
        if let Some(profile) = removal.delete_minikube {
            let needs = names(&plan);
            let delete = words!["minikube", format!("--profile={profile}"), "delete"];
            plan.push(
                Step::new("delete-minikube", format!("delete the minikube {profile}"))
                    .needs(needs)
                    .run(Command::new(delete)),
            );
        }
        Ok(plan)
    }

    /// Adds the steps that end the forwards. These run on this machine, whatever the
    /// cluster says.
    fn push_stop(&self, plan: &mut Plan, facts: &RemovalFacts) -> Result<()> {
        for step in self.stop_plan(&[], facts)?.steps {
            plan.push(step.again());
        }
        Ok(())
    }

    /// What chapter 1 fetched is not of chapter 2.
    fn forget_all_but_fetched(&self, plan: &Plan) -> Step {
        let mut words = words!["find", self.dir.as_path()];
        words.extend(words!["-mindepth", "1", "-maxdepth", "1"]);
        for name in FETCHED {
            words.extend(words!["!", "-name", name]);
        }
        words.extend(words!["-exec", "rm", "-rf", "{}", "+"]);
        Step::new(FORGET, "forget the installation, and keep what was fetched")
            .needs(names(plan))
            .run(Command::new(words))
    }

    fn forget_trust(&self) -> Command {
        Command::new(words!["rm", "-rf", self.dir.join("trust")])
    }

    /// That of the registry carries the label as well, and is not of chapter 5.
    fn copies_removal(&self) -> Result<Step> {
        let others = format!("--field-selector=metadata.name!={REGISTRY_TLS}");
        let copies = words![in_default(), "secrets", ours(), others];
        let title = "remove the copies of the public keys";
        Ok(Step::new("copies", title).run(self.kubectl()?.delete(copies)))
    }

    fn registry_removal(&self) -> Result<Step> {
        let objects = words![
            in_default(),
            "deployments,services,configmaps,persistentvolumeclaims",
            ours()
        ];
        let title = "remove the registry and the trust material";
        Ok(Step::new("objects", title)
            .run(self.kubectl()?.delete(objects))
            .run(self.forget_trust()))
    }
}

fn names(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.name.clone()).collect()
}

fn in_default() -> String {
    format!("--namespace={DEFAULT}")
}

fn ours() -> String {
    format!("--selector={LABEL}")
}
