//! The task runner of the workshop: runs every step of a private Sigstore.
//!
//! One file a command in [`commands`]; [`plan`] runs what they build; [`local`]
//! and [`cluster`] are where it runs.
//!
//! Only what the tests, the benchmarks and the fuzzers use is public.

#![warn(unreachable_pub)]

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("the workshop runs on Linux and macOS; on Windows use WSL");

pub(crate) mod app;
pub(crate) mod artifact;
pub(crate) mod book;
pub mod bundle;
pub(crate) mod cli;
pub mod cluster;
pub mod commands;
pub(crate) mod cosign;
pub mod ct_log;
pub mod entry;
pub(crate) mod evidence;
pub(crate) mod exec;
pub mod fail;
pub mod format;
pub mod http;
pub mod labs;
mod listing;
pub mod local;
pub(crate) mod parallel;
pub(crate) mod plan;
pub mod preflight;
pub(crate) mod problems;
pub mod proof;
pub(crate) mod random;
pub mod registry;
pub mod rekor;
pub mod report;
pub(crate) mod signatures;
pub mod state;
pub mod target;
pub(crate) mod text;
pub(crate) mod time;
pub mod tlog;
pub mod trust;
pub(crate) mod ui;
pub mod walkthrough;
