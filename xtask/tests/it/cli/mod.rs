//! Whole commands with fake programs on a private PATH: what is printed, what is
//! run, and what is refused. Nothing here needs Go, cosign or a network.
//!
//! The expectations are written anew by `SNAPSHOTS=overwrite cargo test --test it cli::`.
//! What differs between machines stands there as `[..]` and has to be put back
//! where its line changed.

mod book;
mod calls;
mod chapters;
mod cluster_commands;
mod cluster_install;
mod cluster_options;
mod cluster_parts;
mod cluster_refusals;
mod cluster_sign;
mod cluster_troubles;
mod events;
mod inspect;
mod interrupts;
mod logs;
mod prefetch;
mod printed;
mod reference;
mod refusals;
mod regressions;
mod rekor;
mod repository;
mod state;
