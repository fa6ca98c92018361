//! What every object and every pod must say.

use serde_json::{Value, json};
use xtask::cluster::LABEL;

use super::files;

/// What `uninstall` could not tell from the objects of others.
fn unlabelled(object: &Value) -> Vec<String> {
    let (name, value) = LABEL.split_once('=').unwrap();
    let template = &object["spec"]["template"];
    let mut metadata = vec![("the object", &object["metadata"])];
    if template.is_object() {
        metadata.push(("its template", &template["metadata"]));
    }
    metadata
        .into_iter()
        .filter(|(_, metadata)| metadata["labels"][name] != value)
        .map(|(what, _)| format!("{what} does not carry {LABEL}"))
        .collect()
}

/// Where a pod may do or take more than it needs.
fn careless(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut must = |what: &str, has: &Value, wanted: Value| {
        if *has != wanted {
            found.push(format!("{what} is {has}, not {wanted}"));
        }
    };
    let (token, security) = ("automountServiceAccountToken", &pod["securityContext"]);
    must(token, &pod[token], json!(false));
    must("runAsNonRoot", &security["runAsNonRoot"], json!(true));
    let seccomp = &security["seccompProfile"]["type"];
    must("the seccomp profile", seccomp, json!("RuntimeDefault"));
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        must(host, &pod[host], Value::Null);
    }
    for container in containers(pod) {
        let name = container["name"].as_str().unwrap_or("a container");
        // Nothing else: what a container says goes before what its pod says.
        let least = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        });
        let context = format!("the security context of {name}");
        must(&context, &container["securityContext"], least);
        for (kind, of) in [
            ("requests", "cpu"),
            ("requests", "memory"),
            ("limits", "memory"),
        ] {
            let there = container["resources"][kind][of].is_string();
            let what = format!("whether {name} has {kind} of {of}");
            must(&what, &json!(there), json!(true));
        }
    }
    found
}

pub fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"]
        .into_iter()
        .flat_map(|kind| pod[kind].as_array().into_iter().flatten())
}

/// The specifications of pods in an object, wherever its kind has them.
pub fn pods(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(map) if map.contains_key("containers") => vec![value],
        Value::Object(map) => map.values().flat_map(pods).collect(),
        Value::Array(list) => list.iter().flat_map(pods).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_object_carries_the_label() {
    for file in files::manifests() {
        for object in &file.documents {
            assert!(object["kind"].is_string() && object["metadata"]["name"].is_string());
            assert_eq!(unlabelled(object), [""; 0], "{}", file.name);
        }
    }
}

#[test]
fn every_pod_may_and_takes_little() {
    let mut seen = 0;
    for file in files::manifests() {
        for pod in file.documents.iter().flat_map(pods) {
            seen += 1;
            assert_eq!(careless(pod), [""; 0], "{}", file.name);
        }
    }
    assert!(seen >= 3, "the manifests have {seen} pods");
}

#[test]
fn a_careless_manifest_is_noticed() {
    let job = files::read("verify/job-sign.yml").documents.remove(0);
    let with = |path: &str, value: Value| {
        let mut job = job.clone();
        *job.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        job
    };
    for path in ["/metadata/labels", "/spec/template/metadata/labels"] {
        assert_eq!(unlabelled(&with(path, json!({}))).len(), 1, "{path}");
    }
    let pod = "/spec/template/spec";
    for (path, value) in [
        ("automountServiceAccountToken", json!(true)),
        ("securityContext", Value::Null),
        ("securityContext/runAsNonRoot", json!(false)),
        ("securityContext/seccompProfile/type", json!("Unconfined")),
        (
            "initContainers/0/securityContext/allowPrivilegeEscalation",
            json!(true),
        ),
        (
            "containers/0/securityContext/capabilities/drop/0",
            json!("CHOWN"),
        ),
        ("containers/0/securityContext", json!({"privileged": true})),
        ("containers/0/resources/requests", Value::Null),
        ("containers/0/resources/limits", json!({"cpu": "1"})),
    ] {
        let bad = with(&format!("{pod}/{path}"), value);
        let found: Vec<_> = pods(&bad).into_iter().flat_map(careless).collect();
        assert!(!found.is_empty(), "{path}");
    }
    let mut host = job.clone();
    host["spec"]["template"]["spec"]["hostNetwork"] = json!(true);
    assert_eq!(careless(pods(&host)[0]).len(), 1);
}
