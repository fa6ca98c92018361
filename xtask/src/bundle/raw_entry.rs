//! The log entry in a bundle, as it is written (protobuf-specs, `sigstore_rekor.proto`,
//! `TransparencyLogEntry` as JSON).

use serde::Deserialize;

use crate::entry::{Entry, InclusionProof, Version};
use crate::fail::{Fail, broken};
use crate::format::protojson::{Base64, Number, strict_json};
use crate::tlog::merkle::{self, Hash};
use crate::trust::root::LogId;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawEntry {
    #[serde(default)]
    log_index: Number,
    log_id: LogId,
    kind_version: Option<RawKind>,
    #[serde(default)]
    integrated_time: Number,
    inclusion_promise: Option<RawPromise>,
    inclusion_proof: Option<RawProof>,
    canonicalized_body: Base64,
}

#[derive(Deserialize)]
struct RawKind {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPromise {
    signed_entry_timestamp: Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawProof {
    #[serde(default)]
    log_index: Number,
    root_hash: Base64,
    #[serde(default)]
    tree_size: Number,
    #[serde(default)]
    hashes: Vec<Base64>,
    checkpoint: Option<RawCheckpoint>,
}

#[derive(Deserialize)]
struct RawCheckpoint {
    envelope: String,
}

impl RawEntry {
    /// It as an entry.
    pub(super) fn entry(self) -> Result<Entry, Fail> {
        let bad = |what: &str| broken(format!("the log entry in the bundle: {what}"));
        let hash = |bytes: Base64| -> Result<Hash, Fail> {
            bytes
                .0
                .try_into()
                .map_err(|_| bad("a hash has not 32 bytes"))
        };
        let proof = self
            .inclusion_proof
            .map(|proof| {
                if proof.hashes.len() > merkle::LONGEST {
                    return Err(bad("no tree is as deep as its proof is long"));
                }
                Ok(InclusionProof {
                    index: proof.log_index.0,
                    size: proof.tree_size.0,
                    root: hash(proof.root_hash)?,
                    hashes: proof
                        .hashes
                        .into_iter()
                        .map(hash)
                        .collect::<Result<_, _>>()?,
                    checkpoint: proof.checkpoint.map(|checkpoint| checkpoint.envelope),
                })
            })
            .transpose()?;
        let canonicalized_body = self.canonicalized_body.0;
        let body = strict_json(&canonicalized_body).map_err(|error| bad(&error.to_string()))?;
        if let Some(RawKind { kind, version }) = self.kind_version {
            let (said, is) = (format!("{kind} {version}"), Entry::kind_of(&body));
            if said != is {
                return Err(bad(&format!("it is called {said:?}, and is {is:?}")));
            }
        }
        let promise = self.inclusion_promise;
        // Only v1 records a time and makes promises.
        let integrated = Some(self.integrated_time.0).filter(|time| *time != 0);
        let rekor = if integrated.is_some() || promise.is_some() {
            Version::V1
        } else {
            Version::V2
        };
        Ok(Entry {
            rekor,
            index: self.log_index.0,
            uuid: None,
            integrated,
            log_id: Some(self.log_id.key_id.0),
            raw: body.clone(),
            body,
            canonicalized_body,
            promise: promise.map(|promise| promise.signed_entry_timestamp.0),
            proof,
        })
    }
}
