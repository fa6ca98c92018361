//! The wait for what an installation produces, instead of `helm --wait`: Jobs
//! that remove themselves are not looked for, what they make is.
//!
//! A condition is a word: `deployment/NAME` (all its pods are up), `job/NAME`
//! (complete), `ended/NAME` (a pod of this Job has succeeded, or the Job has
//! removed itself since), `begun/NAME` (a pod of this Job runs or has run),
//! `secret/NAME` and `configmap/NAME` (there; with `:KEY` and not empty),
//! `certificate/NAME` (issued), `accepts/FILE` (the API server would take this
//! manifest). One kubectl a namespace and poll sees all of them.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use super::objects::{DEFAULT, is_ours};
use super::troubles::{Passes, troubles};
use super::{APPLY, Cluster};
use crate::exec::interrupt;
use crate::exec::output_of;
use crate::fail::{Fail, broken, not_so};
use crate::plan::StepEvent;
use crate::text::printable;
use crate::words;

/// How often a namespace is looked at.
const POLL: Duration = Duration::from_millis(700);

/// What may pass by itself is given this long: a registry that stutters, an API
/// server that restarts.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node or a volume that is being made is given this long.
const LONG_PATIENCE: Duration = Duration::from_secs(180);

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    kind: String,
    name: String,
    key: Option<String>,
}

impl Condition {
    fn parse(word: &str) -> Result<Condition, Fail> {
        let (kind, rest) = word
            .split_once('/')
            .ok_or_else(|| broken(format!("{word:?} is no condition")))?;
        let (name, key) = match rest.split_once(':') {
            Some((name, key)) if kind != "accepts" => (name, Some(key.to_owned())),
            _ => (rest, None),
        };
        let known = [
            "ended",
            "deployment",
            "job",
            "secret",
            "configmap",
            "certificate",
            "accepts",
            "begun",
        ];
        if !known.contains(&kind) {
            return Err(broken(format!("{word:?} is no condition")));
        }
        Ok(Condition {
            kind: kind.to_owned(),
            name: name.to_owned(),
            key,
        })
    }

    /// Whether it holds, among these objects of its namespace.
    fn holds(&self, objects: &[Value]) -> bool {
        if self.kind == "ended" {
            // The Job itself learns of it seconds later.
            let mut of_job = objects
                .iter()
                .filter(|object| concerns_job(object, &self.name));
            return of_job.clone().next().is_none()
                || of_job.any(|object| {
                    condition(object, "Complete").is_some()
                        || object["status"]["phase"] == "Succeeded"
                });
        }
        if self.kind == "begun" {
            return objects.iter().any(|object| {
                object["kind"] == "Pod" && concerns_job(object, &self.name) && has_begun(object)
            });
        }
        objects.iter().any(|object| {
            let kind = object["kind"].as_str().unwrap_or_default();
            kind.eq_ignore_ascii_case(&self.kind)
                && object["metadata"]["name"] == *self.name
                && object["metadata"]["deletionTimestamp"].is_null()
                && match self.kind.as_str() {
                    "deployment" => available(object),
                    "job" => condition(object, "Complete").is_some(),
                    "certificate" => condition(object, "Ready").is_some(),
                    _ => self.key.as_ref().is_none_or(|key| {
                        object["data"][key]
                            .as_str()
                            .is_some_and(|value| !value.trim().is_empty())
                    }),
                }
        })
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}/{}:{key}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// Whether every pod of a deployment is of its newest description and up.
fn available(deployment: &Value) -> bool {
    let status = &deployment["status"];
    let count = |name: &str| status[name].as_u64().unwrap_or(0);
    let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
    status["observedGeneration"] == deployment["metadata"]["generation"]
        && count("updatedReplicas") >= wanted
        && count("availableReplicas") >= wanted
        && count("replicas") <= wanted
}

/// Whether a container of a pod, other than one that prepares it, runs or has
/// ended; or whether none ever will.
fn has_begun(pod: &Value) -> bool {
    let containers = pod["status"]["containerStatuses"].as_array();
    let mut states = containers
        .into_iter()
        .flatten()
        .map(|container| &container["state"]);
    states.any(|state| !state["running"].is_null() || !state["terminated"].is_null())
        || pod["status"]["phase"] == "Failed"
}

/// The condition of this type, where its status is True.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let mut all = object["status"]["conditions"].as_array()?.iter();
    all.find(|condition| condition["type"] == *kind && condition["status"] == "True")
}

/// Whether an object is a Job of this name or a pod of it.
pub fn concerns_job(object: &Value, name: &str) -> bool {
    let meta = &object["metadata"];
    let pod = meta["labels"]["batch.kubernetes.io/job-name"] == *name;
    pod || object["kind"] == "Job" && meta["name"] == *name
}

/// Whether an object has to do with these conditions: where others have theirs as
/// well, only the workshop's own.
pub fn concerns(object: &Value, namespace: &str, conditions: &[Condition]) -> bool {
    let mut jobs = conditions
        .iter()
        .filter(|condition| ["job", "begun"].contains(&condition.kind.as_str()))
        .peekable();
    if jobs.peek().is_some() {
        return jobs.any(|job| concerns_job(object, &job.name));
    }
    namespace != DEFAULT || is_ours(object)
}

impl Cluster {
    /// Waits until every one of these conditions, as words, holds in a namespace.
    ///
    /// # Errors
    /// Exit status 1 where they do not hold in time, or where a pod or Job fails
    /// in a way that does not pass; 2 where the cluster does not answer.
    pub fn wait_for(
        &self,
        namespace: &str,
        conditions: &[String],
        within: Duration,
        report: &dyn Fn(StepEvent<'_>),
    ) -> Result<()> {
        let conditions: Vec<Condition> = conditions
            .iter()
            .map(|word| Condition::parse(word))
            .collect::<Result<_, _>>()?;
        let started = Instant::now();
        let mut since: HashMap<String, Instant> = HashMap::new();
        let mut told = HashSet::new();
        let mut last = Vec::new();
        let mut silent_since: Option<Instant> = None;
        loop {
            let silent = match self.unmet(namespace, &conditions) {
                Ok((unmet, _)) if unmet.is_empty() => return Ok(()),
                Ok((unmet, mut objects)) => {
                    objects.retain(|object| concerns(object, namespace, &conditions));
                    let names: Vec<String> = unmet.iter().map(ToString::to_string).collect();
                    report(StepEvent::Waiting(&format!(
                        "{namespace}: {}",
                        names.join(", ")
                    )));
                    last = names;
                    silent_since = None;
                    let troubles = troubles(&objects);
                    since.retain(|key, _| troubles.iter().any(|trouble| trouble.key == *key));
                    for trouble in troubles {
                        let began = *since
                            .entry(trouble.key.clone())
                            .or_insert_with(Instant::now);
                        let patience = match trouble.passes {
                            Passes::Never => Duration::ZERO,
                            Passes::Soon => PATIENCE,
                            Passes::Slowly => LONG_PATIENCE,
                            Passes::Mostly => Duration::MAX,
                        };
                        let is_creation = trouble.key.ends_with("ContainerCreating");
                        if is_creation && began.elapsed() < PATIENCE {
                            continue;
                        }
                        let over = began.elapsed() >= patience;
                        if told.insert(trouble.key.clone()) || over {
                            let fail = self.explained(namespace, &trouble);
                            if over {
                                return Err(fail.into());
                            }
                            let mut lines = vec![format!("{namespace}: {}", fail.what)];
                            lines.extend(
                                fail.tail
                                    .iter()
                                    .map(|line| format!("  | {}", printable(line))),
                            );
                            lines.extend(fail.hints.iter().map(|hint| format!("  hint: {hint}")));
                            report(StepEvent::Trouble(&lines));
                        }
                    }
                    None
                }
                // An API server that restarts is silent for a while.
                Err(error) => Some(error),
            };
            if interrupt::interrupted() {
                return Err(broken(format!("interrupted while waiting for {namespace}")).into());
            }
            if let Some(error) = silent {
                let began = *silent_since.get_or_insert_with(Instant::now);
                if began.elapsed() >= PATIENCE.min(within) {
                    return Err(error);
                }
                report(StepEvent::Waiting(&format!(
                    "{namespace}: the API server does not answer"
                )));
            }
            if started.elapsed() > within {
                return Err(not_so(format!(
                    "not ready in {namespace} after {} seconds: {}",
                    within.as_secs(),
                    last.join(", ")
                ))
                .hint("see what is wrong: cargo xtask doctor")
                .hint(format!(
                    "look yourself: kubectl --namespace {namespace} get pods,events"
                ))
                .into());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Which of these words are conditions that do not hold now.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn lacking(&self, namespace: &str, words: &str) -> Result<Vec<String>> {
        let conditions: Vec<Condition> = words
            .split_whitespace()
            .map(Condition::parse)
            .collect::<Result<_, _>>()?;
        let (unmet, _) = self.unmet(namespace, &conditions)?;
        Ok(unmet.iter().map(ToString::to_string).collect())
    }

    /// The conditions that do not hold, and the objects that were looked at.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn unmet<'a>(
        &self,
        namespace: &str,
        conditions: &'a [Condition],
    ) -> Result<(Vec<&'a Condition>, Vec<Value>)> {
        let mut kinds: Vec<&str> = vec!["pods", "jobs"];
        for condition in conditions {
            let kind = condition.kind.as_str();
            if !kinds.contains(&kind) && !["job", "ended", "begun", "accepts"].contains(&kind) {
                kinds.push(kind);
            }
        }
        let objects = self.find(namespace, &kinds.join(","))?;
        let objects = objects.map_or_else(Vec::new, |mut list| {
            list["items"]
                .as_array_mut()
                .map(std::mem::take)
                .unwrap_or_default()
        });
        let mut unmet: Vec<&Condition> = conditions
            .iter()
            .filter(|condition| condition.kind != "accepts" && !condition.holds(&objects))
            .collect();
        // The webhook is asked once its pod is up.
        if unmet.is_empty() {
            for condition in conditions
                .iter()
                .filter(|condition| condition.kind == "accepts")
            {
                if !self.accepts(&condition.name)? {
                    unmet.push(condition);
                }
            }
        }
        Ok((unmet, objects))
    }

    /// Whether the API server, and the webhooks that it asks, would take a
    /// manifest of the repository.
    fn accepts(&self, file: &str) -> Result<bool> {
        let words = words![
            "apply",
            APPLY[0],
            APPLY[1],
            APPLY[2],
            "--dry-run=server",
            "--filename",
            self.manifest(file)
        ];
        Ok(output_of(&self.ask(words)?, None).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(available: u64) -> Value {
        json!({
            "kind": "Deployment", "metadata": {"name": "x", "generation": 2},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available},
        })
    }

    #[test]
    fn a_deployment_is_up_when_its_newest_pods_are() {
        let condition = Condition::parse("deployment/x").unwrap();
        assert!(condition.holds(&[deployment(1)]));
        assert!(!condition.holds(&[deployment(0)]));
        let mut old = deployment(1);
        old["metadata"]["generation"] = json!(3);
        assert!(!condition.holds(&[old]));
    }

    #[test]
    fn a_secret_counts_once_its_key_is_filled() {
        let condition = Condition::parse("secret/x:public").unwrap();
        let secret =
            |data: Value| json!({"kind": "Secret", "metadata": {"name": "x"}, "data": data});
        assert!(condition.holds(&[secret(json!({"public": "YQ=="}))]));
        assert!(!condition.holds(&[secret(json!({"public": ""}))]));
        assert!(!condition.holds(&[secret(json!({}))]));
        assert!(Condition::parse("pony/x").is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        /// Whatever is typed for a condition, and whatever it is held against.
        #[test]
        fn any_word_is_read(text in ".{0,40}") {
            let object = json!({"kind": text, "metadata": {"name": text}, "data": text});
            let _ = Condition::parse(&text).map(|condition| condition.holds(&[object]));
        }
    }
}
