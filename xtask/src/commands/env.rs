//! `env`: what other clients need to use this Sigstore.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::{Serialize, Serializer};

use crate::app::{Answer, App};
use crate::fail::broken;
use crate::text::quote;

/// Print the variables and flags with which other clients use this Sigstore
#[derive(Debug, Args)]
pub(crate) struct EnvCommand {
    /// For which reader
    #[arg(long, value_enum, default_value_t = Format::Sh)]
    format: Format,
}

/// Who reads the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A POSIX shell: eval "$(cargo xtask env)"
    Sh,
    /// The fish shell: cargo xtask env --format fish | source
    Fish,
    /// A program
    Json,
    /// A GitHub workflow: cargo xtask env --format github >>"$GITHUB_ENV"
    Github,
}

/// How each client is told, in the words of a POSIX shell; `USER` is who signs
/// where nobody is named. A test runs them.
const CLIENTS: [(&str, &[&str]); 4] = [
    (
        "an identity token, for where no browser can open",
        &["cargo xtask step token --as USER --out TOKEN"],
    ),
    (
        "cosign v3",
        &[
            r#""$WORKSHOP_COSIGN" sign-blob --yes --signing-config "$WORKSHOP_SIGNING_CONFIG" --trusted-root "$WORKSHOP_TRUSTED_ROOT" --identity-token TOKEN --bundle FILE.sigstore.json FILE"#,
            r#""$WORKSHOP_COSIGN" verify-blob --trusted-root "$WORKSHOP_TRUSTED_ROOT" --certificate-identity "$WORKSHOP_IDENTITY" --certificate-oidc-issuer "$WORKSHOP_ISSUER" --bundle FILE.sigstore.json FILE"#,
        ],
    ),
    (
        "cosign v3, which takes the trusted root and the signing config by TUF",
        &[
            r#""$WORKSHOP_COSIGN" initialize --mirror "$WORKSHOP_TUF" --root "$WORKSHOP_TUF_ANCHOR""#,
            r#""$WORKSHOP_COSIGN" sign-blob --yes --identity-token TOKEN --bundle FILE.sigstore.json FILE"#,
            r#""$WORKSHOP_COSIGN" verify-blob --certificate-identity "$WORKSHOP_IDENTITY" --certificate-oidc-issuer "$WORKSHOP_ISSUER" --bundle FILE.sigstore.json FILE"#,
        ],
    ),
    (
        "sigstore-python 4",
        &[
            r#"SIGSTORE_IDENTITY_TOKEN="$(cat TOKEN)" sigstore --trust-config "$WORKSHOP_TRUST_CONFIG" sign FILE"#,
            r#"sigstore --trust-config "$WORKSHOP_TRUST_CONFIG" verify identity --cert-identity "$WORKSHOP_IDENTITY" --cert-oidc-issuer "$WORKSHOP_ISSUER" FILE"#,
        ],
    ),
];

/// What another program reads.
#[derive(Serialize)]
struct Environment {
    #[serde(serialize_with = "in_order")]
    env: Vec<(String, String)>,
    #[serde(serialize_with = "in_order")]
    clients: Vec<(&'static str, Vec<String>)>,
}

impl EnvCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let target = app.target()?;
        let user = format!("--as {}", target.default_user());
        let line = |line: &&str| app.ui.with_prefix(&line.replace("--as USER", &user));
        let env = target.env()?;
        // Not every target has every server.
        let tuf = env.iter().any(|(name, _)| name == "WORKSHOP_TUF");
        let clients = CLIENTS.iter();
        let clients = clients.filter(|(_, lines)| tuf || !lines[0].contains("$WORKSHOP_TUF"));
        let environment = Environment {
            env,
            clients: clients
                .map(|(name, lines)| (*name, lines.iter().map(line).collect()))
                .collect(),
        };
        if app.ui.style().json {
            return Ok(Answer::document(environment));
        }
        if self.format == Format::Json {
            app.ui.say(serde_json::to_string_pretty(&environment)?);
            return Ok(Answer::printed());
        }
        for (name, value) in &environment.env {
            app.ui.say(self.format.variable(name, value)?);
        }
        if self.format != Format::Github {
            if let Some(note) = target.env_note() {
                app.ui.say(format!("\n# {}", app.ui.with_prefix(note)));
            }
            for (client, lines) in &environment.clients {
                app.ui.say(format!("\n# {client}:"));
                for line in lines {
                    app.ui.say(format!("#   {line}"));
                }
            }
        }
        Ok(Answer::printed())
    }
}

impl Format {
    /// How the reader is told of a variable.
    fn variable(self, name: &str, value: &str) -> Result<String> {
        if value.contains('\n') {
            return Err(broken(format!("the value of {name} holds a line break")).into());
        }
        Ok(match self {
            Format::Fish => format!("set -gx {name} {}", fish(value)),
            Format::Github => format!("{name}={value}"),
            Format::Sh | Format::Json => format!("export {name}={}", quote(value)),
        })
    }
}

/// Names and values as an object.
fn in_order<S: Serializer, N: Serialize, V: Serialize>(
    pairs: &[(N, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// A word for fish, where only `\` and `'` mean something inside quotes.
fn fish(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
