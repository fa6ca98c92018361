//! Merkle tree arithmetic: hashes, inclusion proofs and consistency proofs (RFC
//! 6962, section 2.1; the algorithms that verify them are those of RFC 9162,
//! sections 2.1.3.2 and 2.1.4.2).

use crate::format::hashing::sha256_hash;

/// A node of a tree: SHA-256, 32 bytes.
pub type Hash = [u8; 32];

/// No proof is longer: a tree of 2^64 leaves has no more levels.
pub(crate) const LONGEST: usize = 64;

/// The hash of a leaf. Leaves and inner nodes have prefixes of their own, so that
/// none can be taken for the other.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256_hash(&[&[0], leaf])
}

/// The hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_hash(&[&[1], left, right])
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    sha256_hash(&[])
}

/// A step of an inclusion proof: the sibling, on which side of it, and what both
/// hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathNode {
    /// The hash that the proof brings.
    pub sibling: Hash,
    /// Whether the sibling stands left of the path.
    pub left: bool,
    /// Their parent, on the path to the root.
    pub parent: Hash,
}

/// The path from a leaf to the root along an inclusion proof. Its last parent, or the
/// leaf itself where there is no step, is the root that the proof leads to.
pub fn inclusion_path(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
) -> Result<Vec<PathNode>, String> {
    if index >= size {
        return Err(format!(
            "there is no index {index} in a tree of {size} entries"
        ));
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    let mut climbs = Vec::new();
    for sibling in proof {
        if last == 0 {
            return Err(format!(
                "the proof holds {} hashes, and {} lead to the root",
                proof.len(),
                climbs.len()
            ));
        }
        let left = node & 1 == 1 || node == last;
        hash = if left {
            node_hash(sibling, &hash)
        } else {
            node_hash(&hash, sibling)
        };
        climbs.push(PathNode {
            sibling: *sibling,
            left,
            parent: hash,
        });
        // A node without a sibling is its own parent, for as many levels as that
        // lasts.
        while left && node & 1 == 0 && node != 0 {
            node >>= 1;
            last >>= 1;
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(format!(
            "the proof ends after {} hashes, before the root",
            proof.len()
        ));
    }
    Ok(climbs)
}

/// The root that an inclusion proof leads to.
pub fn root_from_inclusion_proof(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
) -> Result<Hash, String> {
    let climbs = inclusion_path(leaf, index, size, proof)?;
    Ok(climbs.last().map_or(leaf, |climb| climb.parent))
}

/// Checks that the tree of `second` entries begins with the `first` entries of the
/// other.
///
/// # Errors
/// Where the proof does not show it, with the reason.
pub fn verify_consistency(
    (first, first_root): (u64, &Hash),
    (second, second_root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), String> {
    if first > second {
        let before = crate::text::entries(first);
        return Err(format!("it shrank from {before} to {second}"));
    }
    if first == second || first == 0 {
        if !proof.is_empty() {
            return Err("the proof holds hashes that prove nothing".into());
        }
        let of_nothing = first == 0 && *first_root != empty_root();
        if of_nothing || first == second && first_root != second_root {
            return Err(format!("two roots for the same {first} entries"));
        }
        return Ok(());
    }
    let (mut node, mut last) = (first - 1, second - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // A tree whose size is a power of two is itself the node to start from.
    let mut hashes = proof.iter();
    let start = match node {
        0 => *first_root,
        _ => *hashes.next().ok_or("the proof holds no hash")?,
    };
    let (mut old, mut new) = (start, start);
    for hash in hashes {
        if last == 0 {
            return Err("the proof goes on beyond the root".into());
        }
        if node & 1 == 1 || node == last {
            old = node_hash(hash, &old);
            new = node_hash(hash, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err("the proof ends before the root".into());
    }
    // The error does not say which of the two roots differs: where the proof begins with
    // the first root, as it does at a power of two, only the second one can.
    if old != *first_root || new != *second_root {
        let seen = crate::text::entries(first);
        return Err(format!("it does not begin with the {seen} seen before"));
    }
    Ok(())
}

/// The nodes of a tree, as a log hands them out: the root of the complete subtree
/// of 2^`level` leaves that begins at leaf `index` * 2^`level`.
pub trait Nodes {
    /// What fetching one can fail with.
    type Error;
    /// One node.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The root of a complete subtree, from a row of its nodes: as many as a power of two.
pub fn subtree_root(row: &[Hash]) -> Hash {
    match row {
        [root] => *root,
        _ => {
            let (left, right) = row.split_at(row.len() / 2);
            node_hash(&subtree_root(left), &subtree_root(right))
        }
    }
}

/// The root of the leaves from `start` to `end`, which must not be empty.
pub fn root<N: Nodes>(nodes: &mut N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let size = end - start;
    if size.is_power_of_two() && start.is_multiple_of(size) {
        let level = size.trailing_zeros();
        return nodes.node(level, start >> level);
    }
    let middle = start + split(size);
    let left = root(nodes, start, middle)?;
    Ok(node_hash(&left, &root(nodes, middle, end)?))
}

/// The inclusion proof of the entry `index` in the tree of `size` entries, of which
/// it must be one (RFC 6962, section 2.1.1, `PATH`).
pub fn inclusion_proof<N: Nodes>(
    nodes: &mut N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, N::Error> {
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(root(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(root(nodes, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof between the trees of `first` and of `second` entries,
/// where 0 < `first` <= `second` (RFC 6962, section 2.1.2, `PROOF`).
pub fn consistency_proof<N: Nodes>(
    nodes: &mut N,
    first: u64,
    second: u64,
) -> Result<Vec<Hash>, N::Error> {
    let (mut start, mut end) = (0, second);
    let mut proof = Vec::new();
    // Down to the subtree that ends where the first tree ends.
    while end != first {
        let middle = start + split(end - start);
        if first <= middle {
            proof.push(root(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(root(nodes, start, middle)?);
            start = middle;
        }
    }
    if start != 0 {
        proof.push(root(nodes, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The largest power of two smaller than `size`, which must be at least 2.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The tree as the RFC defines it, from its leaves.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&naive(left), &naive(right))
            }
        }
    }

    struct NaiveTree(Vec<Hash>);

    impl Nodes for NaiveTree {
        type Error = std::convert::Infallible;
        fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error> {
            let (from, to) = (index << level, (index + 1) << level);
            Ok(naive(&self.0[from as usize..to as usize]))
        }
    }

    fn tree(size: u64) -> NaiveTree {
        NaiveTree((0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect())
    }

    fn hash(hex: &str) -> Hash {
        let byte = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap();
        std::array::from_fn(byte)
    }

    /// The tree that the tests of Certificate Transparency use, and its roots at
    /// each size.
    #[test]
    fn known_answers() {
        let leaves: [&[u8]; 8] = [
            &[],
            &[0],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = NaiveTree(leaves.map(leaf_hash).to_vec());
        assert_eq!(empty_root(), hash(roots[0]));
        for size in 1..=8 {
            assert_eq!(
                root(&mut tree, 0, size).unwrap(),
                hash(roots[size as usize])
            );
        }
        // Proofs of the same tests.
        let three = inclusion_proof(&mut tree, 5, 8).unwrap();
        assert_eq!(
            three,
            [
                hash("bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"),
                hash("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"),
                hash("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            ]
        );
        let between = consistency_proof(&mut tree, 6, 8).unwrap();
        assert_eq!(
            between,
            [
                hash("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"),
                hash("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"),
                hash("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            ]
        );
    }

    #[test]
    fn all_small_trees() {
        for size in 1..=33 {
            let mut tree = tree(size);
            let whole = naive(&tree.0);
            for index in 0..size {
                let proof = inclusion_proof(&mut tree, index, size).unwrap();
                let leaf = tree.0[index as usize];
                assert_eq!(
                    root_from_inclusion_proof(leaf, index, size, &proof).as_ref(),
                    Ok(&whole)
                );
                for other in (0..size).filter(|other| *other != index) {
                    assert_ne!(
                        root_from_inclusion_proof(leaf, other, size, &proof).as_ref(),
                        Ok(&whole)
                    );
                }
            }
            for first in 1..=size {
                let old = naive(&tree.0[..first as usize]);
                let proof = consistency_proof(&mut tree, first, size).unwrap();
                assert_eq!(
                    verify_consistency((first, &old), (size, &whole), &proof),
                    Ok(())
                );
            }
        }
    }

    #[test]
    fn the_edges() {
        let one = leaf_hash(b"x");
        assert_eq!(root_from_inclusion_proof(one, 0, 1, &[]), Ok(one));
        for (index, size) in [(0, 0), (1, 1), (u64::MAX, u64::MAX), (5, 2)] {
            assert!(
                root_from_inclusion_proof(one, index, size, &[]).is_err(),
                "{index} of {size}"
            );
        }
        assert!(root_from_inclusion_proof(one, 0, 1, &[one]).is_err());
        assert!(root_from_inclusion_proof(one, u64::MAX - 1, u64::MAX, &[one; 64]).is_err());
        assert_eq!(
            verify_consistency((0, &empty_root()), (7, &one), &[]),
            Ok(())
        );
        assert!(verify_consistency((0, &one), (7, &one), &[]).is_err());
        assert!(verify_consistency((7, &one), (3, &one), &[]).is_err());
        assert!(verify_consistency((7, &one), (7, &empty_root()), &[]).is_err());
        assert!(verify_consistency((7, &one), (7, &one), &[one]).is_err());
        assert!(verify_consistency((4, &one), (7, &one), &[]).is_err());
        assert!(verify_consistency((1, &one), (u64::MAX, &one), &[one; 70]).is_err());
    }

    proptest! {
        #[test]
        fn proofs_hold_and_tampered_ones_do_not(
            size in 0u64..=2000,
            index in any::<prop::sample::Index>(),
            first in any::<prop::sample::Index>(),
            flip in any::<prop::sample::Index>(),
        ) {
            if size == 0 {
                prop_assert!(root_from_inclusion_proof(empty_root(), 0, 0, &[]).is_err());
                return Ok(());
            }
            let index = index.index(size as usize) as u64;
            let first = first.index(size as usize) as u64 + 1;
            let mut tree = tree(size);
            let whole = naive(&tree.0);
            let mut proof = inclusion_proof(&mut tree, index, size).unwrap();
            let leaf = tree.0[index as usize];
            prop_assert_eq!(root_from_inclusion_proof(leaf, index, size, &proof), Ok(whole));
            prop_assert_ne!(root_from_inclusion_proof(leaf_hash(b"other"), index, size, &proof), Ok(whole));
            if !proof.is_empty() {
                let bit = flip.index(proof.len() * 256);
                proof[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
                prop_assert_ne!(root_from_inclusion_proof(leaf, index, size, &proof), Ok(whole));
                proof.pop();
                prop_assert!(root_from_inclusion_proof(leaf, index, size, &proof).is_err());
            }
            let old = naive(&tree.0[..first as usize]);
            let mut proof = consistency_proof(&mut tree, first, size).unwrap();
            prop_assert_eq!(verify_consistency((first, &old), (size, &whole), &proof), Ok(()));
            prop_assert!(verify_consistency((first, &leaf_hash(b"other")), (size, &whole), &proof).is_err());
            if !proof.is_empty() {
                let bit = flip.index(proof.len() * 256);
                proof[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
                prop_assert!(verify_consistency((first, &old), (size, &whole), &proof).is_err());
            }
        }

        #[test]
        fn any_proof_is_read_without_a_panic(
            index in any::<u64>(), size in any::<u64>(), first in any::<u64>(), length in 0usize..80,
        ) {
            let hash = leaf_hash(b"x");
            let _ = root_from_inclusion_proof(hash, index, size, &vec![hash; length]);
            let _ = verify_consistency((first, &hash), (size, &hash), &vec![hash; length]);
        }
    }
}
