//! `inspect-certificate`.

use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::support::proved::offline;
use crate::support::recorded::{bundle, file, trusting};
use crate::support::world::World;

/// A certificate is about nothing in particular, but an artifact that was named is not
/// passed over; and what has no certificate does not hide what has one.
#[test]
fn certificates_of_named_artifacts_and_of_several() {
    let world = World::new();
    world.write("work/other.txt", "something else");
    let alpha = bundle("alpha.v1");
    let alpha = alpha.display();
    let of = |blob: &str| format!("inspect-certificate --bundle {alpha} --blob {blob}");
    let blob = file("blobs/alpha.txt");
    offline(&world, &of(&blob.display().to_string())).ok();
    let wrong = offline(&world, &of("other.txt"));
    assert_eq!(wrong.exit, 1, "{}", wrong.seen());
    assert!(wrong.err.ends_with("error: not proved: artifact\n"));

    let key = bundle("alpha-key.v2");
    let line = format!("inspect-certificate --bundle {} {alpha}", key.display());
    let run = offline(&world, &line);
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert!(
        run.out.contains("signed with a key, not an identity"),
        "{}",
        run.out
    );
    assert!(run.out.contains("✓ chain"), "{}", run.out);
    let documents = offline(&world, &format!("--json {line}")).events();
    let ok: Vec<&Value> = documents.iter().map(|one| &one["ok"]).collect();
    assert_eq!(ok, [&json!(false), &json!(true)]);
}

#[test]
fn bundles_that_are_none() {
    let world = trusting(World::new().installed("v2"));
    let seen = [
        "",
        "<html>",
        "{}",
        r#"{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}"#,
    ]
    .map(|text| {
        world.write("work/bundle", text);
        world.show(&["inspect-certificate --bundle bundle"])
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask inspect-certificate --bundle bundle
on local (named by --on)
error: bundle: that is not a bundle: EOF while parsing a value at line 1 column 0
exit 2
$ cargo xtask inspect-certificate --bundle bundle
on local (named by --on)
error: bundle: that is not a bundle: expected value at line 1 column 1
exit 2
$ cargo xtask inspect-certificate --bundle bundle
on local (named by --on)
error: bundle: that is no Sigstore bundle: its mediaType says otherwise
exit 2
$ cargo xtask inspect-certificate --bundle bundle
on local (named by --on)
error: bundle: that is not a bundle that this program reads: missing field `verificationMaterial`
exit 2

"#]]
    );
}

#[test]
fn openssl_is_missing() {
    let world = trusting(World::new().installed("v2"));
    let seen = world.show(&["inspect-certificate --text --bundle ../fakes/bundle"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-certificate --text --bundle ../fakes/bundle
on local (named by --on)
error: openssl was not found on the PATH
hint: install openssl with the system's package manager, or leave --text out
exit 2

"#]]
    );
}

#[test]
fn a_file_that_is_not_there() {
    let world = trusting(World::new().installed("v2"));
    let seen = world.show(&["inspect-certificate --bundle nothing"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-certificate --bundle nothing
on local (named by --on)
error: there is no file nothing
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}
