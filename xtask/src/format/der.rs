//! Reading DER from outside. The reader of the crate `der` reserves as much memory as
//! an element says that it is long, up to 256 MiB, before it looks how long the text
//! is; so the lengths are compared first.

use x509_cert::Certificate;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Error, ErrorKind};

/// Reads all of some bytes.
pub(crate) fn read<'a, T: Decode<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
    if !nests(bytes) {
        return Err(ErrorKind::Overlength.into());
    }
    T::from_der(bytes)
}

/// Reads an extension of a certificate, which holds DER as bytes.
pub(crate) fn extension<'a, T>(certificate: &'a Certificate) -> Result<Option<T>, Error>
where
    T: Decode<'a> + AssociatedOid,
{
    let all = certificate.tbs_certificate.extensions.iter().flatten();
    let mut named = all.filter(|extension| extension.extn_id == T::OID);
    match (named.next(), named.next()) {
        (None, _) => Ok(None),
        (Some(extension), None) => read(extension.extn_value.as_bytes()).map(Some),
        (Some(_), Some(_)) => Err(ErrorKind::Failed.into()),
    }
}

/// Whether each element ends within the one around it.
fn nests(bytes: &[u8]) -> bool {
    const CONSTRUCTED: u8 = 0x20;
    let mut around = vec![bytes];
    while let Some(mut rest) = around.pop() {
        while let Some((tag, after)) = rest.split_first() {
            let Some((content, behind)) = content(after) else {
                return false;
            };
            if tag & CONSTRUCTED != 0 {
                around.push(content);
            }
            rest = behind;
        }
    }
    true
}

/// What an element holds, and what stands behind it, from its length on. No length
/// here takes more than four bytes.
fn content(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match usize::from(*first) {
        length @ 0..=0x7f => rest.split_at_checked(length),
        digits @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(digits - 0x80)?;
            let length = digits
                .iter()
                .fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
            rest.split_at_checked(length)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::certificate::Leaf;

    #[test]
    fn elements_end_within_each_other() {
        let right: [&[u8]; 5] = [
            &[],
            &[5, 0],
            &[0x30, 4, 4, 2, 1, 2],
            &[0x30, 0x81, 2, 5, 0],
            &[0x30, 5, 0xa0, 0, 2, 1, 7],
        ];
        for bytes in right {
            assert!(nests(bytes), "{bytes:?}");
        }
        let wrong: [&[u8]; 7] = [
            &[5],
            &[4, 1],
            &[0x30, 4, 4, 3, 1, 2],
            &[0x30, 0x80, 0, 0],
            &[4, 0x84, 0x0f, 0xff, 0xff, 0xff],
            &[4, 0x85, 0, 0, 0, 0, 0],
            &[4, 0xff],
        ];
        for bytes in wrong {
            assert!(!nests(bytes), "{bytes:?}");
        }
    }

    /// The fuzzer of certificates found this: a name in it says that it is 247 MiB
    /// long, and that much was reserved.
    #[test]
    fn a_length_reserves_no_memory() {
        let read = crate::bundle::read(include_bytes!(
            "../../tests/data/bundles/beta.v2.sigstore.json"
        ));
        let bundle = read.unwrap();
        let mut der = bundle.leaf().unwrap().der().to_vec();
        let name = der
            .windows(8)
            .position(|window| window == b"workshop")
            .unwrap();
        assert!(nests(&der));
        der[name - 1..][..5].copy_from_slice(&[0x84, 0x0f, 0x77, 0x77, 0x77]);
        assert!(!nests(&der));
        assert!(Leaf::from_der(&der).is_err());
    }
}
