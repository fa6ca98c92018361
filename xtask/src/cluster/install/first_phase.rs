//! The first phase of the chart: Fulcio, and for Rekor v1 Trillian with its database, on
//! which the logs stand. Once the release is whole, these steps have nothing to do: what is wrong
//! with it then is for the upgrade of the whole to mend.

use std::sync::{Arc, OnceLock};

use anyhow::Result;
use serde_json::Value;

use super::scaffold::{of_server, trillian};
use super::{Readiness, ready};
use crate::cluster::Cluster;
use crate::cluster::charts::Charts;
use crate::cluster::conditions::all_hold;
use crate::cluster::helm::{Helm, SCAFFOLD, without_nulls};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::scaffold_release::{FIRST_PHASE_VALUES, ReleasePhase, TABLES, set};
use crate::cluster::servers::{FULCIO, TRILLIAN_DATABASE};
use crate::cluster::steps::Refusal;
use crate::entry::Version;
use crate::fail::Fail;
use crate::plan::{Plan, Step, Word};
use crate::words;

/// How far the release is, asked for once: no step but the last changes the answer that
/// matters.
#[derive(Clone)]
struct PhaseOnce {
    helm: Helm,
    answer: Arc<OnceLock<Result<ReleasePhase, Fail>>>,
}

impl PhaseOnce {
    fn get(&self) -> Result<ReleasePhase> {
        let ask = || ReleasePhase::now(&self.helm).map_err(|error| Fail::from_error(&error));
        Ok(self.answer.get_or_init(ask).clone()?)
    }
}

impl Cluster {
    /// Adds these steps.
    pub(super) fn push_first_phase(&self, plan: &mut Plan, charts: &Charts) -> Result<()> {
        let (kubectl, helm) = (self.kubectl()?, self.helm()?);
        let phase = PhaseOnce {
            helm: helm.clone(),
            answer: Arc::default(),
        };
        let wait = |readiness: Readiness| awaited(readiness, &kubectl, &phase);
        plan.push(first_phase_step(charts, &helm, &phase));
        if self.settings()?.rekor.has(Version::V1) {
            let database = of_server("scaffold-database", &TRILLIAN_DATABASE);
            plan.push(wait(database).needs(["scaffold-ground"]));
            plan.push(tables_step(charts, &helm, &phase));
            plan.push(wait(trillian("scaffold-trees")).needs(["scaffold-tables"]));
        }
        plan.push(wait(of_server("scaffold-authority", &FULCIO)).needs(["scaffold-ground"]));
        Ok(())
    }
}

fn first_phase_step(charts: &Charts, helm: &Helm, phase: &PhaseOnce) -> Step {
    let install = [
        words!["upgrade", "--install"],
        charts.release_words(SCAFFOLD),
        FIRST_PHASE_VALUES.map(Word::from).into(),
    ];
    let wanted = first_phase_values(charts.wanted_values(SCAFFOLD.chart));
    let phase = phase.clone();
    // An Ingress is refused until the controller is up.
    let needs = [
        "begin",
        "namespaces",
        "ingress",
        "scaffold-database-secret",
        "scaffold-chart",
    ];
    let v1 = charts.sources.settings.rekor.has(Version::V1);
    let title = match v1 {
        true => "install Fulcio and Trillian",
        false => "install Fulcio",
    };
    Step::new("scaffold-ground", title)
        .needs(needs)
        .done(move || {
            let phase = phase.get()?;
            let current = phase.is_first_with(&wanted);
            let told = current.then(|| "it is as it should be".to_owned());
            Ok(phase.past_first().or(told))
        })
        // On a whole release this would remove the logs.
        .xtask(Refusal::WholeRelease.step())
        .run(helm.command(install.concat()))
}

fn tables_step(charts: &Charts, helm: &Helm, phase: &PhaseOnce) -> Step {
    let chart = charts.path(SCAFFOLD.chart);
    let mut upgrade = words!["upgrade", SCAFFOLD.chart, chart];
    upgrade.extend(words!["--namespace", SCAFFOLD.namespace]);
    upgrade.extend(TABLES.map(Word::from));
    let phase = phase.clone();
    let title = "have the tables of the database made";
    Step::new("scaffold-tables", title)
        .needs(["scaffold-database"])
        .done(move || {
            Ok(phase
                .get()?
                .has_tables()
                .then(|| "they are made".to_owned()))
        })
        .run(helm.command(upgrade))
}

/// A step that waits, as long as the release is not complete.
fn awaited(readiness: Readiness, kubectl: &Kubectl, phase: &PhaseOnce) -> Step {
    let (kubectl, phase) = (kubectl.clone(), phase.clone());
    let ready = ready(readiness.namespace, &readiness.conditions);
    Step::new(&readiness.step, &readiness.title)
        .done(move || {
            if let Some(past) = phase.get()?.past_first() {
                return Ok(Some(past));
            }
            let holds = all_hold(&kubectl, readiness.namespace, &readiness.conditions)?;
            Ok(holds.then(|| readiness.told.to_owned()))
        })
        .ready(ready)
}

/// The values of the first phase, as helm remembers them.
fn first_phase_values(whole: &Value) -> Value {
    let mut values = without_nulls(whole);
    let set_words = FIRST_PHASE_VALUES.iter();
    for (path, value) in set_words.filter_map(|word| word.split_once('=')) {
        set(&mut values, path, value == "true");
    }
    values
}
