//! Where the repository is, and how its files are named from where the user is.

use std::path::{Path, PathBuf};

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

/// The path of a file of the repository that leads to it from `here`: a short one inside of
/// the repository, and elsewhere the whole one.
pub(super) fn path_from(here: &Path, repo: &Path, file: &str) -> String {
    match here.strip_prefix(repo) {
        Ok(below) => "../".repeat(below.components().count()) + file,
        Err(_) => repo.join(file).to_string_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_file_from_where_the_user_is() {
        let from = |here: &str| path_from(Path::new(here), Path::new("/repo"), "docs/a.md");
        assert_eq!(from("/repo"), "docs/a.md");
        assert_eq!(from("/repo/play"), "../docs/a.md");
        assert_eq!(from("/repo/play/deep"), "../../docs/a.md");
        assert_eq!(from("/elsewhere"), "/repo/docs/a.md");
        assert_eq!(from("/repository"), "/repo/docs/a.md");
    }
}
