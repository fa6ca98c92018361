//! A signature that was looked at: what is known of it, and what of that is proved.

use anyhow::Result;

use super::checkpoint_store::{CheckpointStore, Consistency};
use crate::fail::{Fail, broken};
use crate::proof::policy::Policy;
use crate::proof::{Evidence, KnownChains, Link, Proof, prove, wrong};
use crate::rekor;
use crate::state;
use crate::trust::root::TrustedRoot;

/// The authorities that a proof leads to, and the names that are expected.
pub(crate) struct TrustPolicy {
    /// The authorities.
    pub(crate) root: TrustedRoot,
    /// The chains to them that were verified by now.
    known: KnownChains,
    /// The names.
    pub(crate) policy: Policy,
}

impl TrustPolicy {
    /// Reads the trusted root in a file; `missing` makes the error where there is none.
    fn read(
        file: &std::path::Path,
        policy: Policy,
        missing: impl FnOnce() -> Fail,
    ) -> Result<TrustPolicy> {
        let text = state::read(file)?.ok_or_else(missing)?;
        let root = TrustedRoot::read(&text).map_err(|fail| Fail {
            what: format!("{}: {}", file.display(), fail.what),
            ..fail
        })?;
        Ok(TrustPolicy {
            root,
            known: KnownChains::default(),
            policy,
        })
    }

    /// Reads a trusted root that was named.
    pub(crate) fn named(file: &std::path::Path, policy: Policy) -> Result<TrustPolicy> {
        TrustPolicy::read(file, policy, || {
            broken(format!("there is no file {}", file.display()))
        })
    }

    /// Reads the trusted root of an installation.
    pub(crate) fn of_installation(file: &std::path::Path, policy: Policy) -> Result<TrustPolicy> {
        TrustPolicy::read(file, policy, || {
            broken("this installation has no trusted root yet: it is not complete")
                .hint("go on with it: cargo xtask install")
        })
    }
}

/// A signature, and what came of checking it.
pub(crate) struct Inspected {
    /// The name it was found under, where there are several: a file, a manifest.
    pub(crate) title: Option<String>,
    /// What is known of it.
    pub(crate) evidence: Evidence,
    /// Which of that is proved.
    pub(crate) proof: Proof,
    /// The report of a log with two histories.
    pub(crate) split_view: Option<Fail>,
}

impl Inspected {
    fn new(evidence: Evidence, trust: &TrustPolicy) -> Inspected {
        let proof = prove(&evidence, &trust.root, &trust.known, &trust.policy);
        Inspected {
            title: None,
            evidence,
            proof,
            split_view: None,
        }
    }

    /// Checks a signature without asking a server; `why` says why none was asked.
    pub(super) fn offline(evidence: Evidence, trust: &TrustPolicy, why: &str) -> Inspected {
        let mut inspected = Inspected::new(evidence, trust);
        inspected.proof.skip(Link::Consistency, why);
        inspected
    }

    /// Checks a signature, and the log's checkpoint against the last one seen.
    pub(super) fn online(
        evidence: Evidence,
        mut log: rekor::RekorLog<'_>,
        store: &CheckpointStore,
        trust: &TrustPolicy,
    ) -> Result<Inspected> {
        let mut inspected = Inspected::new(evidence, trust);
        let Some((id, checkpoint)) = &inspected.proof.checkpoint else {
            let why = "there is no checkpoint that the log signed";
            inspected.proof.skip(Link::Consistency, why);
            return Ok(inspected);
        };
        let prove = |first| log.consistency(first, checkpoint);
        let verdict = match store.compare(id, checkpoint, prove)? {
            Consistency::Extends(detail) => Ok(detail),
            Consistency::SplitView { why, report } => {
                inspected.split_view = Some(report);
                wrong(why)
            }
        };
        inspected.proof.check(Link::Consistency, verdict);
        Ok(inspected)
    }
}
