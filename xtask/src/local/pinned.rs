//! Which version of each server `deploy/local/go.mod` names, built or not.

use std::path::Path;

use anyhow::{Context, Result};

use super::manifest::Manifest;

/// What runs on this machine, and the version of its Go module, as `go.mod` names it.
pub(crate) fn pinned(repo: &Path) -> Result<Vec<(String, String)>> {
    let manifest = Manifest::read(repo)?;
    let text = std::fs::read_to_string(repo.join("deploy/local/go.mod")).context("read go.mod")?;
    let requires: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("require ").split_once(' '))
        .collect();
    // The longest path of a module that a package is below.
    let version = |path: &str| {
        let above = requires
            .iter()
            .filter(|(module, _)| path.starts_with(module));
        let (_, rest) = above.max_by_key(|(module, _)| module.len())?;
        rest.split(' ').next().map(str::to_owned)
    };
    let cosign = manifest.programs.iter().filter(|row| row.name == "cosign");
    let cosign = cosign.map(|row| (&row.name, &row.package));
    let servers = manifest.servers.iter().map(|row| (&row.name, &row.module));
    let all = cosign.chain(servers);
    Ok(all
        .filter_map(|(name, path)| Some((name.clone(), version(path)?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_has_a_version() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = Manifest::read(repo).unwrap();
        let all = pinned(repo).unwrap();
        assert_eq!(all.len(), manifest.servers.len() + 1);
        assert!(
            all.iter().all(|(_, version)| version.starts_with('v')),
            "{all:?}"
        );
    }
}
