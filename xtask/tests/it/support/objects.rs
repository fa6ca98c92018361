//! Objects as a cluster has them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// What stands where a private key or password is, which must never be seen.
pub const SECRET: &str = "-----BEGIN PRIVATE KEY-----\nnobody-may-see-this\n";

/// The text as a Secret holds it.
pub fn encoded(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// A certificate, PEM: that of a signature.
pub fn certificate() -> String {
    let bundle: Value = serde_json::from_str(include_str!("fakes/rekor-v1.sigstore.json")).unwrap();
    let raw = &bundle["verificationMaterial"]["certificate"]["rawBytes"];
    let lines: Vec<String> = raw
        .as_str()
        .unwrap()
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
}

/// An object of a kind and its name.
pub fn object(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "metadata": {"name": name}})
}

/// A Secret with these parts, and a private one that nobody should read.
pub fn secret(name: &str, parts: &[(&str, &str)]) -> Value {
    let mut secret = object("Secret", name);
    secret["metadata"]["creationTimestamp"] = json!("2026-01-02T03:04:05Z");
    for (key, text) in parts {
        secret["data"][*key] = json!(encoded(text));
    }
    secret["data"]["private"] = json!(encoded(SECRET));
    secret
}

/// A Deployment with one pod, up or not.
pub fn deployment(name: &str, up: bool) -> Value {
    let mut deployment = object("Deployment", name);
    deployment["metadata"]["generation"] = json!(1);
    deployment["spec"]["replicas"] = json!(1);
    let pods = u8::from(up);
    deployment["status"] = json!({
        "observedGeneration": 1, "replicas": 1, "updatedReplicas": pods, "availableReplicas": pods,
    });
    deployment
}

/// A Job that has ended like this.
pub fn job(name: &str, end: &str) -> Value {
    let mut job = object("Job", name);
    job["status"]["conditions"] = json!([
        {"type": end, "status": "True", "message": "BackoffLimitExceeded"}
    ]);
    job
}

/// A pod whose container waits for this reason.
pub fn waiting_pod(name: &str, reason: &str, message: &str) -> Value {
    let mut pod = object("Pod", name);
    pod["status"]["containerStatuses"] = json!([
        {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}}
    ]);
    pod
}

/// A node with this condition.
pub fn node(condition: &str) -> Value {
    let mut node = object("Node", "node-1");
    let message = "the kubelet says so";
    node["status"]["conditions"] = json!([
        {"type": "Ready", "status": "True"},
        {"type": condition, "status": "True", "message": message},
    ]);
    node
}

/// A namespace that is in use.
pub fn active(name: &str) -> Value {
    let mut namespace = object("Namespace", name);
    namespace["status"]["phase"] = json!("Active");
    namespace
}

/// The Deployment by which a cert-manager is known, whoever installed it.
pub fn cert_manager() -> Value {
    let mut deployment = deployment("cert-manager", true);
    deployment["metadata"]["labels"]["app.kubernetes.io/name"] = json!("cert-manager");
    deployment
}

/// A resource definition of cert-manager, installed by a release here.
pub fn definition(namespace: &str) -> Value {
    let mut definition = object("CustomResourceDefinition", "certificates.cert-manager.io");
    definition["metadata"]["labels"] = json!({
        "app.kubernetes.io/name": "cert-manager",
        "app.kubernetes.io/instance": "cert-manager",
    });
    definition["metadata"]["annotations"]["meta.helm.sh/release-namespace"] = json!(namespace);
    definition
}

/// An object as the workshop applies it.
pub fn labelled(mut object: Value) -> Value {
    object["metadata"]["labels"]["app.kubernetes.io/part-of"] = json!("sigstore-workshop");
    object
}

pub fn tree(name: &str) -> Value {
    let mut map = object("ConfigMap", name);
    map["data"]["treeID"] = json!("4711");
    map
}

pub fn set(values: &mut Value, key: &str, to: bool) {
    let parts = key.split('.');
    *parts.fold(values, |values, part| &mut values[part]) = json!(to);
}

/// Where helm keeps the release of cert-manager, with the workshop's label.
fn release_secret() -> Value {
    let mut secret = object("Secret", "sh.helm.release.v1.cert-manager.v1");
    secret["metadata"]["labels"] = json!({"owner": "helm", "name": "cert-manager"});
    labelled(secret)
}

/// A certificate that cert-manager has made.
fn issued(name: &str) -> Value {
    let mut certificate = object("Certificate", name);
    certificate["metadata"]["namespace"] = json!("fulcio-system");
    certificate["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
    certificate
}

/// What comes of applying a manifest or installing a chart, beside what the
/// manifest says itself: by what, in which namespace.
pub fn made() -> Vec<(&'static str, &'static str, Value)> {
    let pem = certificate();
    let key = xtask::trust::write::public_key(&pem).unwrap();
    let tls = [
        ("tls.crt", pem.as_str()),
        ("tls.key", SECRET),
        ("ca.crt", &pem),
    ];
    vec![
        (
            "certificate-rekor.yml",
            "rekor-system",
            secret("rekor-signer", &tls),
        ),
        (
            "certificate-registry.yml",
            "default",
            labelled(secret("registry-tls", &tls)),
        ),
        ("upgrade-cert-manager", "cert-manager", release_secret()),
        ("upgrade-scaffold", "fulcio-system", issued("fulcio-tls")),
        ("list", "default", issued("tuf-tls")),
        ("list", "default", secret("tuf-tls", &tls)),
        ("upgrade-scaffold", "rekor-system", issued("rekor-tls")),
        ("upgrade-cert-manager", "-", definition("cert-manager")),
        ("upgrade-cert-manager", "cert-manager", cert_manager()),
        (
            "upgrade-cert-manager",
            "cert-manager",
            deployment("cert-manager-webhook", true),
        ),
        (
            "upgrade-cert-manager",
            "cert-manager",
            deployment("cert-manager-cainjector", true),
        ),
        (
            "install-scaffold",
            "trillian-system",
            deployment("trillian-mysql", true),
        ),
        (
            "install-scaffold",
            "trillian-system",
            deployment("trillian-logserver", true),
        ),
        (
            "install-scaffold",
            "trillian-system",
            deployment("trillian-logsigner", true),
        ),
        (
            "install-scaffold",
            "fulcio-system",
            secret("fulcio-server-secret", &[("cert", &pem)]),
        ),
        (
            "install-scaffold",
            "fulcio-system",
            deployment("fulcio-server", true),
        ),
        (
            "more-scaffold",
            "trillian-system",
            job("scaffold-trillian-createdb", "Complete"),
        ),
        ("upgrade-scaffold", "rekor-system", tree("rekor-config")),
        (
            "upgrade-scaffold",
            "rekor-system",
            deployment("rekor-server", true),
        ),
        (
            "upgrade-scaffold",
            "rekor-system",
            secret("rekor-tls", &tls),
        ),
        (
            "upgrade-scaffold",
            "fulcio-system",
            secret("fulcio-tls", &tls),
        ),
        ("upgrade-scaffold", "ctlog-system", tree("ctlog-config")),
        (
            "upgrade-scaffold",
            "ctlog-system",
            secret("ctlog-public-key", &[("public", &key)]),
        ),
        (
            "upgrade-scaffold",
            "ctlog-system",
            secret("ctlog-secret", &[("fulcio-0", &pem)]),
        ),
        (
            "upgrade-scaffold",
            "ctlog-system",
            deployment("ctlog", true),
        ),
        (
            "addon-ingress",
            "ingress-nginx",
            deployment("ingress-nginx-controller", true),
        ),
    ]
}
