//! Chains to timestamp authorities that were verified before: an authority has one for all
//! that it signs, and to verify it each time would be a part of all work on many bundles.

use std::ops::RangeInclusive;
use std::sync::{PoisonError, RwLock};

use x509_cert::Certificate;

use super::chain::{self, Chain, Purpose};
use crate::format::der;
use crate::format::key::Unproved;
use crate::tlog::merkle::Hash;
use crate::trust::root::Authority;

/// What is kept for the proofs of one call, which may be made side by side: the first chain
/// to each authority.
#[derive(Debug, Default)]
pub struct KnownChains(RwLock<Vec<KnownChain>>);

/// A chain that was verified.
#[derive(Debug)]
struct KnownChain {
    /// The certificate of who signs timestamps, DER.
    leaf: Vec<u8>,
    /// The certificates of the authority, DER.
    above: Vec<Vec<u8>>,
    /// When all certificates below the root are valid, in seconds since 1970.
    valid: RangeInclusive<u64>,
    issuer_key_hash: Hash,
    intermediates: usize,
}

impl KnownChain {
    fn is_to(&self, authority: &Authority) -> bool {
        self.above.iter().map(Vec::as_slice).eq(authority.chain())
    }
}

impl KnownChains {
    /// Does for a certificate of a timestamp authority what [`chain::verify`] does.
    pub(super) fn verify<'a>(
        &self,
        leaf: &[u8],
        authorities: impl IntoIterator<Item = &'a Authority>,
        time: u64,
    ) -> Result<Chain<'a>, Unproved> {
        chain::first(authorities, time, |authority| {
            if let Some(known) = self.known(leaf, authority, time) {
                return Ok(known);
            }
            let chain = chain::verify_one(leaf, authority, Purpose::TimeStamping, time)?;
            self.remember(leaf, &chain);
            Ok(chain)
        })
    }

    fn known<'a>(&self, leaf: &[u8], authority: &'a Authority, time: u64) -> Option<Chain<'a>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = all.iter();
        let known = all.find(|known| {
            known.leaf == leaf && known.valid.contains(&time) && known.is_to(authority)
        })?;
        Some(Chain {
            authority,
            issuer_key_hash: known.issuer_key_hash,
            intermediates: known.intermediates,
        })
    }

    fn remember(&self, leaf: &[u8], chain: &Chain<'_>) {
        let above = chain.authority.chain();
        let Some(valid) = valid(leaf, chain.authority) else {
            return;
        };
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // One for each authority: what foreign bundles hold must not fill the memory.
        if !all.iter().any(|known| known.is_to(chain.authority)) {
            all.push(KnownChain {
                leaf: leaf.to_vec(),
                above: above.map(<[u8]>::to_vec).collect(),
                valid,
                issuer_key_hash: chain.issuer_key_hash,
                intermediates: chain.intermediates,
            });
        }
    }
}

/// When a certificate and all of its authority below the root are valid, where they can be
/// read.
fn valid(leaf: &[u8], authority: &Authority) -> Option<RangeInclusive<u64>> {
    let below = authority.chain().rev().skip(1);
    let (mut from, mut to) = (0, u64::MAX);
    for one in std::iter::once(leaf).chain(below) {
        let certificate = der::read::<Certificate>(one).ok()?;
        let validity = certificate.tbs_certificate.validity;
        from = from.max(validity.not_before.to_unix_duration().as_secs());
        to = to.min(validity.not_after.to_unix_duration().as_secs());
    }
    Some(from..=to)
}
