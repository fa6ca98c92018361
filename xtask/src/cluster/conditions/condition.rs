//! What is waited for: a condition, its word, and whether objects fulfil it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::cluster::object::Object;
use crate::fail::{Fail, broken};

/// Something that must hold in a namespace. Its word is the kind, a slash and the name,
/// and for a key of a Secret or ConfigMap a colon and the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    kind: ConditionKind,
    name: Cow<'static, str>,
    key: Option<Cow<'static, str>>,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConditionKind {
    /// All pods of a Deployment are up.
    Deployment,
    /// A Job is complete.
    Job,
    /// A pod of a Job has succeeded, or the Job has removed itself since.
    Ended,
    /// A pod of a Job runs or has run.
    Begun,
    /// A Secret is there; with a key, and not empty.
    Secret,
    /// A ConfigMap is there; with a key, and not empty.
    ConfigMap,
    /// A certificate is issued.
    Certificate,
    /// A volume is claimed.
    Volume,
    /// The API server would take this manifest of the repository.
    Accepts,
}

use ConditionKind::{
    Accepts, Begun, Certificate, ConfigMap, Deployment, Ended, Job, Secret, Volume,
};

/// The words of the kinds.
const KINDS: [(&str, ConditionKind); 9] = [
    ("deployment", Deployment),
    ("job", Job),
    ("ended", Ended),
    ("begun", Begun),
    ("secret", Secret),
    ("configmap", ConfigMap),
    ("certificate", Certificate),
    ("persistentvolumeclaim", Volume),
    ("accepts", Accepts),
];

impl ConditionKind {
    fn word(self) -> &'static str {
        let mut known = KINDS.iter().filter(|(_, kind)| *kind == self);
        known.next().map_or("", |(word, _)| word)
    }
}

impl Condition {
    /// That something is as it should be.
    pub(crate) const fn new(kind: ConditionKind, name: &'static str) -> Condition {
        Condition {
            kind,
            name: Cow::Borrowed(name),
            key: None,
        }
    }

    /// That a Secret or ConfigMap has a key.
    pub(crate) const fn key(
        kind: ConditionKind,
        name: &'static str,
        key: &'static str,
    ) -> Condition {
        Condition {
            kind,
            name: Cow::Borrowed(name),
            key: Some(Cow::Borrowed(key)),
        }
    }

    /// Something about a Job.
    pub(crate) fn of_job(kind: ConditionKind, job: &str) -> Condition {
        Condition {
            kind,
            name: Cow::Owned(job.to_owned()),
            key: None,
        }
    }

    /// What it is about.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What `kubectl get` must be asked for beside pods and Jobs.
    pub(super) fn resource(&self) -> Option<&'static str> {
        match self.kind {
            Deployment | Secret | ConfigMap | Certificate | Volume => Some(self.kind.word()),
            Job | Ended | Begun | Accepts => None,
        }
    }

    /// The manifest that must be accepted, if it is about one.
    pub(super) fn manifest(&self) -> Option<&str> {
        (self.kind == Accepts).then_some(&*self.name)
    }

    /// Whether it is about a pod, and nothing else.
    pub(crate) fn is_deployment(&self) -> bool {
        self.kind == Deployment
    }

    /// The Job, where only this Job and its pods count.
    pub(super) fn only_job(&self) -> Option<&str> {
        matches!(self.kind, Job | Begun).then_some(&*self.name)
    }

    /// Whether it holds, among these objects of its namespace.
    pub(super) fn holds(&self, objects: &[Object]) -> bool {
        let mut of_job = objects
            .iter()
            .filter(|object| object.concerns_job(&self.name));
        match self.kind {
            // The Job itself learns of it seconds later.
            Ended => {
                of_job.clone().next().is_none()
                    || of_job.any(|object| {
                        object.condition("Complete").is_some() || object.status.phase == "Succeeded"
                    })
            }
            Begun => of_job.any(|object| object.kind == "Pod" && has_begun(object)),
            Accepts => false,
            _ => objects
                .iter()
                .any(|object| self.names(object) && self.is_fulfilled_by(object)),
        }
    }

    fn names(&self, object: &Object) -> bool {
        object.kind.eq_ignore_ascii_case(self.kind.word())
            && object.metadata.name == self.name
            && object.metadata.deletion_timestamp.is_none()
    }

    fn is_fulfilled_by(&self, object: &Object) -> bool {
        match self.kind {
            Deployment => is_available(object),
            Job => object.condition("Complete").is_some(),
            Certificate => object.condition("Ready").is_some(),
            _ => self.key.as_ref().is_none_or(|key| {
                let value = object.data.get(&**key);
                value.is_some_and(|value| !value.trim().is_empty())
            }),
        }
    }
}

impl FromStr for Condition {
    type Err = Fail;

    fn from_str(word: &str) -> Result<Condition, Fail> {
        let unknown = || broken(format!("{word:?} is no condition"));
        let (kind, rest) = word.split_once('/').ok_or_else(unknown)?;
        let (_, kind) = KINDS
            .into_iter()
            .find(|(word, _)| *word == kind)
            .ok_or_else(unknown)?;
        let (name, key) = match rest.split_once(':') {
            Some((name, key)) if kind != Accepts => (name, Some(key.to_owned().into())),
            _ => (rest, None),
        };
        Ok(Condition {
            kind,
            name: name.to_owned().into(),
            key,
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.word(), self.name)?;
        match &self.key {
            Some(key) => write!(f, ":{key}"),
            None => Ok(()),
        }
    }
}

/// Whether every pod of a deployment is of its newest description and up.
fn is_available(deployment: &Object) -> bool {
    let status = &deployment.status;
    let wanted = deployment.spec.replicas.unwrap_or(1);
    status.observed_generation == deployment.metadata.generation
        && status.updated_replicas >= wanted
        && status.available_replicas >= wanted
        && status.replicas <= wanted
}

/// Whether a container of a pod, other than one that prepares it, runs or has
/// ended; or whether none ever will.
fn has_begun(pod: &Object) -> bool {
    let mut states = pod.status.container_statuses.iter();
    states
        .any(|container| container.state.running.is_some() || container.state.terminated.is_some())
        || pod.status.phase == "Failed"
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn holds(word: &str, object: Value) -> bool {
        let condition: Condition = word.parse().unwrap();
        condition.holds(&[Object::from_json(object)])
    }

    fn deployment(available: u64) -> Value {
        json!({
            "kind": "Deployment", "metadata": {"name": "x", "generation": 2},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available},
        })
    }

    #[test]
    fn a_deployment_is_up_when_its_newest_pods_are() {
        assert!(holds("deployment/x", deployment(1)));
        assert!(!holds("deployment/x", deployment(0)));
        let mut old = deployment(1);
        old["metadata"]["generation"] = json!(3);
        assert!(!holds("deployment/x", old));
    }

    #[test]
    fn a_secret_counts_once_its_key_is_filled() {
        let secret =
            |data: Value| json!({"kind": "Secret", "metadata": {"name": "x"}, "data": data});
        assert!(holds("secret/x:public", secret(json!({"public": "YQ=="}))));
        assert!(!holds("secret/x:public", secret(json!({"public": ""}))));
        assert!(!holds("secret/x:public", secret(json!({}))));
        assert!("pony/x".parse::<Condition>().is_err());
    }

    #[test]
    fn a_job_begins_with_its_pod_and_ends_before_it_knows() {
        let pod = |status: Value| {
            json!({
                "kind": "Pod",
                "metadata": {"name": "p", "labels": {"batch.kubernetes.io/job-name": "x"}},
                "status": status,
            })
        };
        let running = pod(json!({"containerStatuses": [{"state": {"running": {}}}]}));
        assert!(holds("begun/x", running.clone()));
        assert!(!holds("begun/x", pod(json!({"containerStatuses": null}))));
        assert!(!holds("ended/x", running));
        assert!(holds("ended/x", pod(json!({"phase": "Succeeded"}))));
        assert!(holds("ended/other", pod(json!({}))));
    }

    #[test]
    fn a_condition_is_read_as_it_is_written() {
        for word in ["secret/x:key", "job/x", "accepts/deploy/a.yml"] {
            assert_eq!(word.parse::<Condition>().unwrap().to_string(), word);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        /// Parsing and checking a condition never panics.
        #[test]
        fn any_word_is_read(text in ".{0,40}") {
            let object = json!({"kind": text, "metadata": {"name": text}, "data": text});
            let object = Object::from_json(object);
            let _ = text.parse().map(|condition: Condition| condition.holds(&[object]));
        }
    }
}
