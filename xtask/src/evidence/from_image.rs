//! Evidence from a registry: the signatures beside an image.

use anyhow::Result;

use super::checkpoint_store::CheckpointStore;
use super::{Inspected, Online, TrustPolicy, ct_log};
use crate::entry::Entry;
use crate::fail::{Fail, not_so};
use crate::proof::{Evidence, Subject};
use crate::registry::{self, Reference};
use crate::rekor::{self, Which};
use crate::target::{Shard, Target};
use crate::tlog::checkpoint::Checkpoint;

/// Gathers and checks all signatures of an image.
pub(crate) fn inspect(
    target: &dyn Target,
    image: &str,
    online: Online,
    trace: bool,
    trust: &TrustPolicy,
    mut show: impl FnMut(Inspected) -> Result<()>,
) -> Result<()> {
    let reference = Reference::read(image)?;
    let mut reached = target.reach_registry(&reference.host)?;
    reached.server.traced = trace;
    let (digest, found) = registry::signatures(&reached.server, &reference)?;
    let subject = Subject {
        name: format!("{}/{}@{digest}", reference.host, reference.name),
        digest,
        bytes: None,
    };
    if found.is_empty() {
        return Err(not_so(format!("{} carries no signature", subject.name))
            .hint(format!("sign it: cargo xtask sign {}", subject.name))
            .into());
    }
    let several = found.len() > 1;
    for found in found {
        let evidence = Evidence {
            subject: Some(subject.clone()),
            bundle: Some(found.bundle),
            from_log: None,
        };
        let mut inspected = match online {
            Online(true) => beside_the_log(target, evidence, trace, trust)?,
            Online(false) => Inspected::offline(evidence, trust, "the log was not asked"),
        };
        ct_log::check(&mut inspected, target, trust, trace)?;
        inspected.title = several.then_some(found.at);
        show(inspected)?;
    }
    Ok(())
}

/// A bundle, with what its log shows now where that log runs here.
fn beside_the_log(
    target: &dyn Target,
    mut evidence: Evidence,
    trace: bool,
    trust: &TrustPolicy,
) -> Result<Inspected> {
    let entry = evidence
        .bundle
        .as_ref()
        .and_then(|bundle| bundle.entry.as_ref());
    let Some(entry) = entry else {
        let why = "the bundle names no log";
        return Ok(Inspected::offline(evidence, trust, why));
    };
    let (version, which, named) = (entry.rekor, Which::Index(entry.index), entry.log_id.clone());
    let store = CheckpointStore::read(&target.dir())?;
    let shard = named.as_deref().map_or(Shard::Newest, Shard::WithId);
    let mut reached = target.reach_shard(version, shard);
    let asked = match &mut reached {
        Ok(reached) => {
            reached.server.traced = trace;
            rekor::fetch(version, &reached.server, &which)
        }
        Err(error) => Err(Fail::from_error(error).into()),
    };
    match asked {
        Ok((entry, log)) if named.is_some() && log_id(&entry, trust) == named => {
            evidence.from_log = Some(entry);
            Inspected::online(evidence, log, &store, trust)
        }
        Ok(_) => {
            let why = "the log that holds the entry does not run here";
            Ok(Inspected::offline(evidence, trust, why))
        }
        Err(error) => {
            let why = Fail::from_error(&error).what;
            Ok(Inspected::offline(evidence, trust, &why))
        }
    }
}

/// The id of the log that an entry came from.
fn log_id(entry: &Entry, trust: &TrustPolicy) -> Option<Vec<u8>> {
    if let Some(id) = &entry.log_id {
        return Some(id.clone());
    }
    let text = entry.proof.as_ref()?.checkpoint.as_ref()?;
    let checkpoint = Checkpoint::read(text).ok()?;
    Some(checkpoint.signer(&trust.root)?.id().to_vec())
}
