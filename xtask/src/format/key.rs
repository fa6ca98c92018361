//! Public keys, and what was signed with them.

use ring::signature as sig;
use rustls_pki_types::alg_id;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::SubjectPublicKeyInfoRef;

pub(crate) use super::hashing::Hashing;
pub use super::unproved::Unproved;

/// The kinds of keys that Sigstore's services and signers use, and that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// ECDSA over P-256.
    P256,
    /// ECDSA over P-384.
    P384,
    /// Ed25519.
    Ed25519,
    /// RSA, for signatures of PKCS#1 v1.5 and PSS (RFC 8017).
    Rsa,
    /// RSA, for signatures of PSS alone (RFC 4055, `id-RSASSA-PSS`).
    RsaPss,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: KeyKind,
    /// The point of the curve, or modulus and exponent, as the certificate has it.
    bytes: Vec<u8>,
}

const WRONG: &str = "the signature is wrong";
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
const ID_RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

/// Whether an ECDSA signature of a digest is of the key at a point of a curve. A macro,
/// since a function over all curves has bounds longer than its work.
macro_rules! ecdsa_verifies {
    ($curve:ty, $point:expr, $digest:expr, $signature:expr) => {
        p256::elliptic_curve::PublicKey::<$curve>::from_sec1_bytes($point).is_ok_and(|key| {
            let signature = ecdsa::Signature::<$curve>::from_der($signature);
            let digest = ecdsa::hazmat::bits2field::<$curve>($digest);
            let parts = signature.and_then(|signature| Ok((signature, digest?)));
            parts.is_ok_and(|(signature, digest)| {
                ecdsa::hazmat::verify_prehashed(&key.to_projective(), &digest, &signature).is_ok()
            })
        })
    };
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280), DER.
    ///
    /// # Errors
    /// [`Unproved::NotRead`] where the key is of a kind that is not read.
    pub fn from_der(der: &[u8]) -> Result<PublicKey, Unproved> {
        let spki = SubjectPublicKeyInfoRef::from_der(der)
            .map_err(|error| format!("that is no public key: {error}"))?;
        let bytes = spki
            .subject_public_key
            .as_bytes()
            .ok_or("a public key that ends within a byte")?;
        let algorithm = spki.algorithm.to_der().map_err(|error| error.to_string())?;
        // The constants are without the sequence around them.
        let inside = AnyRef::from_der(&algorithm).map_err(|error| error.to_string())?;
        let inside = inside.value();
        let kind = if inside == alg_id::ECDSA_P256.as_ref() {
            KeyKind::P256
        } else if inside == alg_id::ECDSA_P384.as_ref() {
            KeyKind::P384
        } else if inside == alg_id::ED25519.as_ref() {
            KeyKind::Ed25519
        } else if inside == alg_id::RSA_ENCRYPTION.as_ref() {
            KeyKind::Rsa
        } else if spki.algorithm.oid == ID_RSASSA_PSS {
            KeyKind::RsaPss
        } else {
            let curve = spki.algorithm.parameters_oid().ok();
            let kind = curve.unwrap_or(spki.algorithm.oid);
            let why = format!("this program reads no keys of that kind ({kind})");
            return Err(Unproved::NotRead(why));
        };
        kind.accepts(bytes)?;
        let bytes = bytes.to_vec();
        Ok(PublicKey { kind, bytes })
    }

    /// The key in a certificate.
    pub fn of(certificate: &x509_cert::Certificate) -> Result<PublicKey, Unproved> {
        let spki = &certificate.tbs_certificate.subject_public_key_info;
        let der = spki.to_der().map_err(|error| error.to_string())?;
        PublicKey::from_der(&der)
    }

    /// Its kind.
    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The point of an Ed25519 key.
    pub(crate) fn ed25519(&self) -> Option<&[u8]> {
        (self.kind == KeyKind::Ed25519).then_some(&self.bytes)
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            KeyKind::P256 => "ECDSA P-256",
            KeyKind::P384 => "ECDSA P-384",
            KeyKind::Ed25519 => "Ed25519",
            KeyKind::Rsa | KeyKind::RsaPss => "RSA",
        }
    }

    /// The hash algorithm that belongs to the key, where it needs one.
    pub(crate) fn hashing(&self) -> Hashing {
        match self.kind {
            KeyKind::P384 => Hashing::Sha384,
            _ => Hashing::Sha256,
        }
    }

    /// Checks a signature of a message: DER for ECDSA, 64 bytes for Ed25519, as long
    /// as the modulus for RSA.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), String> {
        self.verify_hashed(self.hashing(), message, signature)
    }

    /// Checks a signature of a message that was hashed so. An Ed25519 key signs
    /// messages as they are.
    pub(crate) fn verify_hashed(
        &self,
        hashing: Hashing,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), String> {
        use Hashing::{Sha256, Sha384, Sha512};
        let pss: &dyn sig::VerificationAlgorithm = match hashing {
            Sha256 => &sig::RSA_PSS_2048_8192_SHA256,
            Sha384 => &sig::RSA_PSS_2048_8192_SHA384,
            Sha512 => &sig::RSA_PSS_2048_8192_SHA512,
        };
        // A signature with an RSA key does not say of which of the two forms it is,
        // and none is of both.
        let ways: [Option<&dyn sig::VerificationAlgorithm>; 2] = match (self.kind, hashing) {
            (KeyKind::P256, Sha256) => [Some(&sig::ECDSA_P256_SHA256_ASN1), None],
            (KeyKind::P256, Sha384) => [Some(&sig::ECDSA_P256_SHA384_ASN1), None],
            (KeyKind::P384, Sha256) => [Some(&sig::ECDSA_P384_SHA256_ASN1), None],
            (KeyKind::P384, Sha384) => [Some(&sig::ECDSA_P384_SHA384_ASN1), None],
            (KeyKind::P256 | KeyKind::P384, Sha512) => {
                return self.verify_digest(&hashing.digest(message), signature);
            }
            (KeyKind::Ed25519, _) => [Some(&sig::ED25519), None],
            (KeyKind::Rsa, Sha256) => [Some(&sig::RSA_PKCS1_2048_8192_SHA256), Some(pss)],
            (KeyKind::Rsa, Sha384) => [Some(&sig::RSA_PKCS1_2048_8192_SHA384), Some(pss)],
            (KeyKind::Rsa, Sha512) => [Some(&sig::RSA_PKCS1_2048_8192_SHA512), Some(pss)],
            (KeyKind::RsaPss, _) => [None, Some(pss)],
        };
        let right = ways.into_iter().flatten().any(|way| {
            let key = sig::UnparsedPublicKey::new(way, &self.bytes);
            key.verify(message, signature).is_ok()
        });
        right.then_some(()).ok_or_else(|| WRONG.to_owned())
    }

    /// Whether a signature can be checked of a message of which only the digest is
    /// known.
    pub(crate) fn signs_digests(&self) -> bool {
        matches!(self.kind, KeyKind::P256 | KeyKind::P384)
    }

    /// Checks a signature of a message of which only the digest is known; fails for a key
    /// that does not sign digests. ring hashes messages itself and takes no digest, so
    /// this is another library's.
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), String> {
        let right = match self.kind {
            KeyKind::P256 => ecdsa_verifies!(p256::NistP256, &self.bytes, digest, signature),
            KeyKind::P384 => ecdsa_verifies!(p384::NistP384, &self.bytes, digest, signature),
            _ => {
                let why = format!("an {} key signs messages, not digests", self.name());
                return Err(why);
            }
        };
        right.then_some(()).ok_or_else(|| WRONG.to_owned())
    }
}

impl KeyKind {
    /// Whether bytes can be a key of this kind.
    fn accepts(self, bytes: &[u8]) -> Result<(), Unproved> {
        let curve = "the public key is no point of its curve";
        match self {
            KeyKind::P256 => p256::PublicKey::from_sec1_bytes(bytes)
                .map(drop)
                .map_err(|_| curve.into()),
            KeyKind::P384 => p384::PublicKey::from_sec1_bytes(bytes)
                .map(drop)
                .map_err(|_| curve.into()),
            KeyKind::Ed25519 if bytes.len() != 32 => Err("an Ed25519 key has 32 bytes".into()),
            KeyKind::Ed25519 => Ok(()),
            KeyKind::Rsa | KeyKind::RsaPss => {
                let bits = modulus_bits(bytes).ok_or("that is no public key of RSA")?;
                RSA_BITS.contains(&bits).then_some(()).ok_or_else(|| {
                    let why =
                        format!("this program reads RSA keys of 2048 to 4096 bits, not {bits}");
                    Unproved::NotRead(why)
                })
            }
        }
    }
}

/// How long the modulus of an RSA key is (`RSAPublicKey`, RFC 8017, A.1.1).
fn modulus_bits(der: &[u8]) -> Option<usize> {
    use x509_cert::der::asn1::UintRef;
    let parts = AnyRef::from_der(der).ok()?.sequence(|reader| {
        use x509_cert::der::Reader;
        let modulus: UintRef<'_> = reader.decode()?;
        let _exponent: UintRef<'_> = reader.decode()?;
        Ok(modulus)
    });
    let bytes = parts.ok()?.as_bytes();
    let first = bytes.first()?;
    Some(8 * bytes.len() - first.leading_zeros() as usize)
}
