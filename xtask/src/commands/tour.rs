//! `tour`: install, sign, verify and inspect as one narrated run.

use anyhow::Result;
use clap::{Args, Parser};
use serde::Serialize;

use crate::app::{Answer, App};
use crate::commands::Cli;
use crate::fail::{Fail, NOT_SO, broken};
use crate::target::PortOptions;
use crate::ui::Style;

/// Install, sign, verify and inspect, with each command shown and explained
#[derive(Debug, Args)]
pub(crate) struct TourCommand {
    /// Do not wait for Enter
    #[arg(long)]
    no_pause: bool,
    /// The ports.
    #[command(flatten)]
    ports: PortOptions,
}

#[derive(Serialize)]
struct Toured {
    stops: usize,
}

/// One stop of the tour.
struct Stop {
    /// Its title.
    title: &'static str,
    /// What to know before, a sentence a line.
    text: &'static [&'static str],
    /// The command, without `cargo xtask`.
    words: &'static [&'static str],
    /// Whether the answer must be yes; the tour shows a refusal, too.
    agrees: bool,
    /// Whether it is about ports.
    takes_ports: bool,
}

const STOPS: [Stop; 8] = [
    Stop {
        title: "1. Look at the machine",
        text: &["Rust and Go, free ports, room on the disk: nothing else is needed."],
        words: &["preflight"],
        agrees: true,
        takes_ports: true,
    },
    Stop {
        title: "2. Install",
        text: &[
            "Sigstore lets anybody verify that an artifact comes from whom it says.",
            "It is a few servers: who you are (Dex), a certificate authority (Fulcio), a log of its \
             certificates (CT log), a log of all signatures (Rekor) and a clock (timestamp authority).",
            "They are built from their sources once, which takes minutes, and start in a second.",
        ],
        words: &["install"],
        agrees: true,
        takes_ports: true,
    },
    Stop {
        title: "3. Sign",
        text: &[
            "No key is managed.",
            "Alice proves who she is to Dex, Fulcio writes her name into a certificate for a key that \
             was made this moment, the key signs the image's digest and is forgotten.",
            "The certificate ends after ten minutes; the entry in Rekor stays.",
        ],
        words: &["sign"],
        agrees: true,
        takes_ports: false,
    },
    Stop {
        title: "4. Verify",
        text: &[
            "A verifier says whom it expects, and who must have vouched for that name.",
            "It needs the image, the signature beside it and the trusted root, and none of the Sigstore servers.",
        ],
        words: &["verify"],
        agrees: true,
        takes_ports: false,
    },
    Stop {
        title: "5. Expect someone else",
        text: &["The same signature does not satisfy who expects another name. That is the point."],
        // None of the users, who may have signed or attested the sample as well.
        words: &["verify", "--identity", "somebody-else@example.com"],
        agrees: false,
        takes_ports: false,
    },
    Stop {
        title: "6. Read the log",
        text: &[
            "Everybody can see what was signed with which identity: Alice too, if it was not her.",
            "Each line with a ✓ is a link of the chain from the image to the log, proved without cosign.",
        ],
        words: &["inspect-rekor"],
        agrees: true,
        takes_ports: false,
    },
    Stop {
        title: "7. Read the certificate",
        text: &["Ten minutes of validity, a name, who vouched for it, and proof of who issued it."],
        words: &["inspect-certificate"],
        agrees: true,
        takes_ports: false,
    },
    Stop {
        title: "8. What runs",
        text: &["The servers, the trusted root that verifiers have, and the keys that are in use."],
        words: &["status"],
        agrees: true,
        takes_ports: false,
    },
];

/// What can be done at the end, and how.
const END: [(&str, &str); 6] = [
    ("sign a file of yours", "cargo xtask sign FILE"),
    ("see the whole ceremony on one page", "cargo xtask report"),
    (
        "use it with any Sigstore client",
        "cargo xtask env, or cargo xtask shell",
    ),
    ("attack it", "cargo xtask lab"),
    (
        "build it yourself, chapter by chapter",
        "cargo xtask reset place, then cargo xtask next",
    ),
    (
        "stop it, or remove it",
        "cargo xtask stop, or cargo xtask uninstall",
    ),
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
            if let Some(fail) = stop.run(app, self.ports)? {
                return Ok(Answer::printed().but(Some(fail)));
            }
            if !self.no_pause {
                app.ui.say("");
                app.ui.pause()?;
            }
        }
        app.ui.say("");
        app.ui.title("What now?");
        for (what, how) in END {
            app.ui.say(format!("  {what}"));
            app.ui.say(app.ui.with_prefix(&format!("    {how}")));
        }
        let stops = STOPS.len();
        Ok(Answer::result(Toured { stops }))
    }
}

impl Stop {
    /// Shows it, and returns why the tour ends here, where it does.
    fn run(&self, app: &App, ports: PortOptions) -> Result<Option<Fail>> {
        app.ui.say("");
        app.ui.title(self.title);
        for line in self.text {
            app.ui.tell(line);
        }
        app.ui.say("");
        let mut words = self.words.to_vec();
        let base = ports.port_base.map(|base| base.to_string());
        if let Some(base) = base.as_deref().filter(|_| self.takes_ports) {
            words.extend(["--port-base", base]);
        }
        let line = format!("$ cargo xtask {}", words.join(" "));
        app.ui.title(&app.ui.with_prefix(&line));
        // Below the commands to type, those that they run: the reader sees cosign
        // at work. The many of `install` are in its dry run.
        let style = app.ui.style();
        let guide = app.restyled(Style {
            commands: style.verbose || self.words[0] != "install",
            brief: !style.verbose,
            ..style
        });
        let words = std::iter::once("cargo xtask").chain(words);
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
                    .tell(format!("refused, as it should be: {}", fail.what));
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
