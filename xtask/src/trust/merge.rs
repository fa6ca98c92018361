//! A trusted root that forgets nothing: what was trusted before stays, and counts until
//! the moment at which it was replaced.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The lists of a trusted root (`sigstore_trustroot.proto`), where in an entry its
/// identity is, and in which object the period in which it counts.
const LISTS: [(&str, &str, &str); 4] = [
    ("tlogs", "/publicKey/rawBytes", "/publicKey"),
    ("certificateAuthorities", "/certChain", ""),
    ("timestampAuthorities", "/certChain", ""),
    ("ctlogs", "/publicKey/rawBytes", "/publicKey"),
];

/// A trusted root of what is in use now, with what roots of before name: keys and
/// authorities that are in use no longer end `now` (RFC 3339, UTC), or when they were
/// first said to. What was there before counts from when it first did. In the lists that
/// `turning` names, what is in use no longer goes on: its server may still sign with it.
pub(crate) fn merged(before: &[Value], mut made: Value, now: &str, turning: &[&str]) -> Value {
    for (list, identity, period) in LISTS {
        let mut former: BTreeMap<String, Value> = BTreeMap::new();
        let entries = before.iter().filter_map(|root| root[list].as_array());
        let entries = entries.flatten();
        for entry in entries.filter(|entry| time(entry, period, "start").is_some()) {
            let key = entry.pointer(identity).unwrap_or(&Value::Null).to_string();
            let known = former.entry(key).or_insert_with(|| entry.clone());
            earlier(known, entry, period, "start");
            earlier(known, entry, period, "end");
        }
        let mut used = Vec::new();
        let own = made.get_mut(list).and_then(Value::as_array_mut);
        for entry in own.into_iter().flatten() {
            let key = entry.pointer(identity).unwrap_or(&Value::Null).to_string();
            if let Some(known) = former.remove(&key) {
                let start = time(&known, period, "start").unwrap_or_default();
                set(entry, period, "start", &start);
            }
            used.push(entry.clone());
        }
        let mut all: Vec<Value> = former.into_values().collect();
        for entry in &mut all {
            if time(entry, period, "end").is_none() && !turning.contains(&list) {
                set(entry, period, "end", now);
            }
        }
        // The oldest first, as they were made; of one time by their text.
        all.sort_by_key(|entry| (time(entry, period, "start"), entry.to_string()));
        all.extend(used);
        if !all.is_empty() {
            made[list] = json!(all);
        }
    }
    made
}

/// A time of the period of an entry.
fn time(entry: &Value, period: &str, name: &str) -> Option<String> {
    let time = entry.pointer(period)?["validFor"][name].as_str();
    time.map(str::to_owned)
}

/// Sets a time of the period of an entry that has one.
fn set(entry: &mut Value, period: &str, name: &str, time: &str) {
    if let Some(holder) = entry.pointer_mut(period) {
        holder["validFor"][name] = json!(time);
    }
}

/// Takes over a time of another entry's period, where it is earlier or the only one. In
/// RFC 3339 and UTC, the order of texts is that of times.
fn earlier(entry: &mut Value, other: &Value, period: &str, name: &str) {
    let own = time(entry, period, name);
    let other = time(other, period, name);
    if let Some(time) = other.filter(|time| own.is_none_or(|own| *time < own)) {
        set(entry, period, name, &time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(logs: &[(&str, &str, Option<&str>)]) -> Value {
        let log = |(key, start, end): &(&str, &str, Option<&str>)| {
            let mut log = json!({"publicKey": {"rawBytes": key, "validFor": {"start": start}}});
            if let Some(end) = end {
                log["publicKey"]["validFor"]["end"] = json!(end);
            }
            log
        };
        json!({"tlogs": logs.iter().map(log).collect::<Vec<_>>()})
    }

    #[test]
    fn what_was_replaced_stays_and_ends() {
        let first = root(&[("a", "2026-01-01T00:00:00Z", None)]);
        let second = root(&[("b", "2026-02-01T00:00:00Z", None)]);
        let both = merged(&[first], second.clone(), "2026-02-02T00:00:00Z", &[]);
        let wanted = root(&[
            ("a", "2026-01-01T00:00:00Z", Some("2026-02-02T00:00:00Z")),
            ("b", "2026-02-01T00:00:00Z", None),
        ]);
        assert_eq!(both, wanted);
        // Made again of the same, it stays as it is.
        let again = merged(
            std::slice::from_ref(&both),
            second,
            "2026-03-03T00:00:00Z",
            &[],
        );
        assert_eq!(again, both);
    }

    /// While a key turns, its server may still sign with it.
    #[test]
    fn what_turns_has_no_end_yet() {
        let before = [root(&[("a", "2026-01-01T00:00:00Z", None)])];
        let made = root(&[("b", "2026-02-01T00:00:00Z", None)]);
        let now = "2026-02-02T00:00:00Z";
        let both = merged(&before, made.clone(), now, &["tlogs"]);
        let wanted = root(&[
            ("a", "2026-01-01T00:00:00Z", None),
            ("b", "2026-02-01T00:00:00Z", None),
        ]);
        assert_eq!(both, wanted);
        // Whatever is said of it later, it counts from when it first did.
        let later = root(&[("b", "2026-01-15T00:00:00Z", None)]);
        let ended = merged(&[both], later, now, &["ctlogs"]);
        let wanted = root(&[
            ("a", "2026-01-01T00:00:00Z", Some(now)),
            ("b", "2026-02-01T00:00:00Z", None),
        ]);
        assert_eq!(ended, wanted);
    }

    /// The period of an authority is its own, and that of a log its key's.
    #[test]
    fn every_kind_of_key_stays() {
        let root = |name: &str| {
            let valid_for = json!({"start": "2026-01-01T00:00:00Z"});
            let log = json!([{"publicKey": {"rawBytes": name, "validFor": valid_for}}]);
            let authority = json!([{"certChain": name, "validFor": valid_for}]);
            json!({
                "tlogs": log,
                "ctlogs": log,
                "certificateAuthorities": authority,
                "timestampAuthorities": authority,
            })
        };
        let both = merged(&[root("old")], root("new"), "2026-02-02T00:00:00Z", &[]);
        for (list, _, period) in LISTS {
            let ends = [0, 1].map(|i| time(&both[list][i], period, "end"));
            assert_eq!(
                ends,
                [Some("2026-02-02T00:00:00Z".to_owned()), None],
                "{list}"
            );
        }
    }

    #[test]
    fn two_memories_are_one() {
        let here = root(&[("a", "2026-01-01T00:00:00Z", Some("2026-03-01T00:00:00Z"))]);
        let there = root(&[
            ("a", "2026-01-02T00:00:00Z", Some("2026-02-01T00:00:00Z")),
            ("b", "2026-02-01T00:00:00Z", None),
        ]);
        let made = root(&[("c", "2026-04-01T00:00:00Z", None)]);
        let wanted = root(&[
            ("a", "2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z")),
            ("b", "2026-02-01T00:00:00Z", Some("2026-05-01T00:00:00Z")),
            ("c", "2026-04-01T00:00:00Z", None),
        ]);
        let before = [here, there];
        assert_eq!(
            merged(&before, made.clone(), "2026-05-01T00:00:00Z", &[]),
            wanted
        );
        let before = [before[1].clone(), before[0].clone()];
        assert_eq!(merged(&before, made, "2026-05-01T00:00:00Z", &[]), wanted);
    }

    /// A key that is in use again has no end, and what it signed before counts.
    #[test]
    fn what_comes_back_counts_from_its_first_day() {
        let before = root(&[("a", "2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z"))]);
        let made = root(&[("a", "2026-03-01T00:00:00Z", None)]);
        let wanted = root(&[("a", "2026-01-01T00:00:00Z", None)]);
        assert_eq!(merged(&[before], made, "2026-03-02T00:00:00Z", &[]), wanted);
    }

    /// What is no trusted root adds nothing.
    #[test]
    fn nothing_is_made_of_something_else() {
        let made = root(&[("a", "2026-01-01T00:00:00Z", None)]);
        for before in [
            json!(null),
            json!([1]),
            json!({"tlogs": [7, {"publicKey": 7}]}),
            json!({}),
        ] {
            let now = "2026-03-02T00:00:00Z";
            assert_eq!(merged(&[before], made.clone(), now, &[]), made);
        }
    }
}
