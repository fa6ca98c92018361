//! The pages of `report` in a headless Chromium: nothing runs out of the window at
//! three widths, in light and dark, and axe-core finds nothing that someone could
//! not use. The screenshots and prints stay in `target/tmp/browser/report` to be looked at.

use std::fs;

use serde_json::json;
use xtask::bundle;
use xtask::proof::policy::Policy;
use xtask::proof::{Evidence, InclusionPath, KnownChains, Link, Proof, prove};
use xtask::report::{Article, page};
use xtask::tlog::merkle::{PathNode, leaf_hash};
use xtask::trust::root::TrustedRoot;

use crate::support::browser::{self, Browser};
use crate::support::recorded;

fn evidence(name: &str) -> Evidence {
    let file = recorded::bundle(name);
    Evidence {
        bundle: Some(bundle::read(&fs::read(file).unwrap()).unwrap()),
        ..Evidence::default()
    }
}

fn proof(evidence: &Evidence) -> Proof {
    let root = recorded::bytes("trusted_root.json");
    prove(
        evidence,
        &TrustedRoot::read(&root).unwrap(),
        &KnownChains::default(),
        &Policy::default(),
    )
}

/// One whose tree is thirty levels deep, and some of whose checks fail.
fn deep_and_broken() -> String {
    let evidence = evidence("beta.v2");
    let climb = |step: u8| PathNode {
        sibling: leaf_hash(&[step]),
        left: step.is_multiple_of(3),
        parent: leaf_hash(&[step, step]),
    };
    let mut proof = Proof {
        path: Some(InclusionPath {
            index: u64::MAX - 1,
            size: u64::MAX,
            leaf: leaf_hash(b"leaf"),
            climbs: (0..30).map(climb).collect(),
        }),
        checkpoint: None,
        chain: Vec::new(),
        ..proof(&evidence)
    };
    for check in &mut proof.checks {
        if [Link::Chain, Link::Checkpoint, Link::Entry].contains(&check.link) {
            check.ok = false;
            check.detail = "it was changed, ".repeat(12) + &"0123456789abcdef".repeat(8);
        }
    }
    page(&[Article {
        title: None,
        sentence: format!(
            "not proved: that {}@example.com signed it",
            "<b>".repeat(40)
        ),
        evidence: &evidence,
        proof: &proof,
    }])
}

fn several() -> String {
    let all = ["alpha-key.v2", "image.v1", "alpha.v2", "beta-0.1.v1"].map(evidence);
    let proofs: Vec<Proof> = all.iter().map(proof).collect();
    let signatures: Vec<Article<'_>> = all
        .iter()
        .zip(&proofs)
        .map(|(evidence, proof)| Article {
            title: Some("127.0.0.1:17810/sample@sha256:30edf7835ab13abe1c87215f7a4c0b73840e2cf2"),
            sentence: "alice@example.com signed something".into(),
            evidence,
            proof,
        })
        .collect();
    page(&signatures)
}

fn one() -> String {
    let evidence = evidence("beta.v1");
    page(&[Article {
        title: None,
        sentence: format!("alice@example.com signed sha256:{}", "5a".repeat(32)),
        proof: &proof(&evidence),
        evidence: &evidence,
    }])
}

/// A page with a fault of each kind that is looked for: without it, a script that
/// looks at nothing would find nothing either.
const FAULTY: &str = "<!DOCTYPE html><html><head><title>x</title></head><body>\
     <p style=\"width:3000px;color:#ddd;background:#fff\">pale and wide</p>\
     <img src=\"missing.png\"/>\
     <svg viewBox=\"0 0 99 9\"><g class=\"node\"><rect width=\"9\" height=\"9\"></rect>\
     <text y=\"9\">runs out</text></g></svg></body></html>";

#[test]
fn the_page_is_for_every_window_and_everybody() {
    let Some(browser) = Browser::find("report") else {
        return;
    };
    let pages = [
        ("one.html", one()),
        ("several.html", several()),
        ("deep.html", deep_and_broken()),
        ("faulty.html", FAULTY.to_owned()),
    ];
    let mut look = browser.script("look.mjs");
    for (name, text) in &pages {
        let page = browser.out.join(name);
        fs::write(&page, text).unwrap();
        look.arg(page);
    }
    let seen = browser::lines(look);
    assert_eq!(seen.len(), pages.len() * 6, "{seen:#?}");
    for look in seen {
        let none = |field: &str| look[field] == json!([]);
        let narrow = look["wide"] == json!(0) && look["folded"] == json!(0) && none("out");
        if look["page"] == json!("faulty") {
            let found = !narrow && !none("tight") && !none("asked") && !none("violations");
            assert!(found, "a fault was overlooked: {look:#}");
        } else {
            assert!(narrow, "wider than its window: {look:#}");
            assert!(none("tight"), "text runs out of its box: {look:#}");
            assert!(none("asked"), "it loads something: {look:#}");
            assert!(none("said"), "the browser complains: {look:#}");
            assert!(none("violations"), "axe-core found: {look:#}");
        }
    }
}
