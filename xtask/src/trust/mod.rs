//! Trust material: read as a trusted root, written, and merged with what was trusted before.

pub(crate) mod generations;
pub(crate) mod merge;
pub mod root;
pub mod write;
