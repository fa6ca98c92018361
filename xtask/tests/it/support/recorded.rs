//! The answers of real servers in `tests/data`, served again.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;

use regex_lite::Regex;
use serde_json::Value;

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
