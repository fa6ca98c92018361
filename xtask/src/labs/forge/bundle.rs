//! A signature with a forged certificate, all the rest of which is real.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::timestamp::asked_for;
use super::{Stamp, post, trust};
use crate::format::hashing::sha256_hash;
use crate::format::private_key::PrivateKey;
use crate::labs::{ALICE, Session};
use crate::state;

/// A file of the lab and its signature.
pub(crate) struct SignedFile {
    /// The path of the file.
    pub file: String,
    /// That of its bundle, as `sign` has it.
    pub bundle: String,
}

impl SignedFile {
    /// Writes a file, which is not signed yet.
    pub(crate) fn new(session: &Session<'_>, name: &str, text: &str) -> Result<SignedFile> {
        let file = session.file(name);
        state::write(&file, text.as_bytes(), 0o600)?;
        let file = file.to_string_lossy().into_owned();
        let bundle = format!("{file}.sigstore.json");
        Ok(SignedFile { file, bundle })
    }

    /// The command that has cosign verify it as Alice's.
    pub(crate) fn verified(&self) -> [&str; 3] {
        ["verify", "--blob", &self.file]
    }

    /// The command that proves every link of it, and that it is Alice's.
    pub(crate) fn proved(&self) -> [&str; 7] {
        let SignedFile { file, bundle } = self;
        [
            "inspect-rekor",
            "--bundle",
            bundle,
            "--blob",
            file,
            "--identity",
            ALICE,
        ]
    }
}

/// Signs a file, has the lab's Rekor v2 record it and its timestamp authority stamp
/// it, and writes the bundle beside the file.
pub(crate) fn bundle(
    session: &Session<'_>,
    file: &SignedFile,
    key: &PrivateKey,
    leaf: &[u8],
) -> Result<()> {
    let encoded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    let content = state::read(Path::new(&file.file))?.context("there is nothing to sign")?;
    let digest = encoded(&sha256_hash(&[&content]));
    let signature = key.sign(&content)?;
    let timestamp = asked_for(session, &signature)?;
    let entry = json!({"hashedRekordRequestV002": {
        "digest": &digest,
        "signature": {
            "content": encoded(&signature),
            "verifier": {
                "x509Certificate": {"rawBytes": encoded(leaf)},
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            },
        },
    }});
    // The log takes whatever is signed with the key in it: who certified that key, it leaves
    // to those who verify.
    let config = trust(session, "WORKSHOP_SIGNING_CONFIG")?;
    let log = config["rekorTlogUrls"][0]["url"].as_str();
    let url = format!("{}/api/v2/log/entries", log.context("no log is named")?);
    let entry = post(
        session,
        "application/json",
        "entry",
        entry.to_string().as_bytes(),
        &url,
    )?;
    let entry: Value = serde_json::from_slice(&entry).context("read the answer of Rekor")?;
    let made = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": encoded(leaf)},
            "tlogEntries": [entry],
            "timestampVerificationData": {
                "rfc3161Timestamps": [{"signedTimestamp": encoded(&timestamp)}],
            },
        },
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": digest},
            "signature": encoded(&signature),
        },
    });
    state::write_json(Path::new(&file.bundle), &made)
}

/// Puts a timestamp of a stolen key and of this time, in seconds since 1970, into the
/// place of the real one.
pub(crate) fn restamp(file: &SignedFile, stamp: &Stamp, time: u64) -> Result<()> {
    let path = Path::new(&file.bundle);
    let mut bundle: Value = state::read_json(path)?.context("there is no bundle")?;
    let bytes = |value: &Value| {
        let text = value.as_str().context("a field of the bundle is missing")?;
        BASE64_STANDARD.decode(text).context("read the bundle")
    };
    let signature = bytes(&bundle["messageSignature"]["signature"])?;
    let material = &mut bundle["verificationMaterial"];
    let timestamps = &mut material["timestampVerificationData"]["rfc3161Timestamps"];
    let place = timestamps
        .get_mut(0)
        .and_then(|timestamp| timestamp.get_mut("signedTimestamp"))
        .context("the bundle has no timestamp")?;
    let forged = stamp.forge(&bytes(place)?, &signature, time)?;
    *place = BASE64_STANDARD.encode(forged).into();
    state::write_json(path, &bundle)
}
