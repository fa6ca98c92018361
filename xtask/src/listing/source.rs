//! The logs that can be listed: their trees, and the entries of each.

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use x509_cert::Certificate;
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::BitString;

use super::{Listed, not_signed};
use crate::ct_log::{CtLog, Precertificate};
use crate::entry::body::{self, Verifier};
use crate::entry::{Entry, Version};
use crate::fail::{Fail, not_so};
use crate::format::certificate::Leaf;
use crate::format::der;
use crate::format::hex::hex;
use crate::format::key::Unproved;
use crate::format::protojson::strict_json;
use crate::parallel;
use crate::proof::chain::{self, Purpose};
use crate::rekor::entries::{self, LoggedEntry, LoggedTree};
use crate::target::{Reached, Shard, Target};
use crate::time;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::ct_signature;
use crate::tlog::merkle::Hash;
use crate::trust::root::{Authority, TrustedRoot};

/// A log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogChoice {
    /// Rekor v1
    V1,
    /// Rekor v2
    V2,
    /// The certificate transparency log
    Ct,
}

impl LogChoice {
    /// For a person.
    pub(crate) fn title(self) -> &'static str {
        match self {
            LogChoice::V1 => "Rekor v1",
            LogChoice::V2 => "Rekor v2",
            LogChoice::Ct => "the CT log",
        }
    }

    /// The version of Rekor that it is.
    pub(crate) fn rekor(self) -> Option<Version> {
        match self {
            LogChoice::V1 => Some(Version::V1),
            LogChoice::V2 => Some(Version::V2),
            LogChoice::Ct => None,
        }
    }
}

/// So many entries are read side by side: as many as a tile holds.
const BATCH: usize = 256;

/// A log that can be asked.
pub(crate) struct LogSource {
    pub(crate) choice: LogChoice,
    reached: Reached,
}

/// The logs of this choice that run: one Rekor, or all CT logs of the trusted root that
/// hand out their tiles.
pub(crate) fn sources(
    choice: LogChoice,
    target: &dyn Target,
    root: &TrustedRoot,
) -> Result<Vec<LogSource>> {
    if let Some(version) = choice.rekor() {
        let ended = target.ended_shards(version).into_iter();
        let shards = ended.map(Shard::Number).chain([Shard::Newest]);
        let reached = shards.map(|shard| target.reach_shard(version, shard));
        return reached
            .map(|reached| {
                Ok(LogSource {
                    choice,
                    reached: reached?,
                })
            })
            .collect();
    }
    let mut why = not_so("the trusted root names no CT log").into();
    let mut all = Vec::new();
    for log in &root.ctlogs {
        let reached = Hash::try_from(log.id()).map(|id| target.reach_ct_log(&id));
        match reached {
            Ok(Ok(reached)) => all.push(LogSource { choice, reached }),
            Ok(Err(error)) => why = error,
            Err(_) => {}
        }
    }
    if all.is_empty() {
        return Err(why);
    }
    Ok(all)
}

impl LogSource {
    /// Its trees, the one that grows last.
    pub(super) fn trees(&self) -> Result<Vec<LoggedTree>> {
        let server = &self.reached.server;
        match self.choice.rekor() {
            Some(version) => entries::trees(version, server),
            None => Ok(vec![LoggedTree {
                checkpoint: CtLog::ask(server)?.checkpoint,
                first: 0,
            }]),
        }
    }

    /// Checks who signed a checkpoint; the id of that log.
    pub(super) fn verify(&self, checkpoint: &Checkpoint, root: &TrustedRoot) -> Result<Vec<u8>> {
        let title = self.choice.title();
        let unsigned = || not_signed(title, "no log of the trusted root signed it");
        let refused = |why: Unproved| {
            let (Unproved::Wrong(why) | Unproved::NotRead(why)) = why;
            not_signed(title, &why)
        };
        if self.choice.rekor().is_some() {
            let log = checkpoint.signer(root).ok_or_else(unsigned)?;
            checkpoint.verify(log).map_err(refused)?;
            return Ok(log.id().to_vec());
        }
        let holds = |log: &&crate::trust::root::TransparencyLog| {
            ct_signature::verify_checkpoint(checkpoint, log).is_ok()
        };
        let log = root.ctlogs.iter().find(holds).ok_or_else(unsigned)?;
        Ok(log.id().to_vec())
    }

    /// The hashes of a consistency proof between the first so many entries of a tree and
    /// all.
    pub(super) fn consistency(&self, tree: &LoggedTree, first: u64) -> Result<Vec<Hash>> {
        let server = &self.reached.server;
        match self.choice.rekor() {
            Some(version) => entries::consistency(version, server, tree, first),
            None => Ok(CtLog::at(server, tree.checkpoint.clone()).consistency(first)?),
        }
    }

    /// Reads the entries of a tree from one on: the leaf of each, and what it says.
    pub(super) fn each(
        &self,
        tree: &LoggedTree,
        from: u64,
        root: &TrustedRoot,
        see: &mut dyn FnMut(&[u8], Listed) -> Result<()>,
    ) -> Result<()> {
        let server = &self.reached.server;
        match self.choice.rekor() {
            Some(version) => {
                let mut batch = Vec::new();
                entries::each(version, server, tree, from, &mut |entry| {
                    batch.push(entry);
                    match batch.len() < BATCH {
                        true => Ok(()),
                        false => self.see(&std::mem::take(&mut batch), root, see),
                    }
                })?;
                self.see(&batch, root, see)
            }
            None => {
                let log = CtLog::at(server, tree.checkpoint.clone());
                log.each(from, &mut |index, entry| {
                    see(&entry.leaf(), of_ct_log(index, &entry))
                })
            }
        }
    }
}

impl LogSource {
    /// Shows entries of Rekor in their order. What they say is read on all processors: the
    /// chain of each leaf certificate is verified.
    fn see(
        &self,
        batch: &[LoggedEntry],
        root: &TrustedRoot,
        see: &mut dyn FnMut(&[u8], Listed) -> Result<()>,
    ) -> Result<()> {
        let (mut entries, log) = (batch.iter(), self.choice);
        let read = |entry: &LoggedEntry| of_rekor(log, entry, &root.certificate_authorities);
        parallel::ordered(batch, read, |listed| match entries.next() {
            Some(entry) => see(&entry.canonicalized_body, listed),
            None => Ok(()),
        })
    }
}

/// What an entry of Rekor says, and whether one of these authorities issued its certificate.
/// One that cannot be read is listed all the same.
pub(crate) fn of_rekor(log: LogChoice, entry: &LoggedEntry, authorities: &[Authority]) -> Listed {
    let mut listed = Listed {
        log,
        index: entry.index,
        time: entry.integrated.and_then(time::from_unix),
        identities: Vec::new(),
        issuer: None,
        what: None,
        kind: "unreadable".to_owned(),
        not_issued: None,
    };
    let Ok(read) = strict_json(&entry.canonicalized_body) else {
        return listed;
    };
    listed.kind = Entry::kind_of(&read);
    let Ok(Some(recorded)) = body::recorded(&read) else {
        return listed;
    };
    listed.what = Some(recorded.digest_text());
    let Verifier::Certificate(der) = &recorded.verifier else {
        return listed;
    };
    let Ok(leaf) = Leaf::from_der(der) else {
        return listed;
    };
    let (from, _) = leaf.validity();
    listed.time = listed.time.or_else(|| time::from_unix(from));
    listed.identities = leaf.identities();
    listed.issuer = leaf.issuer_claim();
    let chain = chain::verify(der, authorities, Purpose::CodeSigning, from);
    listed.not_issued = chain.err().map(|why| {
        let (Unproved::Wrong(why) | Unproved::NotRead(why)) = why;
        why
    });
    listed
}

/// What an entry of the CT log says. That an authority issued it is what the log checked.
pub(crate) fn of_ct_log(index: u64, entry: &Precertificate) -> Listed {
    let mut listed = Listed {
        log: LogChoice::Ct,
        index,
        time: time::from_unix(entry.timestamp / 1000),
        identities: Vec::new(),
        issuer: None,
        what: None,
        kind: "precertificate".to_owned(),
        not_issued: None,
    };
    let Ok(leaf) = unsigned(entry) else {
        return listed;
    };
    let serial = leaf.certificate().tbs_certificate.serial_number.as_bytes();
    listed.what = Some(format!("serial:{}", hex(serial)));
    listed.identities = leaf.identities();
    listed.issuer = leaf.issuer_claim();
    listed
}

/// A precertificate as a certificate, without its signature: the log leaves that out.
fn unsigned(entry: &Precertificate) -> Result<Leaf> {
    let bytes = entry.certificate.as_slice();
    let tbs: TbsCertificate = der::read(bytes)?;
    let signature = BitString::from_bytes(&[]).map_err(|error| Fail::from_error(&error.into()))?;
    Ok(Leaf::of(Certificate {
        signature_algorithm: tbs.signature.clone(),
        tbs_certificate: tbs,
        signature,
    }))
}
