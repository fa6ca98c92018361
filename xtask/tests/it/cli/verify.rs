//! `verify` on the local target: what is made of cosign's answers.

use snapbox::{assert_data_eq, str};

use crate::support::recorded::{bundle, file, image_digest, registry, trusting};
use crate::support::web::Web;
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
        world.show(&["verify -q --from verify a.example/A:B:C"]),
        str![[r#"
$ cargo xtask verify -q --from verify a.example/A:B:C
error: that is not an image reference
hint: an image reference looks like 127.0.0.1:17810/sample:latest or HOST/NAME@sha256:…
exit 2

"#]]
    );
    let run = world.run("verify -v --from verify a.example/A:B:C");
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
        world.show(&["verify -q --from verify"])
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask verify -q --from verify
error: the image carries no signature
hint: sign it: cargo xtask --state [STATE] sign IMAGE
exit 1
$ cargo xtask verify -q --from verify
error: the image carries signatures, but none that verifies
hint: see what cosign says: add -v
exit 1
$ cargo xtask verify -q --from verify
error: the image is signed, but not by the expected identity and issuer
hint: see who signed it: cargo xtask --state [STATE] inspect-certificate
exit 1
$ cargo xtask verify -q --from verify
  | first
  | Error: something new
error: cosign failed with exit status: 1
exit 2

"#]]
    );
}

/// An empty name would be found in every certificate, or in none.
#[test]
fn names_that_are_empty() {
    let world = World::new().installed("v2");
    for option in [
        "--identity",
        "--identity-regexp",
        "--issuer",
        "--issuer-regexp",
        "--attestation",
    ] {
        let run = world.run(&format!("verify {option} ''"));
        assert_eq!(run.exit, 2, "{option}: {}", run.seen());
        assert!(
            run.err.contains(&format!("{option} <")),
            "{option}: {}",
            run.err
        );
    }
}

#[test]
fn files_that_are_not_there() {
    let world = World::new().installed("v2");
    let seen = world.show(&[
        "verify --blob nothing",
        "verify /no/such/file",
        "verify --blob ../fakes/users.yml --bundle nothing",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask verify --blob nothing
on local (named by --on)
error: there is no file nothing
exit 2

$ cargo xtask verify /no/such/file
on local (named by --on)
error: there is no file /no/such/file
exit 2

$ cargo xtask verify --blob ../fakes/users.yml --bundle nothing
on local (named by --on)
error: there is no file nothing
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}

/// A registry with what was recorded, and an installation that believes it; its address.
fn with_recorded() -> (World, String) {
    let world = trusting(World::on_free_ports().installed("both"));
    let image = format!("127.0.0.1:{}/sample@{}", world.base + 12, image_digest());
    (world, image)
}

/// The options under which the recorded signatures are proved without an installation.
fn alone() -> String {
    format!(
        "--trusted-root {} --issuer-regexp ^http:",
        file("trusted_root.json").display()
    )
}

/// What cosign takes for a signature is one, or is refused with what it is instead.
#[test]
fn an_attestation_is_no_signature() {
    let (world, image) = with_recorded();
    let at = world.base + 12;
    let _registry = Web::on(at, registry(&["legacy"]));
    let any = "--issuer-regexp ^http:";
    let run = world.run(&format!("verify -q {image} {any}")).ok();
    assert!(
        run.out.contains("\n  signed by alice@example.com, "),
        "{}",
        run.out
    );
    let kind = "https://example.com/tested/v1";
    let run = world.run(&format!("verify -q {image} {any} --attestation {kind}"));
    assert!(run.ok().out.contains("\n  attested by alice@example.com, "));
    assert!(
        world
            .calls()
            .contains(&format!("'verify-attestation' '--type' '{kind}'"))
    );
    world.forget_calls();
    let run = world.run(&format!(
        "verify -q {image} {any} --attestation https://x/y"
    ));
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = "error: nobody attested https://x/y of ";
    assert!(run.err.starts_with(said), "{}", run.err);
    assert!(
        run.err
            .contains(&format!("alice@example.com attested {kind} and alice")),
        "{}",
        run.err
    );
    drop(_registry);
    let _registry = Web::on(at, registry(&["legacy", "signatures"]));
    let run = world.run(&format!("verify -q {image} {any}"));
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = format!("; alice@example.com attested {kind}\nhint: look at it: ");
    assert!(run.err.starts_with("error: nobody signed "), "{}", run.err);
    assert!(run.err.contains(&said), "{}", run.err);
    // cosign, which would say yes, was not asked.
    assert_eq!(world.calls(), "");
}

/// A refusal names who signed, who should have, and the signature that was looked at.
#[test]
fn both_sides_of_a_refusal() {
    let (world, image) = with_recorded();
    let _registry = Web::on(world.base + 12, registry(&["legacy"]));
    let alpha = file("blobs/alpha.txt");
    let bob = bundle("alpha-bob.v2");
    let blob = format!("--blob {} --bundle {}", alpha.display(), bob.display());
    let run = world.run(&format!("verify -q {blob} --issuer-regexp ^http:"));
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = "error: signed by bob@example.com (issuer http://127.0.0.1:";
    assert!(run.err.starts_with(said), "{}", run.err);
    let said = "), but alice@example.com (an issuer that matches ^http:) was expected\n";
    assert!(run.err.contains(said), "{}", run.err);
    let hint = " inspect-certificate --blob [REPO]/xtask/tests/data/blobs/alpha.txt --bundle ";
    assert!(run.err.contains(hint), "{}", run.err);
    let run = world.run(&format!("verify -q {image} --identity-regexp ^carol"));
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = "but a name that matches ^carol (issuer http://";
    assert!(run.err.contains(said), "{}", run.err);
    let hint = format!(
        " inspect-certificate 127.0.0.1:[PORT+12]/sample@{}\n",
        image_digest()
    );
    assert!(run.err.ends_with(&hint), "{}", run.err);
    let beta = file("blobs/beta.txt");
    let line = format!(
        "verify -q --blob {} --bundle {}",
        beta.display(),
        bob.display()
    );
    let run = world.run(&line);
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = "blobs/beta.txt is not what was signed: sha256:";
    assert!(run.err.contains(said), "{}", run.err);
}

/// With a trusted root that is named nothing has to be installed, not even cosign.
#[test]
fn without_an_installation() {
    let world = World::new();
    std::fs::copy(file("blobs/alpha.txt"), world.path("work/alpha.txt")).unwrap();
    let beside = world.path("work/alpha.txt.sigstore.json");
    std::fs::copy(bundle("alpha.v2"), &beside).unwrap();
    world.write("work/list", "alpha.txt\n\nalpha.txt.sigstore.json\n");
    let alone = alone();
    let named = format!("{alone} --identity alice@example.com");
    for line in [
        format!("verify -q alpha.txt {named}"),
        format!("verify -q alpha.txt.sigstore.json {named}"),
        format!("verify -q alpha.txt alpha.txt.sigstore.json {named}"),
        format!("verify -q --blob alpha.txt {named}"),
    ] {
        let run = world.run(&line).ok();
        assert_eq!(
            run.out.matches("verified ").count(),
            1,
            "{line}: {}",
            run.out
        );
    }
    let mut command = world.command(&format!("verify -q - {named}"));
    command.stdin(std::fs::File::open(world.path("work/list")).unwrap());
    world.end(command).ok();
    let run = world.run(&format!("verify alpha.txt {alone} --identity-regexp alice"));
    let said = "alice is found anywhere in a name; ^ and $ around it make it all of the name\n";
    assert!(run.ok().err.contains(said));
    for (line, exit, said) in [
        (
            format!("verify {named}"),
            2,
            "what is to be verified is not named",
        ),
        (
            format!("verify alpha.txt {alone}"),
            2,
            "who must have signed is not said",
        ),
        (format!("verify . {named}"), 2, ". is a directory"),
        (
            format!("verify /dev/null {named}"),
            2,
            "/dev/null is not a file",
        ),
        (
            format!("verify - {named}"),
            2,
            "the list on standard input is empty",
        ),
        (
            format!("verify list {named}"),
            1,
            "the file carries no signature",
        ),
        (
            format!("verify none.txt {named}"),
            2,
            "there is no file none.txt",
        ),
        (
            format!("verify https://a.b/c {named}"),
            2,
            "an image is named without https://",
        ),
        (
            format!("verify alpha.txt list --bundle x {named}"),
            2,
            "--bundle is for one file",
        ),
    ] {
        let run = world.run(&line);
        assert_eq!(run.exit, exit, "{line}: {}", run.seen());
        assert!(
            run.err.contains(&format!("error: {said}")),
            "{line}: {}",
            run.err
        );
    }
    std::fs::remove_file(world.path("work/alpha.txt")).unwrap();
    let run = world.run(&format!("verify alpha.txt.sigstore.json {named}"));
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(run.err.contains("is of is not beside it"), "{}", run.err);
    assert_eq!(world.calls(), "");
    assert!(!world.state.exists());
}

/// A signature without a certificate is of a key that has to be named.
#[test]
fn of_a_key() {
    let world = World::new();
    std::fs::copy(file("key.pub"), world.path("work/key.pub")).unwrap();
    let root = file("trusted_root.json");
    let of = |name: &str| {
        let (file, bundle) = (file("blobs/alpha.txt"), bundle(name));
        format!(
            "verify -q --blob {} --bundle {} --trusted-root {}",
            file.display(),
            bundle.display(),
            root.display()
        )
    };
    for name in ["alpha-key.v1", "alpha-key.v2"] {
        let run = world.run(&format!("{} --key key.pub", of(name))).ok();
        assert!(
            run.out.contains("\n  signed by the key key.pub\n"),
            "{}",
            run.out
        );
    }
    let run = world.run(&format!("{} --key key.pub", of("alpha.v2")));
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = "signature: a key is expected, and it comes with a leaf certificate";
    assert!(run.err.contains(said), "{}", run.err);
    let run = world.run(&format!("{} --identity a --issuer b", of("alpha-key.v2")));
    assert_eq!(run.exit, 1, "{}", run.seen());
    let said = "signed by a key without a name, but a (issuer b) was expected";
    assert!(run.err.contains(said), "{}", run.err);
    // Another key: that of Rekor.
    let other = file("rekor-v1/publicKey.pem");
    let run = world.run(&format!("{} --key {}", of("alpha-key.v2"), other.display()));
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert!(
        run.err.contains("signature: the signature is wrong"),
        "{}",
        run.err
    );
    let run = world.run(&format!("{} --key {}", of("alpha-key.v2"), root.display()));
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(
        run.err.contains("is not a public key in PEM"),
        "{}",
        run.err
    );
}

/// A registry that cannot be believed or reached says nothing of a signature: 2, and what
/// helps.
#[test]
fn registries_that_show_nothing() {
    let (world, image) = with_recorded();
    let certificate = "curl: (60) SSL certificate problem: self-signed certificate";
    let nobody = "curl: (7) Failed to connect to a.example port 443";
    let unknown = "curl: (6) Could not resolve host: a.example";
    for (says, image, said, hint) in [
        (
            certificate,
            "a.example/b:1",
            "the certificate of a.example does not come from a CA that this machine knows",
            "name the file of its CA before the command: SSL_CERT_FILE=FILE ",
        ),
        (
            certificate,
            &*image.replace(
                &(world.base + 12).to_string(),
                &(world.base + 10).to_string(),
            ),
            " does not come from the CA in [STATE]/local/",
            "does another server answer there? ",
        ),
        (
            nobody,
            "a.example/b:1",
            "no answer from https://a.example/v2/",
            "is that its name, and does it run? ",
        ),
        (
            unknown,
            "a.example/b:1",
            "no answer from https://a.example/v2/",
            "is that its name, and does it run? ",
        ),
    ] {
        world.add_curl(&format!("echo '{says}' >&2; exit 1"));
        for command in [
            "verify -q --issuer-regexp ^http:",
            "inspect-rekor",
            "inspect-certificate",
        ] {
            let run = world.run(&format!("{command} {image}")).fails(2, said);
            assert!(run.err.contains(&format!("\nhint: {hint}")), "{}", run.err);
        }
    }
}

/// Where some are verified the rest is not so; where nothing could be looked at, that is no
/// answer, as for a single one.
#[test]
fn several_of_which_one_shows_nothing() {
    let (world, image) = with_recorded();
    let registry = Web::on(world.base + 12, registry(&["legacy"]));
    let other = format!("127.0.0.1:{}/none:1", world.base + 14);
    let any = "--issuer-regexp ^http:";
    world.run(&format!("verify {any} {other}")).fails(2, "");
    world
        .run(&format!("verify {any} {image} {other}"))
        .fails(1, "1 of 2 is not verified");
    world
        .run(&format!("verify --identity bob {any} {image}"))
        .fails(1, "");
    let tagged = image.replace('@', ":1@");
    let line = format!("verify --identity bob {any} {image} {tagged}");
    world.run(&line).fails(1, "2 of 2 are not verified");
    let nowhere = format!("127.0.0.1:{}/none:2", world.base + 14);
    let line = format!("verify {any} {other} {nowhere}");
    world.run(&line).fails(2, "2 of 2 are not verified");
    drop(registry);
}

#[test]
fn what_carries_nothing_is_not_told_to_be_signed_where_an_attestation_is_asked_for() {
    let (world, image) = with_recorded();
    let _registry = Web::on(world.base + 12, registry(&["referrers", "legacy"]));
    world.write("work/file", "file");
    for (what, verb) in [(&*image, "attest"), ("file", "attest-blob")] {
        let run = world.run(&format!("verify -q --attestation spdx {what}"));
        let hint = format!("hint: attest it with cosign {verb}: ");
        let run = run.fails(1, &hint);
        assert!(!run.err.contains("sign it"), "{}", run.err);
    }
}

/// What is no regular expression is not explained as one first.
#[test]
fn a_regular_expression_that_is_none() {
    let world = World::new().installed("v2");
    let run = world.run("verify --identity-regexp *");
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(run.err.contains("is no regular expression"), "{}", run.err);
    assert!(
        run.err.contains("hint: any name that ends so"),
        "{}",
        run.err
    );
    assert!(!run.err.contains("found anywhere"), "{}", run.err);
}
