//! What a reader put into the logs by hand: entries that no signature made here explains.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use crate::bundle;
use crate::ct_log::CtLog;
use crate::entry::Version;
use crate::format::hex::hex;
use crate::listing::{self, Listed, LogChoice};
use crate::rekor::entries;
use crate::state;
use crate::target::Target;

/// The first certificate of the CT log that none of the signatures made here has: someone
/// asked Fulcio for it by hand.
pub(super) fn certificate(target: &dyn Target) -> Result<Option<String>> {
    let Some(reached) = target.newest_ct_log()? else {
        return Ok(None);
    };
    let signed = serials(target)?;
    let log = CtLog::ask(&reached.server)?;
    first(|show| {
        log.each(0, &mut |index, entry| {
            show(&listing::of_ct_log(index, &entry), &|listed| {
                let serial = listed.what.as_ref();
                serial.is_some_and(|serial| !signed.contains(serial))
            })
        })
    })
}

/// The first entry of Rekor in the name of whoever signs here unless another one is named,
/// and which none of the signatures made here has.
pub(super) fn entry(target: &dyn Target) -> Result<Option<String>> {
    let version = target.rekor();
    let choice = match version {
        Version::V1 => LogChoice::V1,
        Version::V2 => LogChoice::V2,
    };
    let name = target.identity(target.default_user())?;
    let signed = target.signatures()?;
    let is_by_hand = |listed: &Listed| {
        let made = |index| {
            let mut signed = signed.iter();
            signed.any(|one| one.rekor == version && one.log_index == index)
        };
        listed.identities.contains(&name) && !made(listed.index)
    };
    let reached = target.reach_rekor(version)?;
    let trees = entries::trees(version, &reached.server)?;
    first(|show| {
        for tree in &trees {
            entries::each(version, &reached.server, tree, 0, &mut |entry| {
                show(&listing::of_rekor(choice, &entry, &[]), &is_by_hand)
            })?;
        }
        Ok(())
    })
}

/// What is said of the first entry that is looked for; the rest of the log is not read.
fn first(
    read: impl Fn(&mut dyn FnMut(&Listed, &dyn Fn(&Listed) -> bool) -> Result<()>) -> Result<()>,
) -> Result<Option<String>> {
    let mut found = None;
    let ended = read(&mut |listed, wanted| {
        if !wanted(listed) {
            return Ok(());
        }
        let who = listed.identities.first().map_or("nobody", String::as_str);
        found = Some(format!(
            "entry {} of {}, for {who}",
            listed.index,
            listed.log.title()
        ));
        Err(anyhow!("the rest is not read"))
    });
    if found.is_none() {
        ended?;
    }
    Ok(found)
}

/// The serial numbers of the certificates of what was signed here, as a list of a log says
/// them. A bundle that is gone or changed explains no entry.
fn serials(target: &dyn Target) -> Result<BTreeSet<String>> {
    let signed = target.signatures()?.into_iter();
    let serial = |signature: crate::artifact::Signature| {
        let text = state::read(&signature.bundle).ok()??;
        let read = bundle::read(&text).ok()?;
        let leaf = read.leaf().ok()?;
        let serial = &leaf.certificate().tbs_certificate.serial_number;
        Some(format!("serial:{}", hex(serial.as_bytes())))
    };
    Ok(signed.filter_map(serial).collect())
}
