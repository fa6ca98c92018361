//! Asks the CT log whether the certificate of a signature is in it, as it promised.

use anyhow::Result;

use super::checkpoint_store::{CheckpointStore, Consistency};
use super::{Inspected, TrustPolicy};
use crate::ct_log::CtLog;
use crate::fail::Fail;
use crate::format::hex::hex;
use crate::proof::sct::Promise;
use crate::proof::{Link, Verdict, ct_inclusion, wrong};
use crate::target::Target;
use crate::tlog::ct_signature;

/// What came of asking a log.
enum CtOutcome {
    /// Whether the certificate is in it.
    Proved(Verdict),
    /// Why it was not asked, or did not answer.
    Unasked(String),
}

/// Says that no log was asked.
pub(super) fn leave_out(inspected: &mut Inspected) {
    let why = match inspected.proof.promises.is_empty() {
        true => NO_PROMISE,
        false => "the CT log was not asked",
    };
    inspected.proof.skip(Link::CtInclusion, why);
}

const NO_PROMISE: &str = "there is no promise of a CT log that holds";

/// Asks for the certificate in every log that promised to show it and runs here.
pub(super) fn check(
    inspected: &mut Inspected,
    target: &dyn Target,
    trust: &TrustPolicy,
    trace: bool,
) -> Result<()> {
    let mut proved = Vec::new();
    let mut unasked = vec![NO_PROMISE.to_owned()];
    for promise in inspected.proof.promises.clone() {
        match ask(inspected, &promise, target, trust, trace)? {
            CtOutcome::Proved(verdict) => proved.push(verdict),
            CtOutcome::Unasked(why) => unasked.push(why),
        }
    }
    if proved.is_empty() {
        let why = unasked.pop().unwrap_or_default();
        inspected.proof.skip(Link::CtInclusion, why);
        return Ok(());
    }
    let verdict = proved.into_iter().collect::<Result<Vec<String>, _>>();
    let verdict = verdict.map(|details| details.join("; "));
    inspected.proof.check(Link::CtInclusion, verdict);
    Ok(())
}

/// Asks one log. What it has signed it must be able to show: whatever goes wrong after
/// that is its fault.
fn ask(
    inspected: &mut Inspected,
    promise: &Promise,
    target: &dyn Target,
    trust: &TrustPolicy,
    trace: bool,
) -> Result<CtOutcome> {
    let id = &promise.log_id;
    let named = hex(&id[..4]);
    let (Some(index), Some(known)) = (promise.index, trust.root.ctlog(id)) else {
        return Ok(CtOutcome::Unasked(format!(
            "the promise of the CT log {named} names no place in it"
        )));
    };
    // Read before the log is asked, so that an honest log's checkpoint is never older.
    let store = CheckpointStore::read(&target.dir())?;
    let mut reached = match target.reach_ct_log(id) {
        Ok(reached) => reached,
        Err(error) => return Ok(CtOutcome::Unasked(Fail::from_error(&error).what)),
    };
    reached.server.traced = trace;
    let mut log = match CtLog::ask(&reached.server) {
        Ok(log) => log,
        Err(fail) => return Ok(CtOutcome::Unasked(fail.what)),
    };
    if let Err(why) = ct_signature::verify_checkpoint(&log.checkpoint, known) {
        return Ok(CtOutcome::Proved(Err(why)));
    }
    let verdict = in_log(promise, index, &mut log);
    if verdict.is_err() {
        return Ok(CtOutcome::Proved(verdict));
    }
    let checkpoint = log.checkpoint.clone();
    let compared = store.compare(id, &checkpoint, |first| Ok(log.consistency(first)?))?;
    Ok(CtOutcome::Proved(match compared {
        Consistency::Extends(_) => verdict,
        Consistency::SplitView { why, report } => {
            inspected.split_view = Some(report);
            wrong(format!("the CT log {named} has two histories: {why}"))
        }
    }))
}

fn in_log(promise: &Promise, index: u64, log: &mut CtLog<'_>) -> Verdict {
    let size = log.checkpoint.size;
    let hashes = match index < size {
        true => log.inclusion(index).map_err(|fail| fail.what)?,
        false => Vec::new(),
    };
    ct_inclusion::verify(promise, index, &log.checkpoint, &hashes)
}
