//! Where clients are tried: an installation with both Rekors, what `env` says of it, and a
//! `PATH` on which each client has the name that `env` calls it by.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::run::{Run, command, end, xtask};
use crate::support::workshop::Workshop;

/// The name of the lines with which cosign signs and verifies files.
const COSIGN: &str = "cosign v3";

/// Signs or verifies a file, in an environment that differs in these variables.
pub type Does<'a> = &'a dyn Fn(&str, &[(&str, String)]) -> Run;

pub struct Desk {
    pub workshop: Workshop,
    env: Value,
    bin: PathBuf,
}

impl Desk {
    pub fn open() -> Desk {
        let workshop = Workshop::installed(&["--rekor", "both"]);
        let env = workshop.run(&["env", "--format", "json"]).ok().out;
        let bin = workshop.temp.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let desk = Desk {
            env: serde_json::from_str(&env).unwrap(),
            workshop,
            bin,
        };
        let xtask = xtask();
        desk.script("cargo", &format!("shift\nexec '{xtask}' \"$@\""));
        let token = desk.lines("an identity token, for where no browser can open");
        desk.types(&token[0], &[], &[]).ok();
        desk
    }

    /// A directory for files.
    pub fn dir(&self) -> &Path {
        self.workshop.temp.path()
    }

    /// Gives a program the name that `env` calls it by.
    pub fn offer(&self, name: &str, program: &Path) {
        symlink(program, self.bin.join(name)).unwrap();
    }

    /// Puts a script under a name.
    pub fn script(&self, name: &str, text: &str) {
        let file = self.bin.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The value of a variable that `env` prints.
    pub fn env(&self, name: &str) -> String {
        let value = self.env["env"][name].as_str();
        value
            .unwrap_or_else(|| panic!("env prints no {name}"))
            .to_owned()
    }

    /// What `env` says that one types for a client.
    pub fn lines(&self, client: &str) -> Vec<String> {
        let lines = self.env["clients"][client].as_array();
        let lines = lines.unwrap_or_else(|| panic!("env has no lines for {client}"));
        let text = |line: &Value| line.as_str().unwrap().to_owned();
        lines.iter().map(text).collect()
    }

    /// Types a line with words in the place of others, where these variables differ from
    /// what `env` prints.
    pub fn types(&self, line: &str, words: &[(&str, &str)], other: &[(&str, String)]) -> Run {
        let mut line = line.to_owned();
        for (word, stands_for) in words {
            line = in_place_of(&line, word, stands_for);
        }
        let mut sh = command(Path::new("sh"), &["-euc", &line]);
        let path = std::env::var("PATH").unwrap();
        let env = self.env["env"].as_object().unwrap();
        sh.current_dir(self.dir())
            .envs(
                env.iter()
                    .map(|(name, value)| (name, value.as_str().unwrap())),
            )
            .env("HOME", self.dir())
            .env("XDG_DATA_HOME", self.dir().join("data"))
            .env("XDG_CACHE_HOME", self.dir().join("cache"))
            .env("PATH", format!("{}:{path}", self.bin.display()))
            .envs(other.iter().map(|(name, value)| (name, value)));
        end(sh)
    }

    /// Writes a file of this name, which holds its name.
    pub fn file(&self, name: &str) {
        std::fs::write(self.dir().join(name), name).unwrap();
    }

    /// What differs for those who have Rekor v1 record.
    pub fn with_v1(&self) -> Vec<(&'static str, String)> {
        let of_v1 = |name| (name, self.env(&format!("{name}_V1")));
        ["WORKSHOP_SIGNING_CONFIG", "WORKSHOP_TRUST_CONFIG"]
            .map(of_v1)
            .into()
    }

    /// cosign signs a file.
    pub fn cosign_signs(&self, file: &str, other: &[(&str, String)]) {
        self.file(file);
        let line = &self.lines(COSIGN)[0];
        self.types(line, &[("FILE", file)], other).ok();
    }

    /// A client that reads bundles verifies what cosign signed, cosign and this program
    /// what the client signed, with either Rekor; and the client refuses what it has to.
    pub fn both_ways(&self, signs: Option<Does<'_>>, verifies: Does<'_>) {
        for (version, other) in [("v2", Vec::new()), ("v1", self.with_v1())] {
            let file = format!("by-cosign-{version}");
            self.cosign_signs(&file, &other);
            verifies(&file, &[]).ok();
            let Some(signs) = signs else { continue };
            let file = format!("by-client-{version}");
            self.file(&file);
            signs(&file, &other).ok();
            verifies(&file, &[]).ok();
            let line = &self.lines(COSIGN)[1];
            self.types(line, &[("FILE", &file)], &[]).ok();
            let file = self.dir().join(file).display().to_string();
            let bundle = format!("{file}.sigstore.json");
            let proved = ["inspect-rekor", "--bundle", &bundle, "--blob", &file];
            self.workshop.run(&proved).ok();
        }
        self.refuses("by-cosign-v2", verifies);
    }

    /// The wrong identity, the wrong issuer and a changed file are refused.
    pub fn refuses(&self, file: &str, verifies: Does<'_>) {
        for (name, wrong) in [
            ("WORKSHOP_IDENTITY", "mallory@example.com"),
            ("WORKSHOP_ISSUER", "http://127.0.0.1:1/dex"),
        ] {
            let refused = verifies(file, &[(name, wrong.to_owned())]);
            assert_ne!(refused.exit, 0, "{wrong}: {}", refused.seen());
        }
        std::fs::write(self.dir().join(file), "changed").unwrap();
        let refused = verifies(file, &[]);
        assert_ne!(refused.exit, 0, "{}", refused.seen());
        self.file(file);
        verifies(file, &[]).ok();
    }

    /// A client that takes the trusted root by TUF verifies what was signed before and
    /// after keys turn, and is told nothing.
    pub fn outlives_rotations(&self, verifies: Does<'_>) {
        self.cosign_signs("before", &[]);
        verifies("before", &[]).ok();
        for key in ["fulcio", "tuf"] {
            self.workshop.run(&["rotate", key]).ok();
            let after = format!("after-{key}");
            self.cosign_signs(&after, &[]);
            verifies("before", &[]).ok();
            verifies(&after, &[]).ok();
        }
    }
}

/// A line with another word in the place of a whole word.
fn in_place_of(line: &str, word: &str, other: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut made = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let whole = !before.ends_with(part) && !after.starts_with(part);
        made += before;
        made += if whole { other } else { word };
        rest = after;
    }
    made + rest
}
