//! `env`: what other clients need to use this Sigstore.

use std::sync::LazyLock;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize, Serializer};

use crate::app::{Answer, App};
use crate::fail::broken;
use crate::text::quote;

/// Print the variables and flags with which other clients use this Sigstore
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  eval \"$(cargo xtask env)\"
  cargo xtask env --format fish | source
  cargo xtask env --format github >>\"$GITHUB_ENV\"")]
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

/// How a client is told, in the words of a POSIX shell.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
struct Client {
    /// What it is called.
    client: String,
    /// What is typed.
    lines: Vec<String>,
    /// Variables that must be there though no line names them.
    #[serde(default)]
    needs: Vec<String>,
}

/// All clients. The file is part of the program, so that a mistake in it is a failed test
/// and never an error a user sees.
static CLIENTS: LazyLock<Vec<Client>> =
    LazyLock::new(|| serde_yaml::from_str(include_str!("../clients.yml")).unwrap_or_default());

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
        let line = |line: &String| app.ui.with_prefix(&line.replace("--as USER", &user));
        let env = target.env()?;
        let clients = CLIENTS.iter().filter(|client| client.is_for(&env));
        let environment = Environment {
            clients: clients
                .map(|client| {
                    let lines = client.lines.iter().map(line).collect();
                    (client.client.as_str(), lines)
                })
                .collect(),
            env,
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
                app.ui.say("");
                app.ui.script(&format!("# {}", app.ui.with_prefix(note)));
            }
            for (client, lines) in &environment.clients {
                app.ui.say("");
                app.ui.script(&format!("# {client}:"));
                for line in lines {
                    app.ui.script(&format!("#   {line}"));
                }
            }
        }
        Ok(Answer::printed())
    }
}

impl Client {
    /// Whether all variables in its lines are there: not every target has every server. A
    /// cosign may come later, so it is not asked for.
    fn is_for(&self, env: &[(String, String)]) -> bool {
        let named = self.lines.iter().flat_map(|line| line.split('$').skip(1));
        let mut named = named.filter(|rest| rest.starts_with("WORKSHOP_"));
        let there = |name: &str| env.iter().any(|(there, _)| there == name);
        let of_lines = named.all(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            name == "WORKSHOP_COSIGN" || there(name)
        });
        of_lines && self.needs.iter().all(|name| there(name))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let clients: Vec<Client> = serde_yaml::from_str(include_str!("../clients.yml")).unwrap();
        assert!(clients.iter().all(|client| !client.lines.is_empty()));
        assert_eq!(clients.len(), CLIENTS.len());
    }

    #[test]
    fn a_client_is_for_those_who_have_its_variables() {
        let client = Client {
            client: "one".to_owned(),
            lines: vec![r#"one "$WORKSHOP_A/x" $WORKSHOP_B "$TUF_ROOT""#.to_owned()],
            needs: Vec::new(),
        };
        let env = |names: &[&str]| -> Vec<(String, String)> {
            let pair = |name: &&str| ((*name).to_owned(), String::new());
            names.iter().map(pair).collect()
        };
        assert!(client.is_for(&env(&["WORKSHOP_A", "WORKSHOP_B"])));
        assert!(!client.is_for(&env(&["WORKSHOP_A", "WORKSHOP_BB"])));
        let needs = vec!["WORKSHOP_C".to_owned()];
        let client = Client { needs, ..client };
        assert!(!client.is_for(&env(&["WORKSHOP_A", "WORKSHOP_B"])));
    }
}
