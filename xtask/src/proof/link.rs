//! The links of a signature: each is checked for itself, and has a name in the output.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A link of a signature. They are shown in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// From the artifact to what was signed.
    Artifact,
    /// From the key to the signature.
    Signature,
    /// From the signature to the log entry.
    Entry,
    /// From the log entry to the root of the log.
    Inclusion,
    /// From that root to the log's key.
    Checkpoint,
    /// From the entry and its time to the log's key.
    Promise,
    /// From an earlier state of the log to this one.
    Consistency,
    /// From the leaf certificate to Fulcio's authority.
    Chain,
    /// From the leaf certificate to a CT log.
    Sct,
    /// From that log's promise to its root.
    #[serde(rename = "ct-inclusion")]
    CtInclusion,
    /// From the signature to a time.
    Timestamp,
    /// From that time to the leaf certificate.
    Validity,
    /// From the leaf certificate to the name that is expected.
    Identity,
    /// From the leaf certificate to the issuer that is expected.
    Issuer,
}

impl Link {
    /// All links, in their order.
    pub const ALL: [Link; 14] = [
        Link::Artifact,
        Link::Signature,
        Link::Entry,
        Link::Inclusion,
        Link::Checkpoint,
        Link::Promise,
        Link::Consistency,
        Link::Chain,
        Link::Sct,
        Link::CtInclusion,
        Link::Timestamp,
        Link::Validity,
        Link::Identity,
        Link::Issuer,
    ];

    /// Its name in the output.
    pub fn name(self) -> &'static str {
        match self {
            Link::Artifact => "artifact",
            Link::Signature => "signature",
            Link::Entry => "entry",
            Link::Inclusion => "inclusion",
            Link::Checkpoint => "checkpoint",
            Link::Promise => "promise",
            Link::Consistency => "consistency",
            Link::Chain => "chain",
            Link::Sct => "sct",
            Link::CtInclusion => "ct-inclusion",
            Link::Timestamp => "timestamp",
            Link::Validity => "validity",
            Link::Identity => "identity",
            Link::Issuer => "issuer",
        }
    }

    /// What it means that it holds.
    pub fn about(self) -> &'static str {
        match self {
            Link::Artifact => "what was signed is the artifact that was asked about",
            Link::Signature => "the key of the leaf certificate made the signature",
            Link::Entry => "the log entry is about this signature",
            Link::Inclusion => "the entry is in the log",
            Link::Checkpoint => "the log signed the root that the proof leads to",
            Link::Promise => "the log signed the entry and its time",
            Link::Consistency => "the log still begins with what was seen of it before",
            Link::Chain => "Fulcio issued the leaf certificate",
            Link::Sct => "a CT log promised to show the leaf certificate",
            Link::CtInclusion => "the leaf certificate is in the CT log",
            Link::Timestamp => "a timestamp authority saw the signature",
            Link::Validity => "the leaf certificate was valid at that time",
            Link::Identity => "the expected one signed",
            Link::Issuer => "the expected one vouched for that name",
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_the_names_that_a_person_does() {
        for link in Link::ALL {
            assert_eq!(serde_json::to_value(link).unwrap(), link.name());
        }
        assert!(Link::ALL.is_sorted());
    }
}
