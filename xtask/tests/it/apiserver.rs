//! A real API server: what it says of the manifests, and what the program does with
//! it as far as a control plane without nodes goes.

use crate::support::apiserver::{self, ControlPlane};
use crate::support::repo::repository;
use serde_json::{Value, json};

/// cert-manager's own definitions come with its chart, which is not in the
/// repository. These only give its kinds names; what is inside of them is checked by
/// nobody here.
fn define_cert_manager(plane: &ControlPlane) {
    for (kind, scope) in [
        ("Certificate", "Namespaced"),
        ("Issuer", "Namespaced"),
        ("ClusterIssuer", "Cluster"),
    ] {
        let (singular, group) = (kind.to_lowercase(), "cert-manager.io");
        let plural = format!("{singular}s");
        let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        plane.apply(&json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group,
                "scope": scope,
                "names": {"kind": kind, "plural": plural, "singular": singular},
                "versions": [
                    {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": any}}
                ],
            },
        }));
        let definition = format!("customresourcedefinition/{plural}.{group}");
        plane
            .kubectl(&["wait", "--for=condition=Established", &definition])
            .ok();
    }
    // By this the program sees that there is one. It is not the workshop's.
    let labels = json!({"app.kubernetes.io/name": "cert-manager"});
    plane.apply(&json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cert-manager", "namespace": "default", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "none", "image": "test.invalid/none"}]},
            },
        },
    }));
}

/// What `preflight` and `doctor` found wanting, sorted.
fn wanting(said: &Value) -> Vec<&str> {
    let checks = said["checks"].as_array().unwrap();
    let wanting = checks
        .iter()
        .filter(|check| check["ok"] == false && check["optional"].is_null());
    let mut names: Vec<_> = wanting
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[track_caller]
fn there(plane: &ControlPlane, namespace: &str, object: &str) -> bool {
    let words = [
        "get",
        object,
        "--namespace",
        namespace,
        "--ignore-not-found",
    ];
    !plane.kubectl(&words).ok().out.is_empty()
}

/// What it refuses, the workshop must not need; what is older, nobody is told to use.
#[test]
fn the_control_plane_is_no_older_than_the_workshop_asks_for() {
    let pins = xtask::cluster::pins::pins(repository(), None).unwrap();
    let kubernetes = apiserver::required("k8s.io/kubernetes");
    let numbers = |version: &str| xtask::preflight::numbers(version.trim_start_matches('v'));
    let minimum = numbers(&pins.kubernetes.minimum);
    assert!(minimum.is_some() && numbers(&kubernetes) >= minimum);
    // Kubernetes' own parts are modules too, with a zero for the one.
    let parts = kubernetes.replacen("v1.", "v0.", 1);
    for part in ["api", "apimachinery", "apiserver", "client-go", "kubectl"] {
        assert_eq!(apiserver::replacement(&format!("k8s.io/{part}")), parts);
    }
}

#[test]
fn the_api_server_accepts_every_manifest() {
    let Some(plane) = ControlPlane::start() else {
        return;
    };
    define_cert_manager(&plane);
    // Where pods must be restricted, a template that is not gets a warning.
    let restricted = "pod-security.kubernetes.io/warn=restricted";
    plane
        .kubectl(&["label", "namespace", "default", restricted])
        .ok();
    let careless = ["create", "deployment", "careless", "--image=careless"];
    let warned = plane.kubectl(&careless).ok();
    assert!(warned.err.contains("would violate PodSecurity"));

    let mut files = Vec::new();
    for dir in ["deploy", "verify"] {
        let entries = std::fs::read_dir(repository().join(dir)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.retain(|path| {
        let name = path.to_str().unwrap();
        name.ends_with(".yml") && !name.ends_with("values.yml") && !name.ends_with("versions.yml")
    });
    // The others are in the namespaces that these make.
    let is_namespace = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("namespace")
    };
    files.sort_by_key(|path| !is_namespace(path));
    assert!(files.len() >= 9, "there are {} manifests", files.len());
    let temp = tempfile::tempdir().unwrap();
    for file in files {
        // As whoever applies one by hand puts a domain into it.
        let text = std::fs::read_to_string(&file).unwrap();
        let filled = temp.path().join(file.file_name().unwrap());
        std::fs::write(&filled, text.replace("DOMAIN", "example.test")).unwrap();
        let file = filled.to_str().unwrap();
        let apply = [
            "apply",
            "--server-side",
            "--validate=strict",
            "--filename",
            file,
        ];
        for words in [[&apply[..], &["--dry-run=server"]].concat(), apply.to_vec()] {
            let applied = plane.kubectl(&words).ok();
            assert_eq!(applied.err, "", "{file}");
        }
    }

    let text = std::fs::read_to_string(repository().join("verify/job-sign.yml"));
    let mistyped = text.unwrap().replace("backoffLimit", "backOffLimit");
    let file = plane.path("mistyped.yml");
    std::fs::write(&file, mistyped).unwrap();
    let file = file.to_str().unwrap();
    plane
        .kubectl(&["apply", "--dry-run=server", "--validate=strict", "-f", file])
        .ends(1, &["backOffLimit"]);
}

#[test]
fn the_parts_that_need_no_node_work() {
    let Some(plane) = ControlPlane::start() else {
        return;
    };
    define_cert_manager(&plane);

    // What a cluster lacks is found, and nothing else is found wanting.
    let found = plane.xtask("admin", &["--json", "preflight"]);
    assert_eq!(wanting(&found.json()), ["nodes", "storage"]);
    plane.apply(&json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "test.invalid/none",
    }));
    let found = plane.xtask("admin", &["--json", "preflight"]);
    assert_eq!(wanting(&found.json()), ["nodes"]);
    found.ends(1, &["kubectl describe nodes"]);

    // The binding opens what its comment says.
    let anybody = |words: &[&str]| {
        let anonymous = ["--as=system:anonymous", "--as-group=system:unauthenticated"];
        plane.kubectl(&[&anonymous, words].concat())
    };
    let keys = ["get", "--raw=/openid/v1/jwks"];
    anybody(&keys).ends(1, &["forbidden"]);
    plane.xtask("admin", &["oidc-reviewer"]).ok();
    anybody(&keys).ok();
    anybody(&["get", "namespaces"]).ends(1, &["forbidden"]);
    plane
        .xtask("admin", &["--json", "oidc-reviewer"])
        .ends(0, &[r#""changed":false"#]);

    plane.xtask("admin", &["issuer"]).ok();
    assert!(there(&plane, "", "clusterissuer/selfsigned-issuer"));

    // Looking changes nothing.
    let printed = plane.xtask("admin", &["registry", "--dry-run"]).ok().out;
    assert!(printed.contains("verify/deploy-registry.yml --context admin"));
    assert!(!there(&plane, "default", "deployment/registry"));
    assert!(!there(&plane, "default", "certificate/registry"));
    let found = plane.xtask("admin", &["--json", "doctor"]);
    let found = found.ends(1, &[]).json();
    let wanting = wanting(&found);
    for name in ["nodes", "secrets", "trees", "trust"] {
        assert!(wanting.contains(&name), "{wanting:?}");
    }
    assert!(!wanting.contains(&"anonymous") && !wanting.contains(&"rights"));

    // What carries the label goes, and what is someone else's stays.
    let map = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}});
    let ours = json!({"app.kubernetes.io/part-of": "sigstore-workshop"});
    plane.apply(&map("ours", ours));
    plane.apply(&map("theirs", json!({})));
    plane.kubectl(&["create", "namespace", "theirs"]).ok();
    plane.xtask("admin", &["uninstall", "--yes"]).ok();
    for gone in [
        "configmap/ours",
        "clusterissuer/selfsigned-issuer",
        "clusterrolebinding/oidc-reviewer",
        "namespace/sigstore",
        "namespace/trillian-system",
    ] {
        assert!(!there(&plane, "default", gone), "{gone} is still there");
    }
    let definition = "customresourcedefinition/certificates.cert-manager.io";
    for kept in ["configmap/theirs", "namespace/theirs", definition] {
        assert!(there(&plane, "default", kept), "{kept} is gone");
    }
    assert!(!plane.path("état of admin").exists());
    plane
        .xtask("admin", &["uninstall", "--yes"])
        .ends(0, &["nothing to do"]);
}

#[test]
fn a_cluster_that_refuses_says_what_and_why() {
    let Some(plane) = ControlPlane::start() else {
        return;
    };
    // Who has no rights learns which one was missing.
    let cannot = r#"User "system:serviceaccount:default:nobody" cannot"#;
    for (words, right) in [
        (&["oidc-reviewer"][..], r#"list resource "namespaces""#),
        (&["issuer"], r#"list resource "secrets""#),
        (&["uninstall", "--yes"], r#"get resource "namespaces""#),
    ] {
        let said = format!("{cannot} {right}");
        plane.xtask("nobody", words).ends(2, &[&said]);
    }
    plane
        .kubectl(&["get", "namespace", "sigstore"])
        .ends(1, &["not found"]);

    // A context that there is not, and a server that there is not.
    plane.xtask("nowhere", &["preflight"]).ends(
        1,
        &[
            r#"context "nowhere" does not exist"#,
            "kubectl config get-contexts",
        ],
    );
    plane
        .xtask("nowhere", &["oidc-reviewer"])
        .ends(2, &["nowhere"]);
    plane
        .xtask("dead", &["preflight"])
        .ends(1, &["was refused", "hint: "]);
    plane.xtask("dead", &["oidc-reviewer"]).ends(2, &["hint: "]);
    plane
        .xtask("dead", &["uninstall", "--yes"])
        .ends(2, &["hint: "]);
}
