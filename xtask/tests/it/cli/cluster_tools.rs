//! kubectl, helm and minikube that fail, or print something else than they should.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;

/// What is no JSON is no reason to panic.
#[test]
fn kubectl_prints_something_else() {
    let cluster = Cluster::installed();
    const READS: [&str; 6] = [
        "preflight",
        "doctor",
        "status",
        "env",
        "trust",
        "uninstall --dry-run",
    ];
    // What is JSON all the same only looks as if nothing were there.
    let not_json = ["<html>", "[1, 2", "\\377"].map(|prints| (prints, true));
    let json = ["null", "[]", "{\"items\": 7}"].map(|prints| (prints, false));
    for (prints, changes) in not_json.into_iter().chain(json) {
        let _ = fs::remove_file(cluster.path("fakes/when"));
        cluster.when("kubectl get *", &format!("printf '{prints}'; exit"));
        let all = ["install", "sign", "verify", "registry"];
        let more = all.iter().filter(|_| changes);
        for line in READS.iter().chain(more) {
            let run = cluster.run(&format!("{line} -q"));
            let seen = run.seen();
            assert!(
                run.exit != 101 && !seen.contains("panick"),
                "{line}: {prints}: {seen}"
            );
        }
    }
    let _ = fs::remove_file(cluster.path("fakes/when"));
    cluster.when("kubectl get *", "echo '<html>'; exit");
    assert_data_eq!(
        cluster.shows(&["status -q", "sign -q"]),
        str![[r#"
$ cargo xtask status -q
error: kubectl printed no JSON: expected value at line 1 column 1
exit 2

$ cargo xtask sign -q
error: kubectl printed no JSON: expected value at line 1 column 1
exit 2

"#]]
    );
}

#[test]
fn helm_prints_something_else() {
    let cluster = Cluster::installed();
    cluster.when("helm status *", "echo '<html>'; exit");
    assert_data_eq!(
        cluster.shows(&["scaffold -q"]),
        str![[r#"
$ cargo xtask scaffold -q
error: helm printed no JSON: expected value at line 1 column 1
exit 2

"#]]
    );
}

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
