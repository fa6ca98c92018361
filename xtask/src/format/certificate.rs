//! A leaf certificate in plain words.
//!
//! Extension names and encodings are those of Fulcio's OID list
//! (`docs/oid-info.md` in sigstore/fulcio): 1.3.6.1.4.1.57264.1.1 to .6 hold raw
//! strings, .8 and above DER-encoded ones.

use anyhow::{Context, Result};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::hashing::sha256_hash;
use crate::fail::broken;
use crate::format::der;
use crate::format::hex::hex;
use crate::text::printable;
use crate::time;

/// The arc of Fulcio's extensions.
const FULCIO: &str = "1.3.6.1.4.1.57264.1.";

/// The name of an `otherName` that holds a user name.
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// The extension that holds the SCTs (RFC 6962, section 3.3).
pub(crate) const SCT_LIST: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// Fulcio's extensions: the last number of the OID and its name.
const NAMES: [(u32, &str); 23] = [
    (1, "Issuer (deprecated)"),
    (2, "GitHub Workflow Trigger (deprecated)"),
    (3, "GitHub Workflow SHA (deprecated)"),
    (4, "GitHub Workflow Name (deprecated)"),
    (5, "GitHub Workflow Repository (deprecated)"),
    (6, "GitHub Workflow Ref (deprecated)"),
    (8, "Issuer (V2)"),
    (9, "Build Signer URI"),
    (10, "Build Signer Digest"),
    (11, "Runner Environment"),
    (12, "Source Repository URI"),
    (13, "Source Repository Digest"),
    (14, "Source Repository Ref"),
    (15, "Source Repository Identifier"),
    (16, "Source Repository Owner URI"),
    (17, "Source Repository Owner Identifier"),
    (18, "Build Config URI"),
    (19, "Build Config Digest"),
    (20, "Build Trigger"),
    (21, "Run Invocation URI"),
    (22, "Source Repository Visibility At Signing"),
    (23, "Deployment Environment"),
    (24, "Token Subject"),
];

/// A certificate, parsed.
#[derive(Debug, Clone)]
pub struct Leaf {
    certificate: Certificate,
    der: Vec<u8>,
}

/// What a leaf certificate says, for a script.
#[derive(Serialize)]
pub struct LeafDocument {
    identities: Vec<String>,
    issuer: Option<String>,
    not_before: String,
    not_after: String,
    subject: String,
    issued_by: String,
    serial: String,
    public_key: String,
    sct_embedded: bool,
    sha256: String,
    extensions: Vec<FulcioExtension>,
}

#[derive(Serialize)]
struct FulcioExtension {
    oid: String,
    name: &'static str,
    value: String,
}

impl Leaf {
    /// Reads DER.
    pub fn from_der(bytes: &[u8]) -> Result<Leaf> {
        let certificate = der::read::<Certificate>(bytes)
            .map_err(|error| broken(format!("that is no X.509 certificate: {error}")))?;
        Ok(Leaf {
            certificate,
            der: bytes.to_vec(),
        })
    }

    /// A certificate whose bytes are not known.
    pub(crate) fn of(certificate: Certificate) -> Leaf {
        Leaf {
            certificate,
            der: Vec::new(),
        }
    }

    /// Reads the first certificate of a PEM text, whatever the width of its lines.
    pub fn from_pem(pem: &[u8]) -> Result<Leaf> {
        let der = CertificateDer::from_pem_slice(pem)
            .map_err(|error| broken(format!("that is no X.509 certificate: {error}")))?;
        Leaf::from_der(&der)
    }

    /// All of it.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Reads PEM.
    pub fn pem(&self) -> Result<String> {
        use x509_cert::der::EncodePem;
        let pem = self.certificate.to_pem(x509_cert::der::pem::LineEnding::LF);
        pem.context("write a certificate as PEM")
    }

    /// The names in its subject alternative name: e-mail addresses, URIs, user
    /// names, hosts.
    pub fn identities(&self) -> Vec<String> {
        let Ok(Some(names)) = der::extension::<SubjectAltName>(&self.certificate) else {
            return Vec::new();
        };
        names.0.iter().map(general_name).collect()
    }

    /// The OIDC issuer: the newer extension where it is there, else the older.
    pub fn issuer_claim(&self) -> Option<String> {
        let named = |wanted: &str| {
            self.extensions()
                .into_iter()
                .find_map(|(oid, _, value)| (oid == wanted).then_some(value))
        };
        named("1.3.6.1.4.1.57264.1.8").or_else(|| named("1.3.6.1.4.1.57264.1.1"))
    }

    /// Fulcio's extensions: OID, name, value.
    pub fn extensions(&self) -> Vec<(String, &'static str, String)> {
        let all = self.certificate.tbs_certificate.extensions.iter().flatten();
        all.filter_map(|extension| {
            let oid = extension.extn_id.to_string();
            let number: u32 = oid.strip_prefix(FULCIO)?.parse().ok()?;
            let name = NAMES
                .iter()
                .find(|(known, _)| *known == number)
                .map_or("unknown to this reader", |(_, name)| name);
            let bytes = extension.extn_value.as_bytes();
            let text = match Utf8StringRef::from_der(bytes) {
                Ok(text) if number >= 8 => text.as_str().to_owned(),
                _ => String::from_utf8_lossy(bytes).into_owned(),
            };
            Some((oid, name, text))
        })
        .collect()
    }

    /// From when to when it is valid, in seconds since 1970.
    pub fn validity(&self) -> (u64, u64) {
        let validity = &self.certificate.tbs_certificate.validity;
        (
            validity.not_before.to_unix_duration().as_secs(),
            validity.not_after.to_unix_duration().as_secs(),
        )
    }

    /// The validity as RFC 3339 texts.
    pub fn validity_text(&self) -> (String, String) {
        let (from, to) = self.validity();
        let text = |seconds| {
            time::from_unix(seconds).unwrap_or_else(|| format!("{seconds} seconds after 1970"))
        };
        (text(from), text(to))
    }

    /// Whether an SCT is embedded: the CT log's promise to include it.
    pub fn has_sct(&self) -> bool {
        self.certificate
            .tbs_certificate
            .extensions
            .iter()
            .flatten()
            .any(|ext| ext.extn_id == SCT_LIST)
    }

    /// What it says, for a script. Times are RFC 3339.
    pub fn document(&self) -> LeafDocument {
        let tbs = &self.certificate.tbs_certificate;
        let (not_before, not_after) = self.validity_text();
        let extension = |(oid, name, value)| FulcioExtension { oid, name, value };
        LeafDocument {
            identities: self.identities(),
            issuer: self.issuer_claim(),
            not_before,
            not_after,
            subject: tbs.subject.to_string(),
            issued_by: tbs.issuer.to_string(),
            serial: hex(tbs.serial_number.as_bytes()),
            public_key: key_name(&tbs.subject_public_key_info.algorithm.oid.to_string()).to_owned(),
            sct_embedded: self.has_sct(),
            sha256: hex(&sha256_hash(&[&self.der])),
            extensions: self.extensions().into_iter().map(extension).collect(),
        }
    }

    /// The whole certificate, for a person.
    pub fn lines(&self) -> Vec<String> {
        let tbs = &self.certificate.tbs_certificate;
        let (from, to) = self.validity_text();
        let (start, end) = self.validity();
        let lifetime = time::short(std::time::Duration::from_secs(end.saturating_sub(start)));
        // What is from outside could rewrite what a terminal shows.
        let mut lines = vec![
            format!("identity     {}", printable(&self.identities().join(", "))),
            format!(
                "issuer       {}",
                printable(&self.issuer_claim().unwrap_or_else(|| "not named".into()))
            ),
            format!("valid        {from} to {to} ({lifetime})"),
            format!("issued by    {}", printable(&tbs.issuer.to_string())),
            format!("serial       {}", hex(tbs.serial_number.as_bytes())),
            format!(
                "public key   {}",
                key_name(&tbs.subject_public_key_info.algorithm.oid.to_string())
            ),
            format!(
                "SCT          {}",
                if self.has_sct() {
                    "embedded: the CT log promised to show this certificate"
                } else {
                    "none"
                }
            ),
            format!("sha256       {}", hex(&sha256_hash(&[&self.der]))),
        ];
        let extensions = self.extensions();
        if !extensions.is_empty() {
            lines.push(
                "Fulcio's extensions, named as in docs/oid-info.md of sigstore/fulcio".into(),
            );
        }
        lines.extend(
            extensions
                .into_iter()
                .map(|(oid, name, value)| format!("  {oid:<26} {name}: {}", printable(&value))),
        );
        lines
    }
}

fn general_name(name: &GeneralName) -> String {
    match name {
        GeneralName::Rfc822Name(text)
        | GeneralName::DnsName(text)
        | GeneralName::UniformResourceIdentifier(text) => text.as_str().to_owned(),
        GeneralName::OtherName(other) if other.type_id == OTHER_NAME => other
            .value
            .to_der()
            .ok()
            .and_then(|der| {
                Utf8StringRef::from_der(&der)
                    .ok()
                    .map(|text| text.as_str().to_owned())
            })
            .unwrap_or_else(|| "a user name that cannot be read".into()),
        other => format!("{other:?}"),
    }
}

fn key_name(oid: &str) -> &str {
    match oid {
        "1.2.840.10045.2.1" => "ECDSA",
        "1.2.840.113549.1.1.1" => "RSA",
        "1.3.101.112" => "Ed25519",
        other => other,
    }
}
