//! `inspect-rekor` on a cluster.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;
use crate::support::recorded::{self, faded, trust};
use crate::support::snapshot::snapshot;

/// The log of a cluster is read through a forward, which is closed again.
#[test]
fn through_a_forward() {
    let cluster = Cluster::installed();
    trust(&cluster);
    let _forwards = cluster.answer_forwards(recorded::api);
    let lines = ["inspect-rekor --log-index 0", "inspect-rekor --log-index 7"];
    snapshot("cluster-inspect.txt", &faded(&cluster.shows(&lines)));
    let run = fs::read_dir(cluster.kept_file("run")).unwrap();
    assert_eq!(run.count(), 0, "a forward is still open");
}

/// Through an ingress it is read with curl, which checks the certificate.
#[test]
fn through_an_ingress() {
    let cluster = Cluster::minikube();
    cluster.add_program("curl", "printf '%s\\n%s' '{\"treeSize\": 1}' 200");
    cluster.run("minikube").ok();
    cluster.run("install --ingress").ok();
    trust(&cluster);
    cluster.forget_calls();
    cluster.run("inspect-rekor --log-index 0");
    let called = cluster.called();
    let with = "curl '--disable' '--silent' '--show-error' '--noproxy' '*' '--proto' '=https' ";
    assert!(called.contains(with), "{called}");
    let ca = "'--cacert' '[STATE]/minikube/trust/ingress.pem'";
    assert!(called.contains(ca), "{called}");
    let url = "'https://rekor.192.168.49.2.nip.io/api/v1/log";
    assert!(called.contains(url), "{called}");
    for insecure in ["'-k'", "'--insecure'", "'--location'"] {
        assert!(!called.contains(insecure), "{called}");
    }
    cluster.fake(
        "curl",
        "echo 'curl: (6) Could not resolve host: rekor.192.168.49.2.nip.io' >&2; exit 6",
    );
    let line = "inspect-rekor --log-index 0";
    assert_data_eq!(
        cluster.shows(&[line]),
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on minikube (named by --on)
error: the host of the ingress has no address: this network does not resolve it
hint: do without it: cargo xtask --state [STATE] install --ingress=none
exit 2

"#]]
    );
}
