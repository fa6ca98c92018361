//! The TUF repository of a cluster, which brings the trusted root and the signing config
//! to clients: made here where the program for it is built, with a root that stays, and
//! otherwise by the chart's own program, with a root as old as its pod.

mod objects;
mod renewal;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::json;

use crate::cluster::Cluster;
use crate::cluster::conditions::all_hold;
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::{DEFAULT, Object};
use crate::cluster::servers::TUF;
use crate::exec::output_of;
use crate::fail::broken;
use crate::local::build::ServerBuild;
use crate::plan::{Command, Word};
use crate::preflight::Finding;
use crate::state;
use crate::time;
use crate::trust::tuf_files::TufFiles;
use crate::words;
use objects::{
    CONFIG_MAP, PORT, PUBLISHED, Published, config_map, digest, fill_in, manifest, pod_with,
};

/// Its address there.
const SERVICE: &str = "deploy/service-tuf.yml";

/// Where the repository is made on this machine.
const REPOSITORY: &str = "tuf-repository";

/// The key of all roles but the root, without its ending.
const KEY: &str = "keys/tuf";

/// The key of the root role, which can be kept on another machine.
const ROOT_KEY: &str = "offline/tuf-root.key";

/// The first root, with which a client begins.
const ANCHOR: &str = "trust/root.json";

/// The same of a repository that its pod makes.
const ANCHOR_OF_POD: &str = "trust/root.pod.json";

/// What is published: the name that clients ask for, and the file that it is. The
/// addresses in it are those for this machine, or of the ingress.
const TARGETS: [(&str, &str); 2] = [
    ("trusted_root.json", "trust/trusted_root.json"),
    ("signing_config.v0.2.json", "trust/signing_config.json"),
];

/// A role that ends within this is warned of.
const SOON: Duration = Duration::from_secs(2 * 86400);

/// Who makes the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Publisher {
    /// This machine, with keys that it keeps.
    Here,
    /// The chart's program, in its pod.
    Pod,
    /// Another machine: its keys, or the program, are not here.
    Elsewhere,
}

impl Cluster {
    /// Who makes the repository, where this is what the cluster hands out now.
    fn publisher(&self, there: Option<&Object>) -> Result<Publisher> {
        let built = ServerBuild::of(&self.repo)?.program("tuf").is_file();
        let has_root = there.is_some_and(|map| map.data.contains_key("timestamp.json"));
        let has_key = self.dir.join(format!("{KEY}.key")).exists();
        Ok(match (built, has_root, has_key) {
            // A root that clients have must not be followed by another first one.
            (true, true, false) | (false, true, _) => Publisher::Elsewhere,
            (true, ..) => Publisher::Here,
            (false, false, _) => Publisher::Pod,
        })
    }

    /// Who makes the repository, which is not another machine.
    pub(super) fn require_publisher(&self) -> Result<Publisher> {
        let there = self.handed_out(&self.kubectl()?)?;
        let publisher = self.publisher(there.as_ref())?;
        if publisher != Publisher::Elsewhere {
            return Ok(publisher);
        }
        Err(
            broken("clients follow a TUF repository whose keys, or whose program, are not here")
                .hint("do it on the machine that published before")
                .hint("with its state directory here, build the program: cargo xtask --on local prefetch")
                .into(),
        )
    }

    fn handed_out(&self, kubectl: &Kubectl) -> Result<Option<Object>> {
        kubectl.get(DEFAULT, &format!("configmap/{CONFIG_MAP}"))
    }

    /// The command that publishes in files of this machine, or does what its options say.
    fn publish_here(&self, options: Vec<Word>) -> Result<Command> {
        let program = ServerBuild::of(&self.repo)?.program("tuf");
        let key = format!("{KEY}.key");
        let mut words = [words![program, "publish"], options].concat();
        words.extend(words!["--dir", REPOSITORY, "--anchor", ANCHOR]);
        words.extend(words!["--root-key", ROOT_KEY, "--key", key]);
        let targets = TARGETS.iter();
        words.extend(targets.map(|(name, file)| format!("{name}={file}").into()));
        Ok(Command::new(words).dir(&self.dir))
    }

    /// What is to be handed out.
    fn published(&self, publisher: Publisher) -> Result<Published> {
        let names: Vec<(String, String)> = if publisher == Publisher::Here {
            let files = TufFiles::read(&self.dir.join(REPOSITORY))?;
            let files = files.map_or_else(Vec::new, |files| files.needed());
            let below = |name: String| (name.clone(), format!("{REPOSITORY}/{name}"));
            files.into_iter().map(below).collect()
        } else {
            let owned = |(name, file): &(&str, &str)| ((*name).to_owned(), (*file).to_owned());
            TARGETS.iter().map(owned).collect()
        };
        let read = |(name, file): (String, String)| {
            let text = state::read(&self.dir.join(&file))?;
            let text = text.ok_or_else(|| broken(format!("{file} is missing")));
            Ok((
                name,
                String::from_utf8(text?).context("a role that is not text")?,
            ))
        };
        names.into_iter().map(read).collect()
    }

    /// Publishes the trust material of now, and hands it out (`cargo xtask step publish`).
    pub(super) fn publish(&self) -> Result<()> {
        let kubectl = self.kubectl()?;
        let publisher = self.require_publisher()?;
        if publisher == Publisher::Here {
            if !self.dir.join(format!("{KEY}.key")).exists() {
                let maker = ServerBuild::of(&self.repo)?.program("loopback");
                let make = Command::new(words![maker, "make", "ecdsa", KEY]);
                output_of(&make.dir(&self.dir), None)?;
            }
            output_of(&self.publish_here(Vec::new())?, None)?;
        }
        let published = self.published(publisher)?;
        kubectl.apply(&config_map(&published))?;
        output_of(&kubectl.apply_manifests(&[SERVICE]), None)?;
        let mut deployment = manifest(&self.repo)?;
        fill_in(&mut deployment, publisher, &published);
        kubectl.apply(&deployment)
    }

    /// How it is told that clients are given the trust material of now; `None` where they
    /// are not.
    pub(super) fn publication(&self) -> Result<Option<String>> {
        let kubectl = self.kubectl()?;
        let there = self.handed_out(&kubectl)?;
        let publisher = self.publisher(there.as_ref())?;
        if publisher == Publisher::Elsewhere {
            return Ok(Some(
                "its keys, or its program, are on another machine".to_owned(),
            ));
        }
        if publisher == Publisher::Here {
            let key = self.dir.join(format!("{KEY}.key"));
            if !key.exists() || output_of(&self.publish_here(words!["--check"])?, None).is_err() {
                return Ok(None);
            }
        }
        let Ok(published) = self.published(publisher) else {
            return Ok(None);
        };
        let same = there.is_some_and(|map| json!(map.data) == config_map(&published)["data"]);
        let deployment = kubectl.get(DEFAULT, &format!("deployment/{}", TUF.deployment))?;
        let marked = deployment.is_some_and(|deployment| {
            let annotations = deployment.spec.template.metadata.annotations;
            annotations.get(PUBLISHED) == Some(&digest(&published))
        });
        if !(same && marked && all_hold(&kubectl, DEFAULT, TUF.ready)?) {
            return Ok(None);
        }
        let end = self.publication_end()?;
        Ok(Some(end.map_or_else(
            || "clients are given them as they are".to_owned(),
            |(_, end)| format!("clients have them as they are, until {}", time::format(end)),
        )))
    }

    /// The role that ends first, and when, where this machine makes the repository.
    pub(super) fn publication_end(&self) -> Result<Option<(&'static str, SystemTime)>> {
        let files = TufFiles::read(&self.dir.join(REPOSITORY))?;
        files.map(|files| files.first_end()).transpose()
    }

    /// What to do where a role ends soon.
    pub(super) fn publication_warning(&self) -> Option<String> {
        let (role, end) = self.publication_end().ok()??;
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        (left < SOON).then(|| {
            let end = time::format(end);
            format!("its role {role} ends {end}; renew it: cargo xtask trust")
        })
    }

    /// A warning, where a role of the repository that this machine makes ends soon.
    pub(super) fn roles_last(&self) -> Option<Finding> {
        let warning = self.publication_warning()?;
        let finding = Finding::new("tuf", "a TUF repository of which no role ends soon");
        let finding = finding.missing(warning, "cargo xtask trust");
        Some(finding.optional("`install`, `trust` and `rotate` renew it"))
    }

    /// Checks whether clients are given the trusted root as it is.
    pub(super) fn is_published(&self) -> Result<Finding> {
        let finding = Finding::new("tuf", "clients are given the trusted root as it is");
        if let Some(warning) = self.publication_warning() {
            return Ok(finding.missing(warning, "cargo xtask trust"));
        }
        Ok(match self.publication()? {
            Some(_) if !self.has_root()? => finding.missing(
                "clients would begin with another root than that of the repository",
                "cargo xtask trust",
            ),
            Some(told) => finding.found(told),
            None => finding.missing("they are given an older one, or none", "cargo xtask trust"),
        })
    }

    /// The first root of the repository that a pod makes, as the pod hands it out;
    /// `None` where this machine makes it.
    fn root_of_pod(&self, kubectl: &Kubectl) -> Result<Option<String>> {
        let there = self.handed_out(kubectl)?;
        let publisher = self.publisher(there.as_ref())?;
        if publisher != Publisher::Pod {
            return Ok(None);
        }
        // The Service may still lead to the pod before, which has another root.
        let published = digest(&self.published(publisher)?);
        let of_tuf = format!("--selector=app.kubernetes.io/name={}", TUF.deployment);
        let pods = kubectl.list_with("pods", &["--namespace", DEFAULT, &of_tuf])?;
        let pod = pod_with(&pods, &published).ok_or_else(|| {
            broken("no pod hands out what is published").hint("cargo xtask trust")
        })?;
        let root = format!("/api/v1/namespaces/{DEFAULT}/pods/{pod}:{PORT}/proxy/1.root.json");
        kubectl
            .ask(words!["get", format!("--raw={root}")])
            .map(Some)
    }

    /// Takes the root with which clients begin from the pod that made it (`cargo xtask
    /// step tuf-root`).
    pub(super) fn take_root(&self) -> Result<()> {
        let root = self.root_of_pod(&self.kubectl()?)?;
        let root = root.context("this machine makes the TUF repository itself")?;
        state::write(&self.dir.join(ANCHOR_OF_POD), root.as_bytes(), 0o600)
    }

    /// Whether the root with which clients begin is here.
    pub(super) fn has_root(&self) -> Result<bool> {
        let Some(root) = self.root_of_pod(&self.kubectl()?)? else {
            return Ok(true);
        };
        Ok(state::read(&self.dir.join(ANCHOR_OF_POD))? == Some(root.into_bytes()))
    }

    /// The file with the root with which a client begins.
    pub(super) fn tuf_anchor(&self) -> Option<PathBuf> {
        let files = [ANCHOR, ANCHOR_OF_POD].map(|file| self.dir.join(file));
        files.into_iter().find(|file| file.exists())
    }
}
