//! The labs: attacks on a private Sigstore, each of which succeeds in making its
//! artifact and fails at a check that is named beforehand.
//!
//! A lab has a Sigstore of its own, which is installed for it and removed after it,
//! so that no attack touches what the reader works with.

mod authority;
mod bundles;
mod clock;
mod ct_log;
mod edit;
mod forge;
mod images;
mod log;
mod monitor;
mod session;
mod tokens;

use anyhow::Result;

use session::Because::{Checks, Problem};
use session::Output;
pub(crate) use session::Session;

/// The user whose name is misused.
const ALICE: &str = "alice@example.com";

/// A lab.
pub struct Lab {
    /// As it is typed.
    pub name: &'static str,
    /// What is attempted.
    pub title: &'static str,
    /// What happens, one sentence a line.
    pub story: &'static [&'static str],
    /// What the reader is to predict.
    pub question: &'static str,
    /// What catches it, and why.
    pub answer: &'static [&'static str],
    /// What the installation is made with.
    pub options: &'static [&'static str],
    /// The attack.
    pub run: fn(&mut Session<'_>) -> Result<()>,
}

/// All of them, in the order of the chapters.
pub const LABS: &[Lab] = &[
    images::CHANGED_IMAGE,
    images::MOVED_SIGNATURE,
    images::WRONG_SIGNER,
    images::WRONG_ISSUER,
    bundles::REPLAYED_CERTIFICATE,
    tokens::WRONG_TOKEN,
    authority::OWN_AUTHORITY,
    authority::BEHIND_THE_CT_LOG,
    ct_log::PROMISE_NOT_KEPT,
    bundles::FORGED_ENTRY,
    log::TWO_HISTORIES,
    log::CHANGED_KEY,
    authority::STOLEN_CA,
    clock::CLOCK,
];
