//! The files themselves.

use serde::Deserialize;
use serde_json::Value;

use crate::support::repo::repository;

pub struct File {
    /// `verify/job-sign.yml`
    pub name: String,
    pub text: String,
    pub documents: Vec<Value>,
}

/// Everything that is YAML in `deploy/` and `verify/`.
pub fn all() -> Vec<File> {
    let mut files = Vec::new();
    for dir in ["deploy", "verify"] {
        for entry in std::fs::read_dir(repository().join(dir)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "yml") {
                files.push(read(&format!(
                    "{dir}/{}",
                    path.file_name().unwrap().to_str().unwrap()
                )));
            }
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(files.len() >= 13, "there are only {} files", files.len());
    files
}

/// Those that kubectl applies.
pub fn manifests() -> Vec<File> {
    let mut files = all();
    files.retain(|file| !file.name.ends_with("-values.yml") && file.name != "deploy/versions.yml");
    files
}

pub fn read(name: &str) -> File {
    let text = std::fs::read_to_string(repository().join(name)).unwrap();
    let documents = parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    File {
        name: name.to_owned(),
        text,
        documents,
    }
}

/// The documents of a YAML text. A key that is there twice is an error, which it
/// is not for everybody who reads YAML.
pub fn parse(text: &str) -> Result<Vec<Value>, serde_yaml::Error> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| {
            let document = serde_yaml::Value::deserialize(document)?;
            Ok(serde_json::to_value(document).unwrap())
        })
        .collect()
}

#[test]
fn every_file_parses_and_says_what_it_is_for() {
    for file in all() {
        let comment: Vec<&str> = file
            .text
            .lines()
            .map_while(|line| line.strip_prefix('#'))
            .collect();
        let comment = comment.join(" ");
        let sentence = comment.trim().starts_with(|c: char| c.is_ascii_uppercase());
        assert!(
            sentence && comment.len() > 80,
            "{} does not begin with a comment that says what it is for",
            file.name
        );
        assert!(
            file.documents.iter().all(Value::is_object),
            "{} has a document that is empty",
            file.name
        );
        // Who never starts `cargo xtask` types what the comment shows.
        let typed = match file.name.as_str() {
            "deploy/versions.yml" => continue,
            values if values.ends_with("-values.yml") => "helm upgrade",
            _ => "kubectl apply -f",
        };
        assert!(
            comment.contains(typed) && comment.contains(&file.name),
            "the comment of {} does not show how to use it",
            file.name
        );
    }
    assert!(parse("a: 1\na: 2\n").is_err());
}
