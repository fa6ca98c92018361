//! Transparency logs as data: Merkle trees, tiles and checkpoints (RFC 6962, C2SP tlog-tiles).

pub mod checkpoint;
pub mod ct_signature;
pub mod merkle;
pub mod range;
pub mod tiles;
