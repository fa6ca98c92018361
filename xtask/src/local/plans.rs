//! The plans of the local target: which steps there are, and in which order. Each builds
//! its plan from facts alone; the roles gather those.

use std::path::Path;

use anyhow::Result;

use super::config::User;
use super::facts::Facts;
use super::manifest::ServerRow;
use super::steps::{
    Begin, Configure, FirstEntry, Halt, Launch, ListPack, LocalTrust, Retire, TakePack, preflight,
    publish, sample,
};
use super::{Local, trust};
use crate::artifact::Artifact;
use crate::cosign::SignRequest;
use crate::entry::{Version, Versions};
use crate::fail::broken;
use crate::plan::Plan;

/// Builds the servers, those of either Rekor: nothing else of this target needs a
/// network, and later there may be none.
pub(super) fn prefetch(local: &Local, facts: &Facts) -> Plan {
    let mut plan = Plan::new("prefetch", local.globals.clone());
    let build = &local.build;
    for step in build.steps(facts.archives, Versions::Both, &facts.missing) {
        plan.push(step);
    }
    plan
}

/// Builds the servers, and packs them into an archive.
pub(super) fn pack(local: &Local, facts: &Facts, archive: &Path) -> Plan {
    let mut plan = prefetch(local, facts);
    plan.push(ListPack::step(local, archive));
    plan
}

/// Takes the servers out of an archive.
pub(super) fn unpack(local: &Local, archive: &Path) -> Plan {
    let mut plan = Plan::new("prefetch", local.globals.clone());
    plan.push(TakePack::step(local, archive));
    plan
}

/// Builds, configures and starts everything, and pushes a sample image.
pub(super) fn install(local: &Local, facts: &Facts) -> Result<Plan> {
    let mut plan = Plan::new("install", local.globals.clone());
    plan.push(preflight::step(local));
    let rekor = local.settings.rekor;
    for step in local.build.steps(facts.archives, rekor, &facts.missing) {
        plan.push(step);
    }
    push_start(&mut plan, local, facts, &[])?;
    plan.push(sample::step(local)?);
    Ok(plan)
}

/// Starts what does not run: the named servers and what they need. Those that are
/// named may be the first of an installation that `install` completes later.
pub(super) fn start(local: &Local, facts: &Facts, components: &[String]) -> Result<Plan> {
    if components.is_empty() {
        local.require_installed()?;
    }
    require_startable(local, facts, components)?;
    let mut plan = Plan::new("start", local.globals.clone());
    let names = local.manifest.with_needs(components);
    push_start(&mut plan, local, facts, &names)?;
    Ok(plan)
}

/// Stops the named servers, then starts whatever does not run: what needed one of
/// them may need a restart as well.
pub(super) fn restart(local: &Local, facts: &Facts, components: &[String]) -> Result<Plan> {
    local.require_installed()?;
    require_startable(local, facts, components)?;
    let mut plan = Plan::new("restart", local.globals.clone());
    push_stop(&mut plan, local, components, |_| true);
    push_start(&mut plan, local, facts, &[])?;
    Ok(plan)
}

/// Replaces a key: the trusted root has the new one before its server signs with it, and
/// the old one ends after that.
pub(super) fn rotate(local: &Local, facts: &Facts) -> Result<Plan> {
    require_startable(local, facts, &[])?;
    let mut plan = Plan::new("rotate", local.globals.clone());
    push_start(&mut plan, local, facts, &[])?;
    Ok(plan)
}

/// Signs as a user whose data is known.
pub(super) fn sign(
    local: &Local,
    artifacts: &[Artifact],
    user: &User,
    rekor: Version,
) -> Result<Plan> {
    let mut plan = Plan::new("sign", local.globals.clone());
    let request = SignRequest {
        artifacts,
        user: &user.name,
        identity: &user.email,
        issued_by: "Dex",
        signing_config: &local.trust_file(&trust::config_name(Some(rekor))),
        rekor,
        dir: &local.dir,
        forwarded: None,
    };
    local.cosign()?.push_sign(&mut plan, &request, &[]);
    Ok(plan)
}

/// The servers in the reverse of the order in which they start: those that are named, or
/// all where none is.
pub(super) fn push_stop(
    plan: &mut Plan,
    local: &Local,
    names: &[String],
    also: impl Fn(&ServerRow) -> bool,
) {
    let servers = local.manifest.servers.iter().rev();
    for server in servers.filter(|server| chosen(names, server) && also(server)) {
        plan.push(Halt::step(local, server));
    }
}

/// Keys, configuration, servers and trust material.
fn push_start(plan: &mut Plan, local: &Local, facts: &Facts, names: &[String]) -> Result<()> {
    let rekor = local.settings.rekor;
    // What runs and was not chosen any more.
    let stops: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
    push_stop(plan, local, &[], |server| {
        let planned = stops.contains(&format!("stop-{}", server.name));
        let chosen = server.runs_with(rekor);
        !planned && !chosen && facts.started.contains(&server.name)
    });
    plan.push(Begin::step(local, facts.offline_root.as_deref())?);
    plan.push(Configure::step(local));
    // Before all keys are there, trust material would lack some of them.
    let all = names.is_empty() || facts.trusted;
    // A key ends once every server has left it, so not where some are started.
    let turns = local.installed && local.settings.turns() && names.is_empty();
    if turns {
        // Verifiers first, signers second.
        plan.push(LocalTrust::step(local).named("trust-new-key"));
        let publish = publish::step(local)?.named("publish-new-key");
        plan.push(publish.needs(["trust-new-key"]));
    }
    let servers = local.manifest.chosen(rekor);
    let mut launched = Vec::new();
    for server in servers.filter(|server| chosen(names, server)) {
        launched.push(server.name.clone());
        let launch = Launch::step(local, server)?;
        plan.push(if turns {
            launch.needs(["publish-new-key"])
        } else {
            launch
        });
    }
    // Who starts a log by itself may want to see it empty.
    let logs = if names.is_empty() {
        local.versions()
    } else {
        Vec::new()
    };
    for version in logs {
        plan.push(FirstEntry::step(local, version)?);
    }
    if turns {
        plan.push(Retire::step(local, launched));
    }
    if all {
        plan.push(LocalTrust::step(local).needs(turns.then_some("retire")));
        plan.push(publish::step(local)?);
    }
    Ok(())
}

fn require_startable(local: &Local, facts: &Facts, names: &[String]) -> Result<()> {
    for name in names {
        local.chosen_server(name)?;
    }
    if !facts.built(local.settings.rekor) {
        // The pins were raised, or the cache was cleaned.
        return Err(broken("the servers of this version are not built")
            .hint("cargo xtask install")
            .into());
    }
    Ok(())
}

fn chosen(names: &[String], server: &ServerRow) -> bool {
    names.is_empty() || names.contains(&server.name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::local::settings::CountedKey;
    use crate::local::tests::{Machine, names};
    use crate::plan::shell;

    /// Verifiers first, signers second; and a key ends once every server has left it.
    #[test]
    fn a_key_turns_between_two_publications() {
        let Machine {
            mut local,
            mut facts,
            ..
        } = Machine::built();
        local.installed = true;
        facts.trusted = true;
        let plain = names(&start(&local, &facts, &[]).unwrap());
        assert!(!plain.contains(&"retire".to_owned()));
        local.settings.turn(CountedKey::Fulcio);
        let plan = rotate(&local, &facts).unwrap();
        let all = names(&plan);
        let at = |name: &str| all.iter().position(|step| step == name).unwrap();
        assert!(at("configure") < at("trust-new-key"));
        assert!(at("publish-new-key") < at("dex"));
        assert_eq!(all[all.len() - 3..], ["retire", "trust", "publish"]);
        let fulcio = &plan.steps[at("fulcio")];
        assert!(fulcio.needs.contains(&"publish-new-key".to_owned()));
        let retire = &plan.steps[at("retire")];
        let servers = local.manifest.chosen(local.settings.rekor);
        assert!(
            servers
                .into_iter()
                .all(|row| retire.needs.contains(&row.name))
        );
        // Fulcio may still sign with the old key.
        let some = start(&local, &facts, &["dex".to_owned()]).unwrap();
        assert!(!names(&some).contains(&"retire".to_owned()));
    }

    /// The rows of `servers.yml` are all that names the registry and Trillian.
    #[test]
    fn what_a_row_is_called_is_what_the_steps_call_it() {
        let Machine {
            mut local, facts, ..
        } = Machine::built();
        let file = local.repo.join("deploy/local/servers.yml");
        let mut rows = std::fs::read_to_string(file).unwrap();
        for (old, new) in [("registry", "images"), ("trillian", "trees")] {
            for (before, after) in [
                ("name: ", "\n    title"),
                ("\n  ", ": "),
                ("port: ", "\n"),
                ("{{", "}}"),
                ("keys/", ""),
                ("needs: [", "]"),
            ] {
                let renamed = format!("{before}{new}{after}");
                rows = rows.replace(&format!("{before}{old}{after}"), &renamed);
            }
        }
        local.manifest = Arc::new(serde_yaml::from_str(&rows).unwrap());
        local.settings.rekor = Versions::Both;
        let plan = install(&local, &facts).unwrap();
        let needs = |name: &str| {
            let step = plan.steps.iter().find(|step| step.name == name);
            step.unwrap().needs.clone()
        };
        assert!(needs("sample").contains(&"images".to_owned()));
        assert!(needs("rekor-v1").contains(&"trees".to_owned()));
        let script = shell::script(&plan, &vec![true; plan.steps.len()]);
        assert!(script.contains("--ca-cert keys/images.pem"), "{script}");
        let certificate = local.cosign().unwrap().registry_ca;
        assert_eq!(certificate, local.dir.join("keys/images.pem"));
    }
}
