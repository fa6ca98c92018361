//! `env`: what other clients need to use this Sigstore.

use anyhow::Result;
use serde_json::{Value, json};

use super::App;
use crate::cli::EnvFormat;
use crate::fail::broken;
use crate::text::quote;
use crate::ui::typed;

/// How each client is told, in the words of a POSIX shell; `USER` is who signs
/// where nobody is named. A test runs them.
const CLIENTS: [(&str, &[&str]); 3] = [
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
        "sigstore-python 4",
        &[
            r#"SIGSTORE_IDENTITY_TOKEN="$(cat TOKEN)" sigstore --trust-config "$WORKSHOP_TRUST_CONFIG" sign FILE"#,
            r#"sigstore --trust-config "$WORKSHOP_TRUST_CONFIG" verify identity --cert-identity "$WORKSHOP_IDENTITY" --cert-oidc-issuer "$WORKSHOP_ISSUER" FILE"#,
        ],
    ),
];

pub fn run(app: &App, format: EnvFormat) -> Result<Option<Value>> {
    let target = app.target()?;
    let variables = target.env()?;
    let line =
        |line: &str| typed(&line.replace("--as USER", &format!("--as {}", target.default_user())));
    if format == EnvFormat::Json || app.ui.style().json {
        let env: serde_json::Map<_, _> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let clients: serde_json::Map<_, _> = CLIENTS
            .iter()
            .map(|(name, lines)| {
                let lines: Vec<String> = lines.iter().map(|text| line(text)).collect();
                ((*name).to_owned(), json!(lines))
            })
            .collect();
        let document = json!({"env": env, "clients": clients});
        if app.ui.style().json {
            app.ui.event(&document);
        } else {
            app.ui.say(serde_json::to_string_pretty(&document)?);
        }
        return Ok(None);
    }
    for (name, value) in &variables {
        if value.contains('\n') {
            return Err(broken(format!("the value of {name} holds a line break")).into());
        }
        app.ui.say(match format {
            EnvFormat::Fish => format!("set -gx {name} {}", fish(value)),
            EnvFormat::Github => format!("{name}={value}"),
            EnvFormat::Sh | EnvFormat::Json => format!("export {name}={}", quote(value)),
        });
    }
    if format != EnvFormat::Github {
        if let Some(note) = target.env_note() {
            app.ui.say(format!("\n# {}", typed(note)));
        }
        for (client, lines) in CLIENTS {
            app.ui.say(format!("\n# {client}:"));
            for text in lines {
                app.ui.say(format!("#   {}", line(text)));
            }
        }
    }
    Ok(None)
}

/// A word for fish, where only `\` and `'` mean something inside quotes.
fn fish(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
