//! YAML documents: read, laid over each other, and with a text filled in.

use std::path::Path;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_yaml::Value;

use crate::fail::{Fail, broken};
use crate::state;

/// A YAML file.
pub fn read(file: &Path) -> Result<Value> {
    let text =
        state::read(file)?.ok_or_else(|| broken(format!("there is no file {}", file.display())))?;
    Ok(parse(&text).map_err(|fail| Fail {
        what: format!("{}: {}", file.display(), fail.what),
        ..fail
    })?)
}

/// A YAML document.
pub(crate) fn parse(text: &[u8]) -> Result<Value, Fail> {
    serde_yaml::from_slice(text).map_err(|error| broken(format!("that is no YAML: {error}")))
}

/// The documents of a YAML file.
pub(crate) fn read_all(file: &Path) -> Result<Vec<Value>> {
    let text =
        state::read(file)?.ok_or_else(|| broken(format!("there is no file {}", file.display())))?;
    let documents = serde_yaml::Deserializer::from_slice(&text);
    let read = documents.map(Value::deserialize).collect::<Result<_, _>>();
    Ok(read.map_err(|error| broken(format!("{}: that is no YAML: {error}", file.display())))?)
}

/// Lays one document over another, as helm does with values: mappings are
/// merged, all else is replaced, and null removes.
pub fn merge(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Mapping(below), Value::Mapping(above)) => {
            for (key, value) in above {
                if value.is_null() {
                    below.remove(&key);
                } else if let Some(old) = below.get_mut(&key) {
                    merge(old, value);
                } else {
                    below.insert(key, value);
                }
            }
        }
        (below, above) => *below = above,
    }
}

/// The same with values that are JSON, of which none is null.
pub(crate) fn merge_json(below: &mut Json, above: Json) {
    match (below, above) {
        (Json::Object(below), Json::Object(above)) => {
            for (key, value) in above {
                merge_json(below.entry(key).or_insert(Json::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

/// Values with a text in place of a placeholder, in keys as well.
pub(crate) fn filled(values: Value, placeholder: &str, text: &str) -> Value {
    let fill = |value| filled(value, placeholder, text);
    match values {
        Value::String(value) => Value::String(value.replace(placeholder, text)),
        Value::Sequence(list) => Value::Sequence(list.into_iter().map(fill).collect()),
        Value::Mapping(map) => Value::Mapping(
            map.into_iter()
                .map(|(key, value)| (fill(key), fill(value)))
                .collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Value {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_overlay_adds_replaces_and_removes() {
        let mut below = document("{a: {b: 1, c: [1, 2], d: 3}, e: 4}");
        merge(&mut below, document("{a: {b: 5, c: [6], d: null}, f: 7}"));
        assert_eq!(below, document("{a: {b: 5, c: [6]}, e: 4, f: 7}"));
    }
}
