//! Checkpoints: a log's signed word on how many entries it holds and what their
//! root is (C2SP tlog-checkpoint, in the envelope of C2SP signed-note).
//!
//! ```text
//! origin
//! 5
//! iPRg14fjWbSehv5LbEKSIIswNpxxqi/oyHMaFM9i91c=
//! any lines of its own
//!
//! — name base64(key hint, 4 bytes, and signature)
//! ```

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::format::hex::hex;
use crate::format::key::Unproved;
use crate::tlog::merkle::Hash;
use crate::trust::root::{TransparencyLog, TrustedRoot};

/// No checkpoint of a log is longer; a note is read whole before its signature is
/// checked.
pub(crate) const LARGEST: u64 = 64 * 1024;

/// A checkpoint whose signature has not been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many entries it holds.
    pub size: u64,
    /// The root of the tree of these.
    pub root: Hash,
    /// All of it.
    pub text: String,
    /// How much of the text is signed.
    signed: usize,
    signatures: Vec<NoteSignature>,
}

/// A signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    hint: [u8; 4],
    signature: Vec<u8>,
}

impl Checkpoint {
    /// Parses the text.
    pub fn read(text: &str) -> Result<Checkpoint, String> {
        // The last empty line is what ends the text: its own lines may be empty.
        let (body, signatures) = text
            .rsplit_once("\n\n")
            .ok_or("no empty line before the signatures")?;
        let signed = body.len() + 1;
        let mut lines = body.split('\n');
        let mut line = |what: &str| {
            let line = lines.next().filter(|line| !line.is_empty());
            line.ok_or_else(|| format!("no line with the {what}"))
        };
        let origin = line("name of the log")?.to_owned();
        let count = line("tree size")?;
        let root = line("root hash")?;
        // One number has one spelling, or two texts would say the same.
        let size = count
            .parse()
            .ok()
            .filter(|size: &u64| size.to_string() == count)
            .ok_or_else(|| format!("{count:?} is no tree size"))?;
        let root = BASE64_STANDARD
            .decode(root)
            .ok()
            .and_then(|root| root.try_into().ok())
            .ok_or_else(|| format!("{root:?} is no root hash"))?;
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or("the last line does not end")?
            .split('\n')
            .map(|line| note_signature(line).ok_or_else(|| format!("{line:?} is no signature")))
            .collect::<Result<_, String>>()?;
        Ok(Checkpoint {
            origin,
            size,
            root,
            text: text.to_owned(),
            signed,
            signatures,
        })
    }

    /// The signature whose line has a name and a key hint that are right.
    pub(crate) fn signature_of(&self, is_right: impl Fn(&str, &[u8; 4]) -> bool) -> Option<&[u8]> {
        let mut all = self.signatures.iter();
        let found = all.find(|signature| is_right(&signature.name, &signature.hint));
        found.map(|signature| signature.signature.as_slice())
    }

    /// The log of a trusted root that signed it, by the names and hints of the
    /// signatures alone.
    pub fn signer<'a>(&self, root: &'a TrustedRoot) -> Option<&'a TransparencyLog> {
        let signs = |log: &&TransparencyLog| {
            let mut all = self.signatures.iter();
            all.any(|signature| log.signs(&self.origin, &signature.name, &signature.hint))
        };
        root.tlogs.iter().find(signs)
    }

    /// Checks that the log signed it; other signatures, as those of witnesses, may
    /// stand beside.
    pub fn verify(&self, log: &TransparencyLog) -> Result<String, Unproved> {
        let key = log.key()?;
        let mut found = None;
        for signature in &self.signatures {
            if log.signs(&self.origin, &signature.name, &signature.hint) {
                let signed = &self.text.as_bytes()[..self.signed];
                key.verify(signed, &signature.signature)
                    .map_err(|why| format!("{}: {why}", signature.name))?;
                found = Some(signature);
            }
        }
        let signature = found.ok_or_else(|| {
            let by = self.signatures.iter();
            let by = by.map(|signature| format!("{} {}", signature.name, hex(&signature.hint)));
            format!(
                "not signed with the key of the log; there are signatures of {}",
                by.collect::<Vec<_>>().join(", ")
            )
        })?;
        Ok(format!(
            "{} signed the root of {} ({}, key {})",
            signature.name,
            crate::text::entries(self.size),
            key.name(),
            hex(&signature.hint)
        ))
    }
}

fn note_signature(line: &str) -> Option<NoteSignature> {
    let (name, rest) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = BASE64_STANDARD.decode(rest).ok()?;
    let (hint, signature) = bytes.split_first_chunk::<4>()?;
    (!name.is_empty()).then(|| NoteSignature {
        name: name.to_owned(),
        hint: *hint,
        signature: signature.to_vec(),
    })
}
