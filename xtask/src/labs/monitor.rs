//! A monitor: whoever reads a CT log sees for which names certificates were issued.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tls_codec::{DeserializeBytes, TlsByteVecU16, TlsByteVecU24, TlsDeserializeBytes, TlsSize};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::{Session, forge};
use crate::fail::broken;
use crate::format::der;
use crate::format::hex::hex;
use crate::state;
use crate::time;

/// What the leaf of a precertificate holds (RFC 6962, section 3.4).
#[derive(TlsDeserializeBytes, TlsSize)]
struct MerkleTreeLeaf {
    version: u8,
    leaf_type: u8,
    timestamp: u64,
    entry_type: u16,
    issuer_key_hash: [u8; 32],
    certificate: TlsByteVecU24,
    extensions: TlsByteVecU16,
}

/// A certificate that a CT log shows.
pub(crate) struct Shown {
    /// The name that it is for.
    pub email: String,
    /// Its serial number, in hexadecimal.
    pub serial: String,
}

/// Lists the first certificates of the lab's CT log, for the reader as well.
pub(crate) fn certificates(session: &Session<'_>) -> Result<Vec<Shown>> {
    let file = session.file("ct-entries.json");
    let url = format!("{}/get-entries?start=0&end=99", forge::ct_log(session)?);
    session.curl(&["--output", &file.to_string_lossy(), &url])?;
    let answer: Value = state::read_json(&file)?.context("the CT log answers nothing")?;
    let entries = answer["entries"].as_array();
    let entries = entries.context("the CT log answers without entries")?;
    let mut all = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let leaf = entry["leaf_input"].as_str().unwrap_or_default();
        let (at, shown) = read(&BASE64_STANDARD.decode(leaf)?)?;
        let Shown { email, serial } = &shown;
        session.say(&format!("{index}  {at}  {email}  serial {serial}"));
        all.push(shown);
    }
    Ok(all)
}

fn read(leaf: &[u8]) -> Result<(String, Shown)> {
    let (leaf, _) = MerkleTreeLeaf::tls_deserialize_bytes(leaf)?;
    if (leaf.version, leaf.leaf_type, leaf.entry_type) != (0, 0, 1) {
        return Err(broken("an entry of the CT log is of another kind").into());
    }
    let certificate: TbsCertificate = der::read(leaf.certificate.as_slice())?;
    let at = time::from_unix(leaf.timestamp / 1000).context("read a time")?;
    let (_, names) = certificate
        .get::<SubjectAltName>()?
        .context("a certificate of the CT log names nobody")?;
    let email = names.0.iter().find_map(|name| match name {
        GeneralName::Rfc822Name(name) => Some(name.to_string()),
        _ => None,
    });
    let shown = Shown {
        email: email.context("a certificate of the CT log names no e-mail address")?,
        serial: hex(certificate.serial_number.as_bytes()),
    };
    Ok((at, shown))
}
