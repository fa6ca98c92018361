//! Where the repository is.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::fail::broken;

/// The variable that names it.
const NAME: &str = "WORKSHOP_DIR";

/// The repository: what `WORKSHOP_DIR` says, else what cargo says, else the nearest
/// directory above this one or above the program that holds the servers' manifest, else
/// the checkout that the program was made from: `cargo install` copies it elsewhere.
pub(super) fn find() -> Result<PathBuf> {
    let var = |name| std::env::var_os(name).filter(|dir| !dir.is_empty());
    if let Some(dir) = var(NAME).map(PathBuf::from) {
        return match holds(&dir) {
            true => Ok(std::path::absolute(dir)?),
            false => Err(broken(format!(
                "{NAME} is {}, which is no checkout of the workshop",
                dir.display()
            ))
            .hint("name the directory that holds deploy/local/servers.yml")
            .into()),
        };
    }
    let places = [
        var("CARGO_MANIFEST_DIR").map(PathBuf::from),
        std::env::current_dir().ok(),
        std::env::current_exe().ok(),
        Some(PathBuf::from(env!("CARGO_MANIFEST_DIR"))),
    ];
    let mut above = places.iter().flatten().flat_map(|place| place.ancestors());
    above
        .find(|dir| holds(dir))
        .map(ToOwned::to_owned)
        .ok_or_else(|| {
            broken("the workshop's repository is not where this program was made from")
                .hint("change into your checkout of it, or name it: WORKSHOP_DIR=DIR")
                .into()
        })
}

/// Whether this program lies outside of the repository, as `cargo install` puts it: then
/// it is typed by its own name, wherever the user is.
pub(super) fn is_outside(repo: &Path) -> bool {
    let run_by_cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some();
    let here = std::env::current_exe().and_then(|program| program.canonicalize());
    let repo = repo.canonicalize();
    let (Ok(here), Ok(repo)) = (here, repo) else {
        return false;
    };
    !run_by_cargo && !here.starts_with(repo)
}

fn holds(dir: &Path) -> bool {
    dir.join("deploy/local/servers.yml").is_file()
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
