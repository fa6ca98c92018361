//! What a job in CI runs, as it stands: the shell steps of `action.yml`, and the script that
//! the documentation has for GitLab.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::pages::Page;
use crate::support::repo::repository;
use crate::support::run::{Run, end, xtask};
use crate::support::workshop::Workshop;

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

fn of_repository(name: &str) -> String {
    std::fs::read_to_string(repository().join(name)).unwrap()
}

/// Every action that a text uses, with its commit.
fn used(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split("uses: ").nth(1));
    let pin = |line: &str| {
        let (action, rest) = line.split_once('@').unwrap();
        let commit = rest.split_whitespace().next().unwrap();
        assert!(
            commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
            "{line}"
        );
        assert!(rest.contains(" # v"), "{line}: no version");
        (action.to_owned(), rest.to_owned())
    };
    lines.map(pin).collect()
}

/// A machine on which a job runs: a Sigstore of its own, and a `cargo` that has compiled.
struct Machine {
    workshop: Workshop,
    dir: PathBuf,
}

impl Machine {
    fn new() -> Machine {
        // The first of a machine builds the servers.
        Workshop::installed(&[]);
        let workshop = Workshop::empty();
        let dir = workshop.temp.path().canonicalize().unwrap();
        let bin = dir.join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::create_dir(dir.join("job")).unwrap();
        symlink(repository(), dir.join("sigstore-workshop")).unwrap();
        let program = format!(
            "#!/bin/sh\n[ \"$1\" = xtask ] || exit 9\nshift\nexec '{}' \"$@\"\n",
            xtask()
        );
        std::fs::write(bin.join("cargo"), program).unwrap();
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("cargo"), executable).unwrap();
        Machine { workshop, dir }
    }

    /// Runs a script as both systems do: in bash, which ends at the first failure.
    fn runs(&self, script: &str, at: &Path, env: &[(&str, &str)]) -> Run {
        let mut shell = Command::new("bash");
        let path = std::env::var("PATH").unwrap();
        shell
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(at)
            .env("PATH", format!("{}:{path}", self.dir.join("bin").display()))
            .env("WORKSHOP_STATE", &self.workshop.state)
            .env("CARGO_MANIFEST_DIR", repository().join("xtask"))
            .env("GITHUB_ENV", self.dir.join("env"))
            .env("GITHUB_OUTPUT", self.dir.join("output"))
            .env("RUNNER_TEMP", &self.dir);
        for (name, value) in env {
            shell.env(name, value);
        }
        end(shell).ok()
    }
}

/// Signs and verifies a file with the variables of the job.
const SIGNS: &str = r#"
echo "a program" >app
cargo xtask step token --as alice --out "$RUNNER_TEMP/token"
"$WORKSHOP_COSIGN" sign-blob --yes --identity-token "$RUNNER_TEMP/token" --signing-config "$WORKSHOP_SIGNING_CONFIG" --trusted-root "$WORKSHOP_TRUSTED_ROOT" --bundle app.sigstore.json app
"$WORKSHOP_COSIGN" verify-blob --trusted-root "$WORKSHOP_TRUSTED_ROOT" --certificate-identity "$WORKSHOP_IDENTITY" --certificate-oidc-issuer "$WORKSHOP_ISSUER" --bundle app.sigstore.json app
"#;

#[test]
fn the_shell_steps_of_the_action_install_a_sigstore() {
    let text = of_repository("action.yml");
    let action = yaml(&text);
    assert_eq!(action["runs"]["using"], "composite");
    let ours = used(&text);
    let ci = used(&of_repository(".github/workflows/ci.yml"));
    for (action, commit) in &ours {
        assert!(
            ci.get(action).is_none_or(|other| other == commit),
            "{action}"
        );
    }
    assert_eq!(ours.len(), 2, "{ours:?}");
    let machine = Machine::new();
    let base = machine.workshop.ports.base.to_string();
    let inputs = action["inputs"].as_object().unwrap();
    // What GitHub puts into a value, with another port than the usual one.
    let filled = |value: &str| {
        let mut value = value.replace("${{ github.action_path }}", repository().to_str().unwrap());
        for (name, input) in inputs {
            let default = input["default"].as_str().unwrap();
            let chosen = if name == "port-base" { &base } else { default };
            value = value.replace(&format!("${{{{ inputs.{name} }}}}"), chosen);
        }
        assert!(!value.contains("${{"), "{value}");
        value
    };
    let mut ran = 0;
    for step in action["runs"]["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else {
            continue;
        };
        assert_eq!(step["shell"], "bash", "a composite action has to say so");
        assert!(
            !script.contains("${{"),
            "an input in a script is a script: {script}"
        );
        let at = filled(step["working-directory"].as_str().unwrap());
        let env = step["env"].as_object().into_iter().flatten();
        let env: Vec<(&str, String)> = env
            .map(|(name, value)| (name.as_str(), filled(value.as_str().unwrap())))
            .collect();
        let env: Vec<(&str, &str)> = env.iter().map(|(n, v)| (*n, v.as_str())).collect();
        machine.runs(script, Path::new(&at), &env);
        ran += 1;
    }
    assert_eq!(ran, 3);
    let output = std::fs::read_to_string(machine.dir.join("output")).unwrap();
    let hash = output.trim().strip_prefix("hash=").unwrap();
    assert_eq!(hash.len(), 40, "{output}");
    assert!(text.contains("steps.sources.outputs.hash }}"));
    let set = std::fs::read_to_string(machine.dir.join("env")).unwrap();
    let set: Vec<(&str, &str)> = set
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .collect();
    assert!(
        set.iter().any(|(name, _)| *name == "WORKSHOP_XTASK"),
        "{set:?}"
    );
    machine.runs(SIGNS, &machine.dir.join("job"), &set);
}

#[test]
fn the_script_for_gitlab_installs_a_sigstore() {
    let page = Page::read("docs/ci.md").text;
    let block = page.split("## GitLab").nth(1).unwrap();
    let block = block.split("```yaml\n").nth(1).unwrap();
    let job = yaml(block.split("```").next().unwrap())["test"].clone();
    let kept = job["cache"]["paths"][0].as_str().unwrap();
    for directory in job["variables"].as_object().unwrap().values() {
        let directory = directory.as_str().unwrap();
        assert!(
            directory.starts_with(&format!("$CI_PROJECT_DIR/{kept}/")),
            "{directory}"
        );
    }
    let machine = Machine::new();
    let lines = job["script"].as_array().unwrap().iter();
    let mut lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    assert_eq!(lines.pop(), Some("./test-of-yours"));
    let script = format!("{}\n{SIGNS}", lines.join("\n"));
    let base = machine.workshop.ports.base.to_string();
    let env = [("WORKSHOP_PORT_BASE", base.as_str())];
    machine.runs(&script, &machine.dir.join("job"), &env);
}
