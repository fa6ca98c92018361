//! Timestamps of two authorities below one root, made by openssl: which of them counts
//! is said by the period of the one that made it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use xtask::format::key::Unproved;
use xtask::proof::{KnownChains, timestamp};
use xtask::trust::root::TrustedRoot;

const SIGNATURE: &str = "a signature";

/// What makes a root, and below it two authorities, `old` and `new`, which both stamp
/// the signature now.
const SCRIPT: &str = r#"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
key root
openssl req -x509 -new -key root.key -subj /CN=root -days 99 -out root.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
printf 'extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n' >leaf.cnf
printf %s "$SIGNATURE" >signature
for name in old new; do
  key "$name"
  openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
  openssl x509 -req -in "$name.csr" -CA root.pem -CAkey root.key -CAcreateserial -days 98 \
      -extfile leaf.cnf -out "$name.pem"
  printf '%s\n' "[$name]" "serial=$PWD/serial" 'default_policy=1.2.3.4' 'digests=sha256' \
      'signer_digest=sha256' >"$name.cnf"
  openssl ts -query -data signature -sha256 -cert -out "$name.tsq"
  openssl ts -reply -config "$name.cnf" -section "$name" -queryfile "$name.tsq" \
      -signer "$name.pem" -inkey "$name.key" -out "$name.tsr"
done
for name in root old new; do openssl x509 -in "$name.pem" -outform DER -out "$name.der"; done
"#;

/// Makes them in a directory, about a text: `NAME.tsr`, and `NAME.der` of each certificate.
pub fn made(dir: &Path, signed: &str) {
    let output = Command::new("sh")
        .args(["-euc", SCRIPT])
        .env("SIGNATURE", signed)
        .current_dir(dir)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_timestamp_counts_by_the_authority_that_made_it() {
    let temp = tempfile::tempdir().unwrap();
    made(temp.path(), SIGNATURE);
    let read = |name: &str| std::fs::read(temp.path().join(name)).unwrap();
    let at = |from_now: i64| {
        let days = Duration::from_secs(86400 * from_now.unsigned_abs());
        let now = SystemTime::now();
        let time = if from_now < 0 { now - days } else { now + days };
        humantime::format_rfc3339_seconds(time).to_string()
    };
    let authority = |chain: &[&str], valid_for: Value| {
        let raw = |name: &&str| json!({"rawBytes": BASE64_STANDARD.encode(read(name))});
        let certificates: Vec<Value> = chain.iter().map(raw).collect();
        json!({"certChain": {"certificates": certificates}, "validFor": valid_for})
    };
    let root = |authorities: Vec<Value>| {
        let text = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "timestampAuthorities": authorities,
        });
        TrustedRoot::read(text.to_string().as_bytes()).unwrap()
    };
    let ended = json!({"start": at(-50), "end": at(-20)});
    let counts = json!({"start": at(-20)});
    let retired = root(vec![
        authority(&["old.der", "root.der"], ended.clone()),
        authority(&["new.der", "root.der"], counts.clone()),
    ]);
    // What was verified with one root must not count with another.
    let known = KnownChains::default();
    let said = |stamp: &str, root: &TrustedRoot| {
        let timestamp = timestamp::verify(&read(stamp), SIGNATURE.as_bytes(), root, &known);
        timestamp.map_err(|why| match why {
            Unproved::Wrong(why) | Unproved::NotRead(why) => why,
        })
    };
    let new = said("new.tsr", &retired).unwrap();
    assert_eq!(new.by, "CN=new");
    // The successor does not vouch for the one that was retired.
    let old = said("old.tsr", &retired).err().unwrap();
    assert!(old.ends_with("its authority did not count"), "{old}");
    // Of an authority that is unknown, a root in common says nothing.
    let alone = root(vec![authority(&["new.der", "root.der"], counts.clone())]);
    let old = said("old.tsr", &alone).err().unwrap();
    assert!(old.contains("does not name the certificate"), "{old}");
    // Where the trusted root names the root alone, all below it counts.
    let below = root(vec![authority(&["root.der"], counts)]);
    said("old.tsr", &below).unwrap();
}
