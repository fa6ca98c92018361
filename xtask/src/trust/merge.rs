//! A trusted root that forgets nothing: what was trusted before stays, and counts until
//! the moment at which it was replaced.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A list of a trusted root, and where in an entry its identity and its period are.
struct List {
    name: &'static str,
    identity: &'static str,
    period: &'static str,
}

/// As `sigstore_trustroot.proto` has them: the period of a log is that of its key.
const LISTS: [List; 4] = [
    log("tlogs"),
    authority("certificateAuthorities"),
    authority("timestampAuthorities"),
    log("ctlogs"),
];

const fn log(name: &'static str) -> List {
    List {
        name,
        identity: "/publicKey/rawBytes",
        period: "/publicKey/validFor",
    }
}

const fn authority(name: &'static str) -> List {
    List {
        name,
        identity: "/certChain",
        period: "/validFor",
    }
}

/// A trusted root of what is in use now, with what roots of before name: keys and
/// authorities that are in use no longer end `now` (RFC 3339, UTC), or when they were
/// first said to. A root that is there once more counts from when it first did.
pub(crate) fn merged(before: &[Value], mut made: Value, now: &str) -> Value {
    for list in LISTS {
        let mut former: BTreeMap<String, Value> = BTreeMap::new();
        let entries = before.iter().filter_map(|root| root[list.name].as_array());
        for entry in entries.flatten().filter(|entry| list.has_period(entry)) {
            let known = former.entry(list.key_of(entry));
            let known = known.or_insert_with(|| entry.clone());
            list.earlier(known, entry, "start");
            list.earlier(known, entry, "end");
        }
        let mut used = Vec::new();
        let own = made.get_mut(list.name).and_then(Value::as_array_mut);
        for entry in own.into_iter().flatten() {
            if let Some(known) = former.remove(&list.key_of(entry)) {
                list.earlier(entry, &known, "start");
            }
            used.push(entry.clone());
        }
        let mut all: Vec<Value> = former.into_values().collect();
        for entry in &mut all {
            if list.time(entry, "end").is_none() {
                list.set(entry, "end", now);
            }
        }
        // The oldest first, as they were made; of one time by their text.
        all.sort_by_key(|entry| (list.time(entry, "start"), entry.to_string()));
        all.extend(used);
        if !all.is_empty() {
            made[list.name] = json!(all);
        }
    }
    made
}

impl List {
    fn key_of(&self, entry: &Value) -> String {
        let identity = entry.pointer(self.identity);
        identity.unwrap_or(&Value::Null).to_string()
    }

    fn has_period(&self, entry: &Value) -> bool {
        entry.pointer(self.period).is_some_and(Value::is_object)
    }

    fn time(&self, entry: &Value, name: &str) -> Option<String> {
        let time = entry.pointer(self.period)?.get(name)?;
        time.as_str().map(str::to_owned)
    }

    fn set(&self, entry: &mut Value, name: &str, time: &str) {
        if let Some(period) = entry.pointer_mut(self.period) {
            period[name] = json!(time);
        }
    }

    /// Takes over a time of another entry's period, where it is earlier or the only one.
    /// In RFC 3339 and UTC, the order of texts is that of times.
    fn earlier(&self, entry: &mut Value, other: &Value, name: &str) {
        let (own, other) = (self.time(entry, name), self.time(other, name));
        if let Some(time) = other.filter(|time| own.is_none_or(|own| *time < own)) {
            self.set(entry, name, &time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(logs: &[(&str, &str, Option<&str>)]) -> Value {
        let log = |(key, start, end): &(&str, &str, Option<&str>)| {
            let mut period = json!({"start": start});
            if let Some(end) = end {
                period["end"] = json!(end);
            }
            json!({"publicKey": {"rawBytes": key, "validFor": period}})
        };
        json!({"tlogs": logs.iter().map(log).collect::<Vec<_>>()})
    }

    #[test]
    fn what_was_replaced_stays_and_ends() {
        let first = root(&[("a", "2026-01-01T00:00:00Z", None)]);
        let second = root(&[("b", "2026-02-01T00:00:00Z", None)]);
        let both = merged(&[first], second.clone(), "2026-02-02T00:00:00Z");
        let wanted = root(&[
            ("a", "2026-01-01T00:00:00Z", Some("2026-02-02T00:00:00Z")),
            ("b", "2026-02-01T00:00:00Z", None),
        ]);
        assert_eq!(both, wanted);
        // Made again of the same, it stays as it is.
        let again = merged(std::slice::from_ref(&both), second, "2026-03-03T00:00:00Z");
        assert_eq!(again, both);
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
            merged(&before, made.clone(), "2026-05-01T00:00:00Z"),
            wanted
        );
        let before = [before[1].clone(), before[0].clone()];
        assert_eq!(merged(&before, made, "2026-05-01T00:00:00Z"), wanted);
    }

    /// A key that is in use again has no end, and what it signed before counts.
    #[test]
    fn what_comes_back_counts_from_its_first_day() {
        let before = root(&[("a", "2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z"))]);
        let made = root(&[("a", "2026-03-01T00:00:00Z", None)]);
        let wanted = root(&[("a", "2026-01-01T00:00:00Z", None)]);
        assert_eq!(merged(&[before], made, "2026-03-02T00:00:00Z"), wanted);
    }

    /// What is no trusted root adds nothing.
    #[test]
    fn nothing_is_made_of_something_else() {
        let made = root(&[("a", "2026-01-01T00:00:00Z", None)]);
        for before in [json!(null), json!([1]), json!({"tlogs": [7]}), json!({})] {
            let now = "2026-03-02T00:00:00Z";
            assert_eq!(merged(&[before], made.clone(), now), made);
        }
    }
}
