//! The key and the certificates of the timestamp authority of a cluster. They go from here
//! to the API server on standard input, and nowhere else.

use std::time::SystemTime;

use anyhow::Result;
use serde_json::json;
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::EncodePem;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::pem::LineEnding;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::conditions::{Condition, ConditionKind};
use super::kubectl::Kubectl;
use super::object::labels;
use super::servers::TIMESTAMP;
use crate::fail::broken;
use crate::format::hashing::sha256_hash;
use crate::format::issue::{extension, serial_number, signed, validity};
use crate::format::private_key::PrivateKey;

/// The Secret that the chart reads.
pub(crate) const SECRET: &str = "tsa-server-secret";

/// That they are made.
pub(crate) static MADE: [Condition; 1] = [Condition::key(ConditionKind::Secret, SECRET, "chain")];

/// The object in which the chart has the chain, and its name there.
pub(crate) const CHAIN: (&str, &str) = ("configmap/tsa-server-config", "chain.pem");

/// How long the certificates count: ten years.
const SECONDS: u64 = 3652 * 24 * 60 * 60;

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// Makes key and certificates in a Secret of this name, where there is none.
pub(crate) fn make(kubectl: &Kubectl, secret: &str) -> Result<()> {
    let namespace = TIMESTAMP.namespace;
    let there = kubectl.get(namespace, &format!("secret/{secret}"))?;
    if there.is_some() {
        return Ok(());
    }
    let (private, chain) = key_and_chain()?;
    kubectl.create(&json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": secret, "namespace": namespace, "labels": labels()},
        "type": "Opaque",
        // The chart puts the password into the command line, so there is none: the key
        // is as safe as the Secret that would hold both.
        "stringData": {"private": private, "password": "", "chain": chain},
    }))
}

/// A private key (PEM, PKCS#8), and the chain of certificates that ends in it, its root
/// last. The key of the root is nowhere: there is nothing more for it to sign.
fn key_and_chain() -> Result<(String, String)> {
    const ROOT: &str = "CN=workshop timestamp root,O=workshop";
    let root_key = PrivateKey::random()?;
    let constraints = BasicConstraints {
        ca: true,
        path_len_constraint: Some(0),
    };
    let mut root = draft(ROOT, &root_key, &root_key)?;
    root.extensions.get_or_insert_default().extend([
        extension(
            KeyUsage::OID,
            true,
            &KeyUsage(KeyUsages::KeyCertSign.into()),
        )?,
        extension(BasicConstraints::OID, true, &constraints)?,
    ]);
    let (key, private) = PrivateKey::random_with_pem()?;
    let mut leaf = draft("CN=workshop timestamp,O=workshop", &key, &root_key)?;
    leaf.issuer = ROOT.parse()?;
    leaf.extensions.get_or_insert_default().extend([
        extension(
            KeyUsage::OID,
            true,
            &KeyUsage(KeyUsages::DigitalSignature.into()),
        )?,
        // RFC 3161, section 2.3: this usage alone, and critical.
        extension(
            ExtendedKeyUsage::OID,
            true,
            &ExtendedKeyUsage(vec![TIME_STAMPING]),
        )?,
    ]);
    let mut chain = String::new();
    for certificate in [leaf, root] {
        let pem = signed(certificate, &root_key)?.to_pem(LineEnding::LF);
        chain.push_str(&pem.map_err(|error| broken(format!("write a certificate: {error}")))?);
    }
    Ok((private, chain))
}

/// A certificate of a key that is to be signed with another, or its own, under its own
/// name, without what it is for.
fn draft(name: &str, key: &PrivateKey, issuer_key: &PrivateKey) -> Result<TbsCertificate> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let name: Name = name.parse()?;
    let own = SubjectKeyIdentifier(key_identifier(key)?);
    let issuer = AuthorityKeyIdentifier {
        key_identifier: Some(key_identifier(issuer_key)?),
        ..AuthorityKeyIdentifier::default()
    };
    Ok(TbsCertificate {
        version: Version::V3,
        serial_number: serial_number()?,
        signature: AlgorithmIdentifierOwned {
            oid: ECDSA_WITH_SHA256,
            parameters: None,
        },
        issuer: name.clone(),
        validity: validity(now.as_secs(), SECONDS)?,
        subject: name,
        subject_public_key_info: key.public()?,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(vec![
            extension(SubjectKeyIdentifier::OID, false, &own)?,
            extension(AuthorityKeyIdentifier::OID, false, &issuer)?,
        ]),
    })
}

/// What a key is called in certificates (RFC 7093, section 2, method 1).
fn key_identifier(key: &PrivateKey) -> Result<OctetString> {
    let public = key.public()?.subject_public_key;
    Ok(OctetString::new(&sha256_hash(&[public.raw_bytes()])[..20])?)
}

#[cfg(test)]
mod tests {
    use x509_cert::Certificate;
    use x509_cert::der::Encode;

    use super::*;
    use crate::format::der;

    #[test]
    fn the_chain_is_what_rfc_3161_asks_for() {
        let (private, chain) = key_and_chain().unwrap();
        let chain = Certificate::load_pem_chain(chain.as_bytes()).unwrap();
        let [leaf, root] = chain.as_slice() else {
            panic!("there are {} certificates", chain.len());
        };
        let key = PrivateKey::from_pem(private.as_bytes()).unwrap();
        let public = &leaf.tbs_certificate.subject_public_key_info;
        assert_eq!(*public, key.public().unwrap());
        let usages = leaf.tbs_certificate.extensions.iter().flatten();
        let mut usages = usages.filter(|extension| extension.extn_id == ExtendedKeyUsage::OID);
        assert!(usages.next().unwrap().critical);
        let usage: ExtendedKeyUsage = der::extension(leaf).unwrap().unwrap();
        assert_eq!(usage.0, [TIME_STAMPING]);
        assert_eq!(leaf.tbs_certificate.issuer, root.tbs_certificate.subject);
        // Signed by the root, and the root by itself.
        let signer = &root.tbs_certificate.subject_public_key_info;
        let signer = signer.subject_public_key.raw_bytes();
        for certificate in [leaf, root] {
            let message = certificate.tbs_certificate.to_der().unwrap();
            let algorithm = &ring::signature::ECDSA_P256_SHA256_ASN1;
            let public = ring::signature::UnparsedPublicKey::new(algorithm, signer);
            let signature = certificate.signature.raw_bytes();
            public.verify(&message, signature).unwrap();
        }
        assert_ne!(key_and_chain().unwrap().0, private);
    }
}
