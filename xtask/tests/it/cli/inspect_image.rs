//! `inspect-rekor IMAGE`: the signatures that a registry has of an image.

use std::sync::Mutex;

use crate::support::proved::checks;
use crate::support::recorded::{self, image_digest, registry, trusting};
use crate::support::web::{Web, answer};
use crate::support::world::World;

/// The same bundles by the API of a registry that has it.
#[test]
fn the_referrers_of_an_image() {
    let world = trusting(World::on_free_ports().installed("both"));
    let at = world.base + 12;
    let image = format!("127.0.0.1:{at}/sample@{}", image_digest());
    let _registry = Web::on(
        at,
        registry(&["referrers", "referrers but by the API", "legacy"]),
    );
    let line = format!("--json inspect-certificate {image}");
    let documents = world.run(&line).ok().events();
    assert_eq!(documents.len(), 4);
}

#[test]
fn the_signatures_of_an_image() {
    let world = trusting(World::on_free_ports().installed("both"));
    let at = world.base + 12;
    let image = format!("127.0.0.1:{at}/sample@{}", image_digest());
    let registry = Web::on(at, registry(&[]));
    // Without the logs, what is in the bundles is proved all the same.
    let documents = world
        .run(&format!("--json inspect-rekor {image}"))
        .ok()
        .events();
    assert_eq!(documents.len(), 5);
    for document in &documents {
        let unchecked = document["unchecked"].to_string();
        assert!(
            unchecked.contains("no answer from http://127.0.0.1:"),
            "{unchecked}"
        );
        assert!(
            checks(document).0.contains(&"artifact".to_owned()),
            "{document}"
        );
    }
    let _logs = [
        Web::on(world.base + 8, recorded::tiles(7)),
        Web::on(world.base + 9, recorded::api),
    ];
    let documents = world
        .run(&format!("--json inspect-rekor {image}"))
        .ok()
        .events();
    for document in &documents {
        let good = checks(document).0;
        for name in [
            "artifact",
            "signature",
            "entry",
            "inclusion",
            "consistency",
            "chain",
        ] {
            assert!(good.iter().any(|good| good == name), "{name}: {document}");
        }
    }
    world.run(&format!("inspect-certificate {image}")).ok();
    drop(registry);
}

#[test]
fn images_without_signatures_or_of_another_digest() {
    let world = trusting(World::on_free_ports().installed("v2"));
    let at = world.base + 12;
    let _registry = Web::on(at, registry(&["referrers", "legacy"]));
    let run = world.run(&format!(
        "inspect-rekor 127.0.0.1:{at}/sample@{}",
        image_digest()
    ));
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert!(run.err.contains("carries no signature"), "{}", run.err);
    let run = world.run(&format!("inspect-rekor 127.0.0.1:{at}/sample:none"));
    assert_eq!(run.exit, 2, "{}", run.seen());

    let at = world.base + 13;
    let manifest = Mutex::new(recorded::bytes("registry/legacy.json"));
    let _other = Web::on(at, move |_, stream| {
        answer(stream, 200, &manifest.lock().unwrap())
    });
    let run = world.run(&format!(
        "inspect-rekor 127.0.0.1:{at}/sample@{}",
        image_digest()
    ));
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(
        run.err.contains("answers with another image"),
        "{}",
        run.err
    );
    for image in [
        "''",
        "sample",
        "h.example/..",
        "h.example/a@sha256:1",
        "h.example/'a b'",
    ] {
        let run = world.run(&format!("inspect-rekor {image}"));
        assert_eq!(run.exit, 2, "{}", run.seen());
        assert!(run.err.contains("is not an image reference"), "{}", run.err);
    }
}
