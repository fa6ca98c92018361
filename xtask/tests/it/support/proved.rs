//! What `inspect-rekor` and `inspect-certificate` say of a proof.

use serde_json::Value;

use super::recorded::file;
use super::run::Run;
use super::world::World;

/// Inspects bundles where nothing was ever installed.
pub fn offline(world: &World, line: &str) -> Run {
    let root = file("trusted_root.json");
    let run = world.run(&format!(
        "{line} --trusted-root {}",
        shlex::try_quote(root.to_str().unwrap()).unwrap()
    ));
    assert!(!world.state.exists(), "something was left");
    run
}

/// Names of the checks in a document, those that hold and those that do not.
pub fn checks(document: &Value) -> (Vec<String>, Vec<String>) {
    let all = document["checks"].as_array().unwrap().iter();
    let (good, bad): (Vec<&Value>, Vec<&Value>) = all.partition(|check| check["ok"] == true);
    let names = |checks: Vec<&Value>| -> Vec<String> {
        let name = |check: &Value| check["name"].as_str().unwrap().to_owned();
        checks.into_iter().map(name).collect()
    };
    (names(good), names(bad))
}
