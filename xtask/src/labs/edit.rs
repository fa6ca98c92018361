//! What a forger does to JSON, and how a reader is told: where, what stood there and
//! what stands there now.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use crate::tlog::merkle;

/// How much of a value is shown.
const SHOWN: usize = 44;

/// The changes from one value to another, a line each.
pub(crate) fn changes(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(at: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            for (name, old) in old {
                let new = new.get(name).unwrap_or(&Value::Null);
                compare(&format!("{at}.{name}"), old, new, found);
            }
            for (name, new) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                compare(&format!("{at}.{name}"), &Value::Null, new, found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{at}[{index}]"), old, new, found);
            }
        }
        _ => {
            let (before, after) = (shown(before), shown(after));
            let same = common(&before, &after);
            let (before, after) = (shortened(&before, same), shortened(&after, same));
            found.push(format!("{at}: {before} → {after}"));
        }
    }
}

/// A value as a reader sees it: what is absent is nothing, and a list is counted.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Array(items) => format!("a list of {}", items.len()),
        other => other.to_string(),
    }
}

/// How many characters two texts begin with alike.
fn common(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    pairs.take_while(|(one, other)| one == other).count()
}

/// What is around the first difference, which a long text would hide.
fn shortened(text: &str, same: usize) -> String {
    let start = if same > SHOWN / 2 { same - 8 } else { 0 };
    let part: String = text.chars().skip(start).take(SHOWN).collect();
    let before = if start > 0 { "…" } else { "" };
    let cut = text.chars().count() > start + SHOWN;
    format!("{before}{part}{}", if cut { "…" } else { "" })
}

/// Moves the entry of a bundle to a log of the forger's own, which holds nothing else:
/// the whole proof is right, and the checkpoint has the name and the key hint of the real
/// log. `None` where the bundle holds no entry with a proof.
pub(crate) fn in_a_log_of_ones_own(bundle: &mut Value, seed: &[u8; 32]) -> Option<()> {
    let entry = bundle.pointer_mut("/verificationMaterial/tlogEntries/0")?;
    let leaf = BASE64_STANDARD.decode(entry["canonicalizedBody"].as_str()?);
    let root = BASE64_STANDARD.encode(merkle::leaf_hash(&leaf.ok()?));
    let real = entry.pointer("/inclusionProof/checkpoint/envelope")?;
    let real = real.as_str()?.to_owned();
    let (body, signature) = real.rsplit_once("\n\n")?;
    let (signer, signature) = signature.trim_end().rsplit_once(' ')?;
    let origin = body.lines().next()?;
    let mut signature = BASE64_STANDARD.decode(signature).ok()?;
    let text = format!("{origin}\n1\n{root}\n");
    signature.truncate(4);
    let key = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    signature.extend(key.sign(text.as_bytes()).as_ref());
    let signature = BASE64_STANDARD.encode(signature);
    entry["logIndex"] = "0".into();
    entry["inclusionProof"] = json!({
        "logIndex": "0",
        "rootHash": root,
        "treeSize": "1",
        "hashes": [],
        "checkpoint": {"envelope": format!("{text}\n{signer} {signature}\n")},
    });
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed() {
        let before = json!({"a": [{"b": "1"}], "same": 1, "gone": {"x": 1}, "list": [1, 2]});
        let after = json!({"a": [{"b": "2"}], "same": 1, "list": [2], "new": true});
        assert_eq!(
            changes(&before, &after),
            [
                ".a[0].b: \"1\" → \"2\"",
                ".gone: {\"x\":1} → nothing",
                ".list: a list of 2 → a list of 1",
                ".new: nothing → true",
            ]
        );
    }

    #[test]
    fn a_long_text_is_shown_where_it_differs() {
        let long = |middle: &str| json!(format!("{0}{middle}{0}", "é".repeat(50)));
        let said = changes(&long("one"), &long("two")).concat();
        assert!(said.contains("éone") && said.contains("étwo"), "{said}");
        assert!(said.chars().count() < 110, "{said}");
    }

    #[test]
    fn what_holds_no_entry_stays() {
        let mut bundle = json!({"verificationMaterial": {"tlogEntries": []}});
        assert!(in_a_log_of_ones_own(&mut bundle, &[1; 32]).is_none());
    }
}
