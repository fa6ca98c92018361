//! A problem in plain words, with what the pod's own log and events say of it.

use anyhow::Result;

use super::observe::{concerns, observe};
use super::problems::{More, PodProblem, problems};
use crate::cluster::kubectl::Kubectl;
use crate::fail::{Fail, NOT_SO, not_so};
use crate::problems as known;
use crate::words;

/// How many lines of a failed container's log are shown.
const LINES: &str = "--tail=8";

/// How many of a pod's events are shown.
const EVENTS: usize = 3;

/// What goes wrong in a namespace now.
pub(crate) fn problems_now(kubectl: &Kubectl, namespace: &str) -> Result<Vec<Fail>> {
    let mut objects = observe(kubectl, namespace, &[])?.objects;
    objects.retain(|object| concerns(object, namespace, &[]));
    // A Job that has done its work may have needed several tries.
    let over: Vec<String> = objects
        .iter()
        .filter(|object| object.kind == "Job" && object.condition("Complete").is_some())
        .map(|job| job.metadata.name.clone())
        .collect();
    objects.retain(|object| {
        let job = object.job_of_pod();
        !job.is_some_and(|job| over.iter().any(|over| over == job))
    });
    let mut all = problems(&objects);
    // What has just begun is no problem yet.
    all.retain(|problem| !problem.is_creation());
    let explain = |problem: &PodProblem| explain(kubectl, namespace, problem);
    Ok(all.iter().map(explain).collect())
}

/// A problem with what the pod's log and events say, in plain words where it is a known
/// one. The exit status is 1: not ready.
pub(super) fn explain(kubectl: &Kubectl, namespace: &str, problem: &PodProblem) -> Fail {
    let what = &problem.what;
    let mut fail = not_so(what.clone());
    // The sentence itself holds what the node said.
    fail.tail = vec![what.clone()];
    fail.tail.extend(more(kubectl, namespace, &problem.more));
    let mut fail = known::explain(fail);
    fail.exit = NOT_SO;
    if fail.what == *what {
        fail.tail.remove(0);
    } else {
        // What it means, after what it happens to.
        let whom = what.split(": ").next().unwrap_or_default();
        fail.what = format!("{whom}: {}", fail.what);
    }
    fail
}

/// The lines that tell more; none where the cluster does not say.
fn more(kubectl: &Kubectl, namespace: &str, place: &More) -> Vec<String> {
    match place {
        More::Nowhere => Vec::new(),
        More::Log {
            pod,
            container,
            previous,
        } => {
            let mut words = words!["logs", pod, "--namespace", namespace];
            words.extend(words!["--container", container, LINES]);
            if *previous {
                words.push("--previous".into());
            }
            let text = kubectl.ask(words).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }
        More::Events { pod } => {
            let which = format!("--field-selector=involvedObject.name={pod},type=Warning");
            let words = words!["get", "events", "--namespace", namespace, which];
            let words = [words, words!["--output=json"]].concat();
            let events = kubectl.get_json(words).unwrap_or_default();
            let events = events["items"].as_array().into_iter().flatten();
            let messages: Vec<&str> = events
                .filter_map(|event| event["message"].as_str())
                .collect();
            let last = messages.len().saturating_sub(EVENTS);
            messages[last..]
                .iter()
                .map(|&text| text.to_owned())
                .collect()
        }
    }
}
