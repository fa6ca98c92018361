//! What is known of a signature: where it is gathered, what of it is proved, and how
//! both are told to a person or a script.

mod checkpoint_store;
mod ct_log;
pub(crate) mod describe;
mod from_bundles;
mod from_image;
mod from_log;
mod inspected;
mod json;
mod openssl;
mod platforms;
mod query;
mod signer;
pub(crate) mod steps;
mod subject;
mod verdicts;

pub(crate) use checkpoint_store::{CheckpointStore, Consistency};
pub(crate) use from_bundles::inspect as inspect_bundles;
pub(crate) use from_image::{entries as image_entries, inspect as inspect_image};
pub(crate) use inspected::{Inspected, TrustPolicy};
pub(crate) use json::{CertificateDocument, Document};
pub(crate) use openssl::openssl_text;
pub(crate) use platforms::{each_image_once, with_platforms};
pub(crate) use query::{Online, Query, SignatureSource, inspect_all};
pub(crate) use signer::Verified;
pub(crate) use verdicts::Verdicts;
