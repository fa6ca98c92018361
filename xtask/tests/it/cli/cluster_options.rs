//! Charts, values and options that do not fit, and tools that print something
//! else than they should.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;

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
hint: its top-level keys are cert-manager and scaffold
exit 2

$ cargo xtask install -q --values list.yml
error: [TEMP]/work/list.yml holds no values
hint: its top-level keys are cert-manager and scaffold
exit 2

$ cargo xtask install -q --values broken.yml
error: [TEMP]/work/broken.yml: that is no YAML: did not find expected node content at line 2 column 1, while parsing a flow node
exit 2

$ cargo xtask install -q --values nowhere.yml
error: there is no file [TEMP]/work/nowhere.yml
hint: name another one, or do without: --values none
exit 2

$ cargo xtask install -q --versions typo.yml
error: [TEMP]/work/typo.yml does not fit: unknown field `scafold`, expected `cert-manager` or `scaffold`
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

#[test]
fn options_that_do_not_fit() {
    let cluster = Cluster::new();
    let lines = [
        "install -q --ingress",
        "install -q --ingress=a/b",
        "install -q --rekor v2",
        "install -q --renew ca",
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

$ cargo xtask install -q --rekor v2
error: the chart sigstore/scaffold installs Rekor v1 only
hint: Rekor v2 runs on the local target: --on local
exit 2

$ cargo xtask install -q --renew ca
error: --renew is for the local target
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
