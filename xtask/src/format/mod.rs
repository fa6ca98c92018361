//! The formats that everything else is written in: DER, protobuf's JSON, keys, certificates.

pub mod certificate;
pub(crate) mod der;
pub(crate) mod hashing;
pub mod hex;
pub(crate) mod issue;
pub mod key;
pub(crate) mod private_key;
pub mod protojson;
mod unproved;
