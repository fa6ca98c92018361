//! `inspect-rekor` with a log that answers, rightly or not.

use std::io::Write;
use std::net::TcpStream;

use snapbox::{assert_data_eq, str};

use crate::support::recorded::{self, faded, trusting, uuid};
use crate::support::web::{Web, answer};
use crate::support::world::World;

/// An installation whose Rekor v2 is this.
fn tiles(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> (World, Web) {
    let world = trusting(World::on_free_ports().installed("v2"));
    let web = Web::on(world.base + 8, answer);
    (world, web)
}

/// An installation whose Rekor v1 is this.
fn api(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> (World, Web) {
    let world = trusting(World::on_free_ports().installed("v1"));
    let web = Web::on(world.base + 9, answer);
    (world, web)
}

/// An entry as it stands in a bundle of entries: its length, then itself.
fn sized(entry: &[u8]) -> Vec<u8> {
    let length = u16::try_from(entry.len()).unwrap();
    [&length.to_be_bytes(), entry].concat()
}

/// A checkpoint of so many entries, which nobody signed.
fn checkpoint(size: u64) -> String {
    let root = "A".repeat(43) + "=";
    format!("127.0.0.1\n{size}\n{root}\n\n— 127.0.0.1 AAAAAAAA\n")
}

#[test]
fn an_entry_of_rekor_v2() {
    let (world, _web) = tiles(recorded::tiles(7));
    let seen = world.show(&[
        "inspect-rekor --log-index 1",
        "--json inspect-rekor --log-index 4",
        "inspect-certificate --log-index 1",
        "inspect-certificate --log-index 4",
    ]);
    assert_data_eq!(
        faded(&seen),
        str![[r#"
$ cargo xtask inspect-rekor --log-index 1
alice@example.com signed sha256:[HEX]

log          Rekor v2, index 1
kind         hashedrekord 0.0.2
digest       sha256:[HEX]
             of what was signed; for an image that is a statement which names it
identity     alice@example.com
issuer       [ISSUER]
integrated   not recorded: Rekor v2 leaves time to the timestamp in the bundle

✓ signature    made with the key of the leaf certificate (ECDSA P-256)
✓ inclusion    entry 1 leads over 3 hashes to the root [HEX]… of 7 entries
✓ checkpoint   127.0.0.1 signed the root of 7 entries (Ed25519, key [HEX])
✓ consistency  the first checkpoint seen of this log, of 7 entries; kept for the next time
✓ chain        issued by CN=workshop fulcio,O=workshop, which the trusted root names
✓ sct          the CT log [HEX] promised at [TIME] to show the certificate
- artifact     not checked: no artifact was given to compare with
- ct-inclusion not checked: the CT log [HEX] does not run here any more
- timestamp    not checked: a timestamp is in the bundle, not in the log
- validity     not checked: Rekor v2 leaves time to the timestamp in the bundle

what counted of the trusted root:
  checkpoint   the log [HEX], since [TIME]
  chain        CN=workshop fulcio,O=workshop, since [TIME]
  sct          the CT log [HEX], since [TIME]
on local (named by --on)
exit 0

$ cargo xtask --json inspect-rekor --log-index 4
{"rekor":"v2","log_index":4,"uuid":null,"kind":"hashedrekord 0.0.2","digest":"sha256:[HEX]","integrated_time":null,"identity":null,"issuer":null,"artifact":"sha256:[HEX]","predicate_type":null,"signed_at":null,"found_at":null,"inclusion":{"index":4,"size":7,"leaf_hash":"[HEX]","hashes":["[HEX]","[HEX]","[HEX]"],"root":"[HEX]"},"checkpoint":{"log_id":"[HEX]","origin":"127.0.0.1","size":7,"root":"[HEX]"},"ok":true,"checks":[{"name":"signature","ok":true,"detail":"made with the key in the entry (ECDSA P-256)"},{"name":"inclusion","ok":true,"detail":"entry 4 leads over 3 hashes to the root [HEX]… of 7 entries"},{"name":"checkpoint","ok":true,"detail":"127.0.0.1 signed the root of 7 entries (Ed25519, key [HEX])"},{"name":"consistency","ok":true,"detail":"the same 7 entries as when last seen"}],"unchecked":[{"name":"artifact","detail":"no artifact was given to compare with"},{"name":"chain","detail":"signed with a key, not an identity"},{"name":"sct","detail":"signed with a key, not an identity"},{"name":"ct-inclusion","detail":"there is no promise of a CT log that holds"},{"name":"timestamp","detail":"a timestamp is in the bundle, not in the log"},{"name":"validity","detail":"signed with a key, not an identity"}],"counted":[{"check":"checkpoint","name":"the log [HEX]","since":"[TIME]","until":null}]}
exit 0

$ cargo xtask inspect-certificate --log-index 1
identity     alice@example.com
issuer       [ISSUER]
valid        [TIME] to [TIME] (10m 0s)
issued by    CN=workshop fulcio,O=workshop
serial       [HEX]
public key   ECDSA
SCT          embedded: the CT log promised to show this certificate
sha256       [HEX]
Fulcio's extensions, named as in docs/oid-info.md of sigstore/fulcio
  1.3.6.1.4.1.57264.1.1      Issuer (deprecated): [ISSUER]
  1.3.6.1.4.1.57264.1.8      Issuer (V2): [ISSUER]
  1.3.6.1.4.1.57264.1.24     Token Subject: [SUBJECT]

✓ chain        issued by CN=workshop fulcio,O=workshop, which the trusted root names
✓ sct          the CT log [HEX] promised at [TIME] to show the certificate
- ct-inclusion not checked: the CT log [HEX] does not run here any more
- timestamp    not checked: a timestamp is in the bundle, not in the log
- validity     not checked: Rekor v2 leaves time to the timestamp in the bundle

what counted of the trusted root:
  chain        CN=workshop fulcio,O=workshop, since [TIME]
  sct          the CT log [HEX], since [TIME]
on local (named by --on)
exit 0

$ cargo xtask inspect-certificate --log-index 4
on local (named by --on)
error: there is no certificate: it was signed with a key, not an identity
exit 1

"#]]
    );
}

#[test]
fn an_entry_of_rekor_v1() {
    let (world, _web) = api(recorded::api);
    let by_uuid = format!("inspect-rekor --uuid {}", uuid(1));
    let seen = world.show(&["inspect-rekor --log-index 0", &by_uuid]);
    assert_data_eq!(
        faded(&seen),
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
alice@example.com signed sha256:[HEX] at [TIME]

log          Rekor v1, index 0
uuid         [HEX]
kind         hashedrekord 0.0.1
digest       sha256:[HEX]
             of what was signed; for an image that is a statement which names it
identity     alice@example.com
issuer       [ISSUER]
integrated   [TIME]

✓ signature    made with the key of the leaf certificate (ECDSA P-256)
✓ inclusion    entry 0 leads over 3 hashes to the root [HEX]… of 7 entries
✓ checkpoint   rekor-v1.workshop signed the root of 7 entries (ECDSA P-256, key [HEX])
✓ promise      Rekor promised at [TIME] to include entry 0
✓ consistency  the first checkpoint seen of this log, of 7 entries; kept for the next time
✓ chain        issued by CN=workshop fulcio,O=workshop, which the trusted root names
✓ sct          the CT log [HEX] promised at [TIME] to show the certificate
✓ validity     [TIME] lies between [TIME] and [TIME]
- artifact     not checked: no artifact was given to compare with
- ct-inclusion not checked: the CT log [HEX] does not run here any more
- timestamp    not checked: a timestamp is in the bundle, not in the log

what counted of the trusted root:
  checkpoint   the log [HEX], since [TIME]
  promise      the log [HEX], since [TIME]
  chain        CN=workshop fulcio,O=workshop, since [TIME]
  sct          the CT log [HEX], since [TIME]
on local (named by --on)
exit 0

$ cargo xtask inspect-rekor --uuid [HEX]
alice@example.com signed something of which the log has the digest at [TIME]

log          Rekor v1, index 1
uuid         [HEX]
kind         dsse 0.0.1
digest       sha256:[HEX]
             of the payload of an envelope
identity     alice@example.com
issuer       [ISSUER]
integrated   [TIME]

✓ inclusion    entry 1 leads over 3 hashes to the root [HEX]… of 7 entries
✓ checkpoint   rekor-v1.workshop signed the root of 7 entries (ECDSA P-256, key [HEX])
✓ promise      Rekor promised at [TIME] to include entry 1
✓ consistency  the same 7 entries as when last seen
✓ chain        issued by CN=workshop fulcio,O=workshop, which the trusted root names
✓ sct          the CT log [HEX] promised at [TIME] to show the certificate
✓ validity     [TIME] lies between [TIME] and [TIME]
- artifact     not checked: no artifact was given to compare with
- signature    not checked: the log does not hold what was signed; the bundle does
- ct-inclusion not checked: the CT log [HEX] does not run here any more
- timestamp    not checked: a timestamp is in the bundle, not in the log

what counted of the trusted root:
  checkpoint   the log [HEX], since [TIME]
  promise      the log [HEX], since [TIME]
  chain        CN=workshop fulcio,O=workshop, since [TIME]
  sct          the CT log [HEX], since [TIME]
on local (named by --on)
exit 0

"#]]
    );
}

#[test]
fn entries_that_are_not_there() {
    let (world, _web) = tiles(recorded::tiles(3));
    let seen = world.show(&[
        "inspect-rekor --log-index 3",
        "inspect-rekor --log-index 18446744073709551615",
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
    let (world, _web) = api(recorded::api);
    let by_uuid = format!("inspect-rekor --uuid {}", "00".repeat(32));
    let seen = world.show(&["inspect-rekor --log-index 7", &by_uuid]);
    assert_data_eq!(
        faded(&seen),
        str![[r#"
$ cargo xtask inspect-rekor --log-index 7
on local (named by --on)
error: Rekor v1 has no entry with index 7; it holds 7 entries
exit 1

$ cargo xtask inspect-rekor --uuid [HEX]
on local (named by --on)
error: Rekor v1 has no entry with UUID [HEX]; it holds 7 entries
exit 1

"#]]
    );
}

#[test]
fn entries_that_cannot_be() {
    let world = trusting(World::new().installed("v2"));
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
[REFUSED: "-1", "--log-index <N>"]
exit 2

$ cargo xtask inspect-rekor --log-index one
[REFUSED: "one", "--log-index <N>"]
exit 2

$ cargo xtask inspect-rekor --log-index 18446744073709551616
[REFUSED: "18446744073709551616", "--log-index <N>"]
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
[REFUSED: "--log-index <N>", "--uuid <ID>"]
exit 2

"#]]
    );
    let world = trusting(World::new().installed("v1"));
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
error: what answers there is not Rekor v2: its checkpoint has no empty line before the signatures
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
error: what answers there is not Rekor v2: its checkpoint has no empty line before the signatures
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
error: what answers there is not Rekor v2: its checkpoint has no empty line before the signatures
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
    let world = trusting(World::on_free_ports().installed("both"));
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
error: http://127.0.0.1:[PORT+8]/api/v2/checkpoint answers with more than 64 KiB
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
        "/api/v2/checkpoint" => answer(stream, 200, checkpoint(1).as_bytes()),
        "/api/v2/tile/0/000.p/1" => answer(stream, 200, &[0; 32]),
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
not proved: that someone signed something of which the log has the digest

log          Rekor v2, index 0
kind         �[2Jx� unknown
digest       this program does not read entries of this kind; all of it:
  {
    "kind": "/u001b[2Jx/u0007"
  }
identity     no certificate
issuer       no certificate
integrated   not recorded: Rekor v2 leaves time to the timestamp in the bundle

✗ inclusion    the proof leads to the root 87ab9e8558b180ab1e21b56dfd7a20497f8ec4a55ece3bf81599c34af6be1044, not to 0000000000000000000000000000000000000000000000000000000000000000
✗ checkpoint   no log of the trusted root signed it
- artifact     not checked: no artifact was given to compare with
- signature    not checked: this program does not read entries of this kind
- consistency  not checked: there is no checkpoint that the log signed
- chain        not checked: this program does not read entries of this kind
- sct          not checked: this program does not read entries of this kind
- ct-inclusion not checked: there is no promise of a CT log that holds
- timestamp    not checked: a timestamp is in the bundle, not in the log
- validity     not checked: this program does not read entries of this kind
on local (named by --on)
error: not proved: inclusion, checkpoint
exit 1

"#]]
    );
}

/// What has no checkpoint is no log; that is no answer of "no".
#[test]
fn a_log_that_is_not_there() {
    for (rekor, offset) in [("v2", 8), ("v1", 9)] {
        let world = trusting(World::on_free_ports().installed(rekor));
        let _web = Web::on(world.base + offset, |_, stream| answer(stream, 404, b"no"));
        let run = world.run("inspect-rekor --log-index 0");
        assert_eq!(run.exit, 2, "{}", run.seen());
    }
}
