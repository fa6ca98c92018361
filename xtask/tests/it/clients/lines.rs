//! The clients that are told on their command line, in the words that `env` prints.

use std::path::Path;

use super::desk::Desk;
use crate::support::clients::{self, from_go, node_modules, python};
use crate::support::run::Run;

/// One of the lines of a client, typed for a file.
fn typed<'a>(
    desk: &'a Desk,
    client: &str,
    number: usize,
) -> impl Fn(&str, &[(&str, String)]) -> Run + 'a {
    let line = desk.lines(client)[number].clone();
    move |file: &str, other: &[(&str, String)]| desk.types(&line, &[("FILE", file)], other)
}

/// A client that takes its trust by TUF, with the three lines that begin, sign and verify.
fn by_tuf(desk: &Desk, client: &str) {
    typed(desk, client, 0)("", &[]).ok();
    desk.file("by-tuf");
    typed(desk, client, 1)("by-tuf", &[]).ok();
    typed(desk, "cosign v3", 1)("by-tuf", &[]).ok();
    desk.refuses("by-tuf", &typed(desk, client, 2));
    desk.outlives_rotations(&typed(desk, client, 2));
}

#[test]
fn cosign_3() {
    let desk = Desk::open();
    let client = "cosign v3";
    desk.both_ways(Some(&typed(&desk, client, 0)), &typed(&desk, client, 1));
    by_tuf(&desk, "cosign v3, by TUF");
}

#[test]
fn cosign_3_with_images() {
    let desk = Desk::open();
    std::fs::write(desk.dir().join("predicate.json"), "{\"passed\": 41}").unwrap();
    let lines = desk.lines("cosign v3, images and attestations");
    let [sign, verify, attest, verify_attestation] = &lines[..] else {
        panic!("{lines:?}");
    };
    for (tag, other) in [("v2", Vec::new()), ("v1", desk.with_v1())] {
        let image = desk.workshop.push_digest(&format!("of-{tag}:1"), tag);
        let words = [
            ("IMAGE", image.as_str()),
            ("TYPE", "https://example.com/tested/v1"),
            ("PREDICATE", "predicate.json"),
        ];
        desk.types(sign, &words, &other).ok();
        desk.types(verify, &words, &[]).ok();
        desk.workshop.run(&["verify", &image]).ok();
        let none = desk.types(verify_attestation, &words, &[]);
        assert_ne!(none.exit, 0, "{}", none.seen());
        desk.types(attest, &words, &other).ok();
        desk.types(verify_attestation, &words, &[]).ok();
        let mallory = [("WORKSHOP_IDENTITY", "mallory@example.com".to_owned())];
        for line in [verify, verify_attestation] {
            let refused = desk.types(line, &words, &mallory);
            assert_ne!(refused.exit, 0, "{}", refused.seen());
        }
        // Another image has neither.
        let other = desk.workshop.push_digest(&format!("of-{tag}:2"), "changed");
        let words = [("IMAGE", other.as_str()), words[1], words[2]];
        for line in [verify, verify_attestation] {
            let refused = desk.types(line, &words, &[]);
            assert_ne!(refused.exit, 0, "{}", refused.seen());
        }
    }
}

#[test]
fn cosign_2_6() {
    let package = "github.com/sigstore/cosign/v2/cmd/cosign";
    let Some(cosign) = from_go("cosign-2", package) else {
        return;
    };
    let desk = Desk::open();
    desk.offer("cosign", &cosign);
    let client = "cosign v2.6";
    desk.both_ways(Some(&typed(&desk, client, 0)), &typed(&desk, client, 1));
    let client = "cosign v2.6, its old form with Rekor v1";
    desk.file("old-form");
    typed(&desk, client, 0)("old-form", &[]).ok();
    typed(&desk, client, 1)("old-form", &[]).ok();
    desk.refuses("old-form", &typed(&desk, client, 1));
    let client = "cosign v2.6, verifying by TUF";
    typed(&desk, client, 0)("", &[]).ok();
    desk.outlives_rotations(&typed(&desk, client, 1));
}

#[test]
fn sigstore_python() {
    let Some(sigstore) = python() else { return };
    let desk = Desk::open();
    desk.offer("sigstore", &sigstore);
    let client = "sigstore-python 4";
    desk.both_ways(Some(&typed(&desk, client, 0)), &typed(&desk, client, 1));
    by_tuf(&desk, "sigstore-python 4, by TUF");
}

#[test]
fn sigstore_cli_of_npm() {
    let Some(modules) = node_modules() else {
        return;
    };
    let desk = Desk::open();
    let programs = modules.join(".bin");
    let (node, cli) = (programs.join("node"), programs.join("sigstore"));
    // npx would ask the registry, and so does nothing else here.
    let quoted = |path: &Path| format!("'{}'", path.display());
    desk.script(
        "npx",
        &format!("shift\nexec {} {} \"$@\"", quoted(&node), quoted(&cli)),
    );
    let client = "npm's @sigstore/cli, verifying by TUF";
    desk.both_ways(None, &typed(&desk, client, 0));
    desk.outlives_rotations(&typed(&desk, client, 0));
}

#[test]
fn rekor_cli() {
    let Some(program) = clients::rekor_cli() else {
        return;
    };
    let desk = Desk::open();
    desk.offer("rekor-cli", &program);
    desk.cosign_signs("by-cosign", &desk.with_v1());
    let lines = desk.lines("rekor-cli, with Rekor v1");
    let info = desk.types(&lines[0], &[], &[]).ok();
    assert!(
        info.out.contains("Verification Successful!"),
        "{}",
        info.out
    );
    // The first entry is the workshop's own, the second that of cosign.
    for index in ["0", "1"] {
        desk.types(&lines[1], &[("INDEX", index)], &[]).ok();
    }
    let none = desk.types(&lines[1], &[("INDEX", "2")], &[]);
    assert_ne!(none.exit, 0, "{}", none.seen());
}
