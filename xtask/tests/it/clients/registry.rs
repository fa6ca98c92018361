//! The clients of the registry: each has its own way to name the certificate.

use super::desk::Desk;
use crate::support::clients::{from_go, helm, of_the_machine};

/// The lines of a client reach the registry, and what it brought there is signed.
fn brought(desk: &Desk, client: &str, words: &[(&str, &str)], image: &str) {
    let sample = desk.env("WORKSHOP_SAMPLE");
    let image = format!("{}/{image}", desk.env("WORKSHOP_REGISTRY"));
    for line in desk.lines(client) {
        let looks = line.contains(" discover ");
        let about = if looks { &image } else { &sample };
        let words = [words, &[("IMAGE", about.as_str())]].concat();
        if looks {
            desk.workshop.run(&["sign", &image]).ok();
        }
        let done = desk.types(&line, &words, &[]).ok();
        assert!(
            !looks || done.out.contains("sigstore.bundle"),
            "{}",
            done.out
        );
        // Without the certificate there is no way in.
        let strange = [
            ("WORKSHOP_REGISTRY_CA", desk.env("WORKSHOP_TRUSTED_ROOT")),
            ("WORKSHOP_REGISTRY_CERTS", desk.dir().display().to_string()),
        ];
        let refused = desk.types(&line, &words, &strange);
        assert_ne!(refused.exit, 0, "{}", refused.seen());
    }
    desk.workshop.run(&["sign", &image]).ok();
    desk.workshop.run(&["verify", &image]).ok();
}

#[test]
fn crane() {
    let package = "github.com/google/go-containerregistry/cmd/crane";
    let Some(crane) = from_go("crane", package) else {
        return;
    };
    let desk = Desk::open();
    desk.offer("crane", &crane);
    brought(&desk, "crane", &[], "crane:1");
}

#[test]
fn skopeo() {
    if of_the_machine("skopeo").is_none() {
        return;
    }
    brought(&Desk::open(), "skopeo", &[], "skopeo:1");
}

#[test]
fn podman() {
    let Some(podman) = of_the_machine("podman") else {
        return;
    };
    let desk = Desk::open();
    // Its own storage, in the one form that needs nothing of the kernel.
    let at = |name: &str| format!("'{}'", desk.dir().join(name).display());
    desk.script(
        "podman",
        &format!(
            "exec '{}' --storage-driver vfs --root {} --runroot {} \"$@\"",
            podman.display(),
            at("images"),
            at("runs")
        ),
    );
    brought(&desk, "podman", &[], "podman:1");
}

#[test]
fn oras() {
    let Some(oras) = from_go("oras", "oras.land/oras/cmd/oras") else {
        return;
    };
    let desk = Desk::open();
    desk.offer("oras", &oras);
    desk.file("page.txt");
    brought(&desk, "oras", &[("FILE", "page.txt")], "oras:1");
}

#[test]
fn helm_charts() {
    let Some(helm) = helm() else { return };
    let desk = Desk::open();
    desk.offer("helm", &helm);
    desk.types("helm create page && helm package page", &[], &[])
        .ok();
    let chart = [("CHART", "page-0.1.0.tgz")];
    brought(&desk, "helm", &chart, "charts/page:0.1.0");
}
