//! Private keys that this program signs with: new ones that nobody keeps, and those that a lab steals.

use anyhow::{Context, Result, anyhow};
use ring::pkcs8::Document;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair,
};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use x509_cert::der::asn1::{BitString, ObjectIdentifier, OctetString};
use x509_cert::der::pem::{LineEnding, encode_string};
use x509_cert::der::{Any, Encode, Tag};
use x509_cert::spki::{AlgorithmIdentifier, AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// A private key of ECDSA over P-256.
pub(crate) struct PrivateKey(EcdsaKeyPair);

impl PrivateKey {
    /// A new one, whose signatures are DER, as in certificates.
    pub(crate) fn random() -> Result<PrivateKey> {
        PrivateKey::new(&ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    /// A new one, whose signatures are of 64 bytes, as in tokens (RFC 7518, section
    /// 3.4).
    pub(crate) fn random_of_tokens() -> Result<PrivateKey> {
        PrivateKey::new(&ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    /// A new one, and how a file holds it (PEM, PKCS#8).
    pub(crate) fn random_with_pem() -> Result<(PrivateKey, String)> {
        let pkcs8 = generated(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
        let key = PrivateKey::read(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref())?;
        let pem = encode_string("PRIVATE KEY", LineEnding::LF, pkcs8.as_ref());
        Ok((key, pem.map_err(|error| anyhow!("write a key: {error}"))?))
    }

    fn new(algorithm: &'static EcdsaSigningAlgorithm) -> Result<PrivateKey> {
        PrivateKey::read(algorithm, generated(algorithm)?.as_ref())
    }

    /// One that a file holds (PEM; PKCS#8, or as the CT log has it, RFC 5915).
    pub(crate) fn from_pem(pem: &[u8]) -> Result<PrivateKey> {
        let key = PrivateKeyDer::from_pem_slice(pem).context("read the private key")?;
        let pkcs8 = match &key {
            PrivateKeyDer::Sec1(bare) => in_pkcs8(bare.secret_sec1_der())?,
            other => other.secret_der().to_vec(),
        };
        PrivateKey::read(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8)
    }

    fn read(algorithm: &'static EcdsaSigningAlgorithm, der: &[u8]) -> Result<PrivateKey> {
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, der, &SystemRandom::new());
        let pair = pair.map_err(|error| anyhow!("read the private key: {error}"))?;
        Ok(PrivateKey(pair))
    }

    /// Its public key.
    pub(crate) fn public(&self) -> Result<SubjectPublicKeyInfoOwned> {
        Ok(SubjectPublicKeyInfoOwned {
            algorithm: algorithm()?,
            subject_public_key: BitString::from_bytes(self.0.public_key().as_ref())?,
        })
    }

    /// Its public key, DER.
    pub(crate) fn public_der(&self) -> Result<Vec<u8>> {
        Ok(self.public()?.to_der()?)
    }

    /// The signature of a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let made = self.0.sign(&SystemRandom::new(), message);
        let made = made.map_err(|_| anyhow!("this machine gives no random bytes"))?;
        Ok(made.as_ref().to_vec())
    }
}

fn generated(algorithm: &'static EcdsaSigningAlgorithm) -> Result<Document> {
    let made = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new());
    made.map_err(|_| anyhow!("this machine gives no random bytes"))
}

/// What the key is of.
fn algorithm() -> Result<AlgorithmIdentifierOwned> {
    Ok(AlgorithmIdentifier {
        oid: EC,
        parameters: Some(Any::encode_from(&P256)?),
    })
}

/// A bare key with what it is of, which is all that ring reads (RFC 5208).
fn in_pkcs8(bare: &[u8]) -> Result<Vec<u8>> {
    let parts = [
        0u8.to_der()?,
        algorithm()?.to_der()?,
        OctetString::new(bare)?.to_der()?,
    ];
    Ok(Any::new(Tag::Sequence, parts.concat())?.to_der()?)
}
