//! What the fuzzers have in common.

#[path = "../readers.rs"]
mod readers;

pub use readers::{READERS, Reader};

/// Has the reader of this name read some bytes.
pub fn read(name: &str, bytes: &[u8]) {
    let reader = READERS.iter().find(|reader| reader.name == name);
    (reader.expect("a reader of that name").read)(bytes);
}
