//! Trust material: read as a trusted root, and written.

pub mod root;
pub mod write;
