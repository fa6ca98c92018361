//! The labs: every attack succeeds in making its artifact and is caught by the check
//! that the lab names, and nothing of it stays.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use xtask::labs::{LABS, Lab};

use crate::support::workshop::Workshop;

/// Nothing of a lab is left: no file, and nobody on its ports.
fn is_clear(workshop: &Workshop) {
    assert!(!workshop.state.join("lab").exists());
    for port in workshop.ports.base..workshop.ports.base + 16 {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        assert!(free.is_ok(), "a process is left on port {port}");
    }
}

/// The checks that the page of the labs names for a lab.
fn promised(lab: &Lab) -> BTreeSet<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/labs.md");
    let page = std::fs::read_to_string(page).unwrap();
    let row = format!("| `{}` | ", lab.name);
    let row = page.lines().find(|line| line.starts_with(&row)).unwrap();
    let cell = row.split(" | ").nth(2).unwrap();
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(String::from)
        .collect()
}

#[test]
fn every_attack_is_caught() {
    for lab in LABS {
        let workshop = Workshop::empty();
        let base = workshop.ports.base.to_string();
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
        let failed = ended.out.lines().filter_map(|line| {
            let check = line.strip_prefix("✗ ")?.split(' ').next()?;
            Some(check.to_owned())
        });
        assert_eq!(
            failed.collect::<BTreeSet<_>>(),
            promised(lab),
            "{}",
            ended.out
        );
        is_clear(&workshop);
    }
}

/// Whoever loses patience is obeyed, and nothing stays: while the Sigstore is
/// installed, and in the middle of the attack.
#[test]
fn an_interrupted_lab_leaves_nothing() {
    for last in ["What do you think?", "$ cargo xtask sign"] {
        let workshop = Workshop::empty();
        let base = workshop.ports.base.to_string();
        let words = ["lab", "wrong-signer", "--no-pause", "--port-base", &base];
        let mut lab = workshop
            .command(&words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(lab.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().starts_with(last)));
        kill_process(Pid::from_child(&lab), Signal::INT).unwrap();
        assert!(!said.any(|line| line.unwrap().starts_with("Nothing but the policy")));
        let ended = lab.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(130), "{err}");
        assert!(err.contains("error: interrupted\n"), "{err}");
        is_clear(&workshop);
    }
}

/// Who has the ports is left alone, and the reader hears how to choose others.
#[test]
fn the_ports_of_a_lab_are_taken() {
    let workshop = Workshop::empty();
    let base = workshop.ports.base.to_string();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, workshop.ports.base)).unwrap();
    workshop
        .run(&["lab", "wrong-signer", "--no-pause", "--port-base", &base])
        .fails(2, "lab wrong-signer --port-base N");
    drop(taken);
    is_clear(&workshop);
}

/// A reader's own Sigstore does not see a lab, and a script hears what caught it.
#[test]
fn a_lab_leaves_everything_else_alone() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    let signatures = workshop.dir().join("signatures.json");
    let before = std::fs::read(&signatures).unwrap();
    let other = Workshop::empty();
    let base = other.ports.base.to_string();
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
