//! The parts of an install, each a command: alone, again, too early, with what
//! they need.

use snapbox::{assert_data_eq, str};
use xtask::target::ClusterOptions;

use crate::support::cluster::{Cluster, secret};
use crate::support::snapshot::snapshot;

/// The parts of an install on a cluster, in their order. Minikube has two more, and begins
/// with them.
const PARTS: [&str; 7] = [
    "oidc-reviewer",
    "cert-manager",
    "issuer",
    "scaffold",
    "copy-secrets",
    "registry",
    "trust",
];

/// Each part after those before it, and each a second time.
fn one_after_the_other(cluster: &Cluster, parts: &[&str]) -> String {
    let mut all = String::new();
    for name in parts {
        let run = cluster.run(name);
        cluster.keeps_secrets(&run.seen());
        let run = run.ok();
        all += &format!("$ cargo xtask {name}\n{}{}\n", cluster.changes(), run.out);
        cluster.forget_calls();
        let again = cluster.run(name).ok();
        let nothing = format!("nothing to do: {name} is done\n");
        assert!(again.out.starts_with(&nothing), "{}", again.out);
        let changes = cluster.forget_changes();
        let asks = |line: &&str| line.starts_with("minikube 'ip'");
        assert_eq!(changes.lines().find(|line| !asks(line)), None);
    }
    all
}

#[test]
fn on_minikube() {
    let cluster = Cluster::minikube();
    cluster.add_program("curl", "");
    cluster.releases_with(&ClusterOptions {
        ingress: Some("192.168.49.2.nip.io".to_owned()),
        ..ClusterOptions::default()
    });
    let all = one_after_the_other(&cluster, &[&["minikube", "ingress"][..], &PARTS].concat());
    snapshot("minikube-parts.txt", &all);
    // That is all there is to install but a place to copy samples to.
    let left = cluster.run("install").ok();
    assert!(left.out.starts_with("nothing to do"), "{}", left.out);
}

#[test]
fn on_a_cluster() {
    let cluster = Cluster::new();
    snapshot("cluster-parts.txt", &one_after_the_other(&cluster, &PARTS));
    let left = cluster.run("install").ok();
    assert!(left.out.starts_with("nothing to do"), "{}", left.out);
}

/// Which part is missing is said, and nothing is changed.
#[test]
fn too_early() {
    let cluster = Cluster::new();
    let seen = cluster.shows(&[
        "issuer -q",
        "scaffold -q",
        "copy-secrets -q",
        "registry -q",
        "trust -q",
        "minikube -q --on cluster",
        "ingress -q",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask issuer -q
error: this needs what cert-manager does, and that is not done
hint: do it first (install cert-manager): cargo xtask --on cluster --state [STATE] cert-manager
hint: or have it done: add --with-needs
exit 1

$ cargo xtask scaffold -q
error: this needs what issuer does, and that is not done
hint: do it first (add an issuer of self-signed certificates): cargo xtask --on cluster --state [STATE] issuer
hint: or have it done: add --with-needs
exit 1

$ cargo xtask copy-secrets -q
error: this needs what scaffold-rekor-key does, and that is not done
hint: do it first (have the key made that Rekor signs with): cargo xtask --on cluster --state [STATE] scaffold
hint: or have it done: add --with-needs
exit 1

$ cargo xtask registry -q
error: this needs what issuer does, and that is not done
hint: do it first (add an issuer of self-signed certificates): cargo xtask --on cluster --state [STATE] issuer
hint: or have it done: add --with-needs
exit 1

$ cargo xtask trust -q
error: this needs what registry-certificate does, and that is not done
hint: do it first (have the registry's certificate made): cargo xtask --on cluster --state [STATE] registry
hint: or have it done: add --with-needs
exit 1

$ cargo xtask minikube -q --on cluster
error: the cluster of kubectl's context is not started by the workshop
hint: on minikube it is: cargo xtask --state [STATE] minikube
exit 2

$ cargo xtask ingress -q
error: the ingress controller is an addon of minikube; other clusters have their own way
hint: with a controller of the class nginx: cargo xtask --on cluster --state [STATE] install --ingress=DOMAIN
exit 2

"#]]
    );
    assert_eq!(cluster.changes(), "");
    let cluster = Cluster::minikube();
    let parts = ["oidc-reviewer -q", "cert-manager -q", "ingress -q"];
    assert_data_eq!(
        cluster.shows(&parts),
        str![[r#"
$ cargo xtask oidc-reviewer -q
error: the cluster's API server does not answer
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 2

$ cargo xtask cert-manager -q
error: the cluster's API server does not answer
hint: see whether the cluster runs; a minikube that was stopped: cargo xtask --state [STATE] minikube
exit 2

$ cargo xtask ingress -q
error: the address of minikube is known once it runs
hint: start it first: cargo xtask --state [STATE] minikube
exit 2

"#]]
    );
}

/// Only what the part needs is done with it.
#[test]
fn with_what_it_needs() {
    let cluster = Cluster::new();
    cluster.run("registry --with-needs").ok();
    assert!(cluster.kept("default", "deployment.registry").is_some());
    assert!(
        cluster
            .kept("trillian-system", "deployment.trillian-mysql")
            .is_none()
    );
    cluster.forget_calls();
    cluster.run("trust --with-needs").ok();
    snapshot("cluster-trust-with-needs.txt", &cluster.changes());
    let cluster = Cluster::minikube();
    cluster.run("issuer --with-needs").ok();
    let changes = cluster.changes();
    assert!(changes.contains("minikube 'start'"), "{changes}");
}

/// What a key signed is verified after it was replaced: it stays in the trusted root, with
/// an end, whether this machine remembers it or the cluster does.
#[test]
fn a_key_that_was_replaced_stays_trusted() {
    let cluster = Cluster::installed();
    let root = || {
        let file = cluster.kept_file("trust/trusted_root.json");
        let root = std::fs::read_to_string(file).unwrap();
        let map = cluster.kept("default", "configmap.sigstore-trust");
        let map = map.map(|map| map["data"]["trusted_root.json"].clone());
        assert_eq!(map.unwrap(), root);
        serde_json::from_str::<serde_json::Value>(&root).unwrap()
    };
    let before = root();
    let other = include_str!("../../data/certificates/dns.pem");
    cluster.has(
        "fulcio-system",
        secret("fulcio-server-secret", &[("cert", other)]),
    );
    cluster.run("copy-secrets").ok();
    cluster.run("trust").ok();
    let after = root();
    let authorities = after["certificateAuthorities"].as_array().unwrap();
    assert_eq!(authorities.len(), 2);
    let former = &before["certificateAuthorities"][0];
    assert_eq!(authorities[0]["certChain"], former["certChain"]);
    assert!(authorities[0]["validFor"]["end"].is_string());
    assert!(authorities[1]["validFor"].get("end").is_none());
    assert_eq!(after["tlogs"], before["tlogs"]);
    assert_eq!(after["ctlogs"], before["ctlogs"]);
    let nothing = cluster.run("trust").ok();
    assert!(nothing.out.starts_with("nothing to do"), "{}", nothing.out);

    std::fs::remove_file(cluster.kept_file("trust/trusted_root.json")).unwrap();
    cluster.run("trust").ok();
    assert_eq!(root(), after);

    // The period of a log is that of its key, and elsewhere than that of an authority.
    let other = include_str!("../../data/key.pub");
    cluster.has(
        "ctlog-system",
        secret("ctlog-public-key", &[("public", other)]),
    );
    cluster.run("copy-secrets").ok();
    cluster.run("trust").ok();
    let logs = root()["ctlogs"].clone();
    assert_eq!(logs.as_array().unwrap().len(), 2);
    let (former, now) = (&logs[0]["publicKey"], &logs[1]["publicKey"]);
    assert_eq!(
        former["rawBytes"],
        before["ctlogs"][0]["publicKey"]["rawBytes"]
    );
    assert!(former["validFor"]["end"].is_string());
    assert!(now["validFor"].get("end").is_none());
}
