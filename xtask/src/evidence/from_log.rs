//! Evidence from a log: the entry that is named, or that of the last signature made
//! here, with the bundle where it was made here.

use std::path::Path;

use anyhow::{Error, Result};

use super::checkpoint_store::CheckpointStore;
use super::subject::{as_hashed_in, subject_file};
use super::{Inspected, Online, TrustPolicy, ct_log};
use crate::artifact::Signature;
use crate::bundle;
use crate::entry::{Entry, Version};
use crate::fail::{Fail, broken, not_so};
use crate::proof::{Evidence, Subject};
use crate::rekor::{self, Which};
use crate::state;
use crate::target::{Shard, Target};

/// What is asked of a log.
pub(super) struct Asked<'a> {
    /// The entry; without one that of the last signature made here.
    pub(super) which: Option<Which>,
    /// The log.
    pub(super) rekor: Option<Version>,
    /// Its number, where one was ended and another begun; without one the newest.
    pub(super) shard: Option<usize>,
    /// The file that must have been signed.
    pub(super) blob: Option<&'a Path>,
    /// Whether the log is asked, where the bundle has the entry as well.
    pub(super) online: Online,
    /// Whether each answer of the log is reported on standard error.
    pub(super) trace: bool,
}

impl Asked<'_> {
    /// Gathers and checks the evidence.
    pub(super) fn inspect(self, target: &dyn Target, trust: &TrustPolicy) -> Result<Inspected> {
        let mut inspected = self.look(target, trust)?;
        ct_log::check(&mut inspected, target, trust, self.trace)?;
        Ok(inspected)
    }

    fn look(&self, target: &dyn Target, trust: &TrustPolicy) -> Result<Inspected> {
        let mut made_here = target.signatures()?;
        if let Some(version) = self.rekor {
            made_here.retain(|signature| signature.rekor == version);
        }
        let Some(which) = self.which.clone() else {
            let last = made_here.last().ok_or_else(nothing_signed)?;
            if self.online == Online(false) {
                return self.kept(last, trust);
            }
            if let Some(lost) = target.lost(last)? {
                return Err(lost.into());
            }
            let which = Which::Index(last.log_index);
            let shard = Shard::Number(shard_of(last));
            return self.ask(target, (last.rekor, shard), &made_here, &which, trust);
        };
        let default = || match which {
            Which::Uuid(_) => Version::V1,
            Which::Index(_) => target.rekor(),
        };
        let version = self.rekor.unwrap_or_else(default);
        let shard = self.shard.map_or(Shard::Newest, Shard::Number);
        let asked = self.ask(target, (version, shard), &made_here, &which, trust);
        asked.map_err(|error| self.or_ended(target, version, error))
    }

    /// A failure to find what was asked of the newest log: another one may hold it.
    fn or_ended(&self, target: &dyn Target, version: Version, error: Error) -> Error {
        let fail = Fail::from_error(&error);
        let (Some(Which::Index(index)), None, 1) = (&self.which, self.shard, fail.exit) else {
            return error;
        };
        match target.ended_shards(version).last() {
            Some(ended) => fail.hint(format!("an entry of a log that has ended: cargo xtask inspect-rekor --log-index {index} --shard {ended}")).into(),
            None => error,
        }
    }

    /// Checks a signature made here by its bundle alone.
    fn kept(&self, last: &Signature, trust: &TrustPolicy) -> Result<Inspected> {
        let gone = || {
            let bundle = last.bundle.display();
            broken(format!(
                "the bundle {bundle} is gone, or holds another signature"
            ))
            .hint("what the log says: cargo xtask inspect-rekor")
        };
        let evidence = remembered(last, self.blob)?.ok_or_else(gone)?;
        Ok(Inspected::offline(evidence, trust, "the log was not asked"))
    }

    /// Asks a log for an entry, and checks it with the bundle that was made here.
    fn ask(
        &self,
        target: &dyn Target,
        (version, shard): (Version, Shard<'_>),
        made_here: &[Signature],
        which: &Which,
        trust: &TrustPolicy,
    ) -> Result<Inspected> {
        let store = CheckpointStore::read(&target.dir())?;
        let mut reached = target.reach_shard(version, shard)?;
        reached.server.traced = self.trace;
        let (entry, log) = rekor::fetch(version, &reached.server, which)?;
        let of_entry = |signature: &&Signature| {
            let of_shard = match shard {
                Shard::Number(number) => shard_of(signature) == number,
                _ => true,
            };
            of_shard && signature.rekor == version && signature.log_index == entry.index
        };
        let kept = match made_here.iter().rfind(of_entry) {
            Some(signature) => remembered(signature, self.blob)?,
            None => None,
        };
        // What was typed is about the entry, whatever was signed here.
        let typed = self.which.is_some();
        let kept = kept.filter(|kept| !typed || holds(kept, &entry));
        let evidence = Evidence {
            from_log: Some(entry),
            ..kept.unwrap_or_default()
        };
        Inspected::online(evidence, log, &store, trust)
    }
}

/// The shard that a signature is in; before they were counted there was one.
fn shard_of(signature: &Signature) -> usize {
    signature.shard.unwrap_or(1)
}

/// Whether a bundle holds this entry.
fn holds(kept: &Evidence, entry: &Entry) -> bool {
    let in_bundle = kept
        .bundle
        .as_ref()
        .and_then(|bundle| bundle.entry.as_ref());
    in_bundle.is_some_and(|in_bundle| in_bundle.canonicalized_body == entry.canonicalized_body)
}

/// What was kept of a signature made here; `None` where its bundle is gone, or the
/// file was signed again and the bundle is that of the other signature.
fn remembered(signature: &Signature, blob: Option<&Path>) -> Result<Option<Evidence>> {
    let Some(text) = state::read(&signature.bundle)? else {
        return Ok(None);
    };
    let bundle = bundle::read(&text)?;
    let entry = bundle.entry.as_ref();
    if entry.map(|entry| (entry.rekor, entry.index)) != Some((signature.rekor, signature.log_index))
    {
        return Ok(None);
    }
    let subject = match (blob, signature.image) {
        (Some(file), _) => Some(as_hashed_in(subject_file(file)?, file, &bundle.content)?),
        (None, true) => signature
            .artifact
            .rsplit_once('@')
            .map(|(_, digest)| Subject {
                name: signature.artifact.clone(),
                digest: digest.to_owned(),
                other_digest: None,
                bytes: None,
            }),
        (None, false) => {
            let file = Path::new(&signature.artifact);
            file.is_file()
                .then(|| as_hashed_in(subject_file(file)?, file, &bundle.content))
                .transpose()?
        }
    };
    Ok(Some(Evidence {
        subject,
        bundle: Some(bundle),
        from_log: None,
    }))
}

fn nothing_signed() -> Fail {
    not_so("nothing has been signed here yet").hint("cargo xtask sign")
}
