//! What kubectl prints of an object, as far as the workshop looks at it. A field that
//! is not there, or holds something else than it should, is read as empty.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// The label of what the workshop itself applies.
pub const LABEL: &str = "app.kubernetes.io/part-of=sigstore-workshop";

/// The namespace in which images are signed and verified.
pub(crate) const DEFAULT: &str = "default";

/// The label that a Job puts on its pods.
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// An object of any kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Object {
    #[serde(deserialize_with = "lenient")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) metadata: Metadata,
    #[serde(deserialize_with = "lenient")]
    pub(crate) spec: Spec,
    #[serde(deserialize_with = "lenient")]
    pub(crate) status: Status,
    /// Of a Secret (then in base64) or a ConfigMap.
    #[serde(deserialize_with = "lenient")]
    pub(crate) data: BTreeMap<String, String>,
}

/// `metadata`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Metadata {
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) namespace: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) generation: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) creation_timestamp: Option<String>,
    /// There once it is being deleted.
    #[serde(deserialize_with = "lenient")]
    pub(crate) deletion_timestamp: Option<String>,
}

/// `spec`: of a Deployment, except the renewal, which is of a Lease, and the rules, which are
/// of an Ingress.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Spec {
    #[serde(deserialize_with = "lenient")]
    pub(crate) replicas: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) strategy: Strategy,
    #[serde(deserialize_with = "lenient")]
    pub(crate) template: Template,
    #[serde(deserialize_with = "lenient")]
    pub(crate) renew_time: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) rules: Vec<HostRule>,
}

/// What an Ingress shows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostRule {
    #[serde(deserialize_with = "lenient")]
    pub(crate) host: String,
}

/// How a Deployment replaces its pods.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Strategy {
    /// `RollingUpdate`, `Recreate`
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(crate) kind: String,
}

/// The pods that a Deployment makes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Template {
    #[serde(deserialize_with = "lenient")]
    pub(crate) metadata: Metadata,
    #[serde(deserialize_with = "lenient")]
    pub(crate) spec: PodSpec,
}

/// What runs in a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PodSpec {
    #[serde(deserialize_with = "lenient")]
    pub(crate) containers: Vec<Container>,
}

/// A container before it runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Container {
    #[serde(deserialize_with = "lenient")]
    pub(crate) image: Option<String>,
}

/// `status`: of a Deployment the numbers of its pods, of a Job how many of them run, of
/// a pod and others how they are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Status {
    #[serde(deserialize_with = "lenient")]
    pub(crate) observed_generation: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) replicas: u64,
    #[serde(deserialize_with = "lenient")]
    pub(crate) updated_replicas: u64,
    #[serde(deserialize_with = "lenient")]
    pub(crate) available_replicas: u64,
    #[serde(deserialize_with = "lenient")]
    pub(crate) active: u64,
    #[serde(deserialize_with = "lenient")]
    pub(crate) phase: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) reason: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) message: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) conditions: Vec<StatusCondition>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) init_container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) container_statuses: Vec<ContainerStatus>,
}

/// One of `status.conditions`: `Ready`, `Complete`, `Failed`, …
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StatusCondition {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) status: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) reason: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) message: String,
}

/// How a container of a pod is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ContainerStatus {
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) state: ContainerState,
    #[serde(deserialize_with = "lenient")]
    pub(crate) restart_count: u64,
}

/// One of the three is there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ContainerState {
    #[serde(deserialize_with = "lenient")]
    pub(crate) waiting: Option<Waiting>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) running: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) terminated: Option<Terminated>,
}

/// Why a container does not run yet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Waiting {
    #[serde(deserialize_with = "lenient")]
    pub(crate) reason: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) message: String,
}

/// How a container ended.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Terminated {
    #[serde(deserialize_with = "lenient")]
    pub(crate) exit_code: i64,
}

impl Object {
    /// What of an object's JSON counts here.
    pub(crate) fn from_json(value: Value) -> Object {
        serde_json::from_value(value).unwrap_or_default()
    }

    /// Whether it carries the workshop's label.
    pub(crate) fn is_ours(&self) -> bool {
        let (name, value) = label();
        self.metadata.labels.get(name).is_some_and(|is| is == value)
    }

    /// The condition of this type, where its status is True.
    pub(crate) fn condition(&self, kind: &str) -> Option<&StatusCondition> {
        let mut all = self.status.conditions.iter();
        all.find(|condition| condition.kind == kind && condition.status == "True")
    }

    /// The Job whose pod it is.
    pub(crate) fn job_of_pod(&self) -> Option<&str> {
        self.metadata.labels.get(JOB_NAME).map(String::as_str)
    }

    /// Whether it is a Job of this name or a pod of it.
    pub(crate) fn concerns_job(&self, name: &str) -> bool {
        self.job_of_pod() == Some(name) || self.kind == "Job" && self.metadata.name == name
    }

    /// Its containers, those that prepare the pod first.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &ContainerStatus> {
        let status = &self.status;
        status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses)
    }
}

/// The label of what the workshop makes, as an object has it.
pub(crate) fn labels() -> Value {
    let (name, value) = label();
    json!({name: value})
}

/// The name and value of [`LABEL`].
pub(crate) fn label() -> (&'static str, &'static str) {
    LABEL.split_once('=').unwrap_or((LABEL, ""))
}

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
