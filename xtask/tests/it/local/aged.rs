//! Who reads at their own pace types a command of a page after their certificate has ended:
//! what the page shows holds then as well. The certificates of the recorded bundles ended
//! when these were recorded.

use std::process::Command;

use crate::support::pages::{Page, Typed};
use crate::support::recorded::{bundle, bytes, file, json};
use crate::support::repo::repository;
use crate::support::run::end;
use crate::support::workshop::Workshop;
use xtask::format::certificate::Leaf;
use xtask::local::build::ServerBuild;

/// The commands of a page that hold one of these words.
fn typed(page: &str, words: &[&str]) -> Vec<Typed> {
    let blocks = Page::read(page).blocks().into_iter();
    let all = blocks.flat_map(|block| block.commands);
    let of = |typed: &Typed| words.iter().any(|word| typed.command.contains(word));
    all.filter(of).collect()
}

/// Types them in one directory; each ends well and prints what the page shows.
fn as_shown(dir: &tempfile::TempDir, typed: &[Typed], env: &[(&str, String)]) {
    for Typed {
        line,
        command,
        shown,
    } in typed
    {
        let mut shell = Command::new("bash");
        shell.args(["-c", command]).current_dir(dir.path());
        for (name, value) in env {
            shell.env(name, value);
        }
        let ended = end(shell);
        let said = format!("{}{}", ended.out, ended.err);
        assert_eq!(ended.exit, 0, "line {line}: {command}: {said}");
        for shown in shown.iter().filter(|shown| *shown != "…") {
            assert!(said.contains(shown), "line {line}: {command}: {said}");
        }
    }
}

/// The leaf certificate of a recorded bundle.
fn leaf() -> Leaf {
    let bundle = bytes("bundles/alpha.v2.sigstore.json");
    let leaf = xtask::bundle::read(&bundle).unwrap();
    Leaf::from_der(leaf.leaf().unwrap().der()).unwrap()
}

#[test]
fn what_nobody_should_switch_off_also_succeeds_with_an_ended_certificate() {
    // The first of a machine builds cosign.
    Workshop::installed(&[]);
    let dir = tempfile::tempdir().unwrap();
    for (from, to) in [
        (file("blobs/alpha.txt"), "hello.txt"),
        (bundle("alpha.v2"), "hello.txt.sigstore.json"),
        (bundle("alpha-bob.v2"), "mallory.sigstore.json"),
    ] {
        std::fs::copy(from, dir.path().join(to)).unwrap();
    }
    let text = |path: std::path::PathBuf| path.display().to_string();
    let cosign = ServerBuild::of(repository()).unwrap().program("cosign");
    let env = [
        ("WORKSHOP_COSIGN", text(cosign)),
        ("WORKSHOP_TRUSTED_ROOT", text(file("trusted_root.json"))),
        ("WORKSHOP_IDENTITY", leaf().identities()[0].clone()),
        ("WORKSHOP_ISSUER", leaf().issuer_claim().unwrap()),
        ("TUF_ROOT", text(dir.path().join("tuf"))),
    ];
    let words = [
        "unlogged.sigstore.json'",
        ">unlogged",
        "$WORKSHOP_COSIGN\" verify-blob",
    ];
    let typed = typed("docs/10-break-it.md", &words);
    assert_eq!(typed.len(), 3, "{typed:?}");
    as_shown(&dir, &typed, &env);
}

#[test]
fn a_certificate_that_has_ended_was_valid_when_it_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    let leaf = leaf();
    let (from, end) = leaf.validity();
    assert_eq!(end - from, 600);
    write("leaf.pem", &leaf.pem().unwrap());
    write("asked", &format!("{}\n", from + 1));
    let root = json("trusted_root.json");
    let ca = &root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"];
    let ca = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        ca.as_str().unwrap()
    );
    write("ca.pem", &ca);
    let typed = typed("docs/04-authority.md", &["openssl verify"]);
    assert_eq!(typed.len(), 2, "{typed:?}");
    as_shown(&dir, &typed, &[]);
}
