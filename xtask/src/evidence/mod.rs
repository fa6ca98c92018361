//! What is known of a signature: where it comes from, and what was seen of logs before.

pub mod checkpoint_store;
