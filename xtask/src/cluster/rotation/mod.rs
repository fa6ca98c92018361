//! Keys of a cluster that turn: the next key is made in a Secret of its own and trusted,
//! its server takes it, the former one ends, and the Secret goes.

pub(crate) mod job;
pub(crate) mod next_key;
mod plan;

use super::servers::{CTLOG, ClusterServer, FULCIO, Maker, NextKey, REKOR};
use crate::fail::{Fail, broken};
use crate::target::RotatedKey;
pub(crate) use plan::RotationFacts;

/// The server of a key, and where its next one is made.
///
/// # Errors
/// Where the key does not turn on a cluster: why, and what to do.
pub(crate) fn turning(key: RotatedKey) -> Result<(&'static ClusterServer, &'static NextKey), Fail> {
    let server = match key {
        RotatedKey::Fulcio => &FULCIO,
        RotatedKey::Ctlog => &CTLOG,
        RotatedKey::Rekor => &REKOR,
        RotatedKey::Timestamp => {
            return Err(broken("the key of a timestamp authority does not turn on a cluster")
                .hint("with Rekor v1 alone there is none: Rekor says itself when it took an entry in, and its key turns: cargo xtask rotate rekor")
                .hint("that of Rekor v2 is as old as the installation: to have another one, uninstall and install again"));
        }
        RotatedKey::Registry => {
            return Err(broken("cert-manager makes the key of a cluster's registry, not `rotate`")
                .hint("for another one now: kubectl --namespace default delete secret registry-tls, wait until it is there again, then: kubectl --namespace default rollout restart deployment/registry, cargo xtask trust, cargo xtask restart")
                .hint("the images stay, with the signatures beside them"));
        }
        RotatedKey::Users => {
            return Err(
                broken("a cluster has no users of the workshop: service accounts sign")
                    .hint("their tokens end by themselves, after ten minutes"),
            );
        }
        RotatedKey::Tuf => {
            return Err(broken("the keys of a cluster's TUF repository do not turn")
                .hint("roles that end soon are renewed: cargo xtask trust"));
        }
    };
    let next = server.next.as_ref();
    let next = next.ok_or_else(|| broken("a key that turns has no place for the next one"))?;
    Ok((server, next))
}

/// What removes what made the next key of a server, so that it does not make it again.
pub(crate) fn maker(next: &NextKey) -> String {
    match next.maker {
        Maker::Certificate(_) => format!("certificates.cert-manager.io/{}", next.secret),
        Maker::Job(_) => format!("jobs/{}", next.secret),
    }
}
