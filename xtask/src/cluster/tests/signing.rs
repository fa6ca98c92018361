//! The plans that sign and verify on a cluster.

use std::path::PathBuf;

use super::{installed, names, printed, step};
use crate::artifact::Artifact;
use crate::cluster::Cluster;
use crate::cluster::facts::{CosignPlace, SigningFacts};
use crate::cluster::forwards::PortForward;
use crate::cluster::servers::{FULCIO, REGISTRY, REKOR};
use crate::entry::Version;
use crate::plan::Plan;
use crate::target::{CosignRuns, SignerArgs, Verification};

#[test]
fn images_are_signed_by_jobs_and_files_here() {
    let temp = tempfile::tempdir().unwrap();
    let cluster = installed(temp.path());
    let image = Artifact::Image("registry.default.svc.cluster.local/a:1".to_owned());
    let jobs = SigningFacts {
        account_exists: true,
        place: CosignPlace::Jobs(vec!["sign-0000000001".to_owned()]),
    };
    let plan = cluster.sign_plan(std::slice::from_ref(&image), "bob", Version::V1, &jobs);
    assert_eq!(names(&plan.unwrap()), ["job", "sign", "clean-up-sign"]);
    let forward = |server, port| PortForward {
        server,
        port,
        persistent: false,
    };
    let here = SigningFacts {
        account_exists: true,
        place: CosignPlace::Here {
            cosign: PathBuf::from("/bin/cosign"),
            forwards: vec![
                forward(&FULCIO, 20_001),
                forward(&REKOR, 20_002),
                forward(&REGISTRY, 20_003),
            ],
        },
    };
    let plan = cluster
        .sign_plan(std::slice::from_ref(&image), "bob", Version::V1, &here)
        .unwrap();
    let all = names(&plan);
    for name in [
        "forward-fulcio",
        "signing-config",
        "close-registry",
        "forget-signing-config",
    ] {
        assert!(all.contains(&name), "{name}: {all:?}");
    }
    // The registry has the name that it has here.
    let sign = printed(&plan, "digest");
    assert!(sign.contains("127.0.0.1:20003/a:1"), "{sign}");
    let plan = verify(&cluster, image, &here.place);
    assert!(names(&plan).contains(&"close-registry"));
    // It is proved first, under the name that it has in the cluster.
    assert_eq!(names(&plan)[0], "prove");
    let proved = printed(&plan, "prove");
    assert!(
        proved.contains("registry.default.svc.cluster.local/a:1"),
        "{proved}"
    );
}

/// The plan that verifies an image in this place.
fn verify(cluster: &Cluster, image: Artifact, place: &CosignPlace) -> Plan {
    let signer = SignerArgs {
        identity: Some("https://me".into()),
        issuer: Some("https://issuer".into()),
        ..SignerArgs::default()
    };
    let asked = Verification {
        artifacts: &[image],
        signer: &signer,
        attestation: None,
        place: CosignRuns::InCluster,
    };
    cluster.verify_plan(&asked, place).unwrap()
}

#[test]
fn nobody_signs_as_an_account_that_is_not_there() {
    let temp = tempfile::tempdir().unwrap();
    let facts = SigningFacts {
        account_exists: false,
        place: CosignPlace::Jobs(Vec::new()),
    };
    let refused = installed(temp.path()).sign_plan(&[], "bob", Version::V1, &facts);
    assert!(refused.is_err());
}

#[test]
fn an_image_is_verified_by_a_job_that_goes() {
    let temp = tempfile::tempdir().unwrap();
    let image = Artifact::Image("registry.default.svc.cluster.local/a:1".to_owned());
    let place = CosignPlace::Jobs(vec!["verify-0000000001".to_owned()]);
    let cluster = installed(temp.path());
    let plan = verify(&cluster, image, &place);
    assert_eq!(names(&plan), ["job", "verify", "clean-up-verify"]);
    assert!(step(&plan, "clean-up-verify").always);
}
