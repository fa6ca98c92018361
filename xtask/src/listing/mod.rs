//! What is in a log, and of whom: all entries in their order, and the proof that the log
//! signed exactly these.

mod filter;
mod source;

use anyhow::Result;
use serde::Serialize;

use crate::evidence::{CheckpointStore, Consistency};
use crate::fail::{Fail, broken, not_so};
use crate::target::Target;
use crate::text::entries;
use crate::tlog::merkle::leaf_hash;
use crate::tlog::range::CompactRange;
use crate::trust::root::TrustedRoot;

pub(crate) use filter::{ArtifactFilter, Filter, since};
pub(crate) use source::{LogChoice, LogSource, of_ct_log, of_rekor, sources};

/// An entry of a log, as far as a list says it. Times are RFC 3339.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Listed {
    /// The log: `v1`, `v2`, or `ct`.
    pub(crate) log: LogChoice,
    /// Its index there.
    pub(crate) index: u64,
    /// When: as Rekor v1 or the CT log recorded it, else when the leaf certificate was made.
    pub(crate) time: Option<String>,
    /// The names in the leaf certificate, the first one first; none where a key signed.
    pub(crate) identities: Vec<String>,
    /// Who vouched for them.
    pub(crate) issuer: Option<String>,
    /// What was signed, `sha256:…`, or the serial number of a certificate.
    pub(crate) what: Option<String>,
    /// Kind and version: `hashedrekord 0.0.2`.
    pub(crate) kind: String,
    /// Why no authority of the trusted root issued the leaf certificate; `None` where one
    /// did, where there is none, or it is the CT log that says so.
    pub(crate) not_issued: Option<String>,
}

/// A log that is read from its beginning on, and again as it grows.
pub(crate) struct LogReader<'a> {
    source: &'a LogSource,
    /// The trees that were read, with what of them was.
    trees: Vec<CompactRange>,
}

impl<'a> LogReader<'a> {
    /// One that has read nothing yet.
    pub(crate) fn new(source: &'a LogSource) -> LogReader<'a> {
        LogReader {
            source,
            trees: Vec::new(),
        }
    }

    /// Reads what has come since the last time, and shows each entry. Afterwards what was
    /// read is proved: the root of the entries is the one that the log signed, and the log
    /// extends what was seen of it before. Returns the sentences that say so.
    ///
    /// # Errors
    /// Exit status 1 where the log signed something else than it shows, or does not extend
    /// what was seen of it.
    pub(crate) fn read(
        &mut self,
        target: &dyn Target,
        root: &TrustedRoot,
        show: &mut dyn FnMut(Listed) -> Result<()>,
    ) -> Result<Vec<String>> {
        // Before the log is asked, so that an honest log's checkpoint is never older.
        let store = CheckpointStore::read(&target.dir())?;
        let mut told = Vec::new();
        for (i, tree) in self.source.trees()?.iter().enumerate() {
            if self.trees.len() <= i {
                self.trees.push(CompactRange::default());
            }
            let range = &mut self.trees[i];
            let (before, checkpoint) = (range.size(), &tree.checkpoint);
            if checkpoint.size < before {
                return Err(not_so(format!(
                    "the log had {} and has {} now",
                    entries(before),
                    checkpoint.size
                ))
                .into());
            }
            let id = self.source.verify(checkpoint, root)?;
            self.source.each(tree, before, root, &mut |leaf, listed| {
                range.push(leaf_hash(leaf));
                show(listed)
            })?;
            if range.size() != checkpoint.size || range.root() != checkpoint.root {
                return Err(shows_another_tree(self.source).into());
            }
            let prove = |first| self.source.consistency(tree, first);
            match store.compare(&id, checkpoint, prove)? {
                Consistency::Extends(how) => told.push(format!(
                    "{}: the log signed the root of {}: {how}",
                    self.source.choice.title(),
                    entries(checkpoint.size)
                )),
                Consistency::SplitView { report, .. } => return Err(report.into()),
            }
        }
        Ok(told)
    }
}

fn shows_another_tree(source: &LogSource) -> Fail {
    let log = source.choice.title();
    not_so(format!(
        "{log} signed another root than that of the entries it shows"
    ))
    .hint("an entry was changed, left out or added: keep what was read, and ask who runs the log")
}

/// The failure of a checkpoint that the trusted root does not lead to.
fn not_signed(log: &str, why: &str) -> Fail {
    broken(format!("the checkpoint of {log}: {why}")).hint("cargo xtask doctor")
}
