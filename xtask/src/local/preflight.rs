//! What the local target needs from the machine, all findings at once.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Local, ports, process};
use crate::preflight::{Finding, numbers};

/// The room that a first build takes in Go's caches and in the servers.
const DISK: u64 = 6 * 1024 * 1024 * 1024;

impl Local {
    pub(super) fn go(&self, built: bool) -> Result<Finding> {
        let path = self.repo.join("deploy/local/go.mod");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        // The go line of a go.mod is the oldest Go that builds the module.
        let wanted = text
            .lines()
            .find_map(|line| line.strip_prefix("go "))
            .context("go.mod names no version of Go")?;
        let finding = Finding::new("go", format!("{wanted} or newer"));
        let how = format!(
            "install Go {wanted} or newer: https://go.dev/dl/{}",
            if cfg!(target_os = "macos") {
                " or `brew install go`"
            } else {
                ""
            }
        );
        let optional = |finding: Finding| {
            if built {
                finding.optional("the servers are built already")
            } else {
                finding
            }
        };
        let Ok(program) = which::which("go") else {
            return Ok(optional(finding.missing("not found on the PATH", how)));
        };
        // Outside any module: a `toolchain` line must not make Go fetch another.
        let shell = xshell::Shell::new()?;
        shell.change_dir("/");
        let said = xshell::cmd!(shell, "{program} env GOVERSION")
            .quiet()
            .ignore_stderr()
            .read()
            .unwrap_or_default();
        let found = format!(
            "{} at {}",
            if said.is_empty() { "no version" } else { &said },
            program.display()
        );
        let new_enough = said
            .strip_prefix("go")
            .and_then(numbers)
            .zip(numbers(wanted))
            .is_some_and(|(has, min)| has >= min);
        Ok(if new_enough {
            finding.found(found)
        } else {
            optional(finding.missing(found, how))
        })
    }

    pub(super) fn disk(&self, built: bool) -> Finding {
        let finding = Finding::new("disk", "6 GB free for the first build");
        let cache = self.build.dir();
        let existing = cache
            .ancestors()
            .find(|dir| dir.exists())
            .unwrap_or(Path::new("/"));
        match rustix::fs::statvfs(existing) {
            Err(error) => finding.missing(
                format!("{}: {error}", existing.display()),
                "see what is wrong with that directory",
            ),
            Ok(stat) => {
                let free = stat.f_bavail.saturating_mul(stat.f_frsize);
                let found = format!("{} GB free at {}", free / 1_000_000_000, existing.display());
                if built || free >= DISK {
                    finding.found(found)
                } else {
                    finding.missing(found, "make room, or name a roomier place: WORKSHOP_CACHE=DIR, GOCACHE=DIR, GOMODCACHE=DIR")
                }
            }
        }
    }

    pub(super) fn ports(&self) -> Result<Finding> {
        let mut taken = Vec::new();
        let mut all = Vec::new();
        for server in self.manifest.chosen(self.settings.rekor) {
            let ports = self.server_ports(server)?;
            all.extend(ports.iter().copied());
            if process::running(&self.dir, &server.name)?.is_some() {
                continue;
            }
            let why = |port: u16| Some((port, ports::free(port).err()?.to_string()));
            taken.extend(ports.into_iter().filter_map(why));
        }
        let (low, high) = (
            all.iter().min().copied().unwrap_or(0),
            all.iter().max().copied().unwrap_or(0),
        );
        let finding = Finding::new(
            "ports",
            format!("{low} to {high} on 127.0.0.1, free or ours"),
        );
        if taken.is_empty() {
            return Ok(finding.found("free or ours"));
        }
        Ok(finding.missing(by_holder(&taken), ports::other_ports()))
    }
}

/// The ports that are taken, with why, in a sentence for each who holds some.
fn by_holder(taken: &[(u16, String)]) -> String {
    let mut holders: Vec<(&str, Vec<String>)> = Vec::new();
    let mut sentences = Vec::new();
    for (port, why) in taken {
        let Some((_, holder)) = why.split_once(" on 127.0.0.1 is taken") else {
            sentences.push(why.clone());
            continue;
        };
        match holders.iter_mut().find(|(known, _)| *known == holder) {
            Some((_, ports)) => ports.push(port.to_string()),
            None => holders.push((holder, vec![port.to_string()])),
        }
    }
    sentences.extend(holders.into_iter().map(|(holder, ports)| {
        let (noun, verb) = match ports.len() {
            1 => ("port", "is"),
            _ => ("ports", "are"),
        };
        let ports = ports.join(", ");
        format!("{noun} {ports} on 127.0.0.1 {verb} taken{holder}")
    }));
    sentences.join("; ")
}

pub(super) fn platform() -> Finding {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let finding = Finding::new("platform", "Linux or macOS on amd64 or arm64");
    let found = format!("{os} on {arch}");
    if matches!(os, "linux" | "macos") && matches!(arch, "x86_64" | "aarch64") {
        finding.found(found)
    } else {
        finding.missing(
            found,
            "use one of these, or the cluster target from one of these",
        )
    }
}

pub(super) fn openssl() -> Finding {
    let finding = Finding::new("openssl", "any version");
    let Ok(path) = which::which("openssl") else {
        return finding
            .missing(
                "not found on the PATH",
                "install openssl with the system's package manager",
            )
            .optional("only `inspect-certificate --text` uses it");
    };
    let said = xshell::Shell::new().and_then(|shell| {
        xshell::cmd!(shell, "{path} version")
            .quiet()
            .ignore_stderr()
            .read()
    });
    let version = said.unwrap_or_else(|_| "no version".into());
    finding.found(format!("{version} at {}", path.display()))
}
