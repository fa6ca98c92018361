//! The role of a target that removes an installation, or goes back to before a chapter.

use anyhow::Result;

use crate::plan::Plan;

/// What is removed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Removal<'a> {
    /// Whether the built servers stay.
    pub keep_tools: bool,
    /// The profile of minikube that is deleted, with all that is in it.
    pub delete_minikube: Option<&'a str>,
}

/// The ways back.
pub trait Reset {
    /// The plan that undoes what the chapter of this name has a reader do, as far as
    /// there is a way back; an empty one where nothing of that stays.
    fn reset(&self, chapter: &str) -> Result<Plan>;

    /// The plan that removes what install made.
    fn uninstall(&self, removal: Removal<'_>) -> Result<Plan>;

    /// What is asked before everything is removed.
    fn removal_question(&self, removal: Removal<'_>) -> Result<String>;

    /// What to do where a removal fails for a reason of its own.
    fn removal_hint(&self) -> Option<&'static str>;

    /// Fails where nothing was installed from this state directory and no cluster was
    /// named: what is on the current one may be of another's making.
    fn require_named(&self) -> Result<()>;

    /// Fails where this profile of minikube is not the one that the target uses.
    fn require_profile(&self, profile: &str) -> Result<()>;
}
