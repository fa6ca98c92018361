//! Every reader of what comes from outside, as a function of bytes that must not
//! panic, and the seeds for it, which are made of the recorded data.
//!
//! The fuzzers call them, and so does a test of the task runner with a few thousand
//! inputs.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use xtask::bundle::{self, Bundle};
use xtask::ct_log::split;
use xtask::entry::Entry;
use xtask::entry::body::{self, Verifier};
use xtask::fail::Fail;
use xtask::format::certificate::Leaf;
use xtask::format::key::PublicKey;
use xtask::format::protojson::strict_json;
use xtask::proof::chain::{self, Purpose};
use xtask::proof::policy::{Expected, Policy};
use xtask::proof::{Evidence, KnownChains, Proof, Subject, prove, sct, timestamp};
use xtask::registry::{Reference, simple_signing};
use xtask::rekor;
use xtask::tlog::checkpoint::Checkpoint;
use xtask::tlog::ct_signature::verify_checkpoint;
use xtask::tlog::merkle::{self, Hash, Nodes};
use xtask::tlog::tiles::{self, Source, TileTree};
use xtask::trust::root::TrustedRoot;

/// A reader: its name, what it does with bytes, and what it may begin with.
pub struct Reader {
    /// The name of the fuzzer.
    pub name: &'static str,
    /// Reads, and uses what was read.
    pub read: fn(&[u8]),
    /// Inputs that are right.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const READERS: [Reader; 13] = [
    Reader {
        name: "answer",
        read: answer,
        seeds: || files("rekor-v1", "entry-"),
    },
    Reader {
        name: "body",
        read: body,
        seeds: bodies,
    },
    Reader {
        name: "bundle",
        read: bundle,
        seeds: || files("bundles", ""),
    },
    Reader {
        name: "certificate",
        read: certificate,
        seeds: || [files("certificates", ""), leaves()].concat(),
    },
    Reader {
        name: "checkpoint",
        read: checkpoint,
        seeds: || files("rekor-v2", "checkpoint-"),
    },
    Reader {
        name: "ct_log",
        read: ct_log,
        seeds: || {
            [
                files("ctlog", "checkpoint-"),
                files("ctlog/tile/data/000.p", ""),
            ]
            .concat()
        },
    },
    Reader {
        name: "proof",
        read: proof,
        seeds: proofs,
    },
    Reader {
        name: "reference",
        read: reference,
        seeds: references,
    },
    Reader {
        name: "sct",
        read: scts,
        seeds: leaves,
    },
    Reader {
        name: "simple_signing",
        read: simple,
        seeds: simples,
    },
    Reader {
        name: "tiles",
        read: tree,
        seeds: trees,
    },
    Reader {
        name: "timestamp",
        read: token,
        seeds: tokens,
    },
    Reader {
        name: "trusted_root",
        read: root,
        seeds: || files("", "trusted_root"),
    },
];

/// The recorded data.
fn data() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    // This file belongs to two crates, of which one lies in the other.
    let own = manifest.join("tests/data");
    match own.exists() {
        true => own,
        false => manifest.join("../tests/data"),
    }
}

/// The files of a directory whose names begin so, in their order.
fn files(dir: &str, begin: &str) -> Vec<Vec<u8>> {
    let dir = data().join(dir);
    let entries = std::fs::read_dir(&dir).expect("the recorded data");
    let mut names: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a recorded file").path())
        .filter(|path| path.is_file())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(begin)
        })
        .collect();
    names.sort();
    let read = |path| std::fs::read(path).expect("a recorded file");
    names.into_iter().map(read).collect()
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(data().join(name)).expect("a recorded file")
}

fn recorded(name: &str) -> Bundle {
    bundle::read(&file(&format!("bundles/{name}.sigstore.json"))).expect("a recorded bundle")
}

static ROOT: LazyLock<TrustedRoot> =
    LazyLock::new(|| TrustedRoot::read(&file("trusted_root.json")).expect("the trusted root"));

/// A signature whose timestamp was recorded.
static SIGNATURE: LazyLock<Vec<u8>> =
    LazyLock::new(|| recorded("beta.v2").content.signature().to_vec());

/// Checks all that can be checked of some evidence.
fn proved(bundle: Option<Bundle>, from_log: Option<Entry>, root: &TrustedRoot) -> Proof {
    let bytes = file("blobs/beta.txt");
    let policy = Policy {
        identity: Some(Expected::Exactly("alice@example.com".into())),
        issuer: Expected::typed(None, Some("^https?://.*$")).expect("an expression"),
        key: None,
    };
    let evidence = Evidence {
        subject: Some(Subject {
            name: "beta.txt".into(),
            digest: bundle::sha256(&bytes),
            other_digest: None,
            bytes: Some(bytes),
        }),
        bundle,
        from_log,
    };
    prove(&evidence, root, &KnownChains::default(), &policy)
}

fn answer(bytes: &[u8]) {
    if let Ok(entry) = rekor::read_v1(bytes) {
        let _ = (entry.kind(), entry.leaf());
        proved(None, Some(entry), &ROOT);
    }
}

fn body(bytes: &[u8]) {
    let Ok(body) = strict_json(bytes) else { return };
    if let Ok(Some(recorded)) = body::recorded(&body) {
        let _ = recorded.digest_text();
        let key = match recorded.verifier {
            Verifier::Key(der) => PublicKey::from_der(&der).ok(),
            Verifier::Certificate(der) => Leaf::from_der(&der)
                .ok()
                .and_then(|leaf| PublicKey::of(leaf.certificate()).ok()),
        };
        if let Some(key) = key {
            let _ = key.verify_digest(&recorded.digest, &recorded.signature);
            let _ = key.verify(&recorded.digest, &recorded.signature);
        }
    }
}

fn bodies() -> Vec<Vec<u8>> {
    let bundles = [
        "alpha.v1",
        "image.v1",
        "alpha-key.v1",
        "beta.v2",
        "alpha-key.v2",
    ];
    let entries = bundles.map(|name| recorded(name).entry.expect("an entry"));
    entries.map(|entry| entry.canonicalized_body).to_vec()
}

fn bundle(bytes: &[u8]) {
    // Alone, or as others keep them.
    let all = bundle::read_all(bytes).unwrap_or_default();
    for bundle in bundle::read(bytes).into_iter().chain(all) {
        let _ = (bundle.log_id(), bundle.log_index(), bundle.subject_digest());
        let _ = (bundle.content.subjects(), bundle.content.message());
        proved(Some(bundle), None, &ROOT);
    }
}

fn certificate(bytes: &[u8]) {
    for leaf in [Leaf::from_der(bytes), Leaf::from_pem(bytes)] {
        let Ok(leaf) = leaf else { continue };
        let _ = (leaf.identities(), leaf.extensions(), leaf.issuer_claim());
        let _ = (leaf.document(), leaf.lines(), leaf.pem());
        let (from, _) = leaf.validity();
        let _ = PublicKey::of(leaf.certificate());
        let authorities = &ROOT.certificate_authorities;
        let _ = chain::verify(leaf.der(), authorities, Purpose::CodeSigning, from);
    }
}

fn leaves() -> Vec<Vec<u8>> {
    let bundles = ["alpha.v1", "alpha-bob.v2"].map(recorded);
    bundles
        .iter()
        .map(|bundle| bundle.leaf().expect("a certificate").der().to_vec())
        .collect()
}

fn checkpoint(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(checkpoint) = Checkpoint::read(text) {
        assert_eq!(checkpoint.text, text);
        let _ = checkpoint.signer(&ROOT);
        for log in &ROOT.tlogs {
            let _ = checkpoint.verify(log);
        }
    }
}

/// Three numbers, and what follows them.
fn numbers(bytes: &[u8]) -> Option<([u64; 3], &[u8])> {
    let (numbers, rest) = bytes.split_first_chunk::<24>()?;
    let (numbers, _) = numbers.as_chunks::<8>();
    let [a, b, c] = [0, 1, 2].map(|i| u64::from_le_bytes(numbers[i]));
    Some(([a, b, c], rest))
}

fn proof(bytes: &[u8]) {
    let Some(([index, size, first], rest)) = numbers(bytes) else {
        return;
    };
    let (hashes, _) = rest.as_chunks::<32>();
    let leaf = merkle::leaf_hash(rest);
    if let Ok(climbs) = merkle::inclusion_path(leaf, index, size, hashes) {
        let top = climbs.last().map_or(leaf, |climb| climb.parent);
        assert_eq!(
            merkle::root_from_inclusion_proof(leaf, index, size, hashes),
            Ok(top)
        );
        assert_eq!(climbs.len(), hashes.len());
    }
    let root = hashes.first().copied().unwrap_or(leaf);
    let _ = merkle::verify_consistency((first, &root), (size, &leaf), hashes);
}

fn proofs() -> Vec<Vec<u8>> {
    let shapes: [([u64; 3], usize); 4] = [
        ([5, 7, 3], 3),
        ([0, 1, 1], 0),
        ([257, 260, 7], 3),
        ([6, 6, 6], 0),
    ];
    shapes
        .map(|(numbers, hashes)| seed(numbers, &vec![7; 32 * hashes]))
        .to_vec()
}

fn seed(numbers: [u64; 3], rest: &[u8]) -> Vec<u8> {
    let numbers = numbers.map(u64::to_le_bytes).concat();
    [&numbers, rest].concat()
}

fn reference(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(read) = Reference::read(text) {
        // It goes into the path of a request.
        let all = [read.host, read.name, read.version].concat();
        assert!(all.bytes().all(|byte| byte.is_ascii_graphic()), "{all}");
        assert!(!all.contains(['?', '#', '%', '\\', '@']), "{all}");
    }
}

fn references() -> Vec<Vec<u8>> {
    let digest = "0123456789abcdef".repeat(4);
    [
        "127.0.0.1:17810/sample".to_owned(),
        "registry.example.com/a/b-c/d_e:v1.2".to_owned(),
        format!("localhost/sample:latest@sha256:{digest}"),
        format!("[::1]:5000/sample@sha256:{digest}"),
    ]
    .map(String::into_bytes)
    .to_vec()
}

fn scts(bytes: &[u8]) {
    if let Ok(leaf) = Leaf::from_der(bytes) {
        let _ = sct::verify(leaf.certificate(), &[7; 32], &ROOT);
    }
}

fn ct_log(bytes: &[u8]) {
    if let Ok(entries) = split(bytes) {
        assert!(entries.len() <= bytes.len());
    }
    let Ok(checkpoint) = Checkpoint::read(&String::from_utf8_lossy(bytes)) else {
        return;
    };
    for log in &ROOT.ctlogs {
        let _ = verify_checkpoint(&checkpoint, log);
    }
}

fn simple(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let annotations = lines.next().unwrap_or_default();
    let payload = lines.next().unwrap_or_default().to_vec();
    let Ok(annotations) = strict_json(annotations) else {
        return;
    };
    if let Ok(bundle) = simple_signing(&annotations, payload) {
        let _ = bundle.content.subjects();
        proved(Some(bundle), None, &ROOT);
    }
}

fn simples() -> Vec<Vec<u8>> {
    let manifest = strict_json(&file("registry/legacy.json")).expect("a recorded manifest");
    let annotations = manifest["layers"][0]["annotations"].to_string();
    let payload = file("registry/legacy-payload.json");
    vec![[annotations.as_bytes(), b"\n", &payload].concat()]
}

/// A log all of whose tiles are the same.
struct Tiles<'a> {
    bytes: &'a [u8],
    /// Whether the bytes are repeated up to the size of a full tile.
    repeated: bool,
}

impl Source for Tiles<'_> {
    fn find(&self, _: &str, largest: u64) -> Result<Option<Vec<u8>>, Fail> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        Ok(Some(match self.repeated {
            true => self
                .bytes
                .iter()
                .copied()
                .cycle()
                .take(largest as usize)
                .collect(),
            false => self.bytes.to_vec(),
        }))
    }
}

fn tree(bytes: &[u8]) {
    let Some(([index, size, first], bytes)) = numbers(bytes) else {
        return;
    };
    for n in [0, 1, index as usize % 300, usize::MAX] {
        let _ = tiles::entry(bytes, n);
    }
    for repeated in [false, true] {
        let mut tree = TileTree::new(Tiles { bytes, repeated }, size);
        let _ = tree.node((first % 64) as u32, index);
        // What the callers see to before they ask.
        if index < size {
            let root = merkle::root(&mut tree, 0, size);
            let proof = merkle::inclusion_proof(&mut tree, index, size);
            let leaf = tree.node(0, index);
            if let (Ok(root), Ok(proof), Ok(leaf)) = (root, proof, leaf) {
                // The tiles of upper levels are not made of those below.
                let of_its_own = size < tiles::WIDTH;
                let top: Result<Hash, String> =
                    merkle::root_from_inclusion_proof(leaf, index, size, &proof);
                assert!(!of_its_own || top == Ok(root));
            }
        }
        if 0 < first && first <= size {
            let _ = merkle::consistency_proof(&mut tree, first, size);
        }
    }
}

fn trees() -> Vec<Vec<u8>> {
    let seven = file("rekor-v2/tile/0/000.p/7");
    let four = file("rekor-v2/tile/0/001.p/4");
    let entries = file("rekor-v2/tile/entries/000.p/3");
    vec![
        seed([5, 7, 3], &seven),
        seed([259, 260, 7], &four),
        seed([2, 3, 1], &entries),
        seed([1 << 40, 1 << 41, (1 << 40) + 1], &four),
    ]
}

fn token(bytes: &[u8]) {
    let _ = timestamp::verify(bytes, &SIGNATURE, &ROOT, &KnownChains::default());
}

fn tokens() -> Vec<Vec<u8>> {
    ["beta.v2", "alpha.v1"]
        .map(|name| recorded(name).timestamps.remove(0))
        .to_vec()
}

fn root(bytes: &[u8]) {
    let Ok(root) = TrustedRoot::read(bytes) else {
        return;
    };
    for log in root.tlogs.iter().chain(&root.ctlogs) {
        let _ = (log.id(), log.key(), log.valid_for().holds(0));
        let _ = (root.tlog(log.id()), root.ctlog(log.id()));
    }
    let authorities = root.certificate_authorities.iter();
    for authority in authorities.chain(&root.timestamp_authorities) {
        let _ = (authority.chain().count(), authority.first());
    }
    for name in ["beta.v1", "image.v2"] {
        proved(Some(recorded(name)), None, &root);
    }
}
