//! `install` on a cluster and on minikube: what is run, the first time and again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use snapbox::{assert_data_eq, str};
use xtask::target::ClusterOptions;

use crate::support::cluster::{Cluster, job, object};
use crate::support::snapshot::{each_step_once, snapshot};

/// An install, and a second one that does nothing.
pub fn installs(cluster: &Cluster, options: &str) -> String {
    let run = cluster.run(&format!("install {options}"));
    cluster.keeps_secrets(&run.seen());
    let run = run.ok();
    let start = "a private Sigstore is ready";
    assert!(run.out.starts_with(start), "{}", run.out);
    let (called, changes) = (cluster.called(), cluster.changes());
    cluster.forget_calls();

    let again = cluster.run(&format!("install {options}")).ok();
    assert_eq!(
        again.out,
        "nothing to do: everything is installed and runs\n"
    );
    let again = cluster.changes();
    let asks = |line: &&str| line.starts_with("minikube 'ip'");
    assert_eq!(again.lines().find(|line| !asks(line)), None);
    cluster.forget_calls();
    // Every question too: each costs time on a real cluster.
    if options.is_empty() { called } else { changes }
}

#[test]
fn on_a_cluster() {
    let cluster = Cluster::new();
    snapshot("cluster-install.txt", &installs(&cluster, ""));
    only_for_their_owner(&cluster.state);
}

#[test]
fn on_minikube() {
    let cluster = Cluster::minikube();
    snapshot("minikube-install.txt", &installs(&cluster, ""));
    only_for_their_owner(&cluster.state);
}

/// Nobody else reads what is kept on this machine.
fn only_for_their_owner(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777;
        if path.ends_with("charts") {
            // What helm fetched is nobody's secret.
        } else if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            only_for_their_owner(&path);
        } else {
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
}

/// A machine that was switched off: minikube is started, and nothing else changes.
#[test]
fn on_a_minikube_that_was_stopped() {
    let cluster = Cluster::minikube();
    cluster.run("install").ok();
    cluster.forget_calls();
    fs::remove_file(cluster.path("fakes/profiles")).unwrap();
    cluster.write("fakes/profiles", r#"{"valid": []}"#);
    cluster.write("fakes/stopped", "");
    cluster.run("install").ok();
    assert_data_eq!(
        cluster.changes(),
        str![[r#"
minikube 'start' '--extra-config=apiserver.service-account-issuer=https://kubernetes.default.svc' '--extra-config=apiserver.service-account-jwks-uri=https://kubernetes.default.svc/openid/v1/jwks' '--profile' 'minikube'

"#]]
    );
}

#[test]
fn dry_runs_on_a_cluster() {
    let cluster = Cluster::new();
    let seen = cluster.shows(&[
        "install --dry-run",
        "install --ingress=192.0.2.1.nip.io --dry-run",
        "install --from scaffold --dry-run",
        "scaffold --dry-run",
        "trust --with-needs --dry-run",
    ]);
    snapshot("plans-cluster.txt", &each_step_once(&seen));
    assert_eq!(cluster.changes(), "");
    assert!(!cluster.state.exists());
}

#[test]
fn dry_runs_on_minikube() {
    let cluster = Cluster::minikube();
    let too_early = cluster.run("install --ingress --dry-run");
    assert_eq!(too_early.exit, 2, "{}", too_early.seen());
    cluster.run("minikube").ok();
    cluster.forget_calls();
    let seen = cluster.shows(&[
        "install --ingress --dry-run",
        "install --dry-run",
        "ingress --dry-run",
    ]);
    snapshot("plans-minikube.txt", &each_step_once(&seen));
    let asks = "minikube 'ip' '--profile' 'minikube'\n";
    assert_eq!(cluster.changes(), asks.repeat(2));
}

/// What helm calls failed is not taken for what is wanted.
#[test]
fn a_ground_that_failed_is_installed_again() {
    let cluster = Cluster::new();
    cluster.run("issuer -q --with-needs").ok();
    cluster.fails(
        "helm upgrade *rekor.enabled=false*",
        "Error: context deadline exceeded",
    );
    let failed = cluster.run("scaffold -q");
    assert_eq!(failed.exit, 2, "{}", failed.seen());
    // Helm keeps the values of a release that failed.
    let made = fs::read(cluster.path("fakes/made/install-scaffold.status")).unwrap();
    let mut release: serde_json::Value = serde_json::from_slice(&made).unwrap();
    release["info"]["status"] = "failed".into();
    cluster.says("releases/scaffold.status", &release);
    fs::copy(
        cluster.path("fakes/made/scaffold.metadata"),
        cluster.path("fakes/releases/scaffold.metadata"),
    )
    .unwrap();
    fs::remove_file(cluster.path("fakes/when")).unwrap();
    cluster.forget_calls();
    cluster.run("scaffold -q").ok();
    let changes = cluster.changes();
    let helm = changes
        .lines()
        .filter(|line| line.starts_with("helm 'upgrade'"));
    assert_eq!(helm.count(), 3, "{changes}");
    assert!(changes.contains("'rekor.enabled=false'"), "{changes}");
}

/// Nobody but an upgrade makes a Job again that has given up.
#[test]
fn a_job_of_the_logs_that_gave_up() {
    let cluster = Cluster::installed();
    cluster.has_not("rekor-system", &object("ConfigMap", "rekor-config"));
    let mut given_up = job("scaffold-rekor-createtree", "Failed");
    given_up["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm".into();
    cluster.has("rekor-system", given_up);
    cluster.run("install -q").ok();
    let changes = cluster.changes();
    assert!(
        changes.contains("helm 'upgrade' '--install' 'scaffold'"),
        "{changes}"
    );
    // The whole: the ground alone would take the logs away.
    assert!(!changes.contains("'--set'"), "{changes}");
    let left = cluster.kept("rekor-system", "job.scaffold-rekor-createtree");
    assert!(left.is_none(), "{changes}");
    let again = cluster.run("install").ok();
    assert!(again.out.starts_with("nothing to do"), "{}", again.out);
}

#[test]
fn minikube_with_its_ingress() {
    let cluster = Cluster::minikube();
    cluster.releases_with(&ClusterOptions {
        ingress: Some("192.168.49.2.nip.io".to_owned()),
        ..ClusterOptions::default()
    });
    cluster.add_program("curl", "");
    cluster.run("minikube").ok();
    cluster.forget_calls();
    snapshot("minikube-ingress.txt", &installs(&cluster, "--ingress"));
    assert!(cluster.kept_file("trust/ingress.pem").exists());
}

/// Any cluster's issuer will do. A minikube is started with the one of the chart.
#[test]
fn a_cluster_with_another_issuer() {
    let other = json!({
        "issuer": "https://kubernetes.default.svc.cluster.local",
        "jwks_uri": "https://192.168.49.2:8443/openid/v1/jwks",
    });
    let cluster = Cluster::new();
    cluster.says("discovery", &other);
    assert_data_eq!(
        cluster.shows(&["install -q"]),
        str![[r#"
$ cargo xtask install -q
a private Sigstore is ready after [..] s
  issuer    https://kubernetes.default.svc.cluster.local
  registry  registry.default.svc.cluster.local
  sample    [SAMPLE]
exit 0

"#]]
    );
    let values = fs::read_to_string(cluster.path("state/cluster/values/scaffold.yml")).unwrap();
    assert_data_eq!(
        values,
        str![[r#"
fulcio:
  config:
    contents:
      OIDCIssuers:
        https://kubernetes.default.svc:
          IssuerURL: https://kubernetes.default.svc
          ClientID: sigstore
          Type: kubernetes
        https://kubernetes.default.svc.cluster.local:
          IssuerURL: https://kubernetes.default.svc.cluster.local
          ClientID: sigstore
          Type: kubernetes
  server:
    serviceAccount:
      mountToken: false

"#]]
    );
    // A profile that someone started without the workshop's options.
    let cluster = Cluster::minikube();
    cluster.says("discovery", &other);
    fs::remove_file(cluster.path("fakes/stopped")).unwrap();
    fs::copy(
        cluster.path("fakes/made/profiles"),
        cluster.path("fakes/profiles"),
    )
    .unwrap();
    assert_data_eq!(
        cluster.shows(&["minikube -q"]),
        str![[r#"
$ cargo xtask minikube -q
error: Fulcio will not believe this cluster's tokens: https://kubernetes.default.svc.cluster.local, with its keys at https://192.168.49.2:8443/openid/v1/jwks
hint: make it again: minikube --profile=minikube delete, then cargo xtask --state [STATE] minikube
exit 1

"#]]
    );
    assert_eq!(cluster.changes(), "");
}

#[test]
fn a_release_that_is_stuck() {
    let cluster = Cluster::new();
    cluster.run("issuer --with-needs").ok();
    let mut seen = Vec::new();
    for status in ["pending-install", "pending-upgrade"] {
        let release = json!({"info": {"status": status}, "config": {}});
        cluster.says("releases/scaffold.status", &release);
        cluster.says("releases/scaffold.metadata", &json!({}));
        seen.push(cluster.shows(&["scaffold -q"]));
    }
    assert_data_eq!(
        seen.join("\n"),
        str![[r#"
$ cargo xtask scaffold -q
error: the release scaffold is stuck in pending-install: a helm was interrupted, or another one is at work
hint: where no other helm is at work: helm --kube-context test uninstall scaffold --namespace sigstore
exit 2

$ cargo xtask scaffold -q
error: the release scaffold is stuck in pending-upgrade: a helm was interrupted, or another one is at work
hint: where no other helm is at work: helm --kube-context test rollback scaffold --namespace sigstore
exit 2

"#]]
    );
}

#[test]
fn options_that_do_not_fit() {
    let cluster = Cluster::new();
    let lines = [
        "install -q --ingress",
        "install -q --ingress=a/b",
        "rotate -q fulcio",
        "start -q pony",
        "logs -q pony",
        "install -q --ingress --on local",
        "issuer -q --on local",
    ];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask install -q --ingress
error: on a cluster the domain of the ingress must be named
hint: name it: --ingress=ADDRESS.nip.io, with the address of the ingress controller
exit 2

$ cargo xtask install -q --ingress=a/b
error: "a/b" is not a domain
exit 2

$ cargo xtask rotate -q fulcio
error: no Sigstore is installed on this cluster yet
hint: cargo xtask --on cluster --state [STATE] install
exit 2

$ cargo xtask start -q pony
error: no Sigstore is installed on this cluster yet
hint: cargo xtask --on cluster --state [STATE] install
exit 2

$ cargo xtask logs -q pony
error: no Sigstore is installed on this cluster yet
hint: cargo xtask --on cluster --state [STATE] install
exit 2

$ cargo xtask install -q --ingress --on local
error: --charts, --versions, --values and --ingress are for a cluster
hint: name one: --on minikube or --on cluster
exit 2

$ cargo xtask issuer -q --on local
error: `issuer` is a step of a cluster
hint: name one: --on minikube or --on cluster
hint: here all is done by: cargo xtask --state [STATE] install
exit 2

"#]]
    );
}
