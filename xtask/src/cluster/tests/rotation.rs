//! The plan that replaces a key of a cluster.

use super::{names, open, printed, step};
use crate::cluster::rotation::{RotationFacts, turning};
use crate::fail::Fail;
use crate::target::{RotatedKey, TargetKind};

const TURNING: [RotatedKey; 3] = [RotatedKey::Fulcio, RotatedKey::Ctlog, RotatedKey::Rekor];

/// Verifiers first, signers second, and the old key ends after both.
#[test]
fn a_key_is_trusted_before_its_server_has_it() {
    let cluster = open(TargetKind::Cluster);
    for key in TURNING {
        let plan = cluster.rotate_plan(key, &RotationFacts::default()).unwrap();
        let order = [
            "next-key",
            "copy-next-key",
            "trust-next-key",
            "publish-next-key",
            "publish-next-key-root",
            "switch",
            "copy-secrets",
            "retire",
            "publish",
            "publish-root",
            "forget-next-key",
        ];
        let all = names(&plan);
        let common = all.iter().filter(|name| **name != "accept-next-key");
        assert!(common.eq(order.iter()), "{all:?}");
        // Each tells whether it is done, so that it can be interrupted at any of them.
        assert!(plan.steps.iter().all(|step| step.done.is_some()));
        let alone = plan.steps.iter().filter(|step| step.needs.is_empty());
        assert_eq!(alone.count(), 1, "none runs beside another");
    }
}

/// A CT log that learned of an authority later would refuse its certificates until then.
#[test]
fn the_ct_log_accepts_an_authority_before_it_signs() {
    let cluster = open(TargetKind::Cluster);
    let facts = RotationFacts::default();
    let plan = cluster.rotate_plan(RotatedKey::Fulcio, &facts).unwrap();
    let switch = step(&plan, "switch");
    assert!(switch.needs.contains(&"accept-next-key".to_owned()));
    assert!(printed(&plan, "accept-next-key").contains("deployment/ctlog"));
    let rekor = cluster.rotate_plan(RotatedKey::Rekor, &facts).unwrap();
    assert!(!names(&rekor).contains(&"accept-next-key"));
}

#[test]
fn one_key_turns_at_a_time() {
    let cluster = open(TargetKind::Cluster);
    let facts = RotationFacts {
        begun: vec![RotatedKey::Rekor],
    };
    assert!(cluster.rotate_plan(RotatedKey::Rekor, &facts).is_ok());
    let refused = cluster
        .rotate_plan(RotatedKey::Ctlog, &facts)
        .err()
        .unwrap();
    let fail = Fail::from_error(&refused);
    assert_eq!(fail.hints, ["end it first: cargo xtask rotate rekor"]);
}

#[test]
fn a_key_that_cannot_turn_here_is_refused_with_what_to_do() {
    for key in [
        RotatedKey::Timestamp,
        RotatedKey::Registry,
        RotatedKey::Users,
        RotatedKey::Tuf,
    ] {
        let refused = turning(key).err().unwrap();
        assert!(!refused.hints.is_empty(), "{refused:?}");
    }
}

/// A cluster has a TUF repository, with Rekor v2 a timestamp authority, and a registry
/// whose images are on a volume: no reason may deny that.
#[test]
fn the_reason_why_a_key_does_not_turn_is_true_of_either_rekor() {
    let said = |key| {
        let refused = turning(key).err().unwrap();
        format!("{} {}", refused.what, refused.hints.join(" "))
    };
    let timestamp = said(RotatedKey::Timestamp);
    assert!(!timestamp.contains("this cluster has no"), "{timestamp}");
    assert!(timestamp.contains("with Rekor v1 alone"), "{timestamp}");
    let registry = said(RotatedKey::Registry);
    assert!(!registry.contains("sign again"), "{registry}");
    assert!(registry.contains("the images stay"), "{registry}");
    let tuf = said(RotatedKey::Tuf);
    assert!(!tuf.contains("this cluster has no"), "{tuf}");
    assert!(tuf.contains("cargo xtask trust"), "{tuf}");
}
