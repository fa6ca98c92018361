//! The next key of a server: where it is made, how the server is given it, and how it is
//! seen that it has it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::cluster::conditions::{Condition, ConditionKind, all_hold};
use crate::cluster::copies::{next_of, text_of};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::Object;
use crate::cluster::servers::{CTLOG, ClusterServer, FULCIO, NextKey};
use crate::fail::broken;
use crate::format::hex::hex;
use crate::trust::write::public_key;

/// The annotation of pods that says which key they began with.
const KEY: &str = "sigstore-workshop/key";

/// The annotation of the CT log's pods that says which authority they began to accept.
const AUTHORITY: &str = "sigstore-workshop/authority";

/// The file of the CT log with the certificates that it accepts. Several may be in it.
const ACCEPTED: &str = "fulcio-0";

/// Where the CT log keeps its key and its configuration.
const CTLOG_SECRET: &str = "secret/ctlog-secret";

/// Data of a Secret: in base64, as the API server has it.
type Data = BTreeMap<String, String>;

/// The Secret with the next key of a server, without which there is nothing to do.
fn required(kubectl: &Kubectl, server: &ClusterServer) -> Result<Object> {
    let missing = || broken(format!("{} has no next key", server.name));
    Ok(next_of(kubectl, server)?.ok_or_else(missing)?)
}

/// What the Secrets of a server hold once the next key is its key.
pub(crate) fn secrets_with(
    server: &ClusterServer,
    next: &Object,
) -> Result<Vec<(&'static str, Data)>> {
    let part = |name: &str| {
        let held = next.data.get(name).cloned();
        held.with_context(|| format!("the next key lacks {name}"))
    };
    let data = |parts: &[(&str, String)]| -> Data {
        let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        parts.iter().map(owned).collect()
    };
    if server.name == CTLOG.name {
        let public = data(&[("public", part("public")?)]);
        return Ok(vec![
            ("ctlog-secret", next.data.clone()),
            ("ctlog-public-key", public),
        ]);
    }
    let (certificate, key) = (part("tls.crt")?, part("tls.key")?);
    if server.name == FULCIO.name {
        let public = public_key(&text_of(next, "tls.crt")?)?;
        let public = [
            ("cert", certificate),
            ("public", BASE64_STANDARD.encode(public)),
        ];
        // The key is not encrypted, and Fulcio takes it with any password.
        let private = [&public[..], &[("private", key)]].concat();
        return Ok(vec![
            ("fulcio-server-secret", data(&private)),
            ("fulcio-pub-key", data(&public)),
        ]);
    }
    let both = data(&[("tls.crt", certificate), ("tls.key", key)]);
    Ok(vec![("rekor-signer", both)])
}

/// What tells a key from others.
fn digest(next: &Object, next_key: &NextKey) -> Result<String> {
    let public = text_of(next, next_key.key)?;
    let digest = ring::digest::digest(&ring::digest::SHA256, public.as_bytes());
    // As long as a label may be.
    Ok(hex(digest.as_ref())[..63].to_owned())
}

/// Gives a server its next key, and has new pods take the place of those that began with
/// another.
pub(crate) fn switch(kubectl: &Kubectl, server: &ClusterServer, next_key: &NextKey) -> Result<()> {
    let next = required(kubectl, server)?;
    for (secret, data) in secrets_with(server, &next)? {
        let secret = format!("secret/{secret}");
        kubectl.patch(server.namespace, &secret, &json!({ "data": data }))?;
    }
    mark(kubectl, server, KEY, &digest(&next, next_key)?)
}

/// Whether a server has its next key.
pub(crate) fn is_taken(
    kubectl: &Kubectl,
    server: &ClusterServer,
    next_key: &NextKey,
) -> Result<bool> {
    let Some(next) = next_of(kubectl, server)? else {
        return Ok(false);
    };
    for (name, data) in secrets_with(server, &next)? {
        let secret = kubectl.get(server.namespace, &format!("secret/{name}"))?;
        let has = |secret: &Object| {
            data.iter()
                .all(|(key, value)| secret.data.get(key) == Some(value))
        };
        if !secret.is_some_and(|secret| has(&secret)) {
            return Ok(false);
        }
    }
    is_marked(kubectl, server, KEY, &digest(&next, next_key)?)
}

/// Has the CT log accept the next authority beside that of now: its file of certificates
/// is longer, and its configuration stays.
pub(crate) fn accept_authority(kubectl: &Kubectl) -> Result<()> {
    let next = required(kubectl, &FULCIO)?;
    let authority = text_of(&next, "tls.crt")?;
    let secret = kubectl.get(CTLOG.namespace, CTLOG_SECRET)?;
    let secret = secret.ok_or_else(|| {
        broken("the CT log has no configuration yet").hint("cargo xtask scaffold")
    })?;
    let accepted = text_of(&secret, ACCEPTED)?;
    if !accepted.contains(authority.trim()) {
        let both = format!("{}\n{authority}", accepted.trim_end());
        let change = json!({"data": {ACCEPTED: BASE64_STANDARD.encode(both)}});
        kubectl.patch(CTLOG.namespace, CTLOG_SECRET, &change)?;
    }
    mark(kubectl, &CTLOG, AUTHORITY, &digest_of_authority(&next)?)
}

/// Whether the CT log accepts the next authority.
pub(crate) fn authority_is_accepted(kubectl: &Kubectl) -> Result<bool> {
    let Some(next) = next_of(kubectl, &FULCIO)? else {
        return Ok(false);
    };
    let authority = text_of(&next, "tls.crt")?;
    let secret = kubectl.get(CTLOG.namespace, CTLOG_SECRET)?;
    let accepted = secret.and_then(|secret| text_of(&secret, ACCEPTED).ok());
    let is_in_it = accepted.is_some_and(|accepted| accepted.contains(authority.trim()));
    Ok(is_in_it && is_marked(kubectl, &CTLOG, AUTHORITY, &digest_of_authority(&next)?)?)
}

fn digest_of_authority(next: &Object) -> Result<String> {
    let next_key = FULCIO.next.as_ref();
    digest(next, next_key.context("Fulcio has no next key")?)
}

/// Marks the pods of a server, which makes new ones where they had another mark.
fn mark(kubectl: &Kubectl, server: &ClusterServer, mark: &str, value: &str) -> Result<()> {
    let annotations = json!({ mark: value });
    let template = json!({"metadata": {"annotations": annotations}});
    let deployment = format!("deployment/{}", server.deployment);
    let change = json!({"spec": {"template": template}});
    kubectl.patch(server.namespace, &deployment, &change)
}

/// Whether the pods of a server have this mark, and are up.
fn is_marked(kubectl: &Kubectl, server: &ClusterServer, mark: &str, value: &str) -> Result<bool> {
    let name = format!("deployment/{}", server.deployment);
    let deployment = kubectl.get(server.namespace, &name)?;
    let has = |deployment: Object| {
        let annotations = deployment.spec.template.metadata.annotations;
        annotations.get(mark).is_some_and(|found| found == value)
    };
    let up = Condition::new(ConditionKind::Deployment, server.deployment);
    Ok(deployment.is_some_and(has) && all_hold(kubectl, server.namespace, &[up])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::servers::REKOR;

    fn next(parts: &[&str]) -> Object {
        let data: Data = parts
            .iter()
            .map(|part| ((*part).to_owned(), BASE64_STANDARD.encode(part)))
            .collect();
        Object::from_json(json!({"metadata": {"name": "next"}, "data": data}))
    }

    #[test]
    fn a_server_is_given_all_of_its_next_key() {
        let log = next(&["config", "private", "public", "fulcio-0"]);
        let given = secrets_with(&CTLOG, &log).unwrap();
        assert_eq!(given[0], ("ctlog-secret", log.data.clone()));
        assert_eq!(given[1].1.keys().collect::<Vec<_>>(), ["public"]);
        let rekor = next(&["tls.crt", "tls.key", "ca.crt"]);
        let given = secrets_with(&REKOR, &rekor).unwrap();
        assert_eq!(
            given[0].1.keys().collect::<Vec<_>>(),
            ["tls.crt", "tls.key"]
        );
    }

    #[test]
    fn half_a_key_is_given_to_nobody() {
        assert!(secrets_with(&REKOR, &next(&["tls.crt"])).is_err());
        assert!(secrets_with(&CTLOG, &next(&["private"])).is_err());
        assert!(secrets_with(&FULCIO, &next(&["tls.key"])).is_err());
    }
}
