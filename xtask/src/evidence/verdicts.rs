//! What several signatures come to.

use super::Inspected;
use crate::fail::{Fail, not_so};
use crate::proof::Link;

/// What all signatures that were looked at come to.
#[derive(Default)]
pub(crate) struct Verdicts {
    looked_at: usize,
    failed: Vec<Vec<&'static str>>,
    split_view: Option<Fail>,
}

impl Verdicts {
    /// Adds one.
    pub(crate) fn add(&mut self, inspected: &mut Inspected) {
        let failed = inspected.proof.failed();
        if failed.is_empty() {
            self.looked_at += 1;
        } else {
            self.fail(failed.into_iter().map(Link::name).collect());
        }
        self.split_view = self.split_view.take().or(inspected.split_view.take());
    }

    /// Adds one of which these checks do not hold.
    pub(crate) fn fail(&mut self, failed: Vec<&'static str>) {
        self.looked_at += 1;
        self.failed.push(failed);
    }

    /// The failure that they come to, where a link of one does not hold.
    pub(crate) fn end(self) -> Option<Fail> {
        if self.split_view.is_some() {
            return self.split_view;
        }
        Some(match (self.looked_at, self.failed.as_slice()) {
            (_, []) => return None,
            (1, [failed]) => not_so(format!("not proved: {}", failed.join(", "))),
            (all, failed) => not_so(format!("not proved: {} of {all} signatures", failed.len())),
        })
    }
}
