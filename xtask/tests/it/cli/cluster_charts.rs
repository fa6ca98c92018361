//! Charts, versions and values of others: `--charts`, `--versions`, `--values`.

use std::fs;

use snapbox::{assert_data_eq, str};
use xtask::target::ClusterOptions;

use super::cluster_install::installs;
use crate::support::cluster::Cluster;
use crate::support::repo::repository;
use crate::support::snapshot::snapshot;

/// What `install` fetches from where, and what it hands to helm.
fn charts(cluster: &Cluster, options: &str) -> String {
    let called = installs(cluster, options);
    let helm = called.lines().filter(|line| line.starts_with("helm "));
    let helm: Vec<&str> = helm.collect();
    format!("$ install {options}\n{}\n", helm.join("\n"))
}

#[test]
fn charts_from_elsewhere() {
    let from_repository = charts(&Cluster::new(), "--charts https://charts.example.com/all");
    let oci = charts(
        &Cluster::new(),
        "--charts oci://registry.example.com/charts/",
    );
    let of_files = Cluster::new();
    let pins = xtask::cluster::pins::pins(repository(), None).unwrap();
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
        &[from_repository, oci, directory].join("\n"),
    );
}

#[test]
fn charts_that_are_not_there() {
    let cluster = Cluster::new();
    cluster.write(
        "work/versions.yml",
        "charts: {scaffold: {version: 9.9.9}}\n",
    );
    cluster.write("work/charts/cert-manager/Chart.yaml", "version: 0.0.1\n");
    cluster.fails(
        "helm pull scaffold *",
        "Error: chart \"scaffold\" matching 9.9.9 not found in https://sigstore.github.io/helm-charts index. (try 'helm repo update'): no chart version found for scaffold-9.9.9",
    );
    let lines = [
        "install -q --versions versions.yml",
        "install -q --charts nowhere",
        "install -q --charts .",
        "install -q --charts charts",
    ];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask install -q --versions versions.yml
  | Error: chart "scaffold" matching 9.9.9 not found in https://sigstore.github.io/helm-charts index. (try 'helm repo update'): no chart version found for scaffold-9.9.9
error: the repository has no such version of the chart
hint: see deploy/versions.yml and the file of --versions
exit 2

$ cargo xtask install -q --charts nowhere
error: there is no directory nowhere
hint: charts come from a directory, a helm repository (https://…) or an OCI reference (oci://…)
exit 2

$ cargo xtask install -q --charts .
error: [TEMP]/work holds no chart cert-manager
hint: it should be a directory cert-manager or a file cert-manager-[VERSION].tgz
exit 2

$ cargo xtask install -q --charts charts
error: the chart cert-manager at [TEMP]/work/charts/cert-manager has version 0.0.1, not [VERSION]
hint: name the versions that you have: --versions FILE, which overlays deploy/versions.yml
exit 2

"#]]
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

#[test]
fn values_that_do_not_fit() {
    let cluster = Cluster::new();
    cluster.run("issuer --with-needs").ok();
    cluster.fails(
        "helm upgrade --install scaffold *",
        "Error: INSTALLATION FAILED: values don't meet the specifications of the schema(s) in the following chart(s):\nrekor:\n- server: Additional property foo is not allowed",
    );
    assert_data_eq!(
        cluster.shows(&["scaffold -q"]),
        str![[r#"
$ cargo xtask scaffold -q
  | Error: INSTALLATION FAILED: values don't meet the specifications of the schema(s) in the following chart(s):
  | rekor:
  | - server: Additional property foo is not allowed
error: the chart does not take these values
hint: mend the file of --values
exit 2

"#]]
    );
}

#[test]
fn overlays_that_are_none() {
    let cluster = Cluster::new();
    cluster.write("work/pony.yml", "pony: {a: 1}\n");
    cluster.write("work/list.yml", "- 1\n");
    cluster.write("work/broken.yml", "a: [\n");
    cluster.write("work/typo.yml", "charts: {scafold: {version: 1}}\n");
    cluster.write("work/kind.yml", "charts: {scaffold: {version: [1]}}\n");
    let lines = [
        "install -q --values pony.yml",
        "install -q --values list.yml",
        "install -q --values broken.yml",
        "install -q --values nowhere.yml",
        "install -q --versions typo.yml",
        "install -q --versions kind.yml",
        "install -q --versions broken.yml",
        "install -q --versions nowhere.yml",
    ];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask install -q --values pony.yml
error: [TEMP]/work/pony.yml has values for something that is no chart: pony
hint: its top-level keys are cert-manager, scaffold, ctlog-tiles, rekor-tiles and tsa
exit 2

$ cargo xtask install -q --values list.yml
error: [TEMP]/work/list.yml holds no values
hint: its top-level keys are cert-manager, scaffold, ctlog-tiles, rekor-tiles and tsa
exit 2

$ cargo xtask install -q --values broken.yml
error: [TEMP]/work/broken.yml: that is no YAML: did not find expected node content at line 2 column 1, while parsing a flow node
exit 2

$ cargo xtask install -q --values nowhere.yml
error: there is no file [TEMP]/work/nowhere.yml
hint: name another one, or do without: --values none
exit 2

$ cargo xtask install -q --versions typo.yml
error: [TEMP]/work/typo.yml does not fit: unknown field `scafold`, expected one of `cert-manager`, `scaffold`, `ctlog-tiles`, `rekor-tiles`, `tsa`
exit 2

$ cargo xtask install -q --versions kind.yml
error: [TEMP]/work/kind.yml does not fit: invalid type: sequence, expected a string
exit 2

$ cargo xtask install -q --versions broken.yml
error: [TEMP]/work/broken.yml: that is no YAML: did not find expected node content at line 2 column 1, while parsing a flow node
exit 2

$ cargo xtask install -q --versions nowhere.yml
error: there is no file [TEMP]/work/nowhere.yml
hint: name another one, or do without: --versions none
exit 2

"#]]
    );
    assert_eq!(cluster.changes(), "");
}
