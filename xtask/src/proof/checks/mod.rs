//! The links of a signature, a file a group: what is checked of each.

pub mod certificate;
pub mod log;
pub mod signature;
