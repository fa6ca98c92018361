//! Looking at signatures.
