//! Chains of certificates, verified by webpki (RFC 5280) up to an authority of the
//! trusted root.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::ext::pkix::ExtendedKeyUsage;

use crate::format::der;
use crate::format::hashing::sha256_hash;
use crate::format::key::Unproved;
use crate::tlog::merkle::Hash;
use crate::trust::root::Authority;

/// What a certificate is for (RFC 5280, section 4.2.1.12), as the bytes of the OID.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// `id-kp-codeSigning`, 1.3.6.1.5.5.7.3.3.
    CodeSigning,
    /// `id-kp-timeStamping`, 1.3.6.1.5.5.7.3.8.
    TimeStamping,
}

impl Purpose {
    /// Of the authorities only those that name purposes are restricted to them (RFC 5280,
    /// section 4.2.1.12).
    fn usage(self) -> KeyUsage {
        match self {
            Purpose::CodeSigning => KeyUsage::required_if_present(&[0x2b, 6, 1, 5, 5, 7, 3, 3]),
            Purpose::TimeStamping => KeyUsage::required_if_present(&[0x2b, 6, 1, 5, 5, 7, 3, 8]),
        }
    }
}

/// Where no authority has the name of who issued a certificate.
pub(super) const NOBODY: &str = "no authority of the trusted root issued it";

/// A chain that holds.
pub struct Chain<'a> {
    /// The authority that it leads to.
    pub authority: &'a Authority,
    /// The hash of the public key that signed the leaf (RFC 6962, section 3.2).
    pub issuer_key_hash: Hash,
    /// How many certificates there are between the leaf and the root.
    pub intermediates: usize,
}

/// Finds the authority that a certificate comes from, and verifies the chain as of a
/// time in seconds since 1970.
///
/// # Errors
/// Where no chain holds, with the reason that the authority of its issuer's name
/// gives.
pub fn verify<'a>(
    leaf: &[u8],
    authorities: impl IntoIterator<Item = &'a Authority>,
    purpose: Purpose,
    time: u64,
) -> Result<Chain<'a>, Unproved> {
    first(authorities, time, |authority| {
        verify_one(leaf, authority, purpose, time)
    })
}

/// The chain to the first authority to which there is one.
pub(super) fn first<'a>(
    authorities: impl IntoIterator<Item = &'a Authority>,
    time: u64,
    verify: impl Fn(&'a Authority) -> Result<Chain<'a>, Option<Unproved>>,
) -> Result<Chain<'a>, Unproved> {
    let mut sorted: Vec<&Authority> = authorities.into_iter().collect();
    if sorted.is_empty() {
        return Err("the trusted root names no authority".into());
    }
    let mut reason: Option<Unproved> = None;
    // Where two share a chain, the one whose period holds the time comes first.
    sorted.sort_by_key(|authority| !authority.valid_for.holds(time));
    for authority in sorted {
        match verify(authority) {
            Ok(chain) => return Ok(chain),
            // An authority with another name gives no useful reason.
            Err(Some(why)) => reason = Some(why),
            Err(None) => {}
        }
    }
    Err(reason.unwrap_or_else(|| NOBODY.into()))
}

/// The chain to one authority. An error without a reason is that of an authority which
/// did not issue the certificate.
pub(super) fn verify_one<'a>(
    leaf: &[u8],
    authority: &'a Authority,
    purpose: Purpose,
    time: u64,
) -> Result<Chain<'a>, Option<Unproved>> {
    let in_root =
        |what: webpki::Error| Some(format!("a certificate of the trusted root: {what:?}").into());
    let all: Vec<CertificateDer<'_>> = authority.chain().map(CertificateDer::from).collect();
    let (root, below) = all.split_last().ok_or(None)?;
    let anchor: TrustAnchor<'_> = anchor_from_trusted_cert(root).map_err(in_root)?;
    let der = CertificateDer::from(leaf);
    let end = EndEntityCert::try_from(&der).map_err(|error| {
        Some(format!("that is not a certificate of a signer: {error:?}").into())
    })?;
    // The leaf has to name a purpose; that it is this one is seen with the chain.
    let names_purpose = der::read::<Certificate>(leaf)
        .and_then(|leaf| der::extension::<ExtendedKeyUsage>(&leaf))
        .is_ok_and(|usage| usage.is_some());
    let below: Vec<CertificateDer<'_>> = below.iter().filter(|one| **one != der).cloned().collect();
    let anchors = [anchor];
    let path = end
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &below,
            UnixTime::since_unix_epoch(Duration::from_secs(time)),
            purpose.usage(),
            None,
            None,
        )
        .map_err(|error| match error {
            webpki::Error::UnknownIssuer => None,
            other => Some(words(&other)),
        })?;
    if !names_purpose {
        return Err(Some("it names no purpose".into()));
    }
    Ok(Chain {
        authority,
        issuer_key_hash: sha256_hash(&[&path.issuer_spki()]),
        intermediates: path.intermediate_certificates().count(),
    })
}

/// What webpki finds wrong, for a person.
fn words(error: &webpki::Error) -> Unproved {
    use webpki::Error as E;
    let known = match error {
        E::InvalidSignatureForPublicKey => "the signature of its issuer is wrong",
        E::CertExpired { .. } => "a certificate above it had ended",
        E::CertNotValidYet { .. } => "a certificate above it had not begun",
        E::RequiredEkuNotFoundContext(_) => "it is for another purpose",
        E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            let why = "it is signed in a way that this program does not read";
            return Unproved::NotRead(why.into());
        }
        E::CaUsedAsEndEntity => "it is the certificate of an authority",
        E::EndEntityUsedAsCa => "what issued it is no authority",
        other => return format!("{other:?}").into(),
    };
    known.into()
}
