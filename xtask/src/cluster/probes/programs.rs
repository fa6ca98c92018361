//! The programs that a cluster target needs, and what the kernel must allow.

use serde_json::Value;

use crate::exec::output_of;
use crate::plan::{Command, Word};
use crate::preflight::{Finding, numbers};
use crate::words;

/// What the kernel must allow for several clusters on one machine.
const INOTIFY: [(&str, u64); 2] = [("max_user_watches", 65_536), ("max_user_instances", 256)];

pub(in crate::cluster) fn kubectl(minimum: &str) -> Finding {
    tool(
        "kubectl",
        words!["version", "--client", "--output=json"],
        |said| {
            said["clientVersion"]["gitVersion"]
                .as_str()
                .map(str::to_owned)
        },
        minimum,
        "https://kubernetes.io/docs/tasks/tools/",
    )
}

pub(in crate::cluster) fn minikube(minimum: &str) -> Finding {
    tool(
        "minikube",
        words!["version", "--output=json"],
        |said| said["minikubeVersion"].as_str().map(str::to_owned),
        minimum,
        "https://minikube.sigs.k8s.io/docs/start/",
    )
}

/// The Kubernetes of a minikube that is made now: what its user set, else its default,
/// which is the first that it lists.
pub(in crate::cluster) fn kubernetes(minimum: &str) -> Finding {
    let finding = Finding::new("kubernetes", format!("{minimum} or newer"));
    let ask = |words: Vec<Word>| output_of(&Command::new(words), None).unwrap_or_default();
    let property = "kubernetes-version";
    let set = ask(words!["minikube", "config", "get", property]);
    let list = ask(words![
        "minikube",
        "config",
        "defaults",
        property,
        "--output=json"
    ]);
    let defaults: Value = serde_json::from_str(&list).unwrap_or_default();
    let version = match set.trim() {
        "" => defaults[0].as_str().unwrap_or("no version"),
        set => set,
    };
    let has = numbers(version.trim_start_matches('v'));
    let found = format!("{version}, which minikube starts");
    if has.is_some() && has >= numbers(minimum) {
        finding.found(found)
    } else {
        finding.missing(found, "minikube config unset kubernetes-version")
    }
}

/// A program that says its version in JSON.
fn tool(
    name: &'static str,
    words: Vec<Word>,
    version: impl Fn(&Value) -> Option<String>,
    minimum: &str,
    link: &str,
) -> Finding {
    let said = |text: &str| version(&serde_json::from_str(text).unwrap_or_default());
    program(name, words, said, minimum, link)
}

/// Helm has no JSON for it.
pub(in crate::cluster) fn helm(minimum: &str) -> Finding {
    let words = words!["version", "--template={{.Version}}"];
    let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    program(
        "helm",
        words,
        said,
        minimum,
        "https://helm.sh/docs/intro/install/",
    )
}

fn program(
    name: &'static str,
    words: Vec<Word>,
    version: impl Fn(&str) -> Option<String>,
    minimum: &str,
    link: &str,
) -> Finding {
    let finding = Finding::new(name, format!("{minimum} or newer"));
    let how = format!("install {name} {minimum} or newer: {link}");
    let Ok(path) = which::which(name) else {
        return finding.missing("not found on the PATH", how);
    };
    let command = Command::new([words![name], words].concat());
    let text = output_of(&command, None).unwrap_or_default();
    let said = version(&text).unwrap_or_else(|| "no version".to_owned());
    let found = format!("{said} at {}", path.display());
    let has = numbers(said.trim_start_matches('v'));
    if has.is_some() && has >= numbers(minimum) {
        finding.found(found)
    } else {
        finding.missing(found, how)
    }
}

pub(in crate::cluster) fn curl() -> Finding {
    let finding = Finding::new("curl", "any version");
    match which::which("curl") {
        Ok(path) => finding.found(path.display().to_string()),
        Err(_) => finding.missing(
            "not found on the PATH",
            "install curl with the system's package manager, or do without the ingress: --ingress=none",
        ),
    }
}

/// Too few watches make a container runtime on this machine fail with "too many
/// open files".
pub(in crate::cluster) fn inotify() -> Finding {
    let finding = Finding::new("inotify", "enough watches for a cluster on this machine");
    for (name, least) in INOTIFY {
        let file = format!("/proc/sys/fs/inotify/{name}");
        let Ok(text) = std::fs::read_to_string(&file) else {
            return finding.found("not limited here");
        };
        let has: u64 = text.trim().parse().unwrap_or(u64::MAX);
        if has < least {
            return finding
                .missing(
                    format!("fs.inotify.{name} is {has}"),
                    format!("sudo sysctl fs.inotify.{name}={least}"),
                )
                .optional("it matters where the cluster is on this machine and shares its kernel");
        }
    }
    finding.found("enough")
}
