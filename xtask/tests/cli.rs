//! Whole commands with fake programs on a private PATH: what is printed, what is
//! run, and what is refused. Nothing here needs Go, cosign or a network.
//!
//! The expectations are written anew by `SNAPSHOTS=overwrite cargo test --test cli`.
//! What differs between machines stands there as `[..]` and has to be put back
//! where its line changed.

#[path = "cli/book.rs"]
mod book;
#[path = "cli/calls.rs"]
mod calls;
#[path = "cli/chapters.rs"]
mod chapters;
#[path = "cli/cluster.rs"]
mod cluster;
#[path = "cli/cluster_commands.rs"]
mod cluster_commands;
#[path = "cli/cluster_install.rs"]
mod cluster_install;
#[path = "cli/cluster_objects.rs"]
mod cluster_objects;
#[path = "cli/cluster_options.rs"]
mod cluster_options;
#[path = "cli/cluster_parts.rs"]
mod cluster_parts;
#[path = "cli/cluster_refusals.rs"]
mod cluster_refusals;
#[path = "cli/cluster_sign.rs"]
mod cluster_sign;
#[path = "cli/cluster_troubles.rs"]
mod cluster_troubles;
#[path = "cli/events.rs"]
mod events;
#[path = "cli/inspect.rs"]
mod inspect;
#[path = "cli/interrupts.rs"]
mod interrupts;
#[path = "cli/logs.rs"]
mod logs;
#[path = "cli/prefetch.rs"]
mod prefetch;
#[path = "cli/printed.rs"]
mod printed;
#[path = "cli/recorded.rs"]
mod recorded;
#[path = "cli/reference.rs"]
mod reference;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/regressions.rs"]
mod regressions;
#[path = "cli/rekor.rs"]
mod rekor;
#[path = "cli/repository.rs"]
mod repository;
#[path = "cli/state.rs"]
mod state;
#[path = "cli/support.rs"]
mod support;
