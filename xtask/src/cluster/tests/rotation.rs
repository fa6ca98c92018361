//! The plan that replaces a key of a cluster.

use super::{NO_REPOSITORY, names, printed, step};
use crate::cluster::Cluster;
use crate::cluster::rotation::{RotationFacts, Turning, turning};
use crate::cluster::servers::{FULCIO, TUF};
use crate::cluster::settings::ClusterSettings;
use crate::entry::Versions;
use crate::fail::Fail;
use crate::plan::Plan;
use crate::state::State;
use crate::target::{RotatedKey, TargetKind};

/// A cluster with these versions of Rekor.
fn cluster(rekor: Versions) -> Cluster {
    let state = State::open("/nowhere".into()).unwrap();
    let kind = TargetKind::Cluster;
    let repo = std::path::Path::new(NO_REPOSITORY);
    let cluster = Cluster::open(repo, &state, kind, Some("test"), &[]).unwrap();
    cluster.with_settings(ClusterSettings {
        rekor,
        ..ClusterSettings::new("test")
    })
}

fn plan(key: RotatedKey, rekor: Versions) -> Plan {
    let facts = RotationFacts::default();
    cluster(rekor).rotate_plan(key, &facts).unwrap()
}

/// Verifiers first, signers second, and the old key ends after both.
#[test]
fn a_key_is_trusted_before_its_server_has_it() {
    let of_v2 = [
        RotatedKey::Fulcio,
        RotatedKey::Timestamp,
        RotatedKey::Ctlog,
        RotatedKey::Rekor,
    ];
    let of_v1 = [RotatedKey::Fulcio, RotatedKey::Ctlog, RotatedKey::Rekor];
    let of_v1 = of_v1.map(|key| (key, Versions::V1)).into_iter();
    for (key, rekor) in of_v1.chain(of_v2.map(|key| (key, Versions::V2))) {
        let plan = plan(key, rekor);
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
        let also = ["accept-next-key", "first-entry"];
        let common = all.iter().filter(|name| !also.contains(name));
        assert!(common.eq(order.iter()), "{all:?}");
        // Each tells whether it is done, so that it can be interrupted at any of them.
        assert!(plan.steps.iter().all(|step| step.done.is_some()));
        runs_one_after_the_other(&plan);
    }
}

#[track_caller]
fn runs_one_after_the_other(plan: &Plan) {
    for pair in plan.steps.windows(2) {
        assert!(pair[1].needs.contains(&pair[0].name), "{}", pair[1].name);
    }
}

/// With both versions, one command replaces the key of either.
#[test]
fn the_keys_of_both_logs_turn_together() {
    for (key, other) in [
        (RotatedKey::Ctlog, "ctlog-tiles"),
        (RotatedKey::Rekor, "rekor-v2"),
    ] {
        let plan = plan(key, Versions::Both);
        let all = names(&plan);
        let at = |name: &str| all.iter().position(|step| *step == name).unwrap();
        assert!(at(&format!("next-key-{other}")) < at("trust-next-key"));
        assert!(at("publish-next-key") < at("switch"));
        assert!(at(&format!("switch-{other}")) < at("retire"));
        assert!(at("publish") < at(&format!("forget-next-key-{other}")));
        runs_one_after_the_other(&plan);
    }
}

/// A new log of Rekor begins with an entry of the workshop's own.
#[test]
fn a_new_log_begins_as_the_first_one_did() {
    let plan = plan(RotatedKey::Rekor, Versions::V2);
    let first = step(&plan, "first-entry");
    assert_eq!(first.needs, ["switch"]);
    assert!(!names(&self::plan(RotatedKey::Rekor, Versions::V1)).contains(&"first-entry"));
}

/// A CT log that learned of an authority later would refuse its certificates until then.
#[test]
fn the_ct_log_accepts_an_authority_before_it_signs() {
    let both = plan(RotatedKey::Fulcio, Versions::Both);
    let second = step(&both, "accept-next-key-ctlog-tiles");
    assert_eq!(second.needs, ["accept-next-key"]);
    assert_eq!(step(&both, "switch").needs.concat(), second.name);
    assert!(printed(&both, "accept-next-key").contains("deployment/ctlog"));
    let v2 = plan(RotatedKey::Fulcio, Versions::V2);
    assert!(printed(&v2, "accept-next-key").contains("deployment/ctlog-tiles"));
    let rekor = plan(RotatedKey::Rekor, Versions::V1);
    assert!(!names(&rekor).contains(&"accept-next-key"));
}

/// What clients of the registry trust changes twice: the next certificate is added, and
/// the former one goes.
#[test]
fn the_registry_s_certificate_is_trusted_before_it_is_shown() {
    let all = [
        "next-key",
        "trust-next-key",
        "switch",
        "retire",
        "forget-next-key",
    ];
    for rekor in [Versions::V1, Versions::V2] {
        let plan = plan(RotatedKey::Registry, rekor);
        assert_eq!(names(&plan), all);
        runs_one_after_the_other(&plan);
    }
}

#[test]
fn one_key_turns_at_a_time() {
    let cluster = cluster(Versions::V2);
    let facts = RotationFacts {
        begun: vec![RotatedKey::Rekor],
        ..RotationFacts::default()
    };
    assert!(cluster.rotate_plan(RotatedKey::Rekor, &facts).is_ok());
    for other in [RotatedKey::Ctlog, RotatedKey::Tuf] {
        let refused = cluster.rotate_plan(other, &facts).err().unwrap();
        let fail = Fail::from_error(&refused);
        assert_eq!(fail.hints, ["end it first: cargo xtask rotate rekor"]);
    }
}

/// A client on this machine whose forwards ended with the pods would need `start`.
#[test]
fn the_forwards_are_open_again_at_the_end() {
    let facts = RotationFacts {
        forwarded: vec![&FULCIO, &TUF],
        ..RotationFacts::default()
    };
    for key in [RotatedKey::Fulcio, RotatedKey::Tuf, RotatedKey::Registry] {
        let plan = cluster(Versions::V2).rotate_plan(key, &facts).unwrap();
        let all = names(&plan);
        assert!(
            all.ends_with(&["forward-fulcio", "forward-tuf"]),
            "{key:?}: {all:?}"
        );
        runs_one_after_the_other(&plan);
        assert!(plan.steps.iter().all(|step| step.done.is_some()));
        assert!(printed(&plan, "forward-tuf").contains("port-forward"));
    }
}

#[test]
fn a_key_that_cannot_turn_here_is_refused_with_what_to_do() {
    let users = turning(RotatedKey::Users, Versions::V2).err().unwrap();
    assert!(users.what.contains("no users"), "{users:?}");
    let timestamp = turning(RotatedKey::Timestamp, Versions::V1).err().unwrap();
    assert!(timestamp.what.contains("Rekor v1 alone"), "{timestamp:?}");
    assert_eq!(
        turning(RotatedKey::Timestamp, Versions::Both).unwrap(),
        [Turning::Timestamp]
    );
}
