//! The copies of the servers' public parts in [`DEFAULT`], where images are signed and
//! verified. They are made of the Secrets themselves, instead of editing text.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::kubectl::Kubectl;
use super::object::{DEFAULT, Object, labels};
use super::servers::{ClusterServer, PublicPart, with_public_part};
use crate::entry::Versions;
use crate::fail::broken;
use crate::parallel;
use crate::trust::write::public_key;

/// The annotation of a copy that says since when its source is there.
pub(super) const SINCE: &str = "sigstore-workshop/since";

/// A copy that should be in [`DEFAULT`]: its name, and what it holds. `None` where it
/// should not be there.
type Copy = (String, Option<Value>);

/// The copy of a server's Secret: a new name and namespace, the public part alone, and of
/// what the API server set the time only.
fn copy_of(home: &str, name: &str, part: &PublicPart, key: &str, source: &Object) -> Result<Value> {
    let held = text_of(source, key)?;
    let is_certificate = held.contains("BEGIN CERTIFICATE");
    let public = if part.as_key == "public" && is_certificate {
        public_key(&held)?
    } else {
        held
    };
    if public.contains("PRIVATE KEY") {
        return Err(broken(format!(
            "{home}/{}: what should be public is a private key",
            source.metadata.name
        ))
        .into());
    }
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": DEFAULT,
            "labels": labels(),
            "annotations": {SINCE: source.metadata.creation_timestamp.as_deref().unwrap_or_default()},
        },
        "type": "Opaque",
        "data": {part.as_key: BASE64_STANDARD.encode(public)},
    }))
}

/// A part of a Secret as text.
pub(crate) fn text_of(secret: &Object, key: &str) -> Result<String> {
    let data = secret.data.get(key).filter(|data| !data.is_empty());
    let data = data.ok_or_else(|| {
        broken(format!(
            "the Secret {} holds no {key}",
            secret.metadata.name
        ))
    })?;
    let bytes = BASE64_STANDARD
        .decode(data)
        .context("a Secret that is not base64")?;
    String::from_utf8(bytes).context("a Secret that is not text")
}

/// The Secret with the next key of a server, if there is one.
pub(crate) fn next_of(kubectl: &Kubectl, server: &ClusterServer) -> Result<Option<Object>> {
    let Some(next) = &server.next else {
        return Ok(None);
    };
    let secret = kubectl.get(server.namespace, &format!("secret/{}", next.secret))?;
    let there = |secret: &Object| {
        secret
            .data
            .get(next.key)
            .is_some_and(|part| !part.is_empty())
    };
    Ok(secret.filter(there))
}

/// The copies of one server: that of its key, and that of the next one, while it turns;
/// `None` where it has no key yet.
fn copies_of(
    kubectl: &Kubectl,
    server: &ClusterServer,
    part: &PublicPart,
) -> Result<Option<[Copy; 2]>> {
    let home = server.namespace;
    let source = kubectl.get(home, &format!("secret/{}", part.secret))?;
    let Some(source) = source else {
        return Ok(None);
    };
    let copy = copy_of(home, part.copy, part, part.key, &source)?;
    let made = next_of(kubectl, server)?;
    let made = made.as_ref().zip(server.next.as_ref());
    let name = part.next_copy();
    let next = made.map(|(source, next)| copy_of(home, &name, part, next.key, source));
    let next = next.transpose()?;
    Ok(Some([(part.copy.to_owned(), Some(copy)), (name, next)]))
}

/// The copies of a server's public part as they should be, where it has one already.
type WantedCopies = Option<[Copy; 2]>;

/// All copies as they should be, by server, and the Secrets of [`DEFAULT`].
fn looked_at(kubectl: &Kubectl, rekor: Versions) -> Result<(Vec<WantedCopies>, Vec<Object>)> {
    let parts: Vec<_> = with_public_part(rekor).collect();
    let look = |(server, part): &(&ClusterServer, &PublicPart)| copies_of(kubectl, server, part);
    let wanted = || parallel::each(&parts, look).into_iter().collect();
    parallel::both(wanted, || kubectl.list(DEFAULT, "secrets"))
}

/// Copies the public parts of the servers for these versions of Rekor, and removes the
/// copies of keys that turn no longer.
pub(crate) fn copy(kubectl: &Kubectl, rekor: Versions) -> Result<()> {
    let (wanted, there) = looked_at(kubectl, rekor)?;
    for ((server, part), copies) in with_public_part(rekor).zip(wanted) {
        let copies = copies.ok_or_else(|| {
            let (secret, home) = (part.secret, server.namespace);
            broken(format!("there is no Secret {secret} in {home}")).hint("cargo xtask scaffold")
        })?;
        for (name, copy) in copies {
            let is_there = || there.iter().any(|secret| secret.metadata.name == name);
            match copy {
                Some(copy) => kubectl.apply(&copy)?,
                None if is_there() => kubectl.remove(DEFAULT, &format!("secret/{name}"))?,
                None => {}
            }
        }
    }
    Ok(())
}

/// Whether every copy is there and is what its source is now.
pub(crate) fn are_current(kubectl: &Kubectl, rekor: Versions) -> Result<bool> {
    let (wanted, there) = looked_at(kubectl, rekor)?;
    let is_current = |(name, copy): &Copy| {
        let found = there.iter().find(|secret| secret.metadata.name == *name);
        match (copy, found) {
            (Some(copy), Some(found)) => json!(found.data) == copy["data"],
            (None, None) => true,
            _ => false,
        }
    };
    let of_server = |copies: &Option<[Copy; 2]>| {
        let copies = copies.as_ref();
        copies.is_some_and(|copies| copies.iter().all(is_current))
    };
    Ok(wanted.iter().all(of_server))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::servers::{CTLOG, FULCIO, REKOR};

    fn copied(server: &ClusterServer, secret: &Object) -> Result<Value> {
        let part = server.public.as_ref().unwrap();
        copy_of(server.namespace, part.copy, part, part.key, secret)
    }

    fn secret(key: &str, value: &str) -> Object {
        Object::from_json(json!({
            "kind": "Secret",
            "metadata": {
                "name": "x", "namespace": "y", "uid": "1", "resourceVersion": "2",
                "creationTimestamp": "2026-01-02T03:04:05Z", "managedFields": [], "ownerReferences": [],
            },
            "data": {key: BASE64_STANDARD.encode(value), "private": "c2VjcmV0", "password": "c2VjcmV0"},
        }))
    }

    #[test]
    fn a_copy_holds_the_public_part_and_since_when_it_is_there() {
        let copy = copied(&FULCIO, &secret("cert", "public")).unwrap();
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "name": "fulcio-certificate", "namespace": "default",
                "labels": {"app.kubernetes.io/part-of": "sigstore-workshop"},
                "annotations": {"sigstore-workshop/since": "2026-01-02T03:04:05Z"},
            },
            "data": {"cert": "cHVibGlj"},
        });
        assert_eq!(copy, expected);
    }

    #[test]
    fn a_private_key_is_never_copied() {
        let key = "-----BEGIN PRIVATE KEY-----\n";
        assert!(copied(&CTLOG, &secret("public", key)).is_err());
        assert!(copied(&CTLOG, &secret("other", "x")).is_err());
        assert!(copied(&REKOR, &secret("tls.crt", key)).is_err());
    }
}
