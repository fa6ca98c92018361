//! The links of a signature, a file a group: what is checked of each.

pub(crate) mod certificate;
pub(crate) mod further;
pub(crate) mod log;
pub(crate) mod signature;
