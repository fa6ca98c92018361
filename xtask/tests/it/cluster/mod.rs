//! A cluster from end to end, for real: it needs a cluster that may be emptied.
//!
//! ```text
//! WORKSHOP_TEST_CLUSTER=CONTEXT      the context of kubectl that names it
//! WORKSHOP_TEST_CLUSTER_OPTIONS=…    options of `install`, as a shell reads them
//! ```
//!
//! Continuous integration has none, so without the first this is skipped, and
//! says so. An image to sign is pushed by the program of the local target, which
//! has to be built.

mod chapters;
mod rekor_v2;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::repo::repository;
use crate::support::run::{Run, end, xtask};
use crate::support::skip::not_here;

/// The registry as the cluster names it.
const REGISTRY: &str = "registry.default.svc.cluster.local";

/// How long pods that were removed may take to come back.
const WITHIN: Duration = Duration::from_secs(180);

/// There is one cluster, and each test has it for itself.
static ALONE: Mutex<()> = Mutex::new(());

struct World {
    _alone: MutexGuard<'static, ()>,
    context: String,
    options: Vec<String>,
    temp: TempDir,
}

impl World {
    /// The cluster that the environment names.
    fn of_environment() -> Option<World> {
        let context = std::env::var("WORKSHOP_TEST_CLUSTER").ok()?;
        let options = std::env::var("WORKSHOP_TEST_CLUSTER_OPTIONS").unwrap_or_default();
        Some(World {
            _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner),
            context,
            options: shlex::split(&options).unwrap(),
            temp: tempfile::tempdir().unwrap(),
        })
    }

    /// A repository whose manifests may be changed: the rest of it is the real one.
    fn repository(&self) -> PathBuf {
        let copy = self.temp.path().join("repository");
        if !copy.exists() {
            let real = repository();
            std::fs::create_dir_all(copy.join("verify")).unwrap();
            for name in ["deploy", "docs"] {
                std::os::unix::fs::symlink(real.join(name), copy.join(name)).unwrap();
            }
            for entry in std::fs::read_dir(real.join("verify")).unwrap() {
                let file = entry.unwrap();
                std::fs::copy(file.path(), copy.join("verify").join(file.file_name())).unwrap();
            }
        }
        copy
    }

    /// Has the manifests name a sample that the cluster's own registry holds: a cluster
    /// for tests may have no way to any other.
    fn bring_sample(&self) {
        let brought = self.push("brought", "the sample");
        let (_, digest) = brought.split_once('@').unwrap();
        let verify = self.repository().join("verify");
        let read = |name: &str| std::fs::read_to_string(verify.join(name)).unwrap();
        let job: serde_yaml::Value = serde_yaml::from_str(&read("job-sign.yml")).unwrap();
        let copied = &job["spec"]["template"]["spec"]["initContainers"][0]["args"];
        let copied = copied.as_sequence().unwrap();
        let named = copied[copied.len() - 2].as_str().unwrap();
        let (_, named_digest) = named.split_once('@').unwrap();
        for name in ["job-sign.yml", "job-verify.yml"] {
            let text = read(name).replace(named, &brought);
            std::fs::write(verify.join(name), text.replace(named_digest, digest)).unwrap();
        }
    }

    fn state(&self) -> PathBuf {
        self.temp.path().join("état du cluster")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(xtask());
        command
            .args(["--on", "cluster", "--context", &self.context, "--state"])
            .arg(self.state())
            .args(words)
            .env("NO_COLOR", "1")
            .env("CARGO_MANIFEST_DIR", self.repository())
            .current_dir(self.temp.path());
        command
    }

    fn run(&self, words: &[&str]) -> Run {
        end(self.command(words))
    }

    fn install(&self, more: &[&str]) -> Run {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        self.run(&[&["install"], options.as_slice(), more].concat())
    }

    fn kubectl(&self, words: &[&str]) -> Run {
        let mut command = Command::new("kubectl");
        command.args(["--context", &self.context]).args(words);
        end(command)
    }

    /// The names of everything that the workshop could leave behind.
    fn inventory(&self) -> Vec<String> {
        let kinds = "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations,persistentvolumes";
        let cluster = self.kubectl(&["get", kinds, "--output=name"]).ok().out;
        let objects = "jobs,deployments,services,configmaps,secrets,serviceaccounts";
        let own = ["get", objects, "--namespace", "default", "--output=name"];
        let own = self.kubectl(&own).ok().out;
        let leases = [
            "get",
            "leases,roles,rolebindings",
            "--namespace",
            "kube-system",
            "--output=name",
        ];
        let leases = self.kubectl(&leases).ok().out;
        let mut all: Vec<String> = [cluster, own, leases]
            .iter()
            .flat_map(|text| text.lines().map(str::to_owned))
            .collect();
        all.sort();
        all
    }

    /// The same of a cluster without a Sigstore.
    #[track_caller]
    fn empty(&self) -> Vec<String> {
        let before = self.inventory();
        assert!(
            !before.iter().any(|name| name == "namespace/rekor-system"),
            "there is a Sigstore on this cluster already"
        );
        before
    }

    /// Nothing is there that was not there before, and nothing is gone. The volume
    /// of a namespace goes a moment after it.
    #[track_caller]
    fn is_as(&self, before: &[String]) {
        let until = Instant::now() + WITHIN;
        loop {
            let now = self.inventory();
            let more: Vec<_> = now.iter().filter(|name| !before.contains(name)).collect();
            let less: Vec<_> = before.iter().filter(|name| !now.contains(name)).collect();
            if more.is_empty() && less.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "left: {more:?}, gone: {less:?}");
        }
    }

    /// Pushes an image with this text to the cluster's registry and returns the
    /// name that it has in the cluster.
    fn push(&self, name: &str, text: &str) -> String {
        self.run(&["start", "registry"]).ok();
        let env = self.run(&["env", "--format", "json"]).ok().out;
        let env: Value = serde_json::from_str(&env).unwrap();
        let of = |name: &str| {
            env["env"][name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name}"))
        };
        let program = Path::new(of("WORKSHOP_COSIGN")).with_file_name("loopback");
        let registry = of("WORKSHOP_REGISTRY");
        let mut push = Command::new(program);
        push.args([
            "sample",
            "--text",
            text,
            "--ca-cert",
            of("WORKSHOP_REGISTRY_CA"),
        ]);
        push.arg(format!("{registry}/{name}:latest"));
        let pushed = end(push).ok().out;
        self.run(&["stop"]).ok();
        pushed.trim().replace(registry, REGISTRY)
    }

    /// Waits until all is up.
    fn until_up(&self) {
        let until = Instant::now() + WITHIN;
        loop {
            let status = self.run(&["status"]);
            if status.exit == 0 {
                return;
            }
            assert!(Instant::now() < until, "{}\n{}", status.out, status.err);
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_workshop_on_a_real_cluster() {
    let Some(world) = World::of_environment() else {
        return not_here("WORKSHOP_TEST_CLUSTER names no cluster");
    };
    let before = world.empty();

    // What a dry run prints is a whole installation.
    let script = world.install(&["--dry-run"]).ok().out;
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", &script])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    end(shell).ok();
    world.install(&[]).ends(0, &["nothing to do"]);
    installed_parts_have_nothing_to_do(&world);
    signatures_hold_and_refusals_do(&world);
    world.run(&["uninstall", "--yes"]).ok();
    world.is_as(&before);
    world
        .run(&["uninstall", "--yes"])
        .ends(0, &["nothing to do"]);

    // And so is what it runs itself.
    world.install(&[]).ends(0, &["a private Sigstore is ready"]);
    world.install(&[]).ends(0, &["nothing to do"]);
    let image = world.push("survivor", "it was signed before");
    world.run(&["sign", &image]).ok();
    keys_survive_pods_and_upgrades(&world, &image);
    what_is_missing_is_named(&world);
    world.run(&["doctor"]).ends(0, &["no known problem found"]);
    world.run(&["uninstall", "--yes"]).ok();
    world.is_as(&before);
}

#[test]
fn the_chapters_on_a_real_cluster() {
    let Some(world) = World::of_environment() else {
        return not_here("WORKSHOP_TEST_CLUSTER names no cluster");
    };
    chapters::hold(&world);
}

fn installed_parts_have_nothing_to_do(world: &World) {
    let parts = [
        "oidc-reviewer",
        "cert-manager",
        "issuer",
        "scaffold",
        "copy-secrets",
        "registry",
        "trust",
    ];
    for part in parts {
        world
            .run(&[part])
            .ends(0, &[&format!("nothing to do: {part} is done")]);
    }
    world.run(&["minikube"]).ends(2, &["minikube"]);
    world.run(&["preflight"]).ok();
    world.run(&["logs", "fulcio", "-n", "2"]).ok();
}

fn signatures_hold_and_refusals_do(world: &World) {
    let image = world.push("demo", "hello");
    world.run(&["verify", &image]).ends(1, &["no signature"]);
    let signed = world.run(&["sign", &image]).ok();
    assert!(
        signed.out.contains("serviceaccounts/default"),
        "{}",
        signed.out
    );
    world.run(&["verify", &image]).ends(0, &["verified"]);
    let mallory = "https://kubernetes.io/namespaces/default/serviceaccounts/mallory";
    world
        .run(&["verify", &image, "--identity", mallory])
        .ends(1, &["another identity"]);
    let other = [
        "verify",
        &image,
        "--issuer",
        "https://elsewhere.example.com",
    ];
    world.run(&other).ends(1, &["another identity or issuer"]);
    world
        .run(&["sign", &image, "--as", "nobody"])
        .ends(2, &["no service account"]);
    let missing = format!("{REGISTRY}/missing@sha256:{}", "0".repeat(64));
    world
        .run(&["sign", &missing])
        .ends(2, &["the registry has no such image"]);

    world.kubectl(&["create", "serviceaccount", "robot"]).ok();
    world
        .run(&["sign", &image, "--as", "robot"])
        .ends(0, &["serviceaccounts/robot"]);
    world.kubectl(&["delete", "serviceaccount", "robot"]).ok();

    let from_here = world.push("here", "from this machine");
    world
        .run(&["sign", "--from-host", &from_here])
        .ends(0, &[REGISTRY]);
    world.run(&["verify", "--from-host", &from_here]).ok();
    world.run(&["verify", &from_here]).ok();
    let file = world.temp.path().join("a file.txt");
    std::fs::write(&file, "a file").unwrap();
    let file = file.to_str().unwrap();
    world.run(&["sign", "--blob", file]).ok();
    world.run(&["verify", "--blob", file]).ok();
    std::fs::write(file, "another file").unwrap();
    world
        .run(&["verify", "--blob", file])
        .ends(1, &["not the one that was signed"]);

    let entry = world
        .run(&["--json", "inspect-rekor", "--log-index", "0"])
        .ok()
        .out;
    let entry: Value = serde_json::from_str(entry.lines().last().unwrap()).unwrap();
    assert_eq!(entry["rekor"], "v1");
    assert_eq!(entry["issuer"], "https://kubernetes.default.svc");
    assert_eq!(entry["ok"], true, "{entry}");
    // All signatures of the image, from the registry in the cluster: the account's
    // and the robot's, each with a proof from the log. There is no timestamp
    // authority in the chart.
    let said = world.run(&["inspect-rekor", &image]).ok().out;
    for (check, times) in [
        ("✓ artifact", 2),
        ("✓ inclusion", 2),
        ("✓ promise", 2),
        ("✓ consistency", 2),
        ("✓ sct", 2),
        ("- timestamp", 2),
        ("✗", 0),
    ] {
        assert_eq!(said.matches(check).count(), times, "{check}: {said}");
    }
    world
        .run(&[
            "inspect-rekor",
            &image,
            "--identity-regexp",
            "accounts/robot$",
        ])
        .ends(1, &["not proved: 1 of 2 signatures"]);
    // The file was changed after it was signed.
    world
        .run(&["inspect-rekor"])
        .ends(1, &["not proved: artifact"]);
    world
        .run(&["inspect-certificate"])
        .ends(0, &["SCT          embedded"]);
    world
        .run(&["inspect-rekor", "--log-index", "999"])
        .ends(1, &["no entry with index 999"]);
    let jobs = ["get", "jobs", "--namespace", "default", "--output=name"];
    assert_eq!(world.kubectl(&jobs).ok().out, "", "Jobs are removed");
    let run = std::fs::read_dir(world.state().join("cluster/run")).unwrap();
    assert_eq!(run.count(), 0, "forwards are closed");
}

fn keys_survive_pods_and_upgrades(world: &World, image: &str) {
    let root = world.state().join("cluster/trust/trusted_root.json");
    let trusted = std::fs::read(&root).unwrap();
    for namespace in [
        "fulcio-system",
        "ctlog-system",
        "rekor-system",
        "trillian-system",
    ] {
        world
            .kubectl(&["delete", "pods", "--all", "--namespace", namespace])
            .ok();
    }
    world.until_up();
    world.run(&["verify", image]).ok();
    world.run(&["inspect-rekor"]).ends(0, &["index 0"]);
    // Rekor and the CT log answer a moment after their pods are up.
    world.run(&["sign", image]).ends(0, &["index 1"]);

    // Other values: the release is upgraded, its Jobs are made again, and no key
    // changes.
    let options = world.options.iter().position(|option| option == "--values");
    let below = options.map(|at| std::fs::read_to_string(&world.options[at + 1]).unwrap());
    let mut values: serde_yaml::Value =
        serde_yaml::from_str(below.as_deref().unwrap_or("{scaffold: {}}")).unwrap();
    values["scaffold"]["ctlog"]["createctconfig"]["backoffLimit"] = 29.into();
    values["scaffold"]["rekor"]["createtree"]["ttlSecondsAfterFinished"] = 1800.into();
    let file = world.temp.path().join("values.yml");
    std::fs::write(&file, serde_yaml::to_string(&values).unwrap()).unwrap();
    world
        .run(&["install", "--values", file.to_str().unwrap()])
        .ends(0, &["is ready"]);
    world.run(&["install"]).ends(0, &["nothing to do"]);
    assert_eq!(
        std::fs::read(&root).unwrap(),
        trusted,
        "the keys are the same"
    );
    world.run(&["verify", image]).ok();
    world.run(&["sign", image]).ends(0, &["index 2"]);
}

fn what_is_missing_is_named(world: &World) {
    let issuer = ["delete", "clusterissuer", "selfsigned-issuer"];
    world.kubectl(&issuer).ok();
    let secret = [
        "delete",
        "certificate/registry",
        "secret/registry-tls",
        "--namespace",
        "default",
    ];
    world.kubectl(&secret).ok();
    world.run(&["registry"]).ends(1, &["do it first"]);
    world
        .run(&["registry", "--with-needs"])
        .ends(0, &["done: registry"]);
    world.run(&["copy-secrets"]).ends(0, &["nothing to do"]);
    world.run(&["trust"]).ends(0, &["done: trust"]);
}
