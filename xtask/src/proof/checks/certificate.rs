//! The links between a leaf certificate, the time of the signature and the
//! authorities.

use crate::format::certificate::Leaf;
use crate::format::hex::hex;
use crate::format::key::Unproved;
use crate::proof::chain::{self, Chain, Purpose};
use crate::proof::timestamp::{self, Uncounted};
use crate::proof::{Evidence, KnownChains, Link, Proof, Verdict, sct, wrong};
use crate::text::counted;
use crate::time;
use crate::trust::root::{Authority, TrustedRoot};

/// Checks the timestamps; the times that they name.
pub(crate) fn of_timestamps(
    proof: &mut Proof,
    evidence: &Evidence,
    root: &TrustedRoot,
    known: &KnownChains,
) -> Vec<u64> {
    let Some(bundle) = &evidence.bundle else {
        proof.skip(
            Link::Timestamp,
            "a timestamp is in the bundle, not in the log",
        );
        return Vec::new();
    };
    if bundle.timestamps.is_empty() {
        proof.skip(Link::Timestamp, "the bundle holds none");
        return Vec::new();
    }
    if root.timestamp_authorities.is_empty() {
        proof.skip(
            Link::Timestamp,
            "the trusted root names no timestamp authority",
        );
        return Vec::new();
    }
    let signature = bundle.content.signature();
    let (mut times, mut told, mut strangers) = (Vec::new(), Vec::new(), Vec::new());
    let mut wrong = None;
    for response in &bundle.timestamps {
        // Of an envelope that cosign attached to an image either may be stamped.
        let of = |stamped: &[u8]| timestamp::verify_known(response, stamped, root, known);
        let counted = match (of(signature), &bundle.envelope) {
            (Err(_), Some(envelope)) => of(envelope),
            (counted, _) => counted,
        };
        match counted {
            Ok(timestamp) => {
                times.push(timestamp.time);
                proof.count(Link::Timestamp, &timestamp.by, &timestamp.valid_for);
                told.push(timestamp.detail());
            }
            Err(Uncounted::Stranger(why)) => strangers.push(why),
            Err(Uncounted::Unproved(why)) => wrong = wrong.or(Some(why)),
        }
    }
    of_stamps(proof, evidence, wrong, &told, &strangers);
    times
}

/// What the timestamps come to: what is wrong with one of an authority that is known, what
/// those that hold say, and why others count for nothing.
fn of_stamps(
    proof: &mut Proof,
    evidence: &Evidence,
    wrong: Option<Unproved>,
    told: &[String],
    strangers: &[String],
) {
    let promised = evidence
        .entry()
        .is_some_and(|entry| entry.promise.is_some());
    match (wrong, strangers.first()) {
        (Some(why), _) => proof.check(Link::Timestamp, Err(why)),
        (None, None) => proof.check(Link::Timestamp, Ok(told.join("; "))),
        (None, Some(why)) if !told.is_empty() => {
            let n = counted(strangers.len() as u64, "other counts", "others count");
            let told = told.join("; ");
            proof.check(
                Link::Timestamp,
                Ok(format!("{told}; {n} for nothing: {why}")),
            );
        }
        // The promise of the log names a time as well, as if there were no timestamp.
        (None, Some(why)) if promised => {
            proof.skip(Link::Timestamp, format!("it counts for nothing: {why}"));
        }
        (None, Some(why)) => proof.check(Link::Timestamp, Err(why.clone().into())),
    }
}

/// Checks who issued the certificate, whether a CT log saw it, and whether it was valid
/// at the times that a trusted party named.
pub(crate) fn of_certificate(
    proof: &mut Proof,
    evidence: &Evidence,
    leaf: &Leaf,
    times: &[u64],
    root: &TrustedRoot,
) {
    let (from, to) = leaf.validity();
    let authorities = &root.certificate_authorities;
    // As of when it was issued; whether that was the time is the check of validity.
    let chain = match chain::verify(leaf.der(), authorities, Purpose::CodeSigning, from) {
        Ok(chain) => chain,
        Err(why) => {
            proof.check(Link::Chain, Err(why));
            proof.skip(
                Link::Sct,
                "it names the authority that issued the certificate",
            );
            proof.skip(Link::Validity, "nobody trusted issued the certificate");
            return;
        }
    };
    proof.chain = chain.authority.chain().map(<[u8]>::to_vec).collect();
    let by = leaf.certificate().tbs_certificate.issuer.to_string();
    proof.count(Link::Chain, &by, &chain.authority.valid_for);
    let over = match chain.intermediates {
        0 => String::new(),
        n => format!(
            ", over {}",
            counted(n as u64, "intermediate", "intermediates")
        ),
    };
    proof.check(
        Link::Chain,
        Ok(format!(
            "issued by {by}, which the trusted root names{over}"
        )),
    );
    of_promises(proof, leaf, &chain, root);
    if times.is_empty() && proof.unchecked.iter().any(|link| link.not_read) {
        // What names the time may be right, but this program does not read it.
        return proof.skip(Link::Validity, "what names the time is not read");
    }
    if times.is_empty() && evidence.bundle.is_none() {
        let why = "Rekor v2 leaves time to the timestamp in the bundle";
        return proof.skip(Link::Validity, why);
    }
    proof.check(Link::Validity, validity((from, to), times, chain.authority));
}

/// Checks what CT logs promised about a certificate.
fn of_promises(proof: &mut Proof, leaf: &Leaf, chain: &Chain<'_>, root: &TrustedRoot) {
    if root.ctlogs.is_empty() {
        return proof.skip(Link::Sct, "the trusted root names no CT log");
    }
    let verdict = sct::verify(leaf.certificate(), &chain.issuer_key_hash, root);
    proof.promises = verdict.as_ref().map_or_else(|_| Vec::new(), Clone::clone);
    for promise in proof.promises.clone() {
        if let Some(log) = root.ctlog(&promise.log_id) {
            let name = format!("the CT log {}", hex(&promise.log_id[..4]));
            proof.count(Link::Sct, name, log.valid_for());
        }
    }
    proof.check(Link::Sct, verdict.map(|promises| sct::told(&promises)));
}

/// Whether a certificate was valid at all times of its signature, and its authority
/// counted.
fn validity((from, to): (u64, u64), times: &[u64], authority: &Authority) -> Verdict {
    if times.is_empty() {
        return wrong("nobody trusted says when it was signed");
    }
    let text = |seconds: u64| time::from_unix(seconds).unwrap_or_else(|| seconds.to_string());
    let (begin, end) = (text(from), text(to));
    if let Some(time) = times.iter().find(|time| **time < from || to < **time) {
        let time = text(*time);
        return wrong(format!("signed at {time}, and valid from {begin} to {end}"));
    }
    let uncounted = |time: &&u64| !authority.valid_for.holds(**time);
    if let Some(time) = times.iter().find(uncounted) {
        let time = text(*time);
        return wrong(format!(
            "signed at {time}, when the authority did not count"
        ));
    }
    // A timestamp and a promise mostly name the same second.
    let mut times: Vec<String> = times.iter().map(|time| text(*time)).collect();
    times.dedup();
    let lie = if times.len() == 1 { "lies" } else { "lie" };
    let times = times.join(" and ");
    Ok(format!("{times} {lie} between {begin} and {end}"))
}
