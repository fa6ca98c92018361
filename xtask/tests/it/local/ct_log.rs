//! The CT log on disk: it goes on where it was, what it does not keep of its promises
//! is noticed, and an installation of the format before it is carried over.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::run::{command, end};
use crate::support::workshop::Workshop;

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The CT logs of the trusted root.
fn ct_logs(workshop: &Workshop) -> Vec<Value> {
    let root = read(&workshop.dir().join("trust/trusted_root.json"));
    root["ctlogs"].as_array().unwrap().clone()
}

fn entries(workshop: &Workshop) -> u64 {
    let status = workshop.run(&["--json", "status"]).ok().json();
    let mut all = status["components"].as_array().unwrap().iter();
    let log = all.find(|component| component["name"] == "ctlog").unwrap();
    log["log_size"].as_u64().unwrap()
}

/// The line about the CT log that `inspect-rekor` prints, and its exit status.
fn inclusion(workshop: &Workshop) -> (String, i32) {
    let said = workshop.run(&["inspect-rekor"]);
    let mut lines = said.out.lines();
    let line = lines.find(|line| line.contains(" ct-inclusion "));
    (line.unwrap_or_default().to_owned(), said.exit)
}

#[test]
fn it_goes_on_where_it_was() {
    let workshop = Workshop::installed(&[]);
    let first = ct_logs(&workshop);
    assert_eq!(first.len(), 1);
    for count in 1..=3 {
        workshop.run(&["sign"]).ok();
        assert_eq!(entries(&workshop), count);
        let (line, exit) = inclusion(&workshop);
        let place = count - 1;
        assert!(
            line.starts_with(&format!("✓ ct-inclusion entry {place} of the CT log")),
            "{line}"
        );
        assert_eq!(exit, 0);
        // In turn an orderly end and none.
        match count {
            1 => drop(workshop.run(&["restart"]).ok()),
            _ => {
                workshop.kill("ctlog");
                workshop.kill("fulcio");
                workshop.run(&["start"]).ok();
            }
        }
        assert_eq!(ct_logs(&workshop), first);
        assert_eq!(entries(&workshop), count);
    }
    workshop.run(&["inspect-certificate"]).ok();
    workshop.run(&["verify"]).ok();
}

#[test]
fn a_promise_that_is_not_kept_is_noticed() {
    let workshop = Workshop::installed(&[]);
    let data = workshop.dir().join("data/ctlog-1");
    let copy = workshop.temp.path().join("older copy");
    let copied = |from: &Path, to: &Path| {
        let words = ["-a", from.to_str().unwrap(), to.to_str().unwrap()];
        end(command(Path::new("cp"), &words)).ok();
    };
    // The log itself would sign its checkpoint again.
    workshop.run(&["sign"]).ok();
    workshop.run(&["stop", "ctlog"]).ok();
    copied(&data, &copy);
    workshop.run(&["start"]).ok();
    workshop.run(&["sign"]).ok();
    assert!(inclusion(&workshop).0.starts_with("✓"));
    workshop.run(&["stop", "ctlog"]).ok();

    let damaged = |file: PathBuf, at: fn(usize) -> usize, says: &str| {
        let whole = std::fs::read(&file).unwrap();
        let mut bytes = whole.clone();
        let at = at(bytes.len());
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        std::fs::write(&file, bytes).unwrap();
        let (line, exit) = inclusion(&workshop);
        assert!(
            line.starts_with("✗ ct-inclusion") && line.contains(says),
            "{line}"
        );
        assert_eq!(exit, 1);
        std::fs::write(&file, whole).unwrap();
    };
    // The hash of the other certificate, and the signature under the root.
    damaged(
        data.join("tile/0/000.p/2"),
        |_| 0,
        "is not this certificate",
    );
    damaged(
        data.join("checkpoint"),
        |length| length - 12,
        "the signature of the checkpoint",
    );
    let tile = data.join("tile/0/000.p/2");
    let aside = workshop.temp.path().join("tile");
    std::fs::rename(&tile, &aside).unwrap();
    let (line, _) = inclusion(&workshop);
    assert!(line.contains("does not hand out tile/0/000.p/2"), "{line}");
    std::fs::rename(&aside, &tile).unwrap();
    assert!(inclusion(&workshop).0.starts_with("✓"));

    // The operator puts the older copy back: the second certificate was never there.
    std::fs::rename(&data, workshop.temp.path().join("newer")).unwrap();
    copied(&copy, &data);
    workshop.run(&["restart", "ct-tiles"]).ok();
    let (line, exit) = inclusion(&workshop);
    assert!(
        line.contains("promised the place 1, and holds 1 entry"),
        "{line}"
    );
    assert_eq!(exit, 1);
    // The first is there still, and who remembers sees that the log shrank.
    let first = workshop.run(&["inspect-rekor", "--log-index", "1"]);
    first.fails(
        1,
        "the log has two histories: it shrank from 2 entries to 1",
    );

    workshop.run(&["stop", "ct-tiles"]).ok();
    let (line, exit) = inclusion(&workshop);
    assert!(
        line.starts_with("- ct-inclusion not checked: no answer from"),
        "{line}"
    );
    assert_eq!(exit, 0);
}

/// Makes the only key of a log that of a shard which was in memory, and is gone.
pub fn to_former_format(workshop: &Workshop, log: &str) {
    let dir = workshop.dir();
    let mut settings = read(&dir.join("settings.json"));
    for uncounted in [log, "rekor-v2", "registry", "users"] {
        settings.as_object_mut().unwrap().remove(uncounted);
    }
    let keys = dir.join("keys");
    std::fs::rename(keys.join("registry-1.key"), keys.join("registry.key")).unwrap();
    std::fs::remove_file(keys.join("registry-1.pem")).unwrap();
    // Older still.
    std::fs::write(keys.join("tuf.key"), "").unwrap();
    std::fs::write(dir.join("settings.json"), settings.to_string()).unwrap();
    let shard = json!([{
        "log": log, "number": 1, "tree": "4711", "trillian": "1@boot:1",
        "since": settings["created"], "until": null,
    }]);
    std::fs::write(dir.join("shards.json"), shard.to_string()).unwrap();
    std::fs::remove_dir_all(dir.join(format!("data/{log}-1"))).unwrap();
}

/// Until the CT log was kept on disk it was a shard of Trillian's, whose history stood
/// in a file of its own.
#[test]
fn an_installation_of_the_former_format_is_carried_over() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    workshop.run(&["stop"]).ok();
    to_former_format(&workshop, "ctlog");
    let dir = workshop.dir();
    let old = ct_logs(&workshop);

    workshop.run(&["start"]).ok();
    let logs = ct_logs(&workshop);
    assert_eq!(logs.len(), 2);
    assert_eq!(logs[0]["logId"], old[0]["logId"]);
    assert!(logs[0]["publicKey"]["validFor"]["end"].is_string());
    assert!(logs[1]["publicKey"]["validFor"]["end"].is_null());
    assert_eq!(
        read(&dir.join("settings.json"))["ctlog"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    workshop.run(&["verify"]).ok();
    let (line, exit) = inclusion(&workshop);
    assert!(line.contains("has ended"), "{line}");
    assert_eq!(exit, 0);

    let image = workshop.push("after:1", "after");
    workshop.run(&["sign", &image]).ok();
    workshop.run(&["verify", &image]).ok();
    assert!(inclusion(&workshop).0.starts_with("✓ ct-inclusion entry 0"));
    for gone in ["shards.json", "keys/registry.key", "keys/tuf.key"] {
        assert!(!dir.join(gone).exists(), "{gone}");
    }
    // From here on nothing starts over.
    workshop.run(&["restart"]).ok();
    assert_eq!(ct_logs(&workshop), logs);
    workshop.run(&["verify"]).ok();
}

/// The newest tiles are compared with what was signed before a log goes on with them.
#[test]
fn a_damaged_tile_is_named_by_start() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    workshop.run(&["sign"]).ok();
    workshop.run(&["stop"]).ok();
    for (log, tile) in [("ctlog-1", "000.p/2"), ("rekor-v2", "000.p/3")] {
        let tile = workshop.dir().join(format!("data/{log}/tile/0/{tile}"));
        let kept = std::fs::read(&tile).unwrap();
        let mut flipped = kept.clone();
        flipped[5] ^= 1;
        std::fs::write(&tile, flipped).unwrap();
        let refused = workshop.run(&["start"]);
        refused.fails(
            2,
            &format!("the tiles in data/{log} are not what was signed"),
        );
        std::fs::remove_file(&tile).unwrap();
        workshop
            .run(&["start"])
            .fails(2, "does not hand out tile/0/000.p/");
        std::fs::write(&tile, kept).unwrap();
    }
    workshop.run(&["start"]).ok();
    workshop.run(&["sign"]).ok();
    workshop.run(&["inspect-rekor"]).ok();
}
