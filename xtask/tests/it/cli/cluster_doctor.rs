//! `doctor` on a cluster.

use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::cluster::{Cluster, labelled, object};

#[test]
fn a_cluster_that_is_well() {
    let cluster = Cluster::installed();
    cluster.has("-", labelled(object("ClusterRoleBinding", "oidc-reviewer")));
    let now = humantime::format_rfc3339(std::time::SystemTime::now()).to_string();
    let mut lease = object("Lease", "node-1");
    lease["spec"]["renewTime"] = json!(now);
    cluster.has("kube-node-lease", lease.clone());
    let run = cluster.run("doctor -q").ok();
    assert!(run.out.ends_with("no known problem found\n"), "{}", run.out);
    // A clock that stands.
    lease["spec"]["renewTime"] = json!("2026-01-02T03:04:05.000000Z");
    cluster.has("kube-node-lease", lease);
    cluster.has_not("default", &object("Secret", "ctlog-public-key"));
    cluster.write(
        "fakes/logs/fulcio-server",
        "403 Forbidden: User \"system:anonymous\" cannot get path \"/openid/v1/jwks\"\n",
    );
    let run = cluster.run("doctor -q");
    assert_data_eq!(
        cluster.redacted(&run.err),
        str![[r#"
error: something is wrong: clocks, secrets, trust
hint: set the clocks; a minikube that slept is set by: minikube stop, then cargo xtask --state [STATE] minikube
hint: cargo xtask --state [STATE] copy-secrets
hint: cargo xtask --state [STATE] trust

"#]]
    );
    assert!(run.out.contains("✗ clocks     node-1 is "), "{}", run.out);
    assert!(run.out.contains(" s behind this machine"), "{}", run.out);
    let says = "fulcio: nobody without a token may read";
    assert!(run.out.contains(says), "{}", run.out);
}

/// `scaffold` would wait in vain for an authority that is made once only.
#[test]
fn an_authority_that_is_lost_is_no_step_to_repeat() {
    let cluster = Cluster::installed();
    cluster.has_not("fulcio-system", &object("Secret", "fulcio-server-secret"));
    let run = cluster.run("doctor -q");
    let lost = "hint: have the chart's Job createcerts make another authority";
    assert!(run.err.contains(lost), "{}", run.err);
    assert!(!run.err.contains("xtask scaffold"), "{}", run.err);
}
