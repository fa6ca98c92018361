//! The further log entries of a bundle: each has to hold as the first one does.

use crate::proof::checks::log::{of_log, of_promise};
use crate::proof::checks::signature::{Signer, of_entry};
use crate::proof::{Evidence, Link, Proof, Unchecked};
use crate::text::counted;
use crate::trust::root::TrustedRoot;

/// Checks the further entries of a bundle; the times that their logs promised.
pub(crate) fn of_further_entries(
    proof: &mut Proof,
    evidence: &Evidence,
    signer: &Signer<'_>,
    timestamps: &[u64],
    root: &TrustedRoot,
) -> Vec<u64> {
    let Some(bundle) = &evidence.bundle else {
        return Vec::new();
    };
    let mut times = Vec::new();
    for (i, entry) in bundle.further_entries.iter().enumerate() {
        let mut bundle = bundle.clone();
        bundle.entry = Some(entry.clone());
        bundle.further_entries.clear();
        let alone = Evidence {
            subject: None,
            bundle: Some(bundle),
            from_log: None,
        };
        let mut of_one = Proof::default();
        of_entry(&mut of_one, &alone, signer, &entry.recorded(), root);
        let log = of_log(&mut of_one, &alone, timestamps, root);
        times.extend(of_promise(&mut of_one, &alone, log));
        proof.join(of_one, i + 2);
    }
    proof.tell_of_further(bundle.further_entries.len() as u64);
    times
}

impl Proof {
    /// Takes over what came of the entry of this number.
    fn join(&mut self, of_one: Proof, number: usize) {
        for check in of_one.checks {
            let detail = format!("entry {number} of the bundle: {}", check.detail);
            let known = self
                .checks
                .iter_mut()
                .find(|known| known.link == check.link);
            match known {
                // The first that does not hold is told.
                Some(known) if known.ok && !check.ok => {
                    known.ok = false;
                    known.detail = detail;
                }
                // Those that hold are told together.
                Some(_) => {}
                None => self.put(check.link, check.ok, detail),
            }
        }
        for Unchecked {
            link,
            detail,
            not_read,
        } in of_one.unchecked
        {
            self.leave_out(
                link,
                format!("entry {number} of the bundle: {detail}"),
                not_read,
            );
        }
        for counted in of_one.counted {
            self.add_counted(counted);
        }
    }

    /// Says how many further entries hold, where all do.
    fn tell_of_further(&mut self, further: u64) {
        let entry = self
            .checks
            .iter_mut()
            .find(|check| check.link == Link::Entry);
        if let Some(entry) = entry.filter(|entry| entry.ok && further > 0) {
            let more = counted(further, "more entry holds", "more entries hold");
            entry.detail = format!("{}; {more} the same", entry.detail);
        }
    }
}
