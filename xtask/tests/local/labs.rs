//! The labs: every attack succeeds in making its artifact and is caught by the check
//! that the lab names, and nothing of it stays.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;
use xtask::labs::LABS;

use crate::workshop::Workshop;

/// Nothing of a lab is left: no file, and nobody on its ports.
fn is_clear(workshop: &Workshop) {
    assert!(!workshop.state.join("lab").exists());
    for port in workshop.port_base..workshop.port_base + 16 {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        assert!(free.is_ok(), "somebody is left on port {port}");
    }
}

#[test]
fn every_attack_is_caught() {
    for lab in LABS {
        let workshop = Workshop::empty();
        let base = workshop.port_base.to_string();
        let ended = workshop
            .run(&["lab", lab.name, "--no-pause", "--port-base", &base])
            .ok();
        for told in [lab.question, lab.answer[0], lab.title] {
            assert!(
                ended.out.contains(told),
                "{}: {told:?} in {}",
                lab.name,
                ended.out
            );
        }
        assert!(ended.out.contains("\nerror"), "{}: {}", lab.name, ended.out);
        is_clear(&workshop);
    }
}

/// A reader's own Sigstore does not see a lab, and a script hears what caught it.
#[test]
fn a_lab_leaves_everything_else_alone() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    let signatures = workshop.dir().join("signatures.json");
    let before = std::fs::read(&signatures).unwrap();
    let other = Workshop::empty();
    let base = other.port_base.to_string();
    let said = workshop
        .run(&["--json", "lab", "wrong-signer", "--port-base", &base])
        .ok()
        .json();
    assert_eq!(said["event"], "result");
    let caught = said["caught_by"].as_array().unwrap();
    assert!(
        caught.contains(&Value::from("not proved: identity")),
        "{said}"
    );
    assert_eq!(std::fs::read(&signatures).unwrap(), before);
    workshop.run(&["verify"]).ok();
    // What an interrupted lab left is removed by the next one.
    let left = workshop.state.join("lab/left.txt");
    std::fs::create_dir_all(left.parent().unwrap()).unwrap();
    std::fs::write(&left, "left").unwrap();
    workshop
        .run(&["lab", "wrong-issuer", "--no-pause", "--port-base", &base])
        .ok();
    assert!(!left.exists());
}

#[test]
fn labs_that_are_none() {
    let workshop = Workshop::empty();
    let list = workshop.run(&["lab"]).ok().out;
    for lab in LABS {
        assert!(list.contains(lab.title), "{list}");
    }
    workshop
        .run(&["lab", "no-such"])
        .fails(2, "there is no lab named \"no-such\"");
}
