//! What goes wrong with pods and Jobs, told as soon as it is seen, with what the
//! pod's own log and events say of it.

use serde_json::Value;

use anyhow::Result;

use super::Cluster;
use super::conditions::{concerns, condition};
use crate::exec::output_of;
use crate::fail::{Fail, NOT_SO, not_so};
use crate::problems;
use crate::words;

/// How many lines of a failed container's log are shown.
const LINES: &str = "--tail=8";

/// Something that goes wrong with a pod or Job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What it is about and how, so that it is told once.
    pub key: String,
    /// One sentence.
    pub what: String,
    /// The pod and container whose log tells more, and whether it is that of the
    /// run before.
    pub log: Option<(String, String, bool)>,
    /// The pod whose events tell more.
    pub events: Option<String>,
    /// Whether it can still pass by itself.
    pub passes: Passes,
}

/// Whether a trouble can pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// It is part of how the charts start: a Job that is tried again.
    Mostly,
    /// For a while.
    Soon,
    /// For a long while.
    Slowly,
    /// Never.
    Never,
}

/// Reasons for which a container waits, other than being made.
const WAITING: [(&str, Passes); 8] = [
    ("ErrImagePull", Passes::Soon),
    ("ImagePullBackOff", Passes::Soon),
    ("ErrImageNeverPull", Passes::Never),
    ("InvalidImageName", Passes::Never),
    // A key that a Job is about to make.
    ("CreateContainerConfigError", Passes::Mostly),
    ("CreateContainerError", Passes::Soon),
    ("RunContainerError", Passes::Soon),
    ("CrashLoopBackOff", Passes::Mostly),
];

/// What goes wrong among these objects.
pub fn troubles(objects: &[Value]) -> Vec<Trouble> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for object in objects {
        let name = text(&object["metadata"]["name"]);
        if object["kind"] == "Job" {
            if let Some(failed) = condition(object, "Failed") {
                all.push(Trouble {
                    key: format!("job/{name}"),
                    what: format!("the Job {name} has given up: {}", text(&failed["message"])),
                    log: None,
                    events: None,
                    passes: Passes::Never,
                });
            }
            continue;
        }
        if object["kind"] != "Pod" || !object["metadata"]["deletionTimestamp"].is_null() {
            continue;
        }
        let status = &object["status"];
        let conditions = status["conditions"].as_array().into_iter().flatten();
        for scheduled in conditions.filter(|condition| condition["reason"] == "Unschedulable") {
            all.push(Trouble {
                key: format!("{name} Unschedulable"),
                what: format!(
                    "no node takes the pod {name}: {}",
                    text(&scheduled["message"])
                ),
                log: None,
                events: None,
                passes: Passes::Slowly,
            });
        }
        if status["reason"] == "Evicted" {
            all.push(Trouble {
                key: format!("{name} Evicted"),
                what: format!("the pod {name} was evicted: {}", text(&status["message"])),
                log: None,
                events: None,
                passes: Passes::Mostly,
            });
        }
        let kinds = ["initContainerStatuses", "containerStatuses"];
        for container in kinds
            .iter()
            .flat_map(|kind| status[kind].as_array().into_iter().flatten())
        {
            let of = text(&container["name"]);
            let waiting = &container["state"]["waiting"];
            let reason = text(&waiting["reason"]);
            if let Some((_, passes)) = WAITING.iter().find(|(known, _)| *known == reason) {
                let crashed = reason == "CrashLoopBackOff";
                all.push(Trouble {
                    // The two states of a failed pull take turns.
                    key: format!(
                        "{name} {of} {}",
                        if reason.contains("Pull") {
                            "Pull"
                        } else {
                            &reason
                        }
                    ),
                    what: format!(
                        "the pod {name} does not start ({reason}): {}",
                        text(&waiting["message"])
                    ),
                    log: crashed.then(|| (name.clone(), of.clone(), true)),
                    events: (!crashed).then(|| name.clone()),
                    passes: *passes,
                });
            }
            let ended = &container["state"]["terminated"];
            if ended["exitCode"].as_i64().is_some_and(|code| code != 0) {
                all.push(Trouble {
                    key: format!("{name} {of} ended"),
                    what: format!(
                        "the pod {name} failed with exit status {}",
                        ended["exitCode"]
                    ),
                    log: Some((name.clone(), of, false)),
                    events: None,
                    passes: Passes::Mostly,
                });
            }
        }
        let containers = kinds.iter().filter_map(|kind| status[kind].as_array());
        let creating = containers.flatten().any(|container| {
            let waiting = &container["state"]["waiting"]["reason"];
            waiting == "ContainerCreating"
        });
        if creating {
            all.push(Trouble {
                key: format!("{name} ContainerCreating"),
                what: format!("the pod {name} waits for what it mounts"),
                log: None,
                events: Some(name),
                passes: Passes::Mostly,
            });
        }
    }
    all
}

impl Cluster {
    /// What goes wrong in a namespace now.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn troubles_now(&self, namespace: &str) -> Result<Vec<Fail>> {
        let (_, mut objects) = self.unmet(namespace, &[])?;
        objects.retain(|object| concerns(object, namespace, &[]));
        // A Job that has done its work may have needed several tries.
        let over: Vec<String> = objects
            .iter()
            .filter(|object| object["kind"] == "Job" && condition(object, "Complete").is_some())
            .filter_map(|job| Some(job["metadata"]["name"].as_str()?.to_owned()))
            .collect();
        objects.retain(|object| {
            let job = &object["metadata"]["labels"]["batch.kubernetes.io/job-name"];
            !over.iter().any(|over| *job == **over)
        });
        // What has just begun is no trouble yet.
        let lasting = |trouble: &Trouble| !trouble.key.ends_with("ContainerCreating");
        Ok(troubles(&objects)
            .iter()
            .filter(|trouble| lasting(trouble))
            .map(|trouble| self.explained(namespace, trouble))
            .collect())
    }

    /// A trouble with what the pod's log and events say, in plain words where it
    /// is a known one.
    ///
    /// The exit status is 1: not ready.
    pub fn explained(&self, namespace: &str, trouble: &Trouble) -> Fail {
        let mut said = Vec::new();
        if let Some((pod, container, before)) = &trouble.log {
            let mut words = words![
                "logs",
                pod,
                "--namespace",
                namespace,
                "--container",
                container,
                LINES
            ];
            if *before {
                words.push("--previous".into());
            }
            let text = self
                .ask(words)
                .and_then(|command| output_of(&command, None));
            said.extend(text.unwrap_or_default().lines().map(str::to_owned));
        }
        if let Some(pod) = &trouble.events {
            let which = format!("--field-selector=involvedObject.name={pod},type=Warning");
            let events = self.read(words![
                "get",
                "events",
                "--namespace",
                namespace,
                which,
                "--output=json"
            ]);
            let events = events.unwrap_or_default();
            let messages = events["items"].as_array().into_iter().flatten();
            let messages: Vec<_> = messages
                .filter_map(|event| event["message"].as_str())
                .collect();
            let last = messages.len().saturating_sub(3);
            said.extend(messages[last..].iter().map(|message| (*message).to_owned()));
        }
        let mut fail = not_so(trouble.what.clone());
        // The sentence itself holds what the node said.
        fail.tail = vec![trouble.what.clone()];
        fail.tail.extend(said);
        let mut fail = problems::explain(fail);
        fail.exit = NOT_SO;
        if fail.what == trouble.what {
            fail.tail.remove(0);
        } else {
            // What it means, after what it happens to.
            let whom = trouble.what.split(": ").next().unwrap_or_default();
            fail.what = format!("{whom}: {}", fail.what);
        }
        fail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn pod(container: Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": "p"}, "status": {"containerStatuses": [container]}})
    }

    #[test]
    fn a_pull_that_fails_is_a_trouble_whatever_its_state_is_called() {
        let waiting = |reason: &str| {
            pod(
                json!({"name": "c", "state": {"waiting": {"reason": reason, "message": "toomanyrequests"}}}),
            )
        };
        let first = troubles(&[waiting("ErrImagePull")]);
        let second = troubles(&[waiting("ImagePullBackOff")]);
        assert_eq!(first[0].key, second[0].key);
        assert_eq!(first[0].passes, Passes::Soon);
        assert!(first[0].what.contains("toomanyrequests"));
    }

    #[test]
    fn a_job_that_gave_up_does_not_come_back() {
        let failed =
            json!([{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]);
        let job =
            json!({"kind": "Job", "metadata": {"name": "j"}, "status": {"conditions": failed}});
        assert_eq!(troubles(&[job])[0].passes, Passes::Never);
    }

    /// Any JSON, made of the names that a pod has.
    fn anything() -> impl Strategy<Value = Value> {
        let names = prop::sample::select(vec![
            "status",
            "conditions",
            "containerStatuses",
            "initContainerStatuses",
            "state",
            "waiting",
            "terminated",
            "reason",
            "message",
            "exitCode",
            "name",
            "metadata",
            "type",
        ]);
        let texts = prop::sample::select(vec![
            "",
            "Unschedulable",
            "ImagePullBackOff",
            "Failed",
            "True",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            texts.prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((names.clone(), inner), 0..6).prop_map(|fields| {
                    fields
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect()
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever kubectl prints, reading it does not panic.
        #[test]
        fn any_object_is_read(status in anything(), meta in anything()) {
            for kind in ["Pod", "Job"] {
                let _ = troubles(&[json!({"kind": kind, "metadata": meta, "status": status})]);
            }
        }
    }
}
