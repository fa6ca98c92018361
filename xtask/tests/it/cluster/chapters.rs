//! The loop of the chapters on a real cluster: what is seen before a part and after it,
//! and after each reset.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::World;
use crate::support::run::end;

const NOBODY: &str = "https://kubernetes.io/namespaces/default/serviceaccounts/nobody";

/// Nothing is installed, and nothing is when it ends.
pub fn hold(world: &World) {
    let before = world.empty();
    not_yet(world, "tools");
    let options: Vec<&str> = world.options.iter().map(String::as_str).collect();
    world
        .run(&[&["prefetch"], options.as_slice()].concat())
        .ok();
    done(world, "tools");
    done(world, "cluster");
    for (chapter, parts) in PARTS {
        not_yet(world, chapter);
        for part in parts {
            not_yet(world, chapter);
            world.run(&[part]).ok();
        }
        done(world, chapter);
    }
    world.bring_sample();
    for (chapter, deeds) in DEEDS {
        not_yet(world, chapter);
        deeds(world);
        done(world, chapter);
    }
    // A second signature leaves what the image carries.
    world.run(&["sign"]).ok();
    done(world, "attestations");
    resets(world);
    world.run(&["reset", "tools", "--yes"]).ok();
    world.is_as(&before);
}

/// Chapters that install, with their steps.
const PARTS: [(&str, &[&str]); 4] = [
    ("identity", &["oidc-reviewer"]),
    ("authority", &["cert-manager", "issuer", "scaffold"]),
    ("logs", &["copy-secrets"]),
    ("install", &["install"]),
];

type Deeds = fn(&World);

/// Chapters that do something with what is installed. The labs run as processes of
/// their own, whatever the target, and have tests of their own.
const DEEDS: [(&str, Deeds); 5] = [
    ("sign", sign),
    ("verify", verify),
    ("inspect", inspect),
    ("clients", sign_by_hand),
    ("attestations", attest),
];

fn resets(world: &World) {
    // Without its signatures the sample has no attestation either.
    for (chapter, deeds) in DEEDS {
        world.run(&["reset", chapter, "--yes"]).ok();
        not_yet(world, chapter);
        deeds(world);
        done(world, chapter);
    }
    for (chapter, parts) in PARTS.iter().rev() {
        world.run(&["reset", chapter, "--yes"]).ok();
        not_yet(world, chapter);
        for part in *parts {
            world.run(&[part]).ok();
        }
        done(world, chapter);
    }
    // The authority was made again, so all that comes after it has to be.
    not_yet(world, "logs");
    world.run(&["install"]).ends(0, &["is ready"]);
    done(world, "install");
    world.bring_sample();
    sign(world);
    done(world, "sign");
    // The cluster stays, and what was fetched for it.
    world.run(&["reset", "cluster", "--yes"]).ok();
    not_yet(world, "identity");
    done(world, "tools");
}

/// The chapter's check finds something missing, and no chapter is broken for it.
#[track_caller]
fn not_yet(world: &World, chapter: &str) {
    world.run(&["check", chapter]).ends(1, &["is not done yet"]);
    let listed = world.run(&["chapters"]).ok().out;
    for line in listed.lines().filter(|line| line.contains("broken")) {
        // Only what was done and was taken away.
        let at = listed.find(line).unwrap() + line.len();
        let why = listed[at..].lines().nth(1).unwrap_or_default();
        assert!(why.contains("this no longer holds"), "{listed}");
    }
}

#[track_caller]
fn done(world: &World, chapter: &str) {
    world.run(&["check", chapter]).ends(0, &["is done"]);
}

fn sign(world: &World) {
    world.run(&["sign"]).ok();
    let file = world.temp.path().join("hello.txt");
    std::fs::write(&file, "hello\n").unwrap();
    world.run(&["sign", "--blob", file.to_str().unwrap()]).ok();
}

fn verify(world: &World) {
    world.run(&["verify"]).ok();
    not_yet(world, "verify");
    world
        .run(&["verify", "--identity", NOBODY])
        .ends(1, &["another identity"]);
}

fn inspect(world: &World) {
    world.run(&["inspect-rekor"]).ok();
    world.run(&["inspect-certificate"]).ok();
    world.run(&["report"]).ok();
}

/// A file is signed with cosign itself.
fn sign_by_hand(world: &World) {
    let client = Client::of(world);
    let file = world.temp.path().join("by hand.txt");
    std::fs::write(&file, "by hand\n").unwrap();
    let bundle = world.temp.path().join("by hand.sigstore.json");
    let mut cosign = client.cosign("sign-blob");
    cosign.arg("--bundle").arg(&bundle).arg(&file);
    end(cosign).ok();
    let [file, bundle] = [&file, &bundle].map(|path| path.to_str().unwrap());
    world
        .run(&["inspect-rekor", "--bundle", bundle, "--blob", file])
        .ok();
}

/// Something is stated about the sample.
fn attest(world: &World) {
    let client = Client::of(world);
    let predicate = world.temp.path().join("predicate.json");
    std::fs::write(&predicate, "{\"passed\": 41}").unwrap();
    let sample = client.value("WORKSHOP_SAMPLE");
    let (_, name) = sample.split_once('/').unwrap();
    let mut cosign = client.cosign("attest");
    cosign
        .args(["--type", "https://example.com/tested/v1", "--predicate"])
        .arg(&predicate)
        .args(["--registry-cacert", client.value("WORKSHOP_REGISTRY_CA")])
        .arg(format!("{}/{name}", client.value("WORKSHOP_REGISTRY")));
    end(cosign).ok();
}

/// What another client needs, with the forwards open.
struct Client {
    env: Value,
    token: String,
}

impl Client {
    fn of(world: &World) -> Client {
        world.run(&["start"]).ok();
        let env = world.run(&["env", "--format", "json"]).ok().out;
        let env: Value = serde_json::from_str(&env).unwrap();
        let token = world.temp.path().join("token").display().to_string();
        world
            .run(&["step", "token", "--as", "default", "--out", &token])
            .ok();
        Client {
            env: env["env"].clone(),
            token,
        }
    }

    fn value(&self, name: &str) -> &str {
        self.env[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name}"))
    }

    /// A call of cosign that signs.
    fn cosign(&self, verb: &str) -> Command {
        let mut cosign = Command::new(Path::new(self.value("WORKSHOP_COSIGN")));
        cosign
            .args([verb, "--yes"])
            .args(["--signing-config", self.value("WORKSHOP_SIGNING_CONFIG")])
            .args(["--trusted-root", self.value("WORKSHOP_TRUSTED_ROOT")])
            .args(["--identity-token", &self.token])
            .env("TUF_ROOT", self.value("TUF_ROOT"));
        cosign
    }
}
