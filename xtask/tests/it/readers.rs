//! Nothing that comes from outside makes a reader panic: the seeds of the fuzzers, and
//! mutations of them, read as the fuzzers read them.

// The fuzzers, which are a package of their own, call the same.
#[path = "../../fuzz/readers.rs"]
mod fuzzed;

use fuzzed::READERS;
use proptest::prelude::*;

/// Something done to some bytes.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(u8),
    Set(u8),
    Insert(Vec<u8>),
    Remove(usize),
    Repeat(usize),
    End,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        4 => (0u8..8).prop_map(Mutation::Flip),
        4 => any::<u8>().prop_map(Mutation::Set),
        // What means something to JSON, DER and checkpoints.
        2 => prop::sample::select(b"09-\"{}[],:\n \x00\x30\x80\x82\xff".to_vec())
            .prop_map(Mutation::Set),
        1 => prop::collection::vec(any::<u8>(), 1..20).prop_map(Mutation::Insert),
        1 => (1usize..40).prop_map(Mutation::Remove),
        1 => (1usize..40).prop_map(Mutation::Repeat),
        1 => Just(Mutation::End),
    ]
}

fn mutate(bytes: &mut Vec<u8>, at: &prop::sample::Index, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    let at = at.index(bytes.len());
    let until = |length: usize| (at + length).min(bytes.len());
    match mutation {
        Mutation::Flip(bit) => bytes[at] ^= 1 << bit,
        Mutation::Set(byte) => bytes[at] = *byte,
        Mutation::Insert(more) => drop(bytes.splice(at..at, more.iter().copied())),
        Mutation::Remove(length) => drop(bytes.drain(at..until(*length))),
        Mutation::Repeat(length) => {
            let again = bytes[at..until(*length)].to_vec();
            bytes.splice(at..at, again);
        }
        Mutation::End => bytes.truncate(at),
    }
}

#[test]
fn every_seed_is_read() {
    for reader in &READERS {
        let seeds = (reader.seeds)();
        assert!(!seeds.is_empty(), "{}", reader.name);
        for seed in seeds {
            (reader.read)(&seed);
        }
    }
}

#[test]
fn mutations_of_the_seeds_are_read_or_refused() {
    for reader in &READERS {
        let seeds = prop::sample::select((reader.seeds)());
        let mutations = prop::collection::vec((any::<prop::sample::Index>(), mutation()), 1..4);
        let config = ProptestConfig {
            // A finding belongs into a test of its own.
            failure_persistence: None,
            ..ProptestConfig::with_cases(256)
        };
        proptest!(config, |(mut bytes in seeds, mutations in mutations)| {
            for (at, mutation) in &mutations {
                mutate(&mut bytes, at, mutation);
            }
            (reader.read)(&bytes);
        });
    }
}
