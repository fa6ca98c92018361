//! Timestamps of a timestamp authority (RFC 3161): when a signature existed.

use cms::cert::CertificateChoices;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use x509_cert::Certificate;
use x509_cert::der::Encode;
use x509_cert::der::asn1::{ObjectIdentifier, OctetStringRef};
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_tsp::{TimeStampResp, TstInfo};

use super::KnownChains;
use super::chain::{self, Chain};
use crate::format::der;
use crate::format::key::{Hashing, PublicKey, Unproved};
use crate::time;
use crate::trust::root::{Authority, TimeRange, TrustedRoot};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

/// A timestamp that holds.
pub struct Timestamp {
    /// The time, in seconds since 1970.
    pub time: u64,
    /// The authority, for a person.
    pub by: String,
    /// When the authority counts.
    pub valid_for: TimeRange,
}

impl Timestamp {
    /// Who says so, for a person.
    pub(crate) fn detail(&self) -> String {
        let when = time::from_unix(self.time).unwrap_or_else(|| self.time.to_string());
        format!("{} saw the signature at {when}", self.by)
    }
}

/// Why a timestamp does not count.
pub(super) enum Uncounted {
    /// The trusted root does not know who made it: it says nothing, good or bad.
    Stranger(String),
    /// One that the trusted root knows, or claims to be known, did not make it so.
    Unproved(Unproved),
}

impl<T: Into<Unproved>> From<T> for Uncounted {
    fn from(why: T) -> Uncounted {
        Uncounted::Unproved(why.into())
    }
}

/// Checks a response of a timestamp authority (`TimeStampResp`, DER) about a
/// signature against the authorities of the trusted root.
pub fn verify(
    response: &[u8],
    signature: &[u8],
    root: &TrustedRoot,
    known: &KnownChains,
) -> Result<Timestamp, Unproved> {
    let counted = verify_known(response, signature, root, known);
    counted.map_err(|uncounted| match uncounted {
        Uncounted::Stranger(why) => Unproved::Wrong(why),
        Uncounted::Unproved(why) => why,
    })
}

/// The same, and tells a stranger's timestamp from a wrong one.
pub(super) fn verify_known(
    response: &[u8],
    signature: &[u8],
    root: &TrustedRoot,
    known: &KnownChains,
) -> Result<Timestamp, Uncounted> {
    let unreadable = |error| format!("it cannot be read: {error}");
    let response: TimeStampResp<'_> = der::read(response).map_err(unreadable)?;
    let token = response
        .time_stamp_token
        .ok_or("the authority refused to make it")?;
    if token.content_type != SIGNED_DATA {
        return Err("it is no signed data".into());
    }
    let signed: SignedData = token.content.decode_as().map_err(unreadable)?;
    let content = &signed.encap_content_info;
    if content.econtent_type != TST_INFO {
        return Err("what is signed is no timestamp".into());
    }
    let content = content.econtent.as_ref().ok_or("it is empty")?;
    let info = content
        .decode_as::<OctetStringRef<'_>>()
        .map_err(unreadable)?
        .as_bytes();
    let [signer] = signed.signer_infos.0.as_slice() else {
        return Err("it has not one signer".into());
    };
    // The time counts only once the signature over it holds, so that comes first.
    let certificate = signer_certificate(signer, &signed, root).map_err(Uncounted::Stranger)?;
    signed_by(signer, &certificate, info)?;

    let info: TstInfo = der::read(info).map_err(unreadable)?;
    let time = info.gen_time.to_unix_duration().as_secs();
    let der = certificate.to_der().map_err(unreadable)?;
    let chain = own_chain(&der, time, root, known)?;
    if !chain.authority.valid_for.holds(time) {
        let when = time::from_unix(time).unwrap_or_else(|| time.to_string());
        return Err(format!("at {when} its authority did not count").into());
    }
    let imprint = &info.message_imprint;
    let hashing = Hashing::of(&imprint.hash_algorithm.oid).ok_or_else(|| unknown_hash("it is"))?;
    if hashing.digest(signature) != imprint.hashed_message.as_bytes() {
        return Err("it is about another signature".into());
    }
    Ok(Timestamp {
        time,
        by: certificate.tbs_certificate.subject.to_string(),
        valid_for: chain.authority.valid_for.clone(),
    })
}

/// The chain from who made a timestamp to an authority of the trusted root.
fn own_chain<'a>(
    der: &[u8],
    time: u64,
    root: &'a TrustedRoot,
    known: &KnownChains,
) -> Result<Chain<'a>, Uncounted> {
    // Authorities may share a root. Each vouches for its own certificate: the successor
    // of one that was retired does not vouch for what that one stamps now.
    let is_own = |authority: &&Authority| authority.signer().is_none_or(|own| own == der);
    let all = &root.timestamp_authorities;
    let authorities: Vec<&Authority> = all.iter().filter(is_own).collect();
    if authorities.is_empty() && !all.is_empty() {
        let why = "the trusted root does not name the certificate that made it";
        return Err(Uncounted::Stranger(why.into()));
    }
    let chain = known.verify(der, authorities, time);
    chain.map_err(|why| {
        let is_stranger = why == Unproved::Wrong(chain::NOBODY.into());
        match why.of("the certificate of the authority") {
            Unproved::Wrong(why) if is_stranger => Uncounted::Stranger(why),
            why => Uncounted::Unproved(why),
        }
    })
}

/// The certificate that a signer names, from the token or the trusted root.
fn signer_certificate(
    signer: &SignerInfo,
    signed: &SignedData,
    root: &TrustedRoot,
) -> Result<Certificate, String> {
    let embedded = signed.certificates.iter().flat_map(|set| set.0.iter());
    let embedded = embedded.filter_map(|choice| match choice {
        CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
        CertificateChoices::Other(_) => None,
    });
    let trusted = root
        .timestamp_authorities
        .iter()
        .filter_map(|authority| authority.first().ok());
    let named = |certificate: &Certificate| {
        let tbs = &certificate.tbs_certificate;
        match &signer.sid {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                named.issuer == tbs.issuer && named.serial_number == tbs.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                let own = der::extension::<SubjectKeyIdentifier>(certificate);
                own.is_ok_and(|own| own.is_some_and(|own| own == *named))
            }
        }
    };
    embedded
        .chain(trusted)
        .find(named)
        .ok_or_else(|| "the trusted root does not know the authority that made it".into())
}

/// Checks the signature of a signer: over the signed attributes, of which one is the
/// digest of the content (RFC 5652, section 5.4).
fn signed_by(
    signer: &SignerInfo,
    certificate: &Certificate,
    content: &[u8],
) -> Result<(), Unproved> {
    let attributes = signer
        .signed_attrs
        .as_ref()
        .ok_or("nothing in it is signed")?;
    let hashing =
        Hashing::of(&signer.digest_alg.oid).ok_or_else(|| unknown_hash("it is signed"))?;
    let attribute = |oid: ObjectIdentifier| {
        let mut named = attributes.iter().filter(|attribute| attribute.oid == oid);
        let values = named.next()?.values.as_slice();
        match (values, named.next()) {
            ([value], None) => Some(value),
            _ => None,
        }
    };
    let digest = attribute(MESSAGE_DIGEST)
        .and_then(|value| value.decode_as::<OctetStringRef<'_>>().ok())
        .ok_or("it names no digest of its content")?;
    let content_type = attribute(CONTENT_TYPE).and_then(|value| value.decode_as().ok());
    if content_type != Some(TST_INFO) {
        return Err("it names another type of content".into());
    }
    if digest.as_bytes() != hashing.digest(content) {
        return Err("its content is not what was signed".into());
    }
    let signed = attributes.to_der().map_err(|error| error.to_string())?;
    let key = PublicKey::of(certificate)?;
    let signature = signer.signature.as_bytes();
    Ok(key.verify_hashed(hashing, &signed, signature)?)
}

fn unknown_hash(what: &str) -> Unproved {
    let why = format!("{what} over a hash of a kind that this program does not know");
    Unproved::NotRead(why)
}
