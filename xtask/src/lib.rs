//! The task runner of the workshop: runs every step of a private Sigstore.
//!
//! One file a command in [`commands`]; [`plan`] runs what they build; [`local`]
//! and [`cluster`] are where it runs.

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("the workshop runs on Linux and macOS; on Windows use WSL");

pub(crate) mod app;
pub mod artifact;
pub mod book;
pub mod bundle;
pub mod cli;
pub mod cluster;
pub mod commands;
pub mod cosign;
pub mod ct_log;
pub mod entry;
pub mod evidence;
pub mod exec;
pub mod fail;
pub mod format;
pub mod http;
pub mod labs;
pub mod local;
pub mod parallel;
pub mod plan;
pub mod preflight;
pub mod problems;
pub mod proof;
pub mod random;
pub mod registry;
pub mod rekor;
pub mod report;
pub mod signatures;
pub mod state;
pub mod target;
pub mod text;
pub mod time;
pub mod tlog;
pub mod trust;
pub mod ui;
pub mod walkthrough;
