//! What is put into commands that are printed for the user.

use crate::text::quote;

/// The options without which a printed command would lead to another state directory
/// or target, each followed by a space.
#[derive(Debug, Clone, Default)]
pub struct CommandPrefix {
    target: String,
    state: String,
}

impl CommandPrefix {
    /// The options that name the target, where they are needed, and those that name the
    /// state directory.
    pub fn new(target: &[String], state: &[String]) -> CommandPrefix {
        let words = |options: &[String]| {
            let quoted = options.iter().map(|word| quote(word) + " ");
            quoted.collect::<String>()
        };
        CommandPrefix {
            target: words(target),
            state: words(state),
        }
    }

    /// A text in which each `cargo xtask` carries these options.
    pub(super) fn in_text(&self, text: &str) -> String {
        let mut parts = text.split("cargo xtask ");
        let mut prefixed = parts.next().unwrap_or_default().to_owned();
        for rest in parts {
            // These name a target themselves.
            let other = rest.starts_with("--on ")
                || rest.starts_with("minikube") && !self.target.starts_with("--on minikube ");
            let target = if other { "" } else { &self.target };
            prefixed += &format!("cargo xtask {target}{}{rest}", self.state);
        }
        prefixed
    }
}
