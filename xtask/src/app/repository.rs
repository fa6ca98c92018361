//! Where the repository is.

use std::path::PathBuf;

use anyhow::Result;

use crate::fail::broken;

/// The repository: what cargo says, else the nearest directory above this one or above
/// the program that holds the servers' manifest.
pub(super) fn find() -> Result<PathBuf> {
    let from_cargo = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let places = [
        from_cargo,
        std::env::current_dir().ok(),
        std::env::current_exe().ok(),
    ];
    let mut above = places.iter().flatten().flat_map(|place| place.ancestors());
    above
        .find(|dir| dir.join("deploy/local/servers.yml").is_file())
        .map(ToOwned::to_owned)
        .ok_or_else(|| {
            broken("this is not the workshop's repository")
                .hint("change into your checkout of it")
                .into()
        })
}
