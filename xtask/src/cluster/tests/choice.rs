//! What is chosen for a cluster, from options and from what the cluster says.

use super::{facts, names, open, printed, step};
use crate::cluster::discovery::Discovery;
use crate::cluster::facts::{Request, Surroundings};
use crate::fail::Fail;
use crate::target::{ClusterOptions, TargetKind};

#[test]
fn the_ingress_adds_its_certificates() {
    let options = ClusterOptions {
        ingress: Some(String::new()),
        ..ClusterOptions::default()
    };
    let said = Surroundings {
        nip_io: Some("192.0.2.1.nip.io".to_owned()),
        ..Surroundings::default()
    };
    let minikube = open(TargetKind::Minikube);
    let chosen = minikube.chosen(Request::new(&options), &said).unwrap();
    let plan = minikube.install_plan(None, &facts(chosen)).unwrap();
    for name in ["ingress", "scaffold-fulcio-tls", "scaffold-rekor-tls"] {
        assert!(names(&plan).contains(&name), "{name}");
    }
    assert!(
        step(&plan, "trust")
            .needs
            .contains(&"scaffold-rekor-tls".to_owned())
    );
    let begin = printed(&plan, "begin");
    assert!(begin.contains("--ingress=192.0.2.1.nip.io"), "{begin}");
    // Elsewhere nobody knows the address of the controller.
    let elsewhere = open(TargetKind::Cluster).chosen(Request::new(&options), &said);
    assert!(elsewhere.is_err());
}

#[test]
fn another_issuer_is_given_to_fulcio() {
    let options = ClusterOptions::default();
    let said = Surroundings {
        discovery: Some(Discovery {
            issuer: "https://oidc.example.com/id/1".to_owned(),
            jwks_uri: "https://oidc.example.com/id/1/keys".to_owned(),
        }),
        ..Surroundings::default()
    };
    let cluster = open(TargetKind::Cluster);
    let settings = cluster.chosen(Request::new(&options), &said).unwrap();
    assert_eq!(
        settings.issuer.as_deref(),
        Some("https://oidc.example.com/id/1")
    );
    assert!(settings.anonymous);
}

#[test]
fn ports_stay_while_a_forward_is_open() {
    let options = ClusterOptions::default();
    let request = Request {
        port_base: Some(20_000),
        ..Request::new(&options)
    };
    let said = Surroundings {
        forwarded: Some("rekor"),
        ..Surroundings::default()
    };
    let refused = open(TargetKind::Cluster).chosen(request, &said);
    let fail = Fail::from_error(&refused.err().unwrap());
    assert!(fail.what.contains("the forward to rekor"), "{}", fail.what);
}
