//! The page of `report`, from recorded evidence: what is on it, and that nothing from
//! outside can be more than text there.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::bundle;
use xtask::format::hex::hex;
use xtask::proof::Evidence;
use xtask::proof::policy::Policy;
use xtask::proof::{InclusionPath, KnownChains, Proof, prove};
use xtask::report::{Article, page};
use xtask::tlog::merkle::{PathNode, leaf_hash};
use xtask::trust::root::TrustedRoot;

use crate::support::recorded::{self, bundle, file};
use crate::support::run::xtask;

/// A recorded bundle.
fn recorded(name: &str) -> Value {
    recorded::json(&format!("bundles/{name}.sigstore.json"))
}

/// `report` in a directory of its own.
fn report(dir: &TempDir, words: &[&str]) -> Output {
    Command::new(xtask())
        .args(["report", "--trusted-root"])
        .arg(file("trusted_root.json"))
        .args(words)
        .current_dir(dir)
        .env("WORKSHOP_STATE", dir.path().join("state"))
        .env_remove("WORKSHOP_ON")
        .output()
        .unwrap()
}

/// The page about a recorded bundle.
fn page_about(name: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = bundle(name);
    let output = report(&dir, &["--bundle", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.ends_with("\nwrote report.html\n"), "{said}");
    read(&dir.path().join("report.html"))
}

/// A page, which is in order.
fn read(path: &Path) -> String {
    let page = fs::read_to_string(path).unwrap();
    in_order(&page);
    page
}

/// Every element ends where it should, attributes are quoted, ids are there once, and
/// nothing is loaded or run.
fn in_order(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    let mut referred: Vec<&str> = Vec::new();
    let rest = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    let mut pieces = rest.split('<');
    assert_eq!(pieces.next(), Some(""));
    for piece in pieces {
        let (markup, text) = piece.split_once('>').expect("a tag without an end");
        assert!(markup == "style" || !text.contains('>'), "{text}");
        if let Some(name) = markup.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{piece}");
            continue;
        }
        let (markup, void) = match markup.strip_suffix('/') {
            Some(markup) => (markup, true),
            None => (markup, false),
        };
        let mut words = markup.split('"');
        let (name, first) = match words.next().unwrap().split_once(' ') {
            Some((name, first)) => (name, Some(first)),
            None => (markup, None),
        };
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{piece}");
        assert!(!["script", "iframe", "img", "link", "object"].contains(&name));
        let mut attribute = first;
        while let Some(key) = attribute.filter(|key| !key.is_empty()) {
            let key = key.trim_start().strip_suffix('=').expect("a value");
            let value = words.next().expect("quotes");
            assert!(!key.starts_with("on") && key != "src", "{piece}");
            match key {
                "id" => ids.push(value),
                "href" => referred.push(value.strip_prefix('#').expect("a place on the page")),
                "aria-labelledby" => referred.extend(value.split(' ')),
                _ => {}
            }
            attribute = words.next();
        }
        if !void {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for id in &ids {
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
    for id in referred {
        assert!(ids.contains(&id), "{id}");
    }
    assert!(!page.contains("@import") && !page.contains("url("));
    assert!(page.contains("default-src &#39;none&#39;"));
}

#[test]
fn the_page_shows_every_hash_of_the_path() {
    let page = page_about("beta.v1");
    let proof = &recorded("beta.v1")["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
    let hashes = proof["hashes"].as_array().unwrap();
    assert_eq!(hashes.len(), 2);
    for hash in hashes.iter().chain([&proof["rootHash"]]) {
        let hash = hex(&BASE64_STANDARD.decode(hash.as_str().unwrap()).unwrap());
        assert!(page.contains(&hash), "{hash}");
        let short = format!("{}…", &hash[..8]);
        assert!(page.contains(&short), "{short} in the drawing");
    }
    assert!(page.contains("All 9 checks hold"), "{page}");
    for step in [
        "Token",
        "Certificate",
        "SCT",
        "Signature",
        "Log entry",
        "Checkpoint",
    ] {
        assert!(page.contains(&format!(">{step}<")), "{step}");
    }
    for oid in [
        "1.3.6.1.4.1.57264.1.8",
        "1.3.6.1.4.1.57264.1.24",
        "2.5.29.17",
    ] {
        assert!(page.contains(&format!(">{oid}<")), "{oid}");
    }
    assert!(page.contains("<h1 id=\"s1-title\">alice@example.com signed "));
    assert!(page.contains("Root: the trusted root names it"));
    assert!(page.contains("no artifact was given to compare with"));
}

#[test]
fn the_only_entry_of_a_tree_needs_no_path() {
    for name in ["alpha.v1", "alpha.v2"] {
        let page = page_about(name);
        assert!(page.contains("leaf and root"));
        assert!(!page.contains("Every hash of the path"));
    }
}

#[test]
fn what_a_key_signed_has_no_chain() {
    for name in ["alpha-key.v1", "alpha-key.v2"] {
        let page = page_about(name);
        assert!(page.contains("none: it was signed with a key"));
        assert!(!page.contains("The chain of certificates"));
    }
}

#[test]
fn a_promise_alone_draws_no_path() {
    let page = page_about("beta-0.1.v1");
    assert!(page.contains("There is no proof here"));
    assert!(!page.contains("<svg"));
}

#[test]
fn a_certificate_cannot_bring_markup() {
    let mut bundle = recorded("beta.v1");
    let pem = fs::read_to_string(file("certificates/script.pem")).unwrap();
    let body = pem.lines().filter(|line| !line.starts_with("-----"));
    let der: String = body.collect();
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = json!(der);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bundle.json"), bundle.to_string()).unwrap();
    let output = report(&dir, &["--bundle", "bundle.json", "-o", "page.html"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("not proved: signature, entry, chain"),
        "{error}"
    );
    let page = read(&dir.path().join("page.html"));
    assert!(!page.to_lowercase().contains("<script"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;@example.com"));
    assert!(page.contains("NOT PROVED: signature, entry, chain"));
    assert!(page.contains("That does not hold: it names another signer"));
    assert!(page.contains("Here the chain ends"));
}

#[test]
fn a_checkpoint_that_nobody_signed_is_drawn_as_broken() {
    let mut bundle = recorded("beta.v1");
    let proof = &mut bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
    let text = proof["checkpoint"]["envelope"].as_str().unwrap();
    proof["checkpoint"]["envelope"] = json!(text.replacen("\n6\n", "\n7\n", 1));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bundle.json"), bundle.to_string()).unwrap();
    let output = report(&dir, &["--bundle", "bundle.json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let page = read(&dir.path().join("report.html"));
    assert!(page.contains("✗ no checkpoint that holds"));
    assert!(page.contains("class=\"rise broken\""));
}

#[test]
fn a_proof_that_leads_elsewhere_is_not_drawn() {
    let mut bundle = recorded("beta.v1");
    let proof = &mut bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
    let strange = BASE64_STANDARD.encode([0x5a; 32]);
    proof["hashes"][0] = json!(strange);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bundle.json"), bundle.to_string()).unwrap();
    report(&dir, &["--bundle", "bundle.json"]);
    let page = read(&dir.path().join("report.html"));
    assert!(page.contains("The proof does not lead to the root that it names"));
    assert!(page.contains(&"5a".repeat(32)));
    assert!(!page.contains("<svg"));
}

#[test]
fn several_signatures_have_an_article_each() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<String> = ["image.v1", "image.v2", "image-attestation.v2"]
        .iter()
        .map(|name| bundle(name))
        .map(|path| path.display().to_string())
        .collect();
    let mut words = vec!["--json", "-o", "page.html", "--bundle"];
    words.extend(files.iter().map(String::as_str));
    let output = report(&dir, &words);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = read(&dir.path().join("page.html"));
    assert_eq!(page.matches("<article").count(), 3);
    assert_eq!(page.matches("<h1").count(), 1);
    for file in &files {
        assert!(page.contains(file.as_str()), "{file}");
    }
    let said = String::from_utf8(output.stdout).unwrap();
    let documents: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(documents.len(), 3);
    for document in documents {
        let path = Path::new(document["page"].as_str().unwrap());
        assert!(
            path.is_absolute() && path.ends_with("page.html"),
            "{path:?}"
        );
        assert_eq!(document["ok"], json!(true));
    }
}

#[test]
fn a_page_is_replaced_whole_and_only_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let file = file("bundles/beta.v2.sigstore.json");
    let words = |output| ["--bundle", file.to_str().unwrap(), "-o", output];
    // An older page and an empty file give way.
    fs::write(dir.path().join("page.html"), "").unwrap();
    for _ in 0..2 {
        assert_eq!(report(&dir, &words("page.html")).status.code(), Some(0));
        read(&dir.path().join("page.html"));
    }

    let refused = report(&dir, &words("none/page.html"));
    assert_eq!(refused.status.code(), Some(2));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(
        error.contains("error: there is no directory none\nhint: mkdir -p none\n"),
        "{error}"
    );
    let refused = report(&dir, &words("."));
    assert_eq!(refused.status.code(), Some(2));
    // What is no report is somebody's.
    let other = fs::read(&file).unwrap();
    fs::write(dir.path().join("bundle"), &other).unwrap();
    fs::write(dir.path().join("bytes"), [0xff, 0xfe]).unwrap();
    for name in ["bundle", "bytes"] {
        let refused = report(&dir, &words(name));
        assert_eq!(refused.status.code(), Some(2));
        let error = String::from_utf8(refused.stderr).unwrap();
        let said = format!("error: {name} is there and is not a report\nhint: name another");
        assert!(error.contains(&said), "{error}");
    }
    assert_eq!(fs::read(dir.path().join("bundle")).unwrap(), other);

    // What cannot be read leaves the older page.
    let before = fs::read(dir.path().join("page.html")).unwrap();
    let broken = report(&dir, &["--bundle", "page.html", "-o", "page.html"]);
    assert_eq!(broken.status.code(), Some(2));
    assert_eq!(fs::read(dir.path().join("page.html")).unwrap(), before);
}

/// A tree of a billion entries is thirty hashes deep.
#[test]
fn a_deep_tree_is_drawn_to_the_root() {
    let text = fs::read(file("bundles/beta.v2.sigstore.json")).unwrap();
    let evidence = Evidence {
        bundle: Some(bundle::read(&text).unwrap()),
        ..Evidence::default()
    };
    let root = TrustedRoot::read(&fs::read(file("trusted_root.json")).unwrap()).unwrap();
    let known: Proof = prove(
        &evidence,
        &root,
        &KnownChains::default(),
        &Policy::default(),
    );
    let climb = |step: u8| PathNode {
        sibling: leaf_hash(&[step]),
        left: step.is_multiple_of(3),
        parent: leaf_hash(&[step, step]),
    };
    let path = InclusionPath {
        index: 699_999_999,
        size: 1_000_000_000,
        leaf: leaf_hash(b"leaf"),
        climbs: (0..30).map(climb).collect(),
    };
    let proof = Proof {
        path: Some(path),
        ..known
    };
    let page = page(&[Article {
        title: None,
        sentence: "alice signed".into(),
        evidence: &evidence,
        proof: &proof,
    }]);
    in_order(&page);
    assert_eq!(page.matches("class=\"node sibling\"").count(), 30);
    for step in 0..30 {
        assert!(page.contains(&hex(&climb(step).sibling)));
        assert!(page.contains(&hex(&climb(step).parent)));
    }
}
