//! All tests of whole commands, of the documentation and of the manifests, in one
//! binary: the library is linked once, and tests that wait for servers run beside
//! tests that need the processor.

mod apiserver;
mod book;
mod browser;
mod cli;
mod clients;
mod cluster;
mod docs;
mod house;
mod local;
mod manifests;
mod pictures;
mod proofs;
mod readers;
mod report;
mod support;
