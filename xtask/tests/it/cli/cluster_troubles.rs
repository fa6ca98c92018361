//! What goes wrong while an install or a part of it runs.

use std::fs;

use rustix::process::Signal;
use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::cluster::{Cluster, object, waiting_pod};
use crate::support::world::wait_until;

/// An API server that restarts is waited for.
#[test]
fn the_api_server_restarts() {
    let cluster = Cluster::new();
    cluster.when(
        "kubectl get pods,jobs,deployment --namespace cert-manager *",
        r#"if mkdir "$FAKES/first" 2>/dev/null || mkdir "$FAKES/second" 2>/dev/null; then
  echo 'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?' >&2
  exit 1
fi"#,
    );
    cluster.run("install -q").ok();
    assert!(cluster.path("fakes/second").exists());
}

/// Each tool fails in each part: its words or their meaning, and nothing after it.
#[test]
fn tools_that_fail() {
    let failures = [
        (
            "oidc-reviewer",
            "kubectl apply *namespaces*",
            "error: namespaces",
        ),
        (
            "oidc-reviewer",
            "kubectl apply *crb-oidc*",
            "error: binding",
        ),
        ("cert-manager", "helm pull *", "Error: pull"),
        ("cert-manager", "helm upgrade *", "Error: upgrade"),
        (
            "issuer",
            "kubectl apply *workshop --filename *clusterissuer*",
            "error: issuer",
        ),
        ("scaffold", "helm *scaffold * --set *", "Error: ground"),
        (
            "scaffold",
            "helm *scaffold *--reuse-values*",
            "Error: tables",
        ),
        (
            "scaffold",
            "helm upgrade --install scaffold *",
            "Error: upgrade",
        ),
        ("copy-secrets", "kubectl apply *", "error: copy"),
        (
            "registry",
            "kubectl apply *certificate-registry*",
            "error: tls",
        ),
        (
            "registry",
            "kubectl apply *deploy-registry*",
            "error: deployment",
        ),
        ("trust", "kubectl apply *", "error: trust"),
    ];
    let cluster = Cluster::new();
    let mut seen = String::new();
    for (i, (part, call, says)) in failures.iter().enumerate() {
        cluster.fails(call, says);
        let run = cluster.run(&format!("{part} -q"));
        cluster.keeps_secrets(&run.seen());
        assert_eq!(run.exit, 2, "{part}: {call}: {}", run.seen());
        seen += &format!("{part}: {}", cluster.redacted(&run.seen()));
        fs::remove_file(cluster.path("fakes/when")).unwrap();
        if failures.get(i + 1).is_none_or(|(next, ..)| next != part) {
            cluster.run(&format!("{part} -q")).ok();
        }
    }
    assert_data_eq!(
        seen,
        str![[r#"
oidc-reviewer:   | error: namespaces
error: kubectl failed with exit status: 1
exit 2
oidc-reviewer:   | error: binding
error: kubectl failed with exit status: 1
exit 2
cert-manager:   | Error: pull
error: helm failed with exit status: 1
exit 2
cert-manager:   | Error: upgrade
error: helm failed with exit status: 1
exit 2
issuer:   | error: issuer
error: kubectl failed with exit status: 1
exit 2
scaffold:   | Error: ground
error: helm failed with exit status: 1
exit 2
scaffold:   | Error: tables
error: helm failed with exit status: 1
exit 2
scaffold:   | Error: upgrade
error: helm failed with exit status: 1
exit 2
copy-secrets:   | error: copy
error: kubectl apply failed
exit 2
registry:   | error: tls
error: kubectl failed with exit status: 1
exit 2
registry:   | error: deployment
error: kubectl failed with exit status: 1
exit 2
trust:   | error: trust
error: kubectl apply failed
exit 2

"#]]
    );
    let left = cluster.run("install -q").ok();
    assert!(left.out.starts_with("nothing to do"), "{}", left.out);
}

#[test]
fn minikube_fails() {
    let cluster = Cluster::minikube();
    cluster.fails(
        "minikube start *",
        "X Exiting due to DRV_NOT_HEALTHY: docker is not running",
    );
    let seen = cluster.shows(&["minikube -q"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask minikube -q
  | X Exiting due to DRV_NOT_HEALTHY: docker is not running
error: minikube failed with exit status: 1
exit 2

"#]]
    );
    let cluster = Cluster::minikube();
    cluster.fails("minikube ip *", "X Profile \"minikube\" not found");
    assert_data_eq!(
        cluster.shows(&["ingress -q"]),
        str![[r#"
$ cargo xtask ingress -q
error: the address of minikube is known once it runs
hint: start it first: cargo xtask --on minikube --state [STATE] minikube
exit 2

"#]]
    );
}

/// Waits in vain until the events of a pod were read, and is interrupted then.
fn waits(cluster: &Cluster, line: &str) -> String {
    let run = cluster.start(line);
    wait_until("the events are read", || {
        cluster.calls().contains("'events'")
    });
    run.signal(Signal::INT);
    let run = run.end();
    assert_eq!(run.exit, 130, "{}", run.seen());
    let err = cluster.redacted(&run.err);
    let troubles = err
        .lines()
        .filter(|line| line.starts_with("  ") || line.starts_with("error:"));
    troubles.map(|line| format!("{line}\n")).collect()
}

/// What keeps an image away is said while it is waited for.
#[test]
fn images_that_do_not_come() {
    let mut seen = Vec::new();
    for says in [
        "toomanyrequests: You have reached your unauthenticated pull rate limit",
        "failed to pull and unpack image \"docker.io/library/nothing:1\": not found",
        "something new",
    ] {
        let cluster = Cluster::new();
        cluster.run("issuer --with-needs").ok();
        let pod = waiting_pod("trillian-mysql-0", "ErrImagePull", says);
        cluster.makes("install-scaffold", "trillian-system", pod);
        cluster.makes(
            "install-scaffold",
            "trillian-system",
            crate::support::cluster::deployment("trillian-mysql", false),
        );
        let mut event = object("Event", "pull");
        event["message"] = json!("Failed to pull image");
        cluster.has("trillian-system", event);
        seen.push(waits(&cluster, "scaffold"));
    }
    assert_data_eq!(
        seen.join("\n"),
        str![[r#"
  trillian-system: the pod trillian-mysql-0 does not start (ErrImagePull): Docker Hub has had too many requests from this address
    | the pod trillian-mysql-0 does not start (ErrImagePull): toomanyrequests: You have reached your unauthenticated pull rate limit
    | Failed to pull image
    hint: wait, log in, or fetch the image once for all: minikube image pull IMAGE
    hint: more about it: https://github.com/kubernetes/minikube/issues/9760
error: interrupted

  trillian-system: the pod trillian-mysql-0 does not start (ErrImagePull): the registry has no such image
    | the pod trillian-mysql-0 does not start (ErrImagePull): failed to pull and unpack image "docker.io/library/nothing:1": not found
    | Failed to pull image
    hint: see which: kubectl get events --all-namespaces
error: interrupted

  trillian-system: the pod trillian-mysql-0 does not start (ErrImagePull): something new
    | Failed to pull image
error: interrupted

"#]]
    );
}

/// What cannot pass is not waited for.
#[test]
fn a_job_that_gave_up() {
    let cluster = Cluster::new();
    cluster.run("issuer --with-needs").ok();
    cluster.makes(
        "install-scaffold",
        "fulcio-system",
        crate::support::cluster::deployment("fulcio-server", false),
    );
    cluster.makes(
        "install-scaffold",
        "fulcio-system",
        crate::support::cluster::job("fulcio-createcerts", "Failed"),
    );
    assert_data_eq!(
        cluster.shows(&["scaffold -q"]),
        str![[r#"
$ cargo xtask scaffold -q
error: the Job fulcio-createcerts has given up: BackoffLimitExceeded
exit 1

"#]]
    );
    // Where this one stopped, the next goes on.
    cluster.has(
        "fulcio-system",
        crate::support::cluster::deployment("fulcio-server", true),
    );
    cluster.run("scaffold -q").ok();
}
