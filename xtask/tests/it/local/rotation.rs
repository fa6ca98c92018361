//! Keys that are replaced: what the old one signed verifies at every moment, also where the
//! rotation was cut short.

use std::path::Path;

use crate::support::run::{Run, command, end, xtask};
use crate::support::workshop::Workshop;

/// The first commands of a rotation, as its dry run shows them, and nothing after them.
fn cut_short(workshop: &Workshop, key: &str, after: usize) -> Run {
    let plan = workshop.run(&["rotate", key, "--dry-run"]).ok().out;
    let lines: Vec<&str> = plan.lines().filter(|line| !line.starts_with('#')).collect();
    let first = lines[..after.min(lines.len())].join("\n");
    let shim = format!("cargo() {{ shift; '{}' \"$@\"; }}\nset -eu\n", xtask());
    end(command(Path::new("sh"), &["-c", &(shim + &first)]))
}

/// How many keys of a kind the trusted root names, and how many of them have no end.
fn keys(workshop: &Workshop, list: &str) -> (usize, usize) {
    let root = std::fs::read(workshop.dir().join("trust/trusted_root.json")).unwrap();
    let root: serde_json::Value = serde_json::from_slice(&root).unwrap();
    let all = root[list].as_array().unwrap();
    // The period of an authority is its own, and that of a log its key's.
    let ended = |key: &&serde_json::Value| {
        let of = key.get("publicKey").unwrap_or(key);
        of["validFor"].get("end").is_some()
    };
    (all.len(), all.len() - all.iter().filter(ended).count())
}

#[test]
fn what_was_signed_verifies_wherever_a_rotation_ends() {
    let workshop = Workshop::installed(&[]);
    let mut signed = Vec::new();
    let sign = |signed: &mut Vec<String>| {
        let name = format!("{}.txt", signed.len());
        let file = workshop.temp.path().join(&name);
        std::fs::write(&file, name).unwrap();
        let file = file.display().to_string();
        workshop.run(&["sign", "--blob", &file]).ok();
        signed.push(file);
    };
    let verify = |signed: &[String]| {
        for file in signed {
            workshop.run(&["verify", "--blob", file]).ok();
        }
    };
    sign(&mut signed);
    for (key, list, cuts) in [
        (
            "fulcio",
            "certificateAuthorities",
            vec![1, 3, 4, 5, 6, 7, 8, 99],
        ),
        ("timestamp", "timestampAuthorities", vec![3, 5, 7]),
        ("ctlog", "ctlogs", vec![3, 5, 7]),
    ] {
        let count = cuts.len();
        for after in cuts {
            cut_short(&workshop, key, after).ok();
            // Whoever signs then signs with either key, and all of it verifies.
            sign(&mut signed);
            verify(&signed);
            workshop.run(&["rotate", key]).ok();
            sign(&mut signed);
            verify(&signed);
        }
        let (all, open) = keys(&workshop, list);
        assert!(all > count, "{key}: {all} keys after {count} rotations");
        assert_eq!(open, 1, "{key}");
    }
    // What was interrupted is completed by `start` as well.
    cut_short(&workshop, "fulcio", 4).ok();
    workshop.run(&["start"]).ok();
    assert_eq!(keys(&workshop, "certificateAuthorities").1, 1);
    workshop.run(&["rotate", "tuf"]).ok();
    let doctor = workshop.run(&["doctor"]).ok();
    assert!(doctor.out.contains("✓ tuf"), "{}", doctor.out);
    workshop
        .run(&["rotate", "rekor"])
        .fails(2, "the log of Rekor v2 keeps its key for good");
    sign(&mut signed);
    verify(&signed);
    let last = signed.last().unwrap();
    let proved = workshop.run(&[
        "inspect-rekor",
        "--bundle",
        &format!("{last}.sigstore.json"),
    ]);
    proved.ok();
}
