//! Files in which others keep bundles: several in one, and signatures in another form.
//!
//! | form | whose it is |
//! |---|---|
//! | a bundle a line (JSON lines) | `gh attestation download` |
//! | `{"attestations": [{"bundle": …}]}` | npm's registry, GitHub's API |
//! | `{"attestation_bundles": …}`, or one of its attestations | PyPI (PEP 740) |
//! | `{"base64Signature", "cert", "rekorBundle"}` | cosign 1 and 2, `sign-blob --bundle` |

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::cosign_entry::cosign_entry;
use super::read::read_value;
use super::{Bundle, Content, STATEMENT};
use crate::fail::{Fail, broken};
use crate::format::certificate::Leaf;
use crate::format::protojson::strict_json;

/// No file holds more bundles that are read.
const MOST: usize = 1000;

/// Reads all bundles of a file, at least one.
pub fn read_all(text: &[u8]) -> Result<Vec<Bundle>, Fail> {
    let all = match strict_json(text) {
        Ok(value) => of_value(value)?,
        Err(error) => of_lines(text, &error)?,
    };
    match all.len() {
        0 => Err(broken("that holds no bundle")),
        1..=MOST => Ok(all),
        _ => Err(broken(format!("that holds more than {MOST} bundles"))),
    }
}

/// The bundles of JSON lines; `error` says why it is no JSON as a whole.
fn of_lines(text: &[u8], error: &serde_json::Error) -> Result<Vec<Bundle>, Fail> {
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    let lines: Vec<_> = lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .collect();
    let is_json = |(_, line): &(usize, &[u8])| strict_json(line).is_ok();
    if lines.len() < 2 || !lines.first().is_some_and(is_json) {
        return Err(broken(format!("that is not a bundle: {error}")));
    }
    let mut all = Vec::new();
    for (i, line) in lines.into_iter().take(MOST + 1) {
        let number = i + 1;
        let read = strict_json(line)
            .map_err(|error| broken(format!("that is not a bundle: {error}")))
            .and_then(of_value);
        all.extend(read.map_err(|fail| Fail {
            what: format!("line {number}: {}", fail.what),
            ..fail
        })?);
    }
    Ok(all)
}

/// The bundles of a JSON value, by the fields that each form has and no other.
fn of_value(value: Value) -> Result<Vec<Bundle>, Fail> {
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    if let Some(attestations) = value
        .get("attestations")
        .filter(|_| value.get("mediaType").is_none())
    {
        let bundles = items(attestations).into_iter();
        return bundles
            .take(MOST + 1)
            .map(|mut attestation| read_value(attestation["bundle"].take()))
            .collect();
    }
    if let Some(publishers) = value.get("attestation_bundles") {
        let publishers = items(publishers).into_iter();
        let attestations = publishers.flat_map(|publisher| items(&publisher["attestations"]));
        return attestations
            .take(MOST + 1)
            .map(|one| of_pep_740(&one))
            .collect();
    }
    if value.get("verification_material").is_some() {
        return Ok(vec![of_pep_740(&value)?]);
    }
    if value.get("base64Signature").is_some() {
        return Ok(vec![of_cosign(&value)?]);
    }
    if value.get("payloadType").is_some() {
        let what =
            "that is an envelope (DSSE) alone: who signed it, and that it is in a log, is missing";
        let hint = "make a bundle of it: cosign bundle create --attestation FILE --artifact FILE --out FILE";
        return Err(broken(what).hint(hint));
    }
    Ok(vec![read_value(value)?])
}

/// An attestation of PEP 740 as a bundle: it has the same parts under other names.
fn of_pep_740(attestation: &Value) -> Result<Bundle, Fail> {
    let (material, envelope) = (
        &attestation["verification_material"],
        &attestation["envelope"],
    );
    read_value(json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": material["certificate"]},
            "tlogEntries": material["transparency_entries"],
        },
        "dsseEnvelope": {
            "payload": envelope["statement"],
            "payloadType": STATEMENT,
            "signatures": [{"sig": envelope["signature"]}],
        },
    }))
    .map_err(|fail| Fail {
        what: format!("an attestation as of PEP 740: {}", fail.what),
        ..fail
    })
}

/// What cosign 1 and 2 called a bundle: it holds no digest of the file but in the log entry.
fn of_cosign(value: &Value) -> Result<Bundle, Fail> {
    let bad = |what: &str| {
        broken(format!("that is a bundle of cosign 2, and {what}")).hint(
            "make one of today of it: cosign bundle create --bundle FILE --artifact FILE --out FILE",
        )
    };
    let base64 = |value: &Value| BASE64_STANDARD.decode(value.as_str()?).ok();
    let signature =
        base64(&value["base64Signature"]).ok_or_else(|| bad("its signature is not base64"))?;
    let pem = base64(&value["cert"]).unwrap_or_default();
    let leaf = String::from_utf8_lossy(&pem)
        .contains("BEGIN CERTIFICATE")
        .then(|| Leaf::from_pem(&pem))
        .transpose()
        .map_err(|error| Fail::from_error(&error))?;
    let recorded = value
        .get("rekorBundle")
        .filter(|recorded| !recorded.is_null());
    let recorded = recorded.ok_or_else(|| bad("it holds no log entry"))?;
    let entry = cosign_entry(recorded).map_err(|why| bad(&format!("its log entry: {why}")))?;
    let body = entry.recorded().map_err(|why| bad(&why))?;
    let body = body.filter(|body| !body.of_payload);
    let body = body.ok_or_else(|| bad("its log entry does not say what was signed"))?;
    let content = Content::Message {
        hashing: body.hashing,
        digest: body.digest,
        signature,
    };
    Ok(Bundle::of(content, leaf, Some(entry), Vec::new()))
}
