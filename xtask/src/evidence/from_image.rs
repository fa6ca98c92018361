//! Evidence from a registry: the signatures beside an image.

use anyhow::Result;

use super::checkpoint_store::CheckpointStore;
use super::{Inspected, Online, TrustPolicy, ct_log};
use crate::entry::{Entry, Version};
use crate::fail::{Fail, not_so};
use crate::http::Server;
use crate::proof::{Evidence, Subject};
use crate::registry::{self, Found, Reference};
use crate::rekor::{self, Which};
use crate::target::{Reached, Shard, Target};
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
    let (subject, found) = found(&reached.server, &reference)?;
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

/// The registry of an image; without a target it is one outside the workshop.
pub(super) fn registry_of(target: Option<&dyn Target>, image: &Reference) -> Result<Reached> {
    match target {
        Some(target) => target.reach_registry(&image.host),
        None => Ok(Reached::directly(registry::elsewhere(&image.host))),
    }
}

/// Checks all signatures of an image, and asks no server but its registry; without a
/// target that is one outside the workshop. Returns the image by digest.
pub(super) fn offline(
    target: Option<&dyn Target>,
    image: &str,
    trust: &TrustPolicy,
    mut show: impl FnMut(Inspected) -> Result<()>,
) -> Result<String> {
    let reference = Reference::read(image)?;
    let reached = registry_of(target, &reference)?;
    let (subject, found) = found(&reached.server, &reference)?;
    for found in found {
        let evidence = Evidence {
            subject: Some(subject.clone()),
            bundle: Some(found.bundle),
            from_log: None,
        };
        let mut inspected = Inspected::offline(evidence, trust, "the log was not asked");
        ct_log::leave_out(&mut inspected);
        show(inspected)?;
    }
    Ok(subject.name)
}

/// The log entries of all signatures of an image that are proved to be of it.
pub(crate) fn entries(
    target: &dyn Target,
    image: &str,
    trust: &TrustPolicy,
) -> Result<Vec<(Version, u64)>> {
    let mut entries = Vec::new();
    offline(Some(target), image, trust, |one| {
        let entry = one.evidence.entry();
        let proved = one.proof.failed().is_empty();
        entries.extend(
            entry
                .filter(|_| proved)
                .map(|entry| (entry.rekor, entry.index)),
        );
        Ok(())
    })?;
    Ok(entries)
}

/// The image by digest, and its signatures.
///
/// # Errors
/// Exit status 1 where it has none.
fn found(server: &Server, image: &Reference) -> Result<(Subject, Vec<Found>)> {
    let (digest, found) = registry::signatures(server, image)?;
    let subject = Subject {
        name: format!("{}/{}@{digest}", image.host, image.name),
        digest,
        other_digest: None,
        bytes: None,
    };
    if found.is_empty() {
        return Err(unsigned(server, image, &subject.name).into());
    }
    Ok((subject, found))
}

/// What is said of an image without a signature: an index that lists it may have one.
fn unsigned(server: &Server, image: &Reference, name: &str) -> Fail {
    let fail = Fail {
        problem: Some("unsigned"),
        ..not_so(format!("{name} carries no signature"))
    };
    let by_digest = image.version.starts_with("sha256:");
    let index = by_digest.then(|| registry::signed_index_of(server, image));
    let fail = match index.flatten() {
        Some(index) => {
            let (host, repository) = (&image.host, &image.name);
            let verify = format!("cargo xtask verify {host}/{repository}@{index}");
            fail.hint(format!("an index that lists it is signed: {verify}"))
        }
        None => fail,
    };
    fail.hint(format!("sign it: cargo xtask sign {name}"))
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
