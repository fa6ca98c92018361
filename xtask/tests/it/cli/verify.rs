//! `verify` on the local target: what is made of cosign's answers.

use snapbox::{assert_data_eq, str};

use crate::support::world::World;

/// What cosign says of other images is explained; `-v` shows it.
#[test]
fn images_that_cosign_refuses() {
    let world = World::new().installed("v2");
    world.fake(
        "cosign",
        "echo 'Error: could not parse reference: A:B:C' >&2; exit 1",
    );
    assert_data_eq!(
        world.show(&["verify -q A:B:C"]),
        str![[r#"
$ cargo xtask verify -q A:B:C
error: that is not an image reference
hint: an image reference looks like 127.0.0.1:17810/sample:latest or HOST/NAME@sha256:…
exit 2

"#]]
    );
    let run = world.run("verify -v A:B:C");
    assert!(
        run.err
            .contains("| Error: could not parse reference: A:B:C\n"),
        "{}",
        run.err
    );
}

/// Answers of cosign that are known, and one that is not.
#[test]
fn verifications_that_fail() {
    let world = World::new().installed("v2");
    let seen = [
        "no signatures found",
        "no matching signatures: bad",
        "none of the expected identities matched what was in the certificate",
        "something new",
    ]
    .map(|says| {
        let fails = format!("echo first >&2; echo 'Error: {says}' >&2; exit 1");
        world.fake("cosign", &fails);
        world.show(&["verify -q"])
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask verify -q
error: the image carries no signature
hint: sign it: cargo xtask --state [STATE] sign IMAGE
exit 1
$ cargo xtask verify -q
error: the image carries signatures, but none that verifies
hint: see what cosign says: add -v
exit 1
$ cargo xtask verify -q
error: the image is signed, but not by the expected identity and issuer
hint: see who signed it: cargo xtask --state [STATE] inspect-certificate
exit 1
$ cargo xtask verify -q
  | first
  | Error: something new
error: cosign failed with exit status: 1
exit 2

"#]]
    );
}

#[test]
fn files_that_are_not_there() {
    let world = World::new().installed("v2");
    let seen = world.show(&[
        "verify --blob nothing",
        "verify --blob ../fakes/users.yml --bundle nothing",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask verify --blob nothing
on local (named by --on)
error: there is no file nothing
exit 2

$ cargo xtask verify --blob ../fakes/users.yml --bundle nothing
on local (named by --on)
error: there is no file nothing
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}
