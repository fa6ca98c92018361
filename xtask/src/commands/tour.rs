//! `tour`: install, sign, verify and inspect as one narrated run.

use anyhow::Result;
use clap::{Args, Parser};
use serde::Serialize;

use crate::app::{Answer, App};
use crate::commands::Cli;
use crate::fail::{Fail, NOT_SO, broken};
use crate::ui::Style;

/// Install, sign, verify and inspect, with each command shown and explained
#[derive(Debug, Args)]
pub(crate) struct TourCommand {}

#[derive(Serialize)]
struct Toured {
    stops: usize,
}

/// One stop of the tour.
struct Stop {
    /// What to know before, a sentence a line.
    text: &'static [&'static str],
    /// The command, without `cargo xtask`.
    words: &'static [&'static str],
    /// Whether the answer must be yes; the tour shows a refusal, too.
    agrees: bool,
}

const STOPS: [Stop; 9] = [
    Stop {
        text: &[
            "1. Look at the machine",
            "Rust and Go, free ports, room on the disk: nothing else is needed.",
        ],
        words: &["preflight"],
        agrees: true,
    },
    Stop {
        text: &[
            "2. Install",
            "Sigstore lets anybody verify that an artifact comes from whom it says.",
            "It is a few servers: who you are (Dex), a certificate authority (Fulcio), a log of its \
             certificates (CT log), a log of all signatures (Rekor) and a clock (timestamp authority).",
            "They are built from their sources once, which takes minutes, and start in a second.",
        ],
        words: &["install"],
        agrees: true,
    },
    Stop {
        text: &[
            "3. Sign",
            "No key is managed.",
            "Alice proves who she is to Dex, Fulcio writes her name into a certificate for a key that \
             was made this moment, the key signs the image's digest and is forgotten.",
            "The certificate ends after ten minutes; the entry in Rekor stays.",
        ],
        words: &["sign"],
        agrees: true,
    },
    Stop {
        text: &[
            "4. Verify",
            "A verifier says whom it expects, and who must have vouched for that name.",
            "It needs the image, the signature beside it and the trusted root: no server of Sigstore.",
        ],
        words: &["verify"],
        agrees: true,
    },
    Stop {
        text: &[
            "5. Expect someone else",
            "The same signature does not satisfy who expects another name. That is the point.",
        ],
        // None of the users, who may have signed or attested the sample as well.
        words: &["verify", "--identity", "somebody-else@example.com"],
        agrees: false,
    },
    Stop {
        text: &[
            "6. Read the log",
            "Everybody can see what was signed with which identity: Alice too, if it was not her.",
            "Each line with a ✓ is a link of the chain from the image to the log, proved without cosign.",
        ],
        words: &["inspect-rekor"],
        agrees: true,
    },
    Stop {
        text: &[
            "7. Read the certificate",
            "Ten minutes of validity, a name, who vouched for it, and proof of who issued it.",
        ],
        words: &["inspect-certificate"],
        agrees: true,
    },
    Stop {
        text: &["8. What runs"],
        words: &["status"],
        agrees: true,
    },
    Stop {
        text: &[
            "9. Use it from elsewhere",
            "Any Sigstore client works with it once it knows the trusted root and the signing config.",
        ],
        words: &["env"],
        agrees: true,
    },
];

/// What is said at the end.
const END: [&str; 4] = [
    "\nThat was all of it. What ran can be read: cargo xtask install --dry-run",
    "To do it yourself, chapter by chapter, empty it first: cargo xtask reset place",
    "What to do then: cargo xtask next",
    "To stop the servers: cargo xtask stop; to remove all: cargo xtask uninstall",
];

impl TourCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        if !app.target()?.is_loopback() {
            return Err(broken("the tour leads through the local target")
                .hint("take it there: cargo xtask --on local tour")
                .hint("here the same is: cargo xtask install, then sign, verify and inspect-rekor")
                .into());
        }
        for stop in &STOPS {
            if let Some(fail) = stop.run(app)? {
                return Ok(Answer::printed().but(Some(fail)));
            }
        }
        for line in END {
            app.ui.say(app.ui.with_prefix(line));
        }
        let stops = STOPS.len();
        Ok(Answer::result(Toured { stops }))
    }
}

impl Stop {
    /// Shows it, and returns why the tour ends here, where it does.
    fn run(&self, app: &App) -> Result<Option<Fail>> {
        app.ui.say("");
        for line in self.text {
            app.ui.tell(line);
        }
        let line = format!("\n$ cargo xtask {}", self.words.join(" "));
        app.ui.say(app.ui.with_prefix(&line));
        // Below the commands to type, those that they run: the reader sees cosign
        // at work. The many of `install` are in its dry run.
        let commands = self.words[0] != "install";
        let guide = app.restyled(Style {
            commands,
            ..app.ui.style()
        });
        let words = std::iter::once("cargo xtask").chain(self.words.iter().copied());
        let cli = Cli::try_parse_from(words)
            .map_err(|error| broken(format!("the tour is wrong: {error}")))?;
        let refusal = cli.command.run(&guide)?.print_within(&guide.ui);
        match refusal {
            None if self.agrees => Ok(None),
            None => {
                Err(broken("what must be refused was accepted: this Sigstore is broken").into())
            }
            Some(fail) if self.agrees => Ok(Some(fail)),
            Some(fail) if fail.exit == NOT_SO => {
                app.ui
                    .say(format!("refused, as it should be: {}", fail.what));
                Ok(None)
            }
            Some(fail) => Err(fail.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stop_is_a_command() {
        for stop in &STOPS {
            Cli::try_parse_from(std::iter::once("cargo xtask").chain(stop.words.iter().copied()))
                .unwrap();
        }
    }
}
