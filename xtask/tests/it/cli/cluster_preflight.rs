//! What a cluster or a machine lacks: the exit status, the sentence and the hint.

use std::fs;

use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::cluster::{Cluster, active, node, object};
use crate::support::world::World;

#[test]
fn the_tools_of_a_cluster_are_missing() {
    let world = World::new();
    let lines = [
        "install",
        "status",
        "sign",
        "uninstall --yes",
        "install --on cluster",
    ];
    let seen = lines.map(|line| {
        let mut command = world.bare();
        command
            .args(["-q", "--on", "minikube"])
            .args(line.split(' '))
            .env("WORKSHOP_STATE", &world.state);
        world.end(command).seen()
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
error: what is needed is not there (kubectl: not found on the PATH; helm: not found on the PATH; minikube: not found on the PATH)
hint: install kubectl 1.35 or newer: https://kubernetes.io/docs/tasks/tools/
hint: install helm 3.19 or newer: https://helm.sh/docs/intro/install/
hint: install minikube 1.38.1 or newer: https://minikube.sigs.k8s.io/docs/start/
exit 1
error: kubectl was not found
hint: cargo xtask --state [STATE] preflight
exit 2
error: this installation has no trusted root yet: it is not complete
hint: go on with it: cargo xtask --state [STATE] install
exit 2
error: kubectl was not found
hint: cargo xtask --state [STATE] preflight
hint: where the cluster is gone: cargo xtask --state [STATE] uninstall --yes --from forget
exit 2
error: kubectl was not found
hint: cargo xtask --on cluster --state [STATE] preflight
exit 2

"#]]
    );
}

#[test]
fn no_cluster_answers() {
    let cluster = Cluster::new();
    cluster.write("fakes/stopped", "");
    let seen = cluster.shows(&["install -q", "issuer -q", "preflight"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask install -q
error: what is needed is not there (cluster: The connection to the server 192.168.49.2:8443 was refused - did you specify the right host or port?)
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 1

$ cargo xtask issuer -q
error: the cluster's API server does not answer
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 2

$ cargo xtask preflight
✓ kubectl    v1.36.0 at [TEMP]/bin/kubectl (wanted: 1.35 or newer)
✓ helm       v3.19.4 at [TEMP]/bin/helm (wanted: 3.19 or newer)
✗ cluster    The connection to the server 192.168.49.2:8443 was refused - did you specify the right host or port? (wanted: Kubernetes 1.35 or newer)
             hint: see whether the cluster runs; a minikube that was stopped: cargo xtask minikube
on cluster (named by --on)
error: what is needed is not there (cluster: The connection to the server 192.168.49.2:8443 was refused - did you specify the right host or port?)
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 1

"#]]
    );
    let cluster = Cluster::installed();
    cluster.write("fakes/stopped", "");
    let lines = [
        "install -q",
        "status -q",
        "sign -q",
        "verify -q",
        "doctor -q",
    ];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask install -q
error: the cluster's API server does not answer
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 2

$ cargo xtask status -q
error: the cluster's API server does not answer
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 2

$ cargo xtask sign -q
error: the cluster's API server does not answer
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 2

$ cargo xtask verify -q
error: the cluster's API server does not answer
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 2

$ cargo xtask doctor -q
✓ kubectl    v1.36.0 at [TEMP]/bin/kubectl (wanted: 1.35 or newer)
✓ helm       v3.19.4 at [TEMP]/bin/helm (wanted: 3.19 or newer)
✗ cluster    The connection to the server 192.168.49.2:8443 was refused - did you specify the right host or port? (wanted: Kubernetes 1.35 or newer)
             hint: see whether the cluster runs; a minikube that was stopped: cargo xtask minikube
✓ state      [..] MB free at [STATE] (wanted: 100 MB free for keys, logs and images)
error: something is wrong: cluster
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 1

"#]]
    );
}

#[test]
fn no_rights() {
    let cluster = Cluster::new();
    cluster.when("kubectl auth can-i \\* *", "exit 1");
    cluster.when("kubectl auth can-i create clusterrolebindings*", "exit 1");
    assert_data_eq!(
        cluster.shows(&["install -q"]),
        str![[r#"
$ cargo xtask install -q
error: what is needed is not there (rights: you may not create clusterrolebindings.rbac.authorization.k8s.io)
hint: ask whoever runs the cluster, or use one of your own: cargo xtask --state [STATE] minikube
exit 1

"#]]
    );
    assert_eq!(cluster.changes().matches("'apply'").count(), 0);
    // Only some rights are enough.
    let cluster = Cluster::new();
    cluster.when("kubectl auth can-i \\* *", "exit 1");
    cluster.run("install -q").ok();
}

#[test]
fn a_right_that_nobody_asked_about() {
    let cluster = Cluster::new();
    cluster.fails(
        "kubectl apply *crb-oidc-reviewer.yml*",
        r#"Error from server (Forbidden): error when creating "crb-oidc-reviewer.yml": clusterrolebindings.rbac.authorization.k8s.io is forbidden: User "dev" cannot create resource "clusterrolebindings" in API group "rbac.authorization.k8s.io" at the cluster scope"#,
    );
    assert_data_eq!(
        cluster.shows(&["oidc-reviewer -q"]),
        str![[r#"
$ cargo xtask oidc-reviewer -q
  | Error from server (Forbidden): error when creating "crb-oidc-reviewer.yml": clusterrolebindings.rbac.authorization.k8s.io is forbidden: User "dev" cannot create resource "clusterrolebindings" in API group "rbac.authorization.k8s.io" at the cluster scope
error: the cluster does not allow it
hint: ask whoever runs the cluster, or use one of your own: cargo xtask --state [STATE] minikube
exit 2

"#]]
    );
}

#[test]
fn old_or_missing_programs() {
    let cluster = Cluster::new();
    cluster.says(
        "version",
        &json!({
            "clientVersion": {"gitVersion": "v1.30.0"},
            "serverVersion": {"gitVersion": "v1.31.4-eks-1"},
        }),
    );
    cluster.write("fakes/helm-version", "v3.10.1");
    assert_data_eq!(
        cluster.shows(&["preflight"]),
        str![[r#"
$ cargo xtask preflight
✗ kubectl    v1.30.0 at [TEMP]/bin/kubectl (wanted: 1.35 or newer)
             hint: install kubectl 1.35 or newer: https://kubernetes.io/docs/tasks/tools/
✗ helm       v3.10.1 at [TEMP]/bin/helm (wanted: 3.19 or newer)
             hint: install helm 3.19 or newer: https://helm.sh/docs/intro/install/
✗ cluster    v1.31.4-eks-1 (test) (wanted: Kubernetes 1.35 or newer)
             hint: use a newer cluster, for example: cargo xtask minikube
✓ rights     all (wanted: to create what the workshop consists of)
✓ issuer     https://kubernetes.default.svc, with its keys at https://kubernetes.default.svc/openid/v1/jwks (wanted: one that the discovery document names)
✓ storage    standard (wanted: a default StorageClass, for the volumes of the logs and the registry)
✓ nodes      node-1 (wanted: one that is ready and has room)
✓ names      none (wanted: no namespace of the workshop that is being deleted)
on cluster (named by --on)
error: what is needed is not there (kubectl: v1.30.0 at [TEMP]/bin/kubectl; helm: v3.10.1 at [TEMP]/bin/helm; cluster: v1.31.4-eks-1 (test))
hint: install kubectl 1.35 or newer: https://kubernetes.io/docs/tasks/tools/
hint: install helm 3.19 or newer: https://helm.sh/docs/intro/install/
hint: use a newer cluster, for example: cargo xtask --state [STATE] minikube
exit 1

"#]]
    );
    fs::remove_file(cluster.path("bin/kubectl")).unwrap();
    fs::remove_file(cluster.path("bin/helm")).unwrap();
    let lines = ["preflight -q --context test", "install -q --context test"];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask preflight -q --context test
✗ kubectl    not found on the PATH (wanted: 1.35 or newer)
             hint: install kubectl 1.35 or newer: https://kubernetes.io/docs/tasks/tools/
✗ helm       not found on the PATH (wanted: 3.19 or newer)
             hint: install helm 3.19 or newer: https://helm.sh/docs/intro/install/
error: what is needed is not there (kubectl: not found on the PATH; helm: not found on the PATH)
hint: install kubectl 1.35 or newer: https://kubernetes.io/docs/tasks/tools/
hint: install helm 3.19 or newer: https://helm.sh/docs/intro/install/
exit 1

$ cargo xtask install -q --context test
error: what is needed is not there (kubectl: not found on the PATH; helm: not found on the PATH)
hint: install kubectl 1.35 or newer: https://kubernetes.io/docs/tasks/tools/
hint: install helm 3.19 or newer: https://helm.sh/docs/intro/install/
exit 1

"#]]
    );
}

#[test]
fn nodes_under_pressure() {
    for pressure in ["DiskPressure", "MemoryPressure"] {
        let cluster = Cluster::new();
        cluster.has("-", node(pressure));
        let run = cluster.run("install -q");
        assert_eq!(run.exit, 1);
        let says = format!("(nodes: node-1 has {pressure}: the kubelet says so)");
        assert!(run.err.contains(&says), "{}", run.err);
    }
    let cluster = Cluster::new();
    let mut broken = node("Ready");
    broken["status"]["conditions"] =
        json!([{"type": "Ready", "status": "False", "message": "container runtime is down"}]);
    cluster.has("-", broken);
    assert_data_eq!(
        cluster.shows(&["install -q"]),
        str![[r#"
$ cargo xtask install -q
error: what is needed is not there (nodes: node-1 is not ready: container runtime is down)
hint: see why: kubectl describe nodes; a disk that is full is emptied of images by: minikube ssh -- docker system prune
exit 1

"#]]
    );
}

#[test]
fn a_namespace_that_is_being_deleted() {
    let cluster = Cluster::new();
    let mut namespace = active("rekor-system");
    namespace["status"]["phase"] = "Terminating".into();
    cluster.has("-", namespace);
    assert_data_eq!(
        cluster.shows(&["install -q"]),
        str![[r#"
$ cargo xtask install -q
error: what is needed is not there (names: still being deleted: rekor-system)
hint: wait, or see what holds it: kubectl get namespace rekor-system --output=yaml, under conditions
exit 1

"#]]
    );
}

#[test]
fn no_place_for_the_database() {
    let cluster = Cluster::new();
    cluster.has_not("-", &object("StorageClass", "standard"));
    assert_data_eq!(
        cluster.shows(&["install -q"]),
        str![[r#"
$ cargo xtask install -q
error: what is needed is not there (storage: none: the volumes would stay Pending)
hint: mark one: kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true
exit 1

"#]]
    );
}

/// A minikube that is made now gets the Kubernetes that it has as its default, or the one
/// that its user set.
#[test]
fn the_kubernetes_of_a_new_minikube_is_named() {
    let cluster = Cluster::minikube();
    let line = || {
        let said = cluster.run("preflight").out;
        let line = said.lines().find(|line| line.contains("kubernetes"));
        line.unwrap_or_default().to_owned()
    };
    assert_eq!(
        line(),
        "✓ kubernetes v1.35.1, which minikube starts (wanted: 1.35 or newer)"
    );
    cluster.when(
        "minikube config get kubernetes-version",
        "echo v1.30.0\nexit",
    );
    assert_eq!(
        line(),
        "✗ kubernetes v1.30.0, which minikube starts (wanted: 1.35 or newer)"
    );
    let seen = cluster.run("preflight");
    assert!(
        seen.seen()
            .contains("hint: minikube config unset kubernetes-version")
    );
}
