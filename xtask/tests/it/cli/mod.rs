//! Whole commands with fake programs on a private PATH: what is printed, what is
//! run, and what is refused. Nothing here needs Go, cosign or a network.
//!
//! The expectations are rewritten by `SNAPSHOTS=overwrite cargo test --test it cli::`.
//! What differs between machines stands there as `[..]` and has to be put back
//! where its line changed.

mod book;
mod chapters;
mod closed_output;
mod cluster_charts;
mod cluster_doctor;
mod cluster_inspect;
mod cluster_install;
mod cluster_parts;
mod cluster_preflight;
mod cluster_sign;
mod cluster_start;
mod cluster_status;
mod cluster_tools;
mod cluster_uninstall;
mod cluster_waiting;
mod dry_run;
mod env;
mod help;
mod inspect_bundle;
mod inspect_certificate;
mod inspect_history;
mod inspect_image;
mod inspect_rekor;
mod install;
mod interrupts;
mod json_events;
mod log;
mod logs;
mod pack;
mod ports;
mod prefetch;
mod preflight;
mod repository;
mod reset;
mod sign;
mod start;
mod state_dir;
mod status;
mod target;
mod uninstall;
mod verify;
