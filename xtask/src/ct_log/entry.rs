//! What a CT log keeps of a certificate: an entry of a bundle in `tile/data` (C2SP
//! static-ct-api, `TileLeaf`).

use tls_codec::{DeserializeBytes, TlsByteVecU16, TlsByteVecU24, TlsDeserializeBytes, TlsSize};

/// The entry of a precertificate, nothing of which has been checked.
#[derive(TlsDeserializeBytes, TlsSize)]
pub struct Precertificate {
    /// When the log took it, in milliseconds since 1970.
    pub timestamp: u64,
    entry_type: u16,
    issuer_key_hash: [u8; 32],
    /// The certificate without the promise of the log and without a signature, DER.
    pub certificate: TlsByteVecU24,
    extensions: TlsByteVecU16,
    submitted: TlsByteVecU24,
    chain_fingerprints: TlsByteVecU16,
}

impl Precertificate {
    /// The leaf of the tree (RFC 6962, section 3.4, `MerkleTreeLeaf`).
    pub fn leaf(&self) -> Vec<u8> {
        // Version and kind of leaf, each 0, come before what the bundle has as well.
        let mut leaf = vec![0, 0];
        leaf.extend(self.timestamp.to_be_bytes());
        leaf.extend(self.entry_type.to_be_bytes());
        leaf.extend(self.issuer_key_hash);
        let certificate = self.certificate.as_slice();
        leaf.extend(&(certificate.len() as u32).to_be_bytes()[1..]);
        leaf.extend(certificate);
        let extensions = self.extensions.as_slice();
        leaf.extend((extensions.len() as u16).to_be_bytes());
        leaf.extend(extensions);
        leaf
    }
}

/// The entries of a bundle.
pub fn split(mut bundle: &[u8]) -> Result<Vec<Precertificate>, String> {
    const PRECERT_ENTRY: u16 = 1;
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (entry, rest) =
            Precertificate::tls_deserialize_bytes(bundle).map_err(|error| error.to_string())?;
        if entry.entry_type != PRECERT_ENTRY {
            return Err(format!("an entry is of the kind {}", entry.entry_type));
        }
        entries.push(entry);
        bundle = rest;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry of this kind, of a certificate of three bytes.
    fn entry(kind: u8) -> Vec<u8> {
        let time = [0, 0, 0, 0, 0, 0, 4, 1];
        let parts: [&[u8]; 7] = [
            &time,
            &[0, kind],
            &[7; 32],
            &[0, 0, 3, 1, 2, 3],
            &[0, 0],
            &[0, 0, 1, 9],
            &[0, 2, 5, 5],
        ];
        parts.concat()
    }

    #[test]
    fn a_bundle_is_its_entries() {
        let entries = split(&[entry(1), entry(1)].concat()).unwrap();
        let read: Vec<_> = entries
            .iter()
            .map(|entry| (entry.timestamp, entry.certificate.as_slice()))
            .collect();
        assert_eq!(read, [(1025, &[1, 2, 3][..]), (1025, &[1, 2, 3])]);
        assert!(split(&[]).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        let whole = entry(1);
        for end in 1..whole.len() {
            assert!(split(&whole[..end]).is_err(), "{end}");
        }
        assert!(split(&entry(0)).is_err());
    }
}
