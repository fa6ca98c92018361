//! What goes wrong with pods and Jobs, told as soon as it is seen.

use crate::cluster::object::{ContainerStatus, Object};

/// Something that goes wrong with a pod or Job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PodProblem {
    /// What it is about and how, so that it is told once.
    pub(super) id: ProblemId,
    /// One sentence.
    pub(super) what: String,
    /// What tells more.
    pub(super) more: More,
    /// Whether it can still pass by itself.
    pub(super) transient: Transient,
}

/// Which problem it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ProblemId {
    /// The pod or Job.
    object: String,
    /// The container, where it is about one.
    container: String,
    kind: ProblemKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ProblemKind {
    JobFailed,
    Unschedulable,
    Evicted,
    /// An image cannot be fetched. The two states of a failed pull take turns.
    Pull,
    /// A container waits for another reason.
    Waits(&'static str),
    Exited,
    /// A container is being made, which is a problem only where it takes long.
    Creating,
}

/// Where more is said of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum More {
    Nowhere,
    /// In the log of a container, or in that of its run before.
    Log {
        pod: String,
        container: String,
        previous: bool,
    },
    /// In the events of a pod.
    Events {
        pod: String,
    },
}

/// Whether a problem can pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transient {
    /// It is part of how the charts start: a Job that is tried again.
    ByDesign,
    /// For a while: a registry that stutters, an API server that restarts.
    Briefly,
    /// For a long while: a node or a volume is being made.
    Long,
    No,
}

/// Reasons for which a container waits, other than being made.
const WAITING: [(&str, Transient); 8] = [
    ("ErrImagePull", Transient::Briefly),
    ("ImagePullBackOff", Transient::Briefly),
    ("ErrImageNeverPull", Transient::No),
    ("InvalidImageName", Transient::No),
    // A key that a Job is about to make.
    ("CreateContainerConfigError", Transient::ByDesign),
    ("CreateContainerError", Transient::Briefly),
    ("RunContainerError", Transient::Briefly),
    (CRASHES, Transient::ByDesign),
];

const CRASHES: &str = "CrashLoopBackOff";

impl PodProblem {
    fn new(object: &str, kind: ProblemKind, transient: Transient, what: String) -> PodProblem {
        PodProblem {
            id: ProblemId {
                object: object.to_owned(),
                container: String::new(),
                kind,
            },
            what,
            more: More::Nowhere,
            transient,
        }
    }

    fn of_container(mut self, container: &str, more: More) -> PodProblem {
        self.id.container = container.to_owned();
        self.more = more;
        self
    }

    /// Whether it may be no problem at all: a container is being made.
    pub(super) fn is_creation(&self) -> bool {
        self.id.kind == ProblemKind::Creating
    }
}

/// What goes wrong among these objects.
pub(crate) fn problems(objects: &[Object]) -> Vec<PodProblem> {
    let of = |object: &Object| match object.kind.as_str() {
        "Job" => job_problem(object).into_iter().collect(),
        "Pod" if object.metadata.deletion_timestamp.is_none() => pod_problems(object),
        _ => Vec::new(),
    };
    objects.iter().flat_map(of).collect()
}

fn job_problem(job: &Object) -> Option<PodProblem> {
    let failed = job.condition("Failed")?;
    let name = &job.metadata.name;
    let what = format!("the Job {name} has given up: {}", failed.message);
    Some(PodProblem::new(
        name,
        ProblemKind::JobFailed,
        Transient::No,
        what,
    ))
}

fn pod_problems(pod: &Object) -> Vec<PodProblem> {
    let name = &pod.metadata.name;
    let mut all = Vec::new();
    let conditions = pod.status.conditions.iter();
    for scheduled in conditions.filter(|condition| condition.reason == "Unschedulable") {
        let what = format!("no node takes the pod {name}: {}", scheduled.message);
        all.push(PodProblem::new(
            name,
            ProblemKind::Unschedulable,
            Transient::Long,
            what,
        ));
    }
    if pod.status.reason == "Evicted" {
        let what = format!("the pod {name} was evicted: {}", pod.status.message);
        all.push(PodProblem::new(
            name,
            ProblemKind::Evicted,
            Transient::ByDesign,
            what,
        ));
    }
    for container in pod.containers() {
        all.extend(waiting_problem(name, container));
        all.extend(exit_problem(name, container));
    }
    all.extend(creation_problem(pod));
    all
}

fn waiting_problem(pod: &str, container: &ContainerStatus) -> Option<PodProblem> {
    let waiting = container.state.waiting.as_ref()?;
    let (reason, transient) = WAITING
        .into_iter()
        .find(|(known, _)| *known == waiting.reason)?;
    let kind = match reason {
        _ if reason.contains("Pull") => ProblemKind::Pull,
        _ => ProblemKind::Waits(reason),
    };
    let what = format!(
        "the pod {pod} does not start ({reason}): {}",
        waiting.message
    );
    let more = match reason {
        CRASHES => More::Log {
            pod: pod.to_owned(),
            container: container.name.clone(),
            previous: true,
        },
        _ => More::Events {
            pod: pod.to_owned(),
        },
    };
    let problem = PodProblem::new(pod, kind, transient, what);
    Some(problem.of_container(&container.name, more))
}

fn exit_problem(pod: &str, container: &ContainerStatus) -> Option<PodProblem> {
    let code = container.state.terminated.as_ref()?.exit_code;
    if code == 0 {
        return None;
    }
    let what = format!("the pod {pod} failed with exit status {code}");
    let more = More::Log {
        pod: pod.to_owned(),
        container: container.name.clone(),
        previous: false,
    };
    let problem = PodProblem::new(pod, ProblemKind::Exited, Transient::ByDesign, what);
    Some(problem.of_container(&container.name, more))
}

fn creation_problem(pod: &Object) -> Option<PodProblem> {
    let is_creating = |container: &ContainerStatus| {
        let waiting = container.state.waiting.as_ref();
        waiting.is_some_and(|waiting| waiting.reason == "ContainerCreating")
    };
    if !pod.containers().any(is_creating) {
        return None;
    }
    let name = &pod.metadata.name;
    let what = format!("the pod {name} waits for what it mounts");
    let more = More::Events { pod: name.clone() };
    let problem = PodProblem::new(name, ProblemKind::Creating, Transient::ByDesign, what);
    Some(problem.of_container("", more))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn of(object: Value) -> Vec<PodProblem> {
        problems(&[Object::from_json(object)])
    }

    fn pod(container: Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": "p"}, "status": {"containerStatuses": [container]}})
    }

    #[test]
    fn a_pull_that_fails_is_a_problem_whatever_its_state_is_called() {
        let waiting = |reason: &str| {
            pod(
                json!({"name": "c", "state": {"waiting": {"reason": reason, "message": "toomanyrequests"}}}),
            )
        };
        let first = of(waiting("ErrImagePull"));
        let second = of(waiting("ImagePullBackOff"));
        assert_eq!(first[0].id, second[0].id);
        assert_eq!(first[0].transient, Transient::Briefly);
        assert!(first[0].what.contains("toomanyrequests"));
    }

    #[test]
    fn a_job_that_gave_up_does_not_come_back() {
        let failed =
            json!([{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]);
        let job =
            json!({"kind": "Job", "metadata": {"name": "j"}, "status": {"conditions": failed}});
        assert_eq!(of(job)[0].transient, Transient::No);
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

        /// Reading what kubectl prints never panics, whatever it is.
        #[test]
        fn any_object_is_read(status in anything(), meta in anything()) {
            for kind in ["Pod", "Job"] {
                let _ = of(json!({"kind": kind, "metadata": meta, "status": status}));
            }
        }
    }
}
