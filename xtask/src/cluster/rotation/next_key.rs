//! The next key of a server: how the server is given it, and how it is seen that it has
//! it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::{Turning, pods};
use crate::cluster::copies::{next_of, text_of};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::Object;
use crate::cluster::servers::{ClusterServer, NextKey};
use crate::cluster::shards;
use crate::cluster::timestamp_authority::CHAIN;
use crate::fail::broken;
use crate::format::hex::hex;
use crate::trust::write::public_key;

/// The annotation of pods that says which key they began with.
const KEY: &str = "sigstore-workshop/key";

/// Data of a Secret, in base64 as the API server has it, or of a ConfigMap.
type Data = BTreeMap<String, String>;

/// The Secret with the next key of a server, without which there is nothing to do.
pub(super) fn required(kubectl: &Kubectl, server: &ClusterServer) -> Result<Object> {
    let missing = || broken(format!("{} has no next key", server.name));
    Ok(next_of(kubectl, server)?.ok_or_else(missing)?)
}

/// What the objects of a server hold once the next key is its key.
fn objects_with(server: Turning, next: &Object) -> Result<Vec<(&'static str, Data)>> {
    let part = |name: &str| {
        let held = next.data.get(name).cloned();
        held.with_context(|| format!("the next key lacks {name}"))
    };
    let data = |parts: &[(&str, String)]| -> Data {
        let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        parts.iter().map(owned).collect()
    };
    let parts = |names: &[&'static str]| -> Result<Data> {
        let named = |name: &&str| Ok(((*name).to_owned(), part(name)?));
        names.iter().map(named).collect()
    };
    let of_certificate = ["tls.crt", "tls.key"];
    Ok(match server {
        Turning::Ctlog => vec![
            ("secret/ctlog-secret", next.data.clone()),
            ("secret/ctlog-public-key", parts(&["public"])?),
        ],
        Turning::Fulcio => {
            let public = public_key(&text_of(next, "tls.crt")?)?;
            let public = [
                ("cert", part("tls.crt")?),
                ("public", BASE64_STANDARD.encode(public)),
            ];
            // The key is not encrypted, and Fulcio takes it with any password.
            let private = [&public[..], &[("private", part("tls.key")?)]].concat();
            vec![
                ("secret/fulcio-server-secret", data(&private)),
                ("secret/fulcio-pub-key", data(&public)),
            ]
        }
        Turning::Rekor => vec![("secret/rekor-signer", parts(&of_certificate)?)],
        Turning::CtlogTiles => vec![("secret/ctlog-tiles-key", parts(&of_certificate)?)],
        Turning::RekorV2 => vec![("secret/rekor-tiles-key", parts(&of_certificate)?)],
        Turning::Registry => {
            let names = ["tls.crt", "tls.key", "ca.crt"];
            vec![("secret/registry-tls", parts(&names)?)]
        }
        Turning::Timestamp => {
            let chain = data(&[(CHAIN.1, text_of(next, "chain")?)]);
            let names = ["private", "chain"];
            vec![
                ("secret/tsa-server-secret", parts(&names)?),
                (CHAIN.0, chain),
            ]
        }
    })
}

/// What tells a key from others.
pub(super) fn digest(next: &Object, next_key: &NextKey) -> Result<String> {
    let public = text_of(next, next_key.key)?;
    let digest = ring::digest::digest(&ring::digest::SHA256, public.as_bytes());
    // As long as a label may be.
    Ok(hex(digest.as_ref())[..63].to_owned())
}

/// Gives a server its next key, and has new pods take the place of those that began with
/// another. With its key, a log on tiles is given a directory of its own: under another
/// key it would have two histories.
pub(crate) fn switch(kubectl: &Kubectl, turning: Turning) -> Result<()> {
    let server = turning.server();
    let next = required(kubectl, server)?;
    let mark = digest(&next, turning.next()?)?;
    let log = turning.log_on_tiles();
    if let Some(log) = log {
        pods::end(kubectl, log)?;
    }
    for (object, data) in objects_with(turning, &next)? {
        kubectl.patch(server.namespace, object, &json!({ "data": data }))?;
    }
    match log {
        Some(log) => {
            let public = public_key(&text_of(&next, "tls.crt")?)?;
            let directory = shards::directory(server, &public)?;
            pods::begin(kubectl, log, (KEY, &mark), &directory)
        }
        None => pods::mark(kubectl, server, KEY, &mark),
    }
}

/// Whether a server has its next key.
pub(crate) fn is_taken(kubectl: &Kubectl, turning: Turning) -> Result<bool> {
    let server = turning.server();
    let Some(next) = next_of(kubectl, server)? else {
        return Ok(false);
    };
    for (name, data) in objects_with(turning, &next)? {
        let object = kubectl.get(server.namespace, name)?;
        let has = |object: &Object| {
            data.iter()
                .all(|(key, value)| object.data.get(key) == Some(value))
        };
        if !object.is_some_and(|object| has(&object)) {
            return Ok(false);
        }
    }
    pods::is_marked(kubectl, server, KEY, &digest(&next, turning.next()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let given = objects_with(Turning::Ctlog, &log).unwrap();
        assert_eq!(given[0], ("secret/ctlog-secret", log.data.clone()));
        assert_eq!(given[1].1.keys().collect::<Vec<_>>(), ["public"]);
        let made = next(&["tls.crt", "tls.key", "ca.crt"]);
        for server in [Turning::Rekor, Turning::RekorV2, Turning::CtlogTiles] {
            let given = objects_with(server, &made).unwrap();
            let names: Vec<_> = given[0].1.keys().collect();
            assert_eq!(names, ["tls.crt", "tls.key"], "{server:?}");
        }
    }

    /// Who has the chain of one key and the other key signs nothing.
    #[test]
    fn the_timestamp_authority_has_its_chain_where_its_chart_reads_it() {
        let made = next(&["private", "chain", "password"]);
        let given = objects_with(Turning::Timestamp, &made).unwrap();
        assert_eq!(given[0].1["chain"], BASE64_STANDARD.encode("chain"));
        assert_eq!(given[1].0, "configmap/tsa-server-config");
        assert_eq!(given[1].1["chain.pem"], "chain");
    }

    #[test]
    fn half_a_key_is_given_to_nobody() {
        assert!(objects_with(Turning::Rekor, &next(&["tls.crt"])).is_err());
        assert!(objects_with(Turning::Ctlog, &next(&["private"])).is_err());
        assert!(objects_with(Turning::Fulcio, &next(&["tls.key"])).is_err());
        assert!(objects_with(Turning::Timestamp, &next(&["private"])).is_err());
        assert!(objects_with(Turning::Registry, &next(&["tls.crt", "tls.key"])).is_err());
    }
}
