//! A Job of a release, run once more to make the next key: what it makes goes into
//! another Secret, and the server's stays as it is.

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::helm::{Helm, SCAFFOLD};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::labels;
use crate::cluster::servers::{ClusterServer, NextKey};
use crate::fail::broken;

/// Starts the Job of this name for the next key of a server.
pub(crate) fn start(
    kubectl: &Kubectl,
    helm: &Helm,
    job: &str,
    server: &ClusterServer,
    next: &NextKey,
) -> Result<()> {
    let job = for_next_key(&helm.manifest(SCAFFOLD)?, job, server, next)?;
    // What was started before may have failed, and a Job cannot be changed.
    kubectl.remove(server.namespace, &format!("jobs/{}", next.secret))?;
    kubectl.apply(&job)
}

/// The Job of this name in the manifest of a release, as one that makes the next key.
fn for_next_key(
    manifest: &str,
    name: &str,
    server: &ClusterServer,
    next: &NextKey,
) -> Result<Value> {
    let documents = serde_yaml::Deserializer::from_str(manifest).map(Value::deserialize);
    let documents: Vec<Value> = documents.collect::<Result<_, _>>()?;
    let is_it = |object: &&Value| object["kind"] == "Job" && object["metadata"]["name"] == name;
    let missing = || {
        broken(format!("the release {} has no Job {name}", SCAFFOLD.chart))
            .hint("cargo xtask scaffold")
    };
    let found = documents.iter().find(is_it).ok_or_else(missing)?;
    let mut spec = found["spec"].clone();
    let arguments = spec["template"]["spec"]["containers"][0]["args"].as_array_mut();
    for argument in arguments.into_iter().flatten() {
        for (option, secret) in [
            ("--secret=", next.secret.to_owned()),
            ("--pubkeysecret=", format!("{}-public", next.secret)),
        ] {
            if argument
                .as_str()
                .is_some_and(|text| text.starts_with(option))
            {
                *argument = json!(format!("{option}{secret}"));
            }
        }
    }
    let wanted = format!("--secret={}", next.secret);
    if !spec.to_string().contains(&wanted) {
        return Err(broken(format!("the Job {name} does not say which Secret it makes")).into());
    }
    Ok(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": next.secret, "namespace": server.namespace, "labels": labels()},
        "spec": spec,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::servers::CTLOG;

    const MANIFEST: &str = "
kind: Service
metadata: {name: make}
---
kind: Job
metadata: {name: make, namespace: x}
spec:
  backoffLimit: 30
  template:
    spec:
      containers:
        - image: example.com/a
          args: [--configmap=ctlog-config, --secret=ctlog-secret, --pubkeysecret=ctlog-public-key]
";

    #[test]
    fn the_server_s_own_secrets_stay_as_they_are() {
        let next = CTLOG.next.as_ref().unwrap();
        let job = for_next_key(MANIFEST, "make", &CTLOG, next).unwrap();
        assert_eq!(job["metadata"]["name"], "ctlog-next");
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        let wanted = [
            "--configmap=ctlog-config",
            "--secret=ctlog-next",
            "--pubkeysecret=ctlog-next-public",
        ];
        assert_eq!(container["args"], json!(wanted));
        assert_eq!(job["spec"]["backoffLimit"], 30);
    }

    #[test]
    fn a_job_that_would_overwrite_the_key_does_not_run() {
        let next = CTLOG.next.as_ref().unwrap();
        let without = MANIFEST.replace("--secret=ctlog-secret, ", "");
        assert!(for_next_key(&without, "make", &CTLOG, next).is_err());
        assert!(for_next_key(MANIFEST, "other", &CTLOG, next).is_err());
    }
}
