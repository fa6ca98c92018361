//! The certificates that charts are given as values: whose the CT log takes, and with whose
//! the timestamp authority signs.

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::copies::text_of;
use super::helm::{CTLOG_TILES, Helm, TSA};
use super::kubectl::Kubectl;
use super::servers::{ClusterServer, FULCIO, TIMESTAMP};
use crate::format::hashing::sha256_hash;
use crate::format::hex::hex;

/// The object with the authorities whose certificates the CT log takes, as its chart makes
/// it, and their name there.
pub(crate) const AUTHORITIES: (&str, &str) = ("configmap/fulcio-roots", "fulcio");

/// A chart that is given certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CertifiedChart {
    /// The CT log on tiles
    CtlogTiles,
    /// The timestamp authority
    Tsa,
}

impl CertifiedChart {
    /// The name of the chart.
    pub(crate) fn chart(self) -> &'static str {
        match self {
            CertifiedChart::CtlogTiles => CTLOG_TILES.chart,
            CertifiedChart::Tsa => TSA.chart,
        }
    }

    /// The values, from the Secret that holds the certificates; `None` where that is not
    /// there yet.
    pub(crate) fn values(self, kubectl: &Kubectl, helm: &Helm) -> Result<Option<Value>> {
        match self {
            CertifiedChart::Tsa => {
                let chain = chain_of(kubectl, &TIMESTAMP)?;
                Ok(chain.map(|chain| json!({"server": {"args": {"cert_chain": chain}}})))
            }
            CertifiedChart::CtlogTiles => {
                let Some(chain) = chain_of(kubectl, &FULCIO)? else {
                    return Ok(None);
                };
                // An authority that was there before still counts: a certificate of its
                // may be on its way. What turned since is with the log alone.
                let there = kubectl.get(CTLOG_TILES.namespace, AUTHORITIES.0)?;
                let there = there.and_then(|map| map.data.get(AUTHORITIES.1).cloned());
                let before = helm.installed(CTLOG_TILES)?.map(|release| release.values);
                let before = before.and_then(|values| {
                    Some(values["server"]["fulcio"]["rootPEM"].as_str()?.to_owned())
                });
                let before = there.or(before).unwrap_or_default();
                Ok(Some(accepted(&with(before, &chain))))
            }
        }
    }
}

/// The chain of certificates of a server; `None` where it has none yet.
fn chain_of(kubectl: &Kubectl, server: &ClusterServer) -> Result<Option<String>> {
    let Some(part) = &server.public else {
        return Ok(None);
    };
    let secret = kubectl.get(server.namespace, &format!("secret/{}", part.secret))?;
    secret.map(|secret| text_of(&secret, part.key)).transpose()
}

/// These certificates, and those of a chain that are not among them.
fn with(mut known: String, chain: &str) -> String {
    if !known.contains(chain.trim()) {
        known.push_str(chain.trim_end());
        known.push('\n');
    }
    known
}

/// The values of a CT log that takes certificates of these authorities. It reads them when
/// it starts, so they are part of what tells one pod from the next.
fn accepted(authorities: &str) -> Value {
    let hash = hex(&sha256_hash(&[authorities.as_bytes()])[..8]);
    json!({
        "podAnnotations": {"workshop/authorities": hash},
        "server": {"fulcio": {"rootPEM": authorities}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_added_once_and_none_goes() {
        let one = with(String::new(), "one\n");
        assert_eq!(one, "one\n");
        let both = with(one.clone(), "two");
        assert_eq!(both, "one\ntwo\n");
        assert_eq!(with(both.clone(), "one"), both);
        let annotation = |authorities: &str| accepted(authorities)["podAnnotations"].clone();
        assert_ne!(annotation(&one), annotation(&both));
    }
}
