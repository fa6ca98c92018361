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

/// The copy of a server's Secret: a new name and namespace, the public part alone, and
/// nothing that the API server set.
fn copy_of(server: &ClusterServer, part: &PublicPart, source: &Object) -> Result<Value> {
    let held = text_of(source, part.key)?;
    let public = if part.key == "tls.crt" {
        public_key(&held)?
    } else {
        held
    };
    if public.contains("PRIVATE KEY") {
        return Err(broken(format!(
            "{}/{}: what should be public is a private key",
            server.namespace, part.secret
        ))
        .into());
    }
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": part.copy, "namespace": DEFAULT, "labels": labels()},
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

fn source(kubectl: &Kubectl, server: &ClusterServer, part: &PublicPart) -> Result<Option<Object>> {
    kubectl.get(server.namespace, &format!("secret/{}", part.secret))
}

/// Copies the public parts of the servers for these versions of Rekor.
pub(crate) fn copy(kubectl: &Kubectl, rekor: Versions) -> Result<()> {
    for (server, part) in with_public_part(rekor) {
        let source = source(kubectl, server, part)?.ok_or_else(|| {
            broken(format!(
                "there is no Secret {} in {}",
                part.secret, server.namespace
            ))
            .hint("cargo xtask scaffold")
        })?;
        kubectl.apply(&copy_of(server, part, &source)?)?;
    }
    Ok(())
}

/// Whether every copy is there and is what its source is now.
pub(crate) fn are_current(kubectl: &Kubectl, rekor: Versions) -> Result<bool> {
    let parts: Vec<_> = with_public_part(rekor).collect();
    let sources = || -> Result<Vec<Option<Object>>> {
        let look = |(server, part): &(&ClusterServer, &PublicPart)| source(kubectl, server, part);
        parallel::each(&parts, look).into_iter().collect()
    };
    let (sources, copies) = parallel::both(sources, || kubectl.list(DEFAULT, "secrets"))?;
    for ((server, part), source) in parts.iter().zip(sources) {
        let Some(source) = source else {
            return Ok(false);
        };
        let wanted = copy_of(server, part, &source)?;
        let is_same = |secret: &Object| {
            secret.metadata.name == part.copy && json!(secret.data) == wanted["data"]
        };
        if !copies.iter().any(is_same) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::servers::{CTLOG, FULCIO, REKOR};

    fn copied(server: &ClusterServer, secret: &Object) -> Result<Value> {
        copy_of(server, server.public.as_ref().unwrap(), secret)
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
    fn a_copy_holds_the_public_part_and_nothing_that_the_server_set() {
        let copy = copied(&FULCIO, &secret("cert", "public")).unwrap();
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "name": "fulcio-certificate", "namespace": "default",
                "labels": {"app.kubernetes.io/part-of": "sigstore-workshop"},
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
