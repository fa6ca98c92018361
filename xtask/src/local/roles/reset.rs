//! How the local target is reset: what a reader started is stopped, what they made
//! is removed.

use std::path::PathBuf;

use anyhow::Result;

use crate::fail::broken;
use crate::local::manifest::ServerRow;
use crate::local::{Claim, Local, plans};
use crate::plan::{Command, Plan, Step};
use crate::target::steps::push_unsign;
use crate::target::{Lifecycle, Made, Removal, Reset, WayBack, no_way_back};
use crate::words;

impl Reset for Local {
    fn reset(&self, chapter: &str, ways: &[WayBack]) -> Result<Plan> {
        let mut plan = Plan::new("reset", self.globals.clone());
        for way in ways {
            match *way {
                WayBack::Uninstall { keep_tools } => {
                    let removal = Removal {
                        keep_tools,
                        ..Removal::default()
                    };
                    push_all(&mut plan, self.uninstall(removal)?);
                }
                WayBack::StopServers => {
                    let begun = |server: &&ServerRow| server.chapter.as_deref() == Some(chapter);
                    let servers = self.manifest.servers.iter().filter(begun);
                    let servers: Vec<String> = servers.map(|server| server.name.clone()).collect();
                    // No name at all would mean every server.
                    if !servers.is_empty() {
                        push_all(&mut plan, self.stop(&servers)?);
                    }
                }
                WayBack::Remove(Made::Trust) => plan.push(
                    Step::new("trust", "remove the trust material").run(Command::new(words![
                        "rm",
                        "-rf",
                        self.dir.join("trust")
                    ])),
                ),
                WayBack::Unsign { attestations } => push_unsign(&mut plan, self, attestations)?,
                WayBack::Remove(_) => return Err(no_way_back(*way).into()),
            }
        }
        Ok(plan)
    }

    fn uninstall(&self, removal: Removal<'_>) -> Result<Plan> {
        let keeps = removal.keep_tools || self.shares_servers_with().is_some();
        Ok(self.removal_plan(keeps))
    }

    fn removal_question(&self, removal: Removal<'_>) -> Result<String> {
        let state = self.dir.parent().unwrap_or(&self.dir).display();
        Ok(
            if removal.keep_tools || self.shares_servers_with().is_some() {
                format!("Remove all keys, logs and images of {state}?")
            } else {
                format!("Remove all keys, logs and images of {state}, and the built servers?")
            },
        )
    }

    fn what_stays(&self, removal: Removal<'_>) -> Option<String> {
        let other = self.shares_servers_with().filter(|_| !removal.keep_tools)?;
        let other = other.display();
        Some(format!(
            "the built servers stay: the Sigstore of {other} has the same"
        ))
    }

    fn removal_hint(&self) -> Option<&'static str> {
        None
    }

    fn require_named(&self) -> Result<()> {
        Ok(())
    }

    fn require_profile(&self, profile: &str) -> Result<()> {
        Err(broken(format!(
            "the minikube {profile} is not the one of this target"
        ))
        .hint("name the target as well: --on minikube")
        .into())
    }
}

impl Local {
    /// The plan that removes the installation, and with it the built servers unless they
    /// are kept.
    pub(super) fn removal_plan(&self, keeps_servers: bool) -> Plan {
        let mut plan = Plan::new("uninstall", self.globals.clone());
        plans::push_stop(&mut plan, self, &[], |_| true);
        let stops: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        let dir = self.dir.clone();
        plan.push(
            Step::new("state", "remove keys, logs, images and trust material")
                .needs(stops)
                .done(move || Ok((!dir.exists()).then(|| "there is none".to_owned())))
                .run(Command::new(words!["rm", "-rf", self.dir.as_path()])),
        );
        if !keeps_servers {
            let [built, partial, lock] = self.build.traces();
            let there = [built.clone(), partial.clone(), lock.clone()];
            plan.push(
                Step::new("tools", "remove the built servers")
                    .needs(["state"])
                    .done(move || {
                        let none = !there.iter().any(|path| path.exists());
                        Ok(none.then(|| "there are none".to_owned()))
                    })
                    .run(Command::new(words!["rm", "-rf", built, partial, lock])),
            );
        }
        plan
    }

    /// The state directory of another installation of this user that runs the same
    /// programs.
    fn shares_servers_with(&self) -> Option<PathBuf> {
        let own = self.claim();
        let other = |claim: &Claim| {
            claim.dir != own.dir && claim.servers == own.servers && claim.is_installed()
        };
        let all = Claim::all().into_iter();
        all.filter(other)
            .map(|claim| claim.state().to_owned())
            .next()
    }
}

fn push_all(plan: &mut Plan, other: Plan) {
    other.steps.into_iter().for_each(|step| plan.push(step));
}
