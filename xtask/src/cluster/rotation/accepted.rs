//! The authorities whose certificates a CT log takes: that of now, and while Fulcio's key
//! turns the next one as well.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::next_key::{digest, required};
use super::{Turning, pods};
use crate::cluster::copies::{next_of, text_of};
use crate::cluster::kubectl::Kubectl;
use crate::cluster::object::Object;
use crate::cluster::servers::FULCIO;
use crate::cluster::tile_values::AUTHORITIES;
use crate::fail::broken;

/// The annotation of a CT log's pods that says which authority they began to accept.
const AUTHORITY: &str = "sigstore-workshop/authority";

/// The object with the certificates that a CT log accepts, and their name in it. Several
/// may be in it.
fn accepted(log: Turning) -> (&'static str, &'static str) {
    match log {
        Turning::CtlogTiles => AUTHORITIES,
        _ => ("secret/ctlog-secret", "fulcio-0"),
    }
}

/// What a CT log accepts, of the object with it.
fn text(object: &Object, key: &str) -> Result<String> {
    if object.kind == "ConfigMap" {
        let text = object.data.get(key).cloned();
        return text.with_context(|| format!("{} lacks {key}", object.metadata.name));
    }
    text_of(object, key)
}

/// Has a CT log accept the next authority beside that of now: its file of certificates is
/// longer, and its configuration stays.
pub(crate) fn accept_authority(kubectl: &Kubectl, log: Turning) -> Result<()> {
    let next = required(kubectl, &FULCIO)?;
    let authority = text_of(&next, "tls.crt")?;
    let (server, (name, key)) = (log.server(), accepted(log));
    let object = kubectl.get(server.namespace, name)?;
    let object = object.ok_or_else(|| {
        broken(format!("{} has no configuration yet", server.name)).hint("cargo xtask scaffold")
    })?;
    let accepted = text(&object, key)?;
    if !accepted.contains(authority.trim()) {
        let both = format!("{}\n{authority}", accepted.trim_end());
        let both = match object.kind.as_str() {
            "ConfigMap" => both,
            _ => BASE64_STANDARD.encode(both),
        };
        kubectl.patch(server.namespace, name, &json!({"data": {key: both}}))?;
    }
    if let Some(alone) = log.log_on_tiles() {
        alone.set(kubectl)?;
    }
    pods::mark(kubectl, server, AUTHORITY, &digest_of_authority(&next)?)
}

/// Whether a CT log accepts the next authority.
pub(crate) fn authority_is_accepted(kubectl: &Kubectl, log: Turning) -> Result<bool> {
    let Some(next) = next_of(kubectl, &FULCIO)? else {
        return Ok(false);
    };
    let authority = text_of(&next, "tls.crt")?;
    let (server, (name, key)) = (log.server(), accepted(log));
    let object = kubectl.get(server.namespace, name)?;
    let accepted = object.and_then(|object| text(&object, key).ok());
    let is_in_it = accepted.is_some_and(|accepted| accepted.contains(authority.trim()));
    let digest = digest_of_authority(&next)?;
    Ok(is_in_it && pods::is_marked(kubectl, server, AUTHORITY, &digest)?)
}

fn digest_of_authority(next: &Object) -> Result<String> {
    digest(next, Turning::Fulcio.next()?)
}
