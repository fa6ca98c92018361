//! One look at a namespace: which conditions do not hold, and what was seen. A single
//! call of kubectl covers all of them.

use anyhow::Result;

use super::Condition;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::{DEFAULT, Object};

/// What a look at a namespace has found.
pub(crate) struct Observation<'a> {
    /// The conditions that do not hold.
    pub(super) unmet: Vec<&'a Condition>,
    /// The objects that were looked at.
    pub(super) objects: Vec<Object>,
}

/// Looks at a namespace: at its pods and Jobs, and at what the conditions are about.
pub(super) fn observe<'a>(
    kubectl: &Kubectl,
    namespace: &str,
    conditions: &'a [Condition],
) -> Result<Observation<'a>> {
    let mut kinds = vec!["pods", "jobs"];
    for kind in conditions.iter().filter_map(Condition::resource) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let objects = kubectl.list(namespace, &kinds.join(","))?;
    let mut unmet: Vec<&Condition> = conditions
        .iter()
        .filter(|condition| condition.manifest().is_none() && !condition.holds(&objects))
        .collect();
    // The webhook is asked once its pod is up.
    if unmet.is_empty() {
        let refused = |condition: &&Condition| {
            let manifest = condition.manifest();
            manifest.is_some_and(|manifest| !kubectl.accepts(manifest))
        };
        unmet.extend(conditions.iter().filter(refused));
    }
    Ok(Observation { unmet, objects })
}

/// Whether all of these conditions hold now.
pub(crate) fn all_hold(
    kubectl: &Kubectl,
    namespace: &str,
    conditions: &[Condition],
) -> Result<bool> {
    Ok(observe(kubectl, namespace, conditions)?.unmet.is_empty())
}

/// Whether an object has to do with these conditions: in a namespace that others use as
/// well, only the workshop's own has.
pub(super) fn concerns(object: &Object, namespace: &str, conditions: &[Condition]) -> bool {
    let mut jobs = conditions.iter().filter_map(Condition::only_job).peekable();
    if jobs.peek().is_some() {
        return jobs.any(|job| object.concerns_job(job));
    }
    namespace != DEFAULT || object.is_ours()
}
