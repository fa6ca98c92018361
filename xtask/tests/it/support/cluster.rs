//! A world with a cluster in it: a small API server, helm and minikube, all fake.

use std::fs;
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde::Deserialize;
use serde_json::{Value, json};
use xtask::cluster::Cluster as Target;
use xtask::state::State;
use xtask::target::{ClusterOptions, Signing, TargetKind};

pub use super::objects::*;
use super::repo::repository;
use super::snapshot::replaced_after;
use super::wait::POLL;
use super::web::Web;
use super::world::World;

/// The context of the cluster.
pub const CONTEXT: &str = "test";

/// What the cluster hands out as an identity token, which must never be seen.
pub const TOKEN: &str = "header.fake-service-account-token.signature";

/// What helm shows of the charts: of all that is in them, pods count here.
const TEMPLATES: [(&str, &str); 2] = [
    (
        "cert-manager",
        "---\nkind: ServiceAccount\n---\nkind: Deployment\nspec: {template: {spec: {containers: [{image: \"quay.io/example/manager:v1\"}]}}}\n",
    ),
    (
        "scaffold",
        "---\nkind: Job\nspec: {template: {spec: {initContainers: [{image: \"docker.io/tool@sha256:77\"}], containers: [{image: \"ghcr.io/example/job:v2@sha256:88\"}]}}}\n---\n",
    ),
];

/// What a first install of the chart sets, and a later one no more.
const FIRST: [(&str, bool); 3] = [
    ("fulcio.createcerts.enabled", true),
    ("rekor.enabled", false),
    ("ctlog.enabled", false),
];

/// A world and its cluster.
pub struct Cluster(World);

impl Deref for Cluster {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl DerefMut for Cluster {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.0
    }
}

impl Cluster {
    /// A cluster on which nothing is installed.
    pub fn new() -> Cluster {
        Cluster::of("cluster", World::new())
    }

    /// A minikube that was never started.
    pub fn minikube() -> Cluster {
        Cluster::of("minikube", World::new())
    }

    /// A cluster with the workshop on it, and ports that nobody else uses.
    pub fn installed() -> Cluster {
        let cluster = Cluster::of("cluster", World::on_free_ports());
        cluster
            .run(&format!("install --port-base {}", cluster.base))
            .ok();
        cluster.forget_calls();
        cluster
    }

    /// The target on this world.
    pub fn of(on: &'static str, mut world: World) -> Cluster {
        world.on = on;
        let cluster = Cluster(world);
        cluster.add_program("kubectl", include_str!("fakes/kubectl.sh"));
        cluster.add_program("helm", include_str!("fakes/helm.sh"));
        if on == "minikube" {
            cluster.add_program("minikube", include_str!("fakes/minikube.sh"));
            cluster.write("fakes/stopped", "");
        }
        cluster.is_well();
        cluster.can_be_made();
        cluster
    }

    /// What is there before anything is installed.
    fn is_well(&self) {
        let context = if self.on == "minikube" {
            "minikube"
        } else {
            CONTEXT
        };
        self.write("fakes/context", context);
        self.write("fakes/helm-version", "v3.19.4");
        self.says(
            "version",
            &json!({
                "clientVersion": {"gitVersion": "v1.36.0"},
                "serverVersion": {"gitVersion": "v1.36.2"},
            }),
        );
        let issuer = "https://kubernetes.default.svc";
        let keys = format!("{issuer}/openid/v1/jwks");
        self.says("discovery", &json!({"issuer": issuer, "jwks_uri": keys}));
        let profile = json!({"valid": [{"Name": "minikube", "Status": "OK"}], "invalid": []});
        self.says("made/profiles", &profile);
        self.says("profiles", &json!({"valid": [], "invalid": []}));
        self.has("-", node("Ready"));
        let mut class = object("StorageClass", "standard");
        let default = "storageclass.kubernetes.io/is-default-class";
        class["metadata"]["annotations"][default] = json!("true");
        self.has("-", class);
        self.has("default", object("ServiceAccount", "default"));
        for (chart, text) in TEMPLATES {
            self.write(&format!("fakes/templates/{chart}"), text);
        }
        self.write("fakes/token", TOKEN);
        self.write("fakes/job-end", "Complete\n");
        let bundle = include_str!("fakes/rekor-v1.sigstore.json").trim();
        self.write("fakes/job-log", &format!("Signing artifact...\n{bundle}\n"));
    }

    /// What manifests and charts make.
    fn can_be_made(&self) {
        for file in [
            "deploy/namespaces.yml",
            "deploy/namespace-cert-manager.yml",
            "deploy/crb-oidc-reviewer.yml",
            "deploy/clusterissuer-selfsigned-issuer.yml",
            "deploy/certificate-rekor.yml",
            "verify/certificate-registry.yml",
            "verify/service-registry.yml",
            "verify/volume-registry.yml",
            "verify/deploy-registry.yml",
        ] {
            let text = fs::read_to_string(repository().join(file)).unwrap();
            for document in serde_yaml::Deserializer::from_str(&text) {
                let mut object = Value::deserialize(document).unwrap();
                if object["kind"] == "Namespace" {
                    object["status"]["phase"] = json!("Active");
                }
                if object["kind"] == "Deployment" {
                    object["metadata"]["generation"] = json!(1);
                    object["status"] = deployment("", true)["status"].clone();
                }
                let namespace = object["metadata"]["namespace"].as_str().unwrap_or("-");
                let namespace = namespace.to_owned();
                self.makes(file.rsplit('/').next().unwrap(), &namespace, object);
            }
        }
        for (by, namespace, object) in made() {
            self.makes(by, namespace, object);
        }
        self.releases_with(&ClusterOptions::default());
    }

    /// The target as the program sees it before anything was chosen.
    fn target(&self) -> Target {
        let on = if self.on == "minikube" {
            TargetKind::Minikube
        } else {
            TargetKind::Cluster
        };
        let state = State::open(self.path("nowhere")).unwrap();
        Target::open(repository(), &state, on, Some("any"), &[]).unwrap()
    }

    /// What helm keeps of releases that were made with these options.
    pub fn releases_with(&self, options: &ClusterOptions) {
        let charts = self.target().charts_with(options).unwrap();
        for chart in ["cert-manager", "scaffold"] {
            let version = &charts.chart(chart).version;
            self.says(
                &format!("made/{chart}.metadata"),
                &json!({"version": version}),
            );
            let mut values = charts.wanted_values(chart).clone();
            let status = |values: &Value| json!({"info": {"status": "deployed"}, "config": values});
            self.says(&format!("made/upgrade-{chart}.status"), &status(&values));
            // As the chart is first installed, and then given more.
            for (key, value) in FIRST {
                set(&mut values, key, value);
            }
            self.says(&format!("made/install-{chart}.status"), &status(&values));
            set(&mut values, "trillian.createdb.enabled", true);
            self.says(&format!("made/more-{chart}.status"), &status(&values));
        }
    }

    /// Writes a line of JSON for the fakes.
    pub fn says(&self, name: &str, value: &Value) {
        self.write(&format!("fakes/{name}"), &format!("{value}\n"));
    }

    /// The cluster has this object.
    pub fn has(&self, namespace: &str, object: Value) {
        self.says(&place("objects", namespace, &object), &object);
    }

    /// It has it no longer.
    pub fn has_not(&self, namespace: &str, object: &Value) {
        fs::remove_file(self.path(&format!("fakes/{}", place("objects", namespace, object))))
            .unwrap();
    }

    /// Applying a manifest, or installing a chart, makes this object.
    pub fn makes(&self, by: &str, namespace: &str, object: Value) {
        self.says(&place(&format!("made/{by}"), namespace, &object), &object);
    }

    /// An object as the cluster has it.
    pub fn kept(&self, namespace: &str, name: &str) -> Option<Value> {
        let file = self.path(&format!("fakes/objects/{namespace}/{name}"));
        Some(serde_json::from_str(&fs::read_to_string(file).ok()?).unwrap())
    }

    /// Calls that look like this pattern of the shell do this instead. Spaces are
    /// spaces, `*` is anything.
    pub fn when(&self, call: &str, does: &str) {
        let pattern = call.replace(' ', "\\ ").replace('/', "\\/");
        let file = self.path("fakes/when");
        let before = fs::read_to_string(&file).unwrap_or_default();
        let rule = format!("case \"${{0##*/}} $*\" in {pattern})\n{does}\n;; esac\n");
        fs::write(file, before + &rule).unwrap();
    }

    /// Such calls fail, and the tool says this.
    pub fn fails(&self, call: &str, says: &str) {
        let says = says.replace('\'', r"'\''");
        self.when(call, &format!("printf '%s\\n' '{says}' >&2\nexit 1"));
    }

    /// How the fakes were called, without what is the same in each call.
    pub fn called(&self) -> String {
        let calls = self.redacted(&self.calls());
        let mut lines: Vec<&str> = calls
            .lines()
            .map(|line| {
                line.split_once("[TEMP]/bin/")
                    .map_or(line, |(_, call)| call)
            })
            .collect();
        lines.sort_unstable();
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The same without the calls that only look.
    pub fn changes(&self) -> String {
        const LOOKS: [&str; 13] = [
            "kubectl 'get'",
            "kubectl 'version'",
            "kubectl 'auth'",
            "kubectl 'config'",
            "kubectl 'logs'",
            "helm 'get'",
            "helm 'status'",
            "helm 'version'",
            "helm 'template'",
            "minikube 'version'",
            "minikube 'profile'",
            "minikube 'config'",
            "minikube 'ssh' '--profile' 'minikube' '--' 'sudo' 'crictl' 'images'",
        ];
        let looks = |line: &&str| {
            LOOKS.iter().any(|look| line.starts_with(look)) || line.contains("'--dry-run=server'")
        };
        let called = self.called();
        let changes = called.lines().filter(|line| !looks(line));
        changes.map(|line| format!("{line}\n")).collect()
    }

    /// The same, and starts over.
    pub fn forget_changes(&self) -> String {
        let changes = self.changes();
        self.forget_calls();
        changes
    }

    /// A text without versions and images, which change, and without the numbers
    /// of processes, Jobs and forwards.
    pub fn redacted(&self, text: &str) -> String {
        let mut text = without_inotify(&self.redact(text));
        let target = self.target();
        let pins = target.pins().unwrap();
        let job = fs::read_to_string(repository().join("verify/job-sign.yml")).unwrap();
        let cosign = job
            .lines()
            .find_map(|line| line.trim().strip_prefix("image: "));
        for (version, name) in [
            (pins.charts.cert_manager.version.as_str(), "[VERSION]"),
            (&pins.charts.scaffold.version, "[VERSION]"),
            (&target.sample().unwrap(), "[SAMPLE]"),
            (cosign.unwrap(), "[COSIGN]"),
        ] {
            text = text.replace(version, name);
        }
        let sample = target.sample().unwrap();
        let (_, digest) = sample.split_once("@sha256:").unwrap();
        text = text.replace(digest, "[DIGEST]");
        for before in [
            "sign-",
            "verify-",
            "fulcio-",
            "rekor-",
            "registry-",
            "signing_config-",
            "http://127.0.0.1:",
            " 127.0.0.1:",
            "'127.0.0.1:",
        ] {
            text = replaced_after(before, "0123456789", "[N]", &text);
        }
        for port in [":80'", ":443'", ":80 ", ":443 "] {
            text = replaced_before(port, &text);
        }
        // How long a step took.
        replaced_after(" (", "0123456789.", "[N]", &text)
    }

    /// What a user sees of these commands, redacted.
    pub fn shows(&self, lines: &[&str]) -> String {
        self.redacted(&self.show(lines))
    }

    /// A file of the state directory of the target.
    pub fn kept_file(&self, name: &str) -> PathBuf {
        self.state.join(self.on).join(name)
    }

    /// Fails where a secret is in a call or in what was printed.
    #[track_caller]
    pub fn keeps_secrets(&self, seen: &str) {
        let mut secrets = vec![TOKEN.to_owned(), SECRET.to_owned(), encoded(SECRET)];
        secrets.push("nobody-may-see-this".to_owned());
        let passwords = self.kept("trillian-system", "secret.trillian-mysql-auth");
        for key in ["mysql-root-password", "mysql-password"] {
            if let Some(passwords) = &passwords {
                secrets.push(passwords["data"][key].as_str().unwrap().to_owned());
            }
        }
        let calls = self.calls();
        for secret in secrets {
            assert!(!calls.contains(&secret), "{secret} in {calls}");
            assert!(!seen.contains(&secret), "{secret} in {seen}");
        }
    }

    /// Answers on the port of each forward that is opened.
    pub fn answer_forwards(
        &self,
        answer: impl Fn(&str, &mut TcpStream) + Clone + Send + 'static,
    ) -> Forwards {
        let calls = self.path("fakes/calls");
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut answering: Vec<(u16, Web)> = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let calls = fs::read_to_string(&calls).unwrap_or_default();
                for port in calls.lines().filter_map(forwarded) {
                    if !answering.iter().any(|(known, _)| *known == port) {
                        answering.push((port, Web::on(port, answer.clone())));
                    }
                }
                std::thread::sleep(POLL);
            }
        });
        Forwards(ended, Some(thread))
    }
}

/// The port of this machine that a call forwards.
fn forwarded(call: &str) -> Option<u16> {
    let (_, forward) = call.split_once("'port-forward'")?;
    let mut words = forward.split('\'').filter_map(|word| word.split_once(':'));
    words.find_map(|(here, _)| here.parse().ok())
}

/// Answers behind forwards, until it is dropped.
pub struct Forwards(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Drop for Forwards {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().unwrap().join();
    }
}

/// The file of an object, named as the fake API server does it.
fn place(dir: &str, namespace: &str, object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let kind = text(&object["kind"]).to_lowercase();
    format!(
        "{dir}/{namespace}/{kind}.{}",
        text(&object["metadata"]["name"])
    )
}

/// The text with the digits before each `after` replaced.
fn replaced_before(after: &str, text: &str) -> String {
    let parts: Vec<&str> = text.split(after).collect();
    let (last, rest) = parts.split_last().unwrap();
    let mut replaced = String::new();
    for part in rest {
        let kept = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let by = if kept.len() < part.len() { "[N]" } else { "" };
        replaced += &format!("{kept}{by}{after}");
    }
    replaced + last
}

/// A text without what `doctor` finds of the kernel that the test runs on.
fn without_inotify(text: &str) -> String {
    let mut inside = false;
    let kept = text.split_inclusive('\n').filter(|line| {
        // What a finding says is indented below it.
        inside = line.contains(" inotify ") || inside && line.starts_with("             ");
        !inside
    });
    kept.collect()
}
