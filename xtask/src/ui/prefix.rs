//! What is put into commands that are printed for the user.

use crate::text::quote;

/// The options without which a printed command would lead to another state directory
/// or target, each followed by a space.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommandPrefix {
    /// Whether the program was installed, so that it is typed by its own name.
    is_installed: bool,
    target: String,
    state: String,
}

impl CommandPrefix {
    /// The options that name the target, where they are needed, and those that name the
    /// state directory.
    pub(crate) fn new(target: &[String], state: &[String]) -> CommandPrefix {
        let words = |options: &[String]| {
            let quoted = options.iter().map(|word| quote(word) + " ");
            quoted.collect::<String>()
        };
        CommandPrefix {
            is_installed: false,
            target: words(target),
            state: words(state),
        }
    }

    /// The same for a program that `cargo install` put elsewhere, or not.
    pub(crate) fn installed(self, is_installed: bool) -> CommandPrefix {
        CommandPrefix {
            is_installed,
            ..self
        }
    }

    /// A text in which each `cargo xtask` carries these options.
    pub(super) fn in_text(&self, text: &str) -> String {
        let program = match self.is_installed {
            true => "xtask",
            false => "cargo xtask",
        };
        let mut parts = text.split("cargo xtask ");
        let mut prefixed = parts.next().unwrap_or_default().to_owned();
        for rest in parts {
            // These name a target themselves.
            let other = rest.starts_with("--on ")
                || rest.starts_with("minikube") && !self.target.starts_with("--on minikube ");
            let target = if other { "" } else { &self.target };
            // And these a state directory.
            let state = if rest.starts_with("--state ") {
                ""
            } else {
                &self.state
            };
            prefixed += &format!("{program} {target}{state}{rest}");
        }
        prefixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_carries_the_options_that_lead_to_this_run() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let state = words("--state /a");
        let here = CommandPrefix::new(&[], &state);
        let cluster = CommandPrefix::new(&words("--on cluster"), &state);
        assert_eq!(here.in_text("nothing to type"), "nothing to type");
        assert_eq!(
            here.in_text("cargo xtask sign, then cargo xtask verify"),
            "cargo xtask --state /a sign, then cargo xtask --state /a verify"
        );
        assert_eq!(
            cluster.in_text("cargo xtask status"),
            "cargo xtask --on cluster --state /a status"
        );
        assert_eq!(
            cluster
                .clone()
                .installed(true)
                .in_text("cargo xtask status"),
            "xtask --on cluster --state /a status"
        );
        // These name a target themselves.
        assert_eq!(
            cluster.in_text("cargo xtask --on local tour"),
            "cargo xtask --state /a --on local tour"
        );
        assert_eq!(
            cluster.in_text("cargo xtask --state /b stop"),
            "cargo xtask --on cluster --state /b stop"
        );
        assert_eq!(
            cluster.in_text("cargo xtask minikube"),
            "cargo xtask --state /a minikube"
        );
    }
}
