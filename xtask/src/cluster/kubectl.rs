//! kubectl on one cluster: what it is asked, and what it is told.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use super::object::Object;
use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::plan::{Command, Word};
use crate::words;

/// How long kubectl waits for the API server to answer one request.
const REQUEST: &str = "--request-timeout=20s";

/// How objects are applied: the server merges, and remembers who set what.
const APPLY: [&str; 4] = [
    "apply",
    "--server-side",
    "--field-manager",
    "sigstore-workshop",
];

/// kubectl with the context of one cluster and the manifests of one repository.
#[derive(Debug, Clone)]
pub(crate) struct Kubectl {
    pub(super) context: String,
    pub(super) repo: PathBuf,
}

impl Kubectl {
    /// A call that may take its time.
    pub(crate) fn command(&self, words: Vec<Word>) -> Command {
        let context = words!["--context", &self.context];
        Command::new([words!["kubectl"], words, context].concat())
    }

    /// A question, which the API server must answer soon.
    pub(crate) fn query(&self, words: Vec<Word>) -> Command {
        self.command([words, words![REQUEST]].concat())
    }

    /// What kubectl prints as an answer to a question.
    pub(crate) fn ask(&self, words: Vec<Word>) -> Result<String> {
        output_of(&self.query(words), None)
    }

    /// What kubectl prints as JSON, which is always an object.
    pub(crate) fn get_json(&self, words: Vec<Word>) -> Result<Value> {
        json(&self.ask(words)?)
    }

    /// All objects that some words choose, of a kind that every cluster has.
    pub(crate) fn get_all(&self, words: Vec<Word>) -> Result<Vec<Object>> {
        let all = [words!["get"], words, words!["--output=json"]].concat();
        Ok(items(self.get_json(all)?))
    }

    /// An object; `None` where there is none of that name, or not even of that kind.
    /// The namespace is empty for what has none.
    pub(crate) fn get(&self, namespace: &str, object: &str) -> Result<Option<Object>> {
        let found = self.get_with(object, &in_namespace(namespace))?;
        Ok(found.map(Object::from_json))
    }

    /// All objects of some kinds (`pods,jobs`) in a namespace.
    pub(crate) fn list(&self, namespace: &str, kinds: &str) -> Result<Vec<Object>> {
        self.list_with(kinds, &in_namespace(namespace))
    }

    /// All objects of some kinds that other options of `kubectl get` choose.
    pub(crate) fn list_with(&self, kinds: &str, options: &[&str]) -> Result<Vec<Object>> {
        Ok(items(self.get_with(kinds, options)?.unwrap_or_default()))
    }

    fn get_with(&self, object: &str, options: &[&str]) -> Result<Option<Value>> {
        let mut words = words!["get", object];
        words.extend(options.iter().map(|option| Word::from(*option)));
        words.extend(words!["--ignore-not-found", "--output=json"]);
        let text = match self.ask(words) {
            Ok(text) => text,
            Err(error) => {
                let unknown = "the server doesn't have a resource type";
                if Fail::from_error(&error).says(unknown) {
                    return Ok(None);
                }
                return Err(error);
            }
        };
        if text.trim().is_empty() {
            return Ok(None);
        }
        json(&text).map(Some)
    }

    /// Applies an object (server-side), handed over on standard input.
    pub(crate) fn apply(&self, object: &Value) -> Result<()> {
        let words = [APPLY.map(Word::from).into(), words!["--filename", "-"]].concat();
        self.hand_over(&self.command(words), object)
    }

    /// Changes parts of an object that others made (a merge patch), handed over on
    /// standard input. Whoever owns the rest of it goes on to do so.
    pub(crate) fn patch(&self, namespace: &str, object: &str, change: &Value) -> Result<()> {
        let words = words!["patch", object, "--namespace", namespace];
        let how = words!["--type", "merge", "--patch-file", "/dev/stdin"];
        self.hand_over(&self.query([words, how].concat()), change)
    }

    /// The same, where lists of objects are merged by what names their items (a strategic
    /// merge patch).
    pub(crate) fn patch_lists(&self, namespace: &str, object: &str, change: &Value) -> Result<()> {
        let words = words!["patch", object, "--namespace", namespace];
        let how = words!["--type", "strategic", "--patch-file", "/dev/stdin"];
        self.hand_over(&self.query([words, how].concat()), change)
    }

    /// Deletes an object, where it is there.
    pub(crate) fn remove(&self, namespace: &str, object: &str) -> Result<()> {
        let delete = self.delete(words![object, "--namespace", namespace]);
        output_of(&delete, None).map(drop)
    }

    /// Creates an object, handed over on standard input. Of two who do so at once, the
    /// first one's counts.
    pub(crate) fn create(&self, object: &Value) -> Result<()> {
        let create = self.query(words!["create", "--filename", "-"]);
        match self.hand_over(&create, object) {
            Err(error) if !Fail::from_error(&error).says("AlreadyExists") => Err(error),
            _ => Ok(()),
        }
    }

    fn hand_over(&self, command: &Command, object: &Value) -> Result<()> {
        output_of(command, Some(object.to_string().as_bytes())).map(drop)
    }

    /// How manifests of the repository are applied.
    pub(crate) fn apply_manifests(&self, files: &[&str]) -> Command {
        let mut words = Vec::from(APPLY.map(Word::from));
        for file in files {
            words.extend(words!["--filename", self.repo.join(file)]);
        }
        self.command(words)
    }

    /// Whether the API server, and the webhooks that it asks, would take a manifest of
    /// the repository.
    pub(crate) fn accepts(&self, file: &str) -> bool {
        let mut words = Vec::from(APPLY.map(Word::from));
        words.extend(words![
            "--dry-run=server",
            "--filename",
            self.repo.join(file)
        ]);
        self.ask(words).is_ok()
    }

    /// A deletion that does not wait for ever: by itself kubectl would wait a week.
    pub(crate) fn delete(&self, words: Vec<Word>) -> Command {
        let all = [
            words!["delete"],
            words,
            words!["--ignore-not-found", "--timeout=300s"],
        ];
        self.command(all.concat())
    }
}

/// The context that kubectl uses where none is named.
pub(super) fn current_context() -> Result<String, Fail> {
    let command = Command::new(words!["kubectl", "config", "current-context"]);
    match output_of(&command, None) {
        Ok(name) if !name.trim().is_empty() => Ok(name.trim().to_owned()),
        Ok(_) => Err(no_context()),
        Err(error) => {
            let fail = Fail::from_error(&error);
            let not_set = fail.says("current-context is not set");
            Err(if not_set { no_context() } else { fail })
        }
    }
}

fn no_context() -> Fail {
    broken("kubectl has no current context, so no cluster is known")
        .hint("see which there are: kubectl config get-contexts")
        .hint("name one: --context NAME, or start one: cargo xtask minikube")
}

fn in_namespace(namespace: &str) -> Vec<&str> {
    match namespace {
        "" => Vec::new(),
        name => vec!["--namespace", name],
    }
}

/// The objects of a list.
fn items(mut list: Value) -> Vec<Object> {
    let items = list["items"].as_array_mut().map(std::mem::take);
    let items = items.unwrap_or_default().into_iter();
    items.map(Object::from_json).collect()
}

fn json(text: &str) -> Result<Value> {
    let value: Value = serde_json::from_str(text).context("kubectl printed no JSON")?;
    if value.is_object() {
        return Ok(value);
    }
    Err(broken("kubectl printed no object").into())
}
