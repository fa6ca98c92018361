//! Reading the log: from a Rekor that is well, and from what is none.

use std::io::Write;
use std::net::TcpStream;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::support::{Web, World, answer};

/// What the log holds of a signature, from its bundle.
fn body(bundle: &str) -> String {
    let bundle: Value = serde_json::from_str(bundle).unwrap();
    let body = &bundle["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"];
    body.as_str().unwrap().to_owned()
}

/// An installation whose Rekor v2 is this.
fn tiles(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> (World, Web) {
    let world = World::on_free_ports().installed("v2");
    let web = Web::on(world.base + 8, answer);
    (world, web)
}

/// An installation whose Rekor v1 is this.
fn api(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> (World, Web) {
    let world = World::on_free_ports().installed("v1");
    let web = Web::on(world.base + 9, answer);
    (world, web)
}

/// An entry as it stands in a bundle of entries: its length, then itself.
fn sized(entry: &[u8]) -> Vec<u8> {
    let length = u16::try_from(entry.len()).unwrap();
    [&length.to_be_bytes(), entry].concat()
}

/// A Rekor v2 with three entries, of which the second is a signature.
fn good_tiles(path: &str, stream: &mut TcpStream) {
    let entry = BASE64_STANDARD
        .decode(body(include_str!("rekor-v2.sigstore.json")))
        .unwrap();
    match path {
        "/api/v2/checkpoint" => answer(stream, 200, b"127.0.0.1\n3\nroot\n\nsignature\n"),
        "/api/v2/tile/entries/000.p/3" => {
            answer(
                stream,
                200,
                &[sized(b"{}"), sized(&entry), sized(b"no JSON")].concat(),
            );
        }
        _ => answer(stream, 404, b"no such tile"),
    }
}

/// A Rekor v1 with one entry.
pub fn good_api(path: &str, stream: &mut TcpStream) {
    let uuid = "5a".repeat(32);
    let entry = json!({
        &uuid: {
            "body": body(include_str!("rekor-v1.sigstore.json")),
            "integratedTime": 1_767_323_045,
            "logIndex": 0,
        }
    });
    match path {
        "/api/v1/log" => answer(stream, 200, br#"{"treeSize": 1}"#),
        "/api/v1/log/entries?logindex=0" => answer(stream, 200, entry.to_string().as_bytes()),
        _ if path == format!("/api/v1/log/entries/{uuid}") => {
            answer(stream, 200, entry.to_string().as_bytes());
        }
        _ => answer(stream, 404, b"no such entry"),
    }
}

#[test]
fn an_entry_of_rekor_v2() {
    let (world, _web) = tiles(good_tiles);
    let seen = world.show(&[
        "inspect-rekor --log-index 1",
        "inspect-rekor --log-index 0",
        "--json inspect-rekor --log-index 1",
        "inspect-certificate --log-index 1",
        "inspect-certificate --log-index 0",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 1
log          Rekor v2, index 1
kind         hashedrekord 0.0.2
digest       sha256:7c393aae269098960db7fbd5e9bc4ac0e73090009b0422899e0fc2a93cd6869c
             of what was signed; for an image that is a statement which names it
identity     alice@example.com
issuer       http://127.0.0.1:17800/dex
integrated   not recorded: Rekor v2 leaves time to the timestamp in the bundle
next: cargo xtask --state [STATE] inspect-certificate --rekor v2 --log-index 1
on local (named by --on)
exit 0

$ cargo xtask inspect-rekor --log-index 0
log          Rekor v2, index 0
kind         unknown unknown
digest       not of a kind this reader knows
identity     no certificate
issuer       no certificate
integrated   not recorded: Rekor v2 leaves time to the timestamp in the bundle
next: cargo xtask --state [STATE] inspect-certificate --rekor v2 --log-index 0
on local (named by --on)
exit 0

$ cargo xtask --json inspect-rekor --log-index 1
{"rekor":"v2","log_index":1,"uuid":null,"kind":"hashedrekord 0.0.2","digest":"sha256:7c393aae269098960db7fbd5e9bc4ac0e73090009b0422899e0fc2a93cd6869c","integrated_time":null,"identity":"alice@example.com","issuer":"http://127.0.0.1:17800/dex"}
exit 0

$ cargo xtask inspect-certificate --log-index 1
identity     alice@example.com
issuer       http://127.0.0.1:17800/dex
valid        2026-11-23T06:13:55Z to 2026-11-23T06:23:55Z (10m 0s)
issued by    CN=workshop fulcio,O=workshop
serial       0d04ceb22a9f001cc7a3032845f39dc036dededc
public key   ECDSA
SCT          embedded: the CT log promised to show this certificate
sha256       fec8ada89eb128a9cd237846f2227a3e23525bc9ab5744f0924f3b4b86e1f879
Fulcio's extensions
  1.3.6.1.4.1.57264.1.1      Issuer (deprecated): http://127.0.0.1:17800/dex
  1.3.6.1.4.1.57264.1.8      Issuer (V2): http://127.0.0.1:17800/dex
  1.3.6.1.4.1.57264.1.24     Token Subject: ChpQWFBGRjZIREtaTEJYQ0pETVNWQ043TVVKTBIFbG9jYWw
on local (named by --on)
exit 0

$ cargo xtask inspect-certificate --log-index 0
on local (named by --on)
error: that entry holds no certificate: it was signed with a key, not an identity
exit 1

"#]]
    );
}

#[test]
fn an_entry_of_rekor_v1() {
    let (world, _web) = api(good_api);
    let by_uuid = format!("inspect-rekor --uuid {}", "5a".repeat(32));
    let seen = world.show(&["inspect-rekor --log-index 0", &by_uuid]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
log          Rekor v1, index 0
uuid         5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
kind         dsse 0.0.1
digest       sha256:9be7bb4de433ebcbfda8f32350eedaa71b1b4eaf5f2f586deae57aea8e565af5
             of what was signed; for an image that is a statement which names it
identity     alice@example.com
issuer       http://127.0.0.1:17800/dex
integrated   2026-01-02T03:04:05Z
next: cargo xtask --state [STATE] inspect-certificate --rekor v1 --log-index 0
on local (named by --on)
exit 0

$ cargo xtask inspect-rekor --uuid 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
log          Rekor v1, index 0
uuid         5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
kind         dsse 0.0.1
digest       sha256:9be7bb4de433ebcbfda8f32350eedaa71b1b4eaf5f2f586deae57aea8e565af5
             of what was signed; for an image that is a statement which names it
identity     alice@example.com
issuer       http://127.0.0.1:17800/dex
integrated   2026-01-02T03:04:05Z
next: cargo xtask --state [STATE] inspect-certificate --rekor v1 --log-index 0
on local (named by --on)
exit 0

"#]]
    );
}

#[test]
fn entries_that_are_not_there() {
    let (world, _web) = tiles(good_tiles);
    let seen = world.show(&[
        "inspect-rekor --log-index 3",
        "inspect-rekor --log-index 18446744073709551615",
        "inspect-rekor --log-index 2",
        "inspect-rekor",
        "inspect-certificate",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 3
on local (named by --on)
error: Rekor v2 has no entry with index 3; it holds 3 entries
exit 1

$ cargo xtask inspect-rekor --log-index 18446744073709551615
on local (named by --on)
error: Rekor v2 has no entry with index 18446744073709551615; it holds 3 entries
exit 1

$ cargo xtask inspect-rekor --log-index 2
on local (named by --on)
error: entry 2 of Rekor v2 is not JSON: expected ident at line 1 column 2
exit 2

$ cargo xtask inspect-rekor
on local (named by --on)
error: nothing has been signed here yet
hint: cargo xtask --state [STATE] sign
exit 1

$ cargo xtask inspect-certificate
on local (named by --on)
error: nothing has been signed here yet
hint: cargo xtask --state [STATE] sign
exit 1

"#]]
    );
    let (world, _web) = api(good_api);
    let by_uuid = format!("inspect-rekor --uuid {}", "00".repeat(32));
    let seen = world.show(&["inspect-rekor --log-index 1", &by_uuid]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 1
on local (named by --on)
error: Rekor v1 has no entry with index 1; it holds 1 entries
exit 1

$ cargo xtask inspect-rekor --uuid 0000000000000000000000000000000000000000000000000000000000000000
on local (named by --on)
error: Rekor v1 has no entry with UUID 0000000000000000000000000000000000000000000000000000000000000000; it holds 1 entries
exit 1

"#]]
    );
}

#[test]
fn entries_that_cannot_be() {
    let world = World::new().installed("v2");
    let seen = world.show(&[
        "inspect-rekor --log-index=-1",
        "inspect-rekor --log-index one",
        "inspect-rekor --log-index 18446744073709551616",
        "inspect-rekor --rekor v1 --log-index 0",
        "inspect-rekor --rekor v2 --uuid 00",
        "inspect-rekor --log-index 0 --uuid 00",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index=-1
error: invalid value '-1' for '--log-index <N>': invalid digit found in string

For more information, try '--help'.
exit 2

$ cargo xtask inspect-rekor --log-index one
error: invalid value 'one' for '--log-index <N>': invalid digit found in string

For more information, try '--help'.
exit 2

$ cargo xtask inspect-rekor --log-index 18446744073709551616
error: invalid value '18446744073709551616' for '--log-index <N>': number too large to fit in target type

For more information, try '--help'.
exit 2

$ cargo xtask inspect-rekor --rekor v1 --log-index 0
on local (named by --on)
error: this installation runs Rekor v2, not v1
hint: run both: cargo xtask --state [STATE] install --rekor both
exit 2

$ cargo xtask inspect-rekor --rekor v2 --uuid 00
on local (named by --on)
error: entries of Rekor v2 have no UUID
hint: use --log-index N, or --rekor v1
exit 2

$ cargo xtask inspect-rekor --log-index 0 --uuid 00
error: the argument '--log-index <N>' cannot be used with '--uuid <ID>'

Usage: cargo xtask inspect-rekor --log-index <N>

For more information, try '--help'.
exit 2

"#]]
    );
    let world = World::new().installed("v1");
    let seen = world.show(&["inspect-rekor --uuid ../../x", "inspect-rekor --uuid ''"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --uuid ../../x
on local (named by --on)
error: "../../x" is not a UUID of Rekor: that is 64 or 80 hexadecimal digits
exit 2

$ cargo xtask inspect-rekor --uuid ''
on local (named by --on)
error: "" is not a UUID of Rekor: that is 64 or 80 hexadecimal digits
exit 2

"#]]
    );
}

/// What both readers say of a server that answers everything like this.
fn said_of(answer: impl Fn(&str, &mut TcpStream) + Clone + Send + 'static) -> String {
    let (world, _web) = tiles(answer.clone());
    let of_tiles = world.show(&["inspect-rekor --log-index 0"]);
    let (world, _web) = api(answer);
    of_tiles + &world.show(&["inspect-rekor --log-index 0"])
}

#[test]
fn a_web_page() {
    let seen = said_of(|_, stream| answer(stream, 200, b"<html>\n<p>hello\n</html>"));
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: what answers there is not Rekor v2: its checkpoint names no tree size
hint: cargo xtask --state [STATE] status
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: what answers there is not Rekor v1: expected value at line 1 column 1
hint: cargo xtask --state [STATE] status
exit 2

"#]]
    );
}

#[test]
fn json_of_something_else() {
    let seen = said_of(|_, stream| answer(stream, 200, b"[\n1,\n2]"));
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: what answers there is not Rekor v2: its checkpoint names no tree size
hint: cargo xtask --state [STATE] status
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: what answers there is not Rekor v1
exit 2

"#]]
    );
}

#[test]
fn json_cut_off() {
    let seen = said_of(|_, stream| answer(stream, 200, b"{\"5a\":"));
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: what answers there is not Rekor v2: its checkpoint names no tree size
hint: cargo xtask --state [STATE] status
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: what answers there is not Rekor v1: EOF while parsing a value at line 1 column 6
hint: cargo xtask --state [STATE] status
exit 2

"#]]
    );
}

#[test]
fn a_server_in_trouble() {
    let seen = said_of(|_, stream| answer(stream, 503, b"come back later"));
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
  | come back later
error: http://127.0.0.1:[PORT+8]/api/v2/checkpoint answers 503
hint: cargo xtask --state [STATE] status
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
  | come back later
error: http://127.0.0.1:[PORT+9]/api/v1/log/entries?logIndex=0 answers 503
hint: cargo xtask --state [STATE] status
exit 2

"#]]
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let seen = said_of(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    });
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: http://127.0.0.1:[PORT+8]/api/v2/checkpoint answers 302
hint: cargo xtask --state [STATE] status
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: http://127.0.0.1:[PORT+9]/api/v1/log/entries?logIndex=0 answers 302
hint: cargo xtask --state [STATE] status
exit 2

"#]]
    );
}

#[test]
fn silence() {
    assert_data_eq!(
        said_of(|_, _| ()),
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: no answer from http://127.0.0.1:[PORT+8]/api/v2/checkpoint: io: Peer disconnected
hint: cargo xtask --state [STATE] status
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: no answer from http://127.0.0.1:[PORT+9]/api/v1/log/entries?logIndex=0: io: Peer disconnected
hint: cargo xtask --state [STATE] status
exit 2

"#]]
    );
}

#[test]
fn nobody() {
    let world = World::on_free_ports().installed("both");
    let seen = world.show(&[
        "inspect-rekor --log-index 0 --rekor v1",
        "inspect-rekor --log-index 0 --rekor v2",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0 --rekor v1
on local (named by --on)
error: no answer from http://127.0.0.1:[PORT+9]/api/v1/log/entries?logIndex=0: io: Connection refused (os error [..])
hint: cargo xtask --state [STATE] status
exit 2

$ cargo xtask inspect-rekor --log-index 0 --rekor v2
on local (named by --on)
error: no answer from http://127.0.0.1:[PORT+8]/api/v2/checkpoint: io: Connection refused (os error [..])
hint: cargo xtask --state [STATE] status
exit 2

"#]]
    );
}

#[test]
fn an_answer_without_end() {
    let seen = said_of(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b'0'; 64 * 1024]).is_ok() {}
    });
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: http://127.0.0.1:[PORT+8]/api/v2/checkpoint answers with more than 16 MiB
hint: that is no server of this workshop
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: http://127.0.0.1:[PORT+9]/api/v1/log/entries?logIndex=0 answers with more than 16 MiB
hint: that is no server of this workshop
exit 2

"#]]
    );
}

/// What is said of a log with one entry in these bytes.
fn said_of_tiles(bundle: Vec<u8>) -> String {
    let (world, _web) = tiles(move |path, stream| match path {
        "/api/v2/checkpoint" => answer(stream, 200, b"127.0.0.1\n1\nroot\n"),
        _ => answer(stream, 200, &bundle),
    });
    world.show(&["inspect-rekor --log-index 0"])
}

#[test]
fn damaged_entries() {
    let short = b"\x00\x09short".to_vec();
    let seen = [short, Vec::new(), sized(b"\xff")].map(said_of_tiles);
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: entry bundle 0 of Rekor v2 is damaged
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: entry bundle 0 of Rekor v2 is damaged
exit 2
$ cargo xtask inspect-rekor --log-index 0
on local (named by --on)
error: entry 0 of Rekor v2 is not JSON: expected value at line 1 column 1
exit 2

"#]]
    );
}

/// What a log holds can be written by anybody, so it must not reach a terminal
/// as it is.
#[test]
fn control_characters_are_taken_out() {
    let entry = sized(br#"{"kind": "\u001b[2Jx\u0007"}"#);
    assert_data_eq!(
        said_of_tiles(entry),
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
log          Rekor v2, index 0
kind         �[2Jx� unknown
digest       not of a kind this reader knows
identity     no certificate
issuer       no certificate
integrated   not recorded: Rekor v2 leaves time to the timestamp in the bundle
next: cargo xtask --state [STATE] inspect-certificate --rekor v2 --log-index 0
on local (named by --on)
exit 0

"#]]
    );
}
