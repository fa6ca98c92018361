//! `uninstall` on a cluster.

use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::cluster::{Cluster, active, cert_manager, definition, object};
use crate::support::snapshot::snapshot;

#[test]
fn uninstall_removes_what_is_its_own() {
    let cluster = Cluster::installed();
    cluster.has("default", object("Secret", "of-somebody-else"));
    cluster.has("-", object("Namespace", "of-somebody-else"));
    let run = cluster.run("uninstall -q --yes").ok();
    snapshot("cluster-uninstall.txt", &cluster.redacted(&run.out));
    snapshot("cluster-uninstall-calls.txt", &cluster.changes());
    assert!(cluster.kept("default", "secret.of-somebody-else").is_some());
    assert!(cluster.kept("-", "namespace.of-somebody-else").is_some());
    assert!(cluster.kept("-", "namespace.rekor-system").is_none());
    assert!(!cluster.kept_file("").exists());
}

/// A cert-manager that was there before is used, and stays.
#[test]
fn a_cert_manager_of_someone_else() {
    let cluster = Cluster::new();
    cluster.has("-", definition("platform"));
    cluster.has("platform", cert_manager());
    cluster.run("install -q").ok();
    let changes = cluster.forget_changes();
    for touched in [
        "'upgrade' '--install' '--labels'",
        "namespace-cert-manager.yml",
    ] {
        assert!(!changes.contains(touched), "{changes}");
    }
    cluster.run("uninstall -q --yes").ok();
    let changes = cluster.changes();
    assert!(!changes.contains("'uninstall' 'cert-manager'"), "{changes}");
    let definition = "customresourcedefinition.certificates.cert-manager.io";
    assert!(cluster.kept("-", definition).is_some(), "{changes}");
}

/// One that was installed as its own documentation says has the names that the
/// workshop uses as well.
#[test]
fn a_cert_manager_of_someone_else_under_the_same_name() {
    let cluster = Cluster::new();
    cluster.has("-", definition("cert-manager"));
    cluster.has("-", active("cert-manager"));
    cluster.has("cert-manager", cert_manager());
    let release = json!({"info": {"status": "deployed"}, "config": {}});
    cluster.says("releases/cert-manager.status", &release);
    cluster.says(
        "releases/cert-manager.metadata",
        &json!({"version": "v1.0.0"}),
    );
    cluster.run("install -q").ok();
    cluster.run("uninstall -q --yes").ok();
    let changes = cluster.changes();
    for touched in [
        "helm 'upgrade' '--install' '--labels'",
        "helm 'uninstall' 'cert-manager'",
        "'delete' 'customresourcedefinitions'",
        "namespace-cert-manager.yml",
    ] {
        assert!(!changes.contains(touched), "{changes}");
    }
    assert!(cluster.kept("-", "namespace.cert-manager").is_some());
}

/// So does the workshop's own, where others have come to need it.
#[test]
fn a_cert_manager_that_others_use() {
    let cluster = Cluster::installed();
    cluster.has("shop", object("Certificate", "shop-tls"));
    let run = cluster.run("uninstall -v --yes").ok();
    let says = "cert-manager stays: Certificate shop-tls is not the workshop's";
    assert!(run.err.contains(says), "{}", run.err);
    let changes = cluster.changes();
    assert!(
        !changes.contains("helm 'uninstall' 'cert-manager'"),
        "{changes}"
    );
    assert!(
        !changes.contains("'delete' 'customresourcedefinitions'"),
        "{changes}"
    );
}

#[test]
fn minikube_is_deleted_when_it_is_named() {
    let cluster = Cluster::minikube();
    cluster.run("install -q").ok();
    cluster.forget_calls();
    let lines = [
        "uninstall -q --yes --delete-minikube work",
        "uninstall -q --delete-minikube minikube",
        "uninstall -q --yes --delete-minikube minikube --on cluster",
    ];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask uninstall -q --yes --delete-minikube work
error: the minikube work is not the one of this target
hint: only that one is deleted: --delete-minikube minikube
exit 2

$ cargo xtask uninstall -q --delete-minikube minikube
error: uninstall asks first, and nobody is here to answer
hint: add --yes
exit 2

$ cargo xtask uninstall -q --yes --delete-minikube minikube --on cluster
error: the minikube minikube is not the one of this target
hint: name the target as well: --on minikube
exit 2

"#]]
    );
    assert_eq!(cluster.changes(), "");
    cluster
        .run("uninstall -q --yes --delete-minikube minikube")
        .ok();
    let changes = cluster.changes();
    assert!(
        changes.contains("minikube '--profile=minikube' 'delete'\n"),
        "{changes}"
    );
}
