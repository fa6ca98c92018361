//! The root of a log that is read entry by entry, from its first one (RFC 6962, section
//! 2.1).

use super::merkle::{Hash, empty_root, node_hash};

/// A tree that grows at its right edge, of which the roots of its complete subtrees are
/// kept: at most 64.
#[derive(Debug, Clone, Default)]
pub struct CompactRange {
    size: u64,
    /// The largest subtree first.
    subtrees: Vec<Hash>,
}

impl CompactRange {
    /// How many entries it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each bit that is set stands for a subtree as large as what was added by now.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// The root of all entries by now.
    pub fn root(&self) -> Hash {
        let mut smallest = self.subtrees.iter().rev();
        let Some(last) = smallest.next() else {
            return empty_root();
        };
        smallest.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::merkle::{Nodes, leaf_hash, root, subtree_root};

    struct Leaves(Vec<Hash>);

    impl Nodes for Leaves {
        type Error = ();

        fn node(&mut self, level: u32, index: u64) -> Result<Hash, ()> {
            let (from, length) = ((index << level) as usize, 1 << level);
            Ok(subtree_root(&self.0[from..from + length]))
        }
    }

    #[test]
    fn the_root_is_that_of_the_tree() {
        let mut range = CompactRange::default();
        assert_eq!(range.root(), empty_root());
        let mut leaves = Leaves(Vec::new());
        for n in 0u64..600 {
            let leaf = leaf_hash(&n.to_be_bytes());
            range.push(leaf);
            leaves.0.push(leaf);
            assert_eq!(range.size(), n + 1);
            assert_eq!(Ok(range.root()), root(&mut leaves, 0, n + 1), "{n}");
        }
    }
}
