//! The answers of real servers in `tests/data`, served again.

use std::collections::HashMap;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;

use regex_lite::Regex;
use serde_json::Value;
use xtask::bundle::sha256;

use super::repo::tests;
use super::web::answer;
use super::world::World;

/// A file of the recorded data.
pub fn file(name: &str) -> PathBuf {
    tests().join("data").join(name)
}

/// What is in it.
pub fn bytes(name: &str) -> Vec<u8> {
    fs::read(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap()
}

pub fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

/// A recorded bundle.
pub fn bundle(name: &str) -> PathBuf {
    file(&format!("bundles/{name}.sigstore.json"))
}

/// Gives an installation the trusted root of the recorded servers.
pub fn trusting(world: World) -> World {
    trust(&world);
    world
}

/// The same for one that is there.
pub fn trust(world: &World) {
    let root = format!("{}/trust/trusted_root.json", world.on);
    world.write_state(&root, &text("trusted_root.json"));
}

/// Rekor v2 when it held so many entries.
pub fn tiles(size: u64) -> impl Fn(&str, &mut TcpStream) + Clone + Send + 'static {
    move |path, stream| {
        let name = match path.strip_prefix("/api/v2/") {
            Some("checkpoint") => format!("rekor-v2/checkpoint-{size}"),
            Some(tile) => format!("rekor-v2/{tile}"),
            None => return answer(stream, 404, b"no such path"),
        };
        match fs::read(file(&name)) {
            Ok(bytes) => answer(stream, 200, &bytes),
            Err(_) => answer(stream, 404, b"no such tile"),
        }
    }
}

/// Rekor v1 when it held seven entries.
pub fn api(path: &str, stream: &mut TcpStream) {
    // The fake server reads paths in lower case.
    let name = match path {
        "/api/v1/log" => Some("rekor-v1/log-7.json".to_owned()),
        _ if path.starts_with("/api/v1/log/proof?firstsize=3&lastsize=7&treeid=") => {
            Some("rekor-v1/proof-3-7.json".to_owned())
        }
        _ => (0..7)
            .find(|index| {
                path == format!("/api/v1/log/entries?logindex={index}")
                    || path == format!("/api/v1/log/entries/{}", uuid(*index))
            })
            .map(|index| format!("rekor-v1/entry-{index}.json")),
    };
    match name {
        Some(name) => answer(stream, 200, &bytes(&name)),
        None => answer(stream, 404, b"no such entry"),
    }
}

/// The id that Rekor v1 gave an entry.
pub fn uuid(index: u64) -> String {
    let entry = json(&format!("rekor-v1/entry-{index}.json"));
    entry.as_object().unwrap().keys().next().unwrap().clone()
}

/// The id of a recorded log, as the file of its kept checkpoint is named.
pub fn log_id(index: usize) -> String {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    let root = json("trusted_root.json");
    let id = root["tlogs"][index]["logId"]["keyId"].as_str().unwrap();
    let hex = |byte: &u8| format!("{byte:02x}");
    BASE64_STANDARD
        .decode(id)
        .unwrap()
        .iter()
        .map(hex)
        .collect()
}

/// A text without what changes with each recording: hashes, times, ports.
pub fn faded(text: &str) -> String {
    let mut text = text.to_owned();
    for (found, by) in [
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]"),
        (r"\b[0-9a-f]{8,}\b", "[HEX]"),
        (r"http://127\.0\.0\.1:\d+/dex", "[ISSUER]"),
        (r"Token Subject: \S+", "Token Subject: [SUBJECT]"),
        (
            r"Token Subject\x22,\x22value\x22:\x22\w+",
            "Token Subject\",\"value\":\"[SUBJECT]",
        ),
    ] {
        text = Regex::new(found)
            .unwrap()
            .replace_all(&text, by)
            .into_owned();
    }
    text
}

/// A registry without the referrers API that holds what was recorded, but for what a
/// test takes away.
pub fn registry(
    without: &'static [&'static str],
) -> impl Fn(&str, &mut TcpStream) + Send + 'static {
    let mut held = HashMap::new();
    for dir in ["registry", "bundles"] {
        for found in fs::read_dir(file(dir)).unwrap() {
            let content = fs::read(found.unwrap().path()).unwrap();
            held.insert(sha256(&content), content);
        }
    }
    let tag = image_digest().replace(':', "-");
    for (tag, name) in [(tag.clone(), "referrers"), (tag.clone() + ".sig", "legacy")] {
        if !without.contains(&name) {
            held.insert(tag, bytes(&format!("registry/{name}.json")));
        }
    }
    if without.contains(&"signatures") {
        let mut index = json("registry/referrers.json");
        let attests = |one: &Value| {
            let digest = one["digest"].as_str().unwrap();
            let attestations = ["v1", "v2"].map(|version| {
                sha256(&bytes(&format!(
                    "registry/referrer-image-attestation.{version}.json"
                )))
            });
            attestations.iter().any(|known| known == digest)
        };
        let all = index["manifests"].as_array_mut().unwrap();
        all.retain(attests);
        held.insert(tag.clone(), index.to_string().into_bytes());
    }
    // A registry with the API needs no tag for the same index.
    let api = without.contains(&"referrers but by the API");
    move |path, stream| {
        let name = path.rsplit('/').next().unwrap();
        if path.contains("/referrers/") {
            return match api {
                true => answer(stream, 200, &bytes("registry/referrers.json")),
                false => answer(stream, 404, b"{}"),
            };
        }
        match held.get(name) {
            Some(content) => answer(stream, 200, content),
            None => answer(stream, 404, b"{}"),
        }
    }
}

/// The digest of the recorded image.
pub fn image_digest() -> String {
    sha256(&bytes("registry/image.json"))
}
