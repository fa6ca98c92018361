//! Issuing certificates (RFC 5280): what all have in common that this program signs.

use std::time::Duration;

use anyhow::Result;
use x509_cert::Certificate;
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::Encode;
use x509_cert::der::asn1::{BitString, ObjectIdentifier, OctetString, UtcTime};
use x509_cert::ext::Extension;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use crate::format::private_key::PrivateKey;
use crate::random::random;

/// A random serial number.
pub(crate) fn serial_number() -> Result<SerialNumber> {
    let mut serial: [u8; 20] = random()?;
    // It is positive and has no leading zeros.
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(SerialNumber::new(&serial)?)
}

/// A period that begins `from`, in seconds since 1970, and lasts so many `seconds`.
pub(crate) fn validity(from: u64, seconds: u64) -> Result<Validity> {
    let time = |seconds| {
        let time = UtcTime::from_unix_duration(Duration::from_secs(seconds))?;
        Ok::<_, anyhow::Error>(Time::UtcTime(time))
    };
    Ok(Validity {
        not_before: time(from)?,
        not_after: time(from + seconds)?,
    })
}

/// An extension of a certificate.
pub(crate) fn extension(
    extn_id: ObjectIdentifier,
    critical: bool,
    value: &impl Encode,
) -> Result<Extension> {
    Ok(Extension {
        extn_id,
        critical,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

/// The certificate that a key signs.
pub(crate) fn signed(tbs_certificate: TbsCertificate, key: &PrivateKey) -> Result<Certificate> {
    let signature = key.sign(&tbs_certificate.to_der()?)?;
    Ok(Certificate {
        signature_algorithm: tbs_certificate.signature.clone(),
        signature: BitString::from_bytes(&signature)?,
        tbs_certificate,
    })
}
