//! The keys of an installation: which are in use, and since when.

use serde::Serialize;
use serde_json::Value;

/// A key that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct KeyInUse {
    /// What it is the key of: `fulcio`.
    pub key: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// How many came before it.
    pub former: usize,
}

/// The lists of a trusted root (`sigstore_trustroot.proto`), what their keys are called
/// here, and where in an entry the period is in which it counts.
const LISTS: [(&str, &str, &str); 4] = [
    ("certificateAuthorities", "fulcio", "/validFor"),
    ("timestampAuthorities", "timestamp", "/validFor"),
    ("ctlogs", "ctlog", "/publicKey/validFor"),
    ("tlogs", "rekor", "/publicKey/validFor"),
];

/// The keys of a trusted root that have no end. `server_at` names the server at an address
/// (`baseUrl` or `uri`) of the trusted root, where it is known.
pub(crate) fn keys_in_use(
    root: &Value,
    server_at: impl Fn(&str) -> Option<&'static str>,
) -> Vec<KeyInUse> {
    let mut keys = Vec::new();
    for (list, key, period) in LISTS {
        let called = |entry: &Value| {
            let address = entry["baseUrl"].as_str().or(entry["uri"].as_str());
            address.and_then(&server_at).unwrap_or(key)
        };
        let all = root[list].as_array().into_iter().flatten();
        let all = all.filter_map(|entry| Some((called(entry), entry.pointer(period)?)));
        let (former, used): (Vec<_>, Vec<_>) =
            all.partition(|(_, period)| period.get("end").is_some());
        keys.extend(used.into_iter().map(|(key, period)| KeyInUse {
            key: key.to_owned(),
            since: period["start"].as_str().unwrap_or_default().to_owned(),
            former: former.iter().filter(|(of, _)| *of == key).count(),
        }));
    }
    keys
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_with_an_end_came_before() {
        let ended = json!({"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"});
        let used = json!({"start": "2026-02-01T00:00:00Z"});
        let root = json!({
            "certificateAuthorities": [{"validFor": ended}, {"validFor": used}],
            "tlogs": [
                {"publicKey": {"validFor": ended}, "baseUrl": "http://a"},
                {"publicKey": {"validFor": used}, "baseUrl": "http://a"},
                {"publicKey": {"validFor": used}, "baseUrl": "http://b"},
            ],
        });
        let found = keys_in_use(&root, |url| (url == "http://b").then_some("rekor-v2"));
        let names: Vec<_> = found
            .iter()
            .map(|key| (key.key.as_str(), key.former))
            .collect();
        assert_eq!(names, [("fulcio", 1), ("rekor", 1), ("rekor-v2", 0)]);
        assert_eq!(found[0].since, "2026-02-01T00:00:00Z");
    }
}
