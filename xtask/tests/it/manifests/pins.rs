//! Each version is written once, and each image is named by its digest.
//!
//! One exception: a manifest must work by hand, without a program that fills
//! something in. So what several manifests cannot do without, the image that signs
//! and verifies and the digest of the sample, stands in each of them, and what
//! stands there must be equal.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::files;

/// What may be stated more than once, and where.
const SHARED: [(&str, &[&str]); 3] = [
    ("cosign", &["verify/job-sign.yml", "verify/job-verify.yml"]),
    (
        "checktree",
        &["verify/job-sign.yml", "verify/job-verify.yml"],
    ),
    // One log may be there without the other.
    (
        "busybox",
        &[
            "deploy/reader-ctlog-tiles.yml",
            "deploy/reader-rekor-tiles.yml",
        ],
    ),
];

/// A version or a digest, and what it is one of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pin {
    file: String,
    what: String,
    value: String,
}

/// What a file states.
#[derive(Default)]
struct Stated {
    pins: Vec<Pin>,
    /// Images that may be others tomorrow.
    loose: Vec<String>,
}

impl Stated {
    fn read(&mut self, file: &str, key: &str, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| self.read(file, key, value)),
            Value::Object(map) if key == "image" => self.image(file, map),
            Value::Object(map) => {
                for (name, value) in map {
                    // A version is one of what it stands under. A minimum says what
                    // is enough, not what is used: two may agree.
                    match name.as_str() {
                        "minimum" => {}
                        "version" => self.read(file, key, value),
                        _ => self.read(file, name, value),
                    }
                }
            }
            Value::String(text) => self.text(file, key, text),
            _ => {}
        }
    }

    /// An image as charts take it: in parts.
    fn image(&mut self, file: &str, map: &serde_json::Map<String, Value>) {
        let part = |name: &str| map.get(name).and_then(Value::as_str);
        let repository = part("repository").unwrap_or("an image without a name");
        let digest = part("version").or(part("digest")).unwrap_or_default();
        self.text(file, "image", &format!("{repository}@{digest}"));
    }

    fn text(&mut self, file: &str, key: &str, text: &str) {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let last = name.rsplit('/').next().unwrap_or(name);
        let (last, tag) = match last.split_once(':') {
            Some((last, tag)) => (last, Some(tag)),
            None => (last, None),
        };
        let has_tag = name.contains('/') && tag.is_some_and(is_version);
        match digest {
            Some(digest) if is_digest(digest) => {
                self.pin(file, last, digest);
                if let Some(tag) = tag {
                    self.pin(file, last, tag);
                }
            }
            Some(digest) if key == "image" || digest.starts_with("sha256:") => {
                self.loose.push(format!("{file}: {text}"));
            }
            None if key == "image" || has_tag => self.loose.push(format!("{file}: {text}")),
            _ if is_version(text) || is_digest(text) => self.pin(file, key, text),
            _ => {}
        }
    }

    fn pin(&mut self, file: &str, what: &str, value: &str) {
        self.pins.push(Pin {
            file: file.to_owned(),
            what: what.to_owned(),
            value: value.to_owned(),
        });
    }

    /// What is stated twice although it need not be, and what is stated differently
    /// although it must not be.
    fn repeated(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        for (i, pin) in self.pins.iter().enumerate() {
            for other in &self.pins[..i] {
                let shared = SHARED.iter().any(|(what, files)| {
                    pin.what == *what
                        && other.what == *what
                        && files.contains(&pin.file.as_str())
                        && files.contains(&other.file.as_str())
                });
                let said = format!(
                    "{}: {} {}, and {}: {} {}",
                    other.file, other.what, other.value, pin.file, pin.what, pin.value
                );
                if pin.value == other.value && !shared {
                    found.insert(format!("twice: {said}"));
                }
                if pin.what == other.what
                    && pin.value != other.value
                    && is_digest(&pin.value) == is_digest(&other.value)
                {
                    found.insert(format!("not equal: {said}"));
                }
            }
        }
        found.into_iter().collect()
    }
}

/// `1.35`, `v1.36.2`; not an address, which has four numbers.
fn is_version(text: &str) -> bool {
    let numbers: Vec<&str> = text.trim_start_matches('v').split('.').collect();
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    (2..=3).contains(&numbers.len()) && numbers.iter().all(is_number)
}

fn is_digest(text: &str) -> bool {
    let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    text.strip_prefix("sha256:")
        .is_some_and(|digest| digest.len() == 64 && digest.bytes().all(hex))
}

#[test]
fn each_version_is_written_once_and_each_image_by_digest() {
    let mut stated = Stated::default();
    for file in files::all() {
        for document in &file.documents {
            stated.read(&file.name, "", document);
        }
    }
    assert_eq!(stated.loose, [""; 0]);
    assert_eq!(stated.repeated(), [""; 0]);
    for (what, files) in SHARED {
        for file in files {
            let here = |pin: &&Pin| pin.what == what && pin.file == *file && is_digest(&pin.value);
            assert!(
                stated.pins.iter().any(|pin| here(&pin)),
                "{what} is not in {file} any more"
            );
        }
    }
    // The charts, a client; the images of registry and database.
    for what in [
        "scaffold",
        "cert-manager",
        "sigstore-python",
        "registry",
        "mariadb",
        "tesseract",
        "rekor-tiles",
    ] {
        assert!(stated.pins.iter().any(|pin| pin.what == what), "{what}");
    }
}

#[test]
fn a_version_that_is_written_twice_is_noticed() {
    let digest = |c: &str| format!("sha256:{}", c.repeat(64));
    let (a, b) = (digest("a"), digest("b"));
    let stated = |documents: &[(&str, Value)]| {
        let mut stated = Stated::default();
        for (file, document) in documents {
            stated.read(file, "", document);
        }
        stated
    };
    let repeated = |documents: &[(&str, Value)]| stated(documents).repeated().len();
    let image = |reference: String| json!({"containers": [{"image": reference}]});
    let (sign, verify) = ("verify/job-sign.yml", "verify/job-verify.yml");

    // What may be there twice has to be equal, and to be where it may.
    let cosign = |digest: &str| image(format!("ghcr.io/cosign:v3.1.3@{digest}"));
    assert_eq!(repeated(&[(sign, cosign(&a)), (verify, cosign(&a))]), 0);
    assert_eq!(repeated(&[(sign, cosign(&a)), (verify, cosign(&b))]), 1);
    let newer = image(format!("ghcr.io/cosign:v3.1.4@{a}"));
    assert_eq!(repeated(&[(sign, cosign(&a)), (verify, newer)]), 1);
    assert_eq!(repeated(&[(sign, cosign(&a)), ("other", cosign(&a))]), 2);
    let sample = |digest: &str| json!({"args": [format!("registry.svc/checktree@{digest}")]});
    assert_eq!(repeated(&[(sign, sample(&a)), (verify, sample(&b))]), 1);

    // All else may not.
    let chart = |version: &str| json!({"charts": {"scaffold": {"version": version}}});
    assert_eq!(repeated(&[("one", chart("0.6.113"))]), 0);
    let elsewhere = json!({"env": [{"name": "CHART", "value": "0.6.113"}]});
    assert_eq!(
        repeated(&[("one", chart("0.6.113")), ("two", elsewhere)]),
        1
    );
    assert_eq!(
        repeated(&[("one", chart("0.6.113")), ("two", chart("0.6.114"))]),
        1
    );
    let parts = json!({"image": {"repository": "library/mariadb", "version": a}});
    let whole = image(format!("docker.io/library/mariadb@{a}"));
    assert_eq!(repeated(&[("one", parts), ("two", whole)]), 1);

    // And a tag is not a digest, nor is half of one.
    for loose in [
        image("docker.io/library/registry:3.1.1".to_owned()),
        image("registry".to_owned()),
        image("docker.io/library/registry@sha256:abc".to_owned()),
        json!({"image": {"repository": "library/mariadb", "version": "10.11.19"}}),
        json!({"args": ["copy", "ghcr.io/sample:v1.2.3"]}),
    ] {
        assert_eq!(stated(&[("one", loose.clone())]).loose.len(), 1, "{loose}");
    }
}
