//! `install` on a cluster and on minikube: what is run, the first time and again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use snapbox::{assert_data_eq, str};
use xtask::target::ClusterOptions;

use crate::support::cluster::{Cluster, job, object};
use crate::support::world::snapshot;

/// An install, and a second one that does nothing.
fn installs(cluster: &Cluster, options: &str) -> String {
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
minikube 'start' '--kubernetes-version' '[KUBERNETES]' '--extra-config=apiserver.service-account-issuer=https://kubernetes.default.svc' '--extra-config=apiserver.service-account-jwks-uri=https://kubernetes.default.svc/openid/v1/jwks' '--profile' 'minikube'

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
    snapshot("cluster-dry-runs.txt", &seen);
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
        "install --dry-run",
        "install --ingress --dry-run",
        "ingress --dry-run",
    ]);
    snapshot("minikube-dry-runs.txt", &seen);
    let asks = "minikube 'ip' '--profile' 'minikube'\n";
    assert_eq!(cluster.changes(), asks.repeat(2));
}

/// What `install` fetches from where, and what it hands to helm.
fn charts(cluster: &Cluster, options: &str) -> String {
    let called = installs(cluster, options);
    let helm = called.lines().filter(|line| line.starts_with("helm "));
    let helm: Vec<&str> = helm.collect();
    format!("$ install {options}\n{}\n", helm.join("\n"))
}

#[test]
fn charts_from_elsewhere() {
    let repository = charts(&Cluster::new(), "--charts https://charts.example.com/all");
    let oci = charts(
        &Cluster::new(),
        "--charts oci://registry.example.com/charts/",
    );
    let of_files = Cluster::new();
    let pins = xtask::cluster::settings::pins(crate::support::world::repo(), None).unwrap();
    let scaffold = pins.charts.scaffold.version;
    let manager = pins.charts.cert_manager.version;
    of_files.write(&format!("work/mirror/scaffold-{scaffold}.tgz"), "");
    // One that was unpacked.
    of_files.write(
        "work/mirror/cert-manager/Chart.yaml",
        &format!("version: {manager}\n"),
    );
    let directory = charts(&of_files, "--charts mirror");
    snapshot(
        "cluster-charts.txt",
        &[repository, oci, directory].join("\n"),
    );
}

#[test]
fn other_versions() {
    let cluster = Cluster::new();
    cluster.write(
        "work/versions.yml",
        "charts: {scaffold: {version: 0.6.7}}\n",
    );
    let versions = Some(cluster.path("work/versions.yml"));
    cluster.releases_with(&ClusterOptions {
        versions,
        ..ClusterOptions::default()
    });
    let said = charts(&cluster, "--versions versions.yml");
    assert!(said.contains("'--version' '0.6.7'"), "{said}");
    assert!(said.contains("/scaffold-0.6.7.tgz'"), "{said}");
    // It is remembered.
    let again = cluster.run("install").ok();
    assert!(again.out.starts_with("nothing to do"), "{}", again.out);
}

/// An overlay goes on top of the repository's values and of the ingress; when it
/// changes, the release is upgraded, after its Jobs were removed.
#[test]
fn other_values() {
    let cluster = Cluster::new();
    cluster.add_program("curl", "");
    let file = "work/values.yml";
    cluster.write(file, "scaffold: {rekor: {server: {replicaCount: 2}}}\n");
    let options = ClusterOptions {
        values: Some(cluster.path(file)),
        ingress: Some("192.0.2.1.nip.io".to_owned()),
        ..ClusterOptions::default()
    };
    cluster.releases_with(&options);
    let line = "--values values.yml --ingress=192.0.2.1.nip.io";
    let said = charts(&cluster, line);
    let file_made = cluster.kept_file("values/scaffold.yml");
    let values = fs::read_to_string(&file_made).unwrap();
    snapshot("cluster-values.txt", &format!("{said}\n{values}"));

    cluster.write(file, "scaffold: {rekor: {server: {replicaCount: 3}}}\n");
    cluster.releases_with(&options);
    cluster.run("install").ok();
    snapshot("cluster-values-changed.txt", &cluster.changes());

    // Without the ingress again.
    cluster.releases_with(&ClusterOptions {
        ingress: None,
        ..options
    });
    cluster.run("install --ingress=none").ok();
    let values = fs::read_to_string(file_made).unwrap();
    assert_eq!(values, "rekor:\n  server:\n    replicaCount: 3\n");
}

/// `--from` begins later, and what is chosen with it counts all the same.
#[test]
fn other_values_from_a_later_step() {
    let cluster = Cluster::installed();
    let file = "work/values.yml";
    cluster.write(file, "scaffold: {rekor: {server: {replicaCount: 2}}}\n");
    cluster.releases_with(&ClusterOptions {
        values: Some(cluster.path(file)),
        ..ClusterOptions::default()
    });
    cluster
        .run("install -q --from scaffold --values values.yml")
        .ok();
    let changes = cluster.changes();
    let given = "'--values' '[STATE]/cluster/values/scaffold.yml' '--kube-context' 'test'\n";
    assert!(changes.contains(given), "{changes}");
    let values = fs::read_to_string(cluster.kept_file("values/scaffold.yml")).unwrap();
    assert_eq!(values, "rekor:\n  server:\n    replicaCount: 2\n");
    let again = cluster.run("install").ok();
    assert!(again.out.starts_with("nothing to do"), "{}", again.out);
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
