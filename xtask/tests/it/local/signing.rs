//! Signing, verifying and inspecting with real servers.

use std::path::Path;

use serde_json::Value;

use crate::support::run::{command, end, program};
use crate::support::workshop::Workshop;

#[test]
fn sign_verify_and_inspect_with_both_rekors() {
    let workshop = Workshop::installed(&["--rekor", "both"]);
    for (version, kind) in [("v2", "hashedrekord 0.0.2"), ("v1", "dsse 0.0.1")] {
        let signed = workshop
            .run(&["--json", "sign", "--rekor", version])
            .ok()
            .json();
        let signature = &signed["signatures"][0];
        assert_eq!(signature["identity"], "alice@example.com");
        assert_eq!(signature["issuer"], workshop.issuer());
        // The first entry is the workshop's own.
        assert_eq!(signature["log_index"], 1);
        assert!(
            signature["artifact"].as_str().unwrap().contains("@sha256:"),
            "a tag was signed: {signature}"
        );

        workshop.run(&["verify"]).ok();

        let said = workshop.run(&["--json", "inspect-rekor"]).ok().json();
        assert!(
            said.to_string().contains("the first checkpoint seen"),
            "{said}"
        );
        // From here on the checkpoint is known, however the entry is named.
        let entry = workshop.run(&["--json", "inspect-rekor"]).ok().json();
        assert_eq!(entry["ok"], true);
        assert_eq!(entry["unchecked"], serde_json::json!([]));
        assert_eq!(entry["rekor"], version);
        assert_eq!(entry["kind"], kind);
        assert_eq!(entry["identity"], "alice@example.com");
        assert_eq!(entry["issuer"], workshop.issuer());
        assert_eq!(entry["integrated_time"].is_string(), version == "v1");
        let by_index = [
            "--json",
            "inspect-rekor",
            "--rekor",
            version,
            "--log-index",
            "1",
        ];
        assert_eq!(workshop.run(&by_index).ok().json(), entry);
        let raw: Value =
            serde_json::from_str(&workshop.run(&["inspect-rekor", "--raw"]).ok().out).unwrap();
        assert!(raw.is_object());

        let leaf = workshop.run(&["--json", "inspect-certificate"]).ok().json();
        assert_eq!(leaf["identities"][0], "alice@example.com");
        assert_eq!(leaf["sct_embedded"], true);
        let of_entry = [
            "--json",
            "inspect-certificate",
            "--rekor",
            version,
            "--log-index",
            "1",
        ];
        assert_eq!(workshop.run(&of_entry).ok().json(), leaf);
        if version == "v1" {
            let uuid = entry["uuid"].as_str().unwrap();
            assert_eq!(
                workshop
                    .run(&["--json", "inspect-rekor", "--uuid", uuid])
                    .ok()
                    .json(),
                entry
            );
        }
    }
    if program(&["openssl"]).is_some() {
        let text = workshop.run(&["inspect-certificate", "--text"]).ok().out;
        assert!(text.contains("1.3.6.1.4.1.57264.1.8"), "{text}");
    }

    let status = workshop.run(&["--json", "status"]).ok().json();
    let components = status["components"].as_array().unwrap();
    assert_eq!(components.len(), 11);
    assert!(
        components
            .iter()
            .all(|component| component["state"] == "up"),
        "{status}"
    );
    let size = |name: &str| {
        components
            .iter()
            .find(|component| component["name"] == name)
            .unwrap()["log_size"]
            .clone()
    };
    assert_eq!(
        (size("tiles"), size("rekor-v1"), size("ctlog")),
        (2.into(), 2.into(), 2.into())
    );

    let again = workshop.run(&["--json", "install"]).ok().json();
    assert_eq!(again["changed"], false, "{again}");
}

#[test]
fn what_must_be_refused_is_refused() {
    let workshop = Workshop::installed(&[]);
    let hello = workshop.push("hello:1", "hello");
    workshop
        .run(&["verify", &hello])
        .fails(1, "carries no signature");
    workshop.run(&["sign", &hello]).ok();
    workshop.run(&["verify", &hello]).ok();
    let other_name = " was expected";
    workshop
        .run(&["verify", &hello, "--identity", "bob@example.com"])
        .fails(1, other_name);
    workshop
        .run(&["verify", &hello, "--issuer", "http://127.0.0.1:1/dex"])
        .fails(1, other_name);

    // The tag now names another image; the signature is the old one's.
    workshop.push("hello:1", "changed");
    workshop
        .run(&["verify", &hello])
        .fails(1, "carries no signature");

    // Mallory's signature is good, and is not Alice's.
    workshop.run(&["sign", &hello, "--as", "mallory"]).ok();
    workshop.run(&["verify", &hello]).fails(1, other_name);
    workshop
        .run(&["verify", &hello, "--identity", "mallory@example.com"])
        .ok();

    // A name that no registry holds, and a registry that does not answer.
    let missing = format!("{}/nothing:1", workshop.registry());
    workshop
        .run(&["verify", &missing])
        .fails(2, " has no image nothing:1");
    workshop
        .run(&["sign", &missing])
        .fails(2, "the registry has no such image");
    workshop
        .run(&["sign", "Not A Reference"])
        .fails(2, "an image is named with its registry");
    workshop.run(&["stop", "registry"]).ok();
    workshop
        .run(&["verify", &hello])
        .fails(2, "no answer from ");
    workshop
        .run(&["inspect-rekor", "--log-index", "99"])
        .fails(1, "Rekor v2 has no entry with index 99");
    workshop
        .run(&["inspect-rekor", "--rekor", "v1"])
        .fails(1, "nothing has been signed");
    workshop
        .run(&["inspect-rekor", "--rekor", "v1", "--log-index", "0"])
        .fails(2, "runs Rekor v2, not v1");
}

/// An index, and the images of two platforms that it lists.
#[test]
fn an_index() {
    let workshop = Workshop::installed(&[]);
    let images = ["amd64", "arm64"].map(|text| workshop.push_digest(&format!("app:{text}"), text));
    let index = workshop.push_index("app:1", &[&images[0], &images[1]]);
    let by_tag = format!("{}/app:1", workshop.registry());
    workshop
        .run(&["verify", &images[0]])
        .fails(1, "carries no signature");

    workshop.run(&["sign", &by_tag]).ok();
    workshop.run(&["verify", &index]).ok();
    let refused = workshop.run(&["verify", &images[0]]);
    let hint = refused
        .err
        .lines()
        .find(|line| line.starts_with("hint: an index "));
    let verify = format!(" verify {index}");
    assert!(
        hint.is_some_and(|hint| hint.ends_with(&verify)),
        "{}",
        refused.err
    );
    let run = workshop.run(&["verify", "--recursive", &by_tag]);
    assert_eq!(run.exit, 1, "{}", run.err);
    assert!(run.err.contains("2 of 3 are not verified"), "{}", run.err);

    let signed = workshop.run(&["--json", "sign", "--recursive", &by_tag]);
    let signed = signed.ok().json();
    assert_eq!(
        signed["signatures"].as_array().unwrap().len(),
        2,
        "{signed}"
    );
    workshop.run(&["verify", &images[0]]).ok();
    let verified = workshop.run(&["--json", "verify", "--recursive", &by_tag]);
    let verified = verified.ok().json();
    let names = [&by_tag, &images[0], &images[1]];
    let mut listed = verified["verified"].as_array().unwrap().clone();
    assert!(
        listed
            .iter()
            .all(|one| names.iter().any(|name| one == *name))
    );
    listed.dedup();
    assert_eq!(listed.len(), 3, "{verified}");
}

/// The same command goes on where it stopped.
#[test]
fn many_files() {
    let workshop = Workshop::installed(&[]);
    let names: Vec<String> = (0..10)
        .map(|n| {
            let file = workshop.temp.path().join(format!("file {n}"));
            std::fs::write(&file, format!("this is {n}")).unwrap();
            file.to_str().unwrap().to_owned()
        })
        .collect();
    let all = |verb: &[&str]| {
        let words = verb.iter().copied();
        workshop.run(
            &words
                .chain(names.iter().map(String::as_str))
                .collect::<Vec<_>>(),
        )
    };
    let first = workshop.run(&["--json", "sign", &names[0], &names[1]]).ok();
    assert_eq!(first.json()["signatures"].as_array().unwrap().len(), 2);
    let rest = all(&["--json", "sign", "--jobs", "3"]).ok().json();
    assert_eq!(rest["signatures"].as_array().unwrap().len(), 8, "{rest}");
    let again = all(&["sign"]).ok();
    assert!(again.out.starts_with("nothing to do: "), "{}", again.out);
    // It is not bob who has signed them.
    let by_bob = workshop.run(&["--json", "sign", "--as", "bob", &names[0], &names[1]]);
    assert_eq!(
        by_bob.ok().json()["signatures"].as_array().unwrap().len(),
        2
    );
    std::fs::write(&names[5], "something else").unwrap();
    std::fs::remove_file(format!("{}.sigstore.json", names[6])).unwrap();
    let run = all(&["--json", "verify"]);
    assert_eq!(run.exit, 1, "{}", run.err);
    let result = run.json();
    assert_eq!(result["error"], "4 of 10 are not verified");
    let verified = result["verified"].as_array().unwrap();
    assert_eq!((verified.len(), &verified[0]), (6, &(&*names[2]).into()));
    assert_eq!(result["signatures"][0]["identity"], "alice@example.com");
    let told = all(&["verify"]).err;
    for (i, why) in [
        (0, "signed by bob@example.com (issuer "),
        (5, " is not what was signed: "),
        (6, "the file carries no signature: "),
    ] {
        let said = told
            .lines()
            .find(|line| line.starts_with(&format!("not verified: file {i}: ")));
        assert!(said.is_some_and(|line| line.contains(why)), "{i}: {told}");
    }
}

#[test]
fn a_changed_file_is_refused() {
    let workshop = Workshop::installed(&[]);
    let file = workshop.temp.path().join("a file, with a comma.txt");
    let name = file.to_str().unwrap();
    std::fs::write(&file, "as it was signed").unwrap();
    workshop
        .run(&["verify", "--blob", name])
        .fails(1, "the file carries no signature");
    let signed = workshop
        .run(&["--json", "sign", "--blob", name, "--as", "bob"])
        .ok()
        .json();
    assert_eq!(signed["signatures"][0]["identity"], "bob@example.com");
    workshop
        .run(&["verify", "--blob", name, "--identity", "bob@example.com"])
        .ok();
    workshop
        .run(&["verify", "--blob", name])
        .fails(1, "signed by bob@example.com (issuer ");
    workshop
        .run(&[
            "inspect-certificate",
            "--bundle",
            &format!("{name}.sigstore.json"),
        ])
        .ok();

    std::fs::write(&file, "as it was changed").unwrap();
    workshop
        .run(&["verify", "--blob", name, "--identity", "bob@example.com"])
        .fails(1, " is not what was signed: ");
    std::fs::write(format!("{name}.sigstore.json"), "{}").unwrap();
    assert_ne!(
        workshop
            .run(&["verify", "--blob", name, "--identity", "bob@example.com"])
            .exit,
        0
    );
}

/// Several images in one call, and several calls at once: each says what it
/// signed, in the order in which it was asked.
#[test]
fn signers_side_by_side_report_their_own() {
    let workshop = Workshop::installed(&[]);
    let images: Vec<String> = (0..4)
        .map(|i| workshop.push_digest(&format!("side:{i}"), &i.to_string()))
        .collect();
    let sign = |pair: &[String]| {
        let words = ["--json", "sign", &pair[0], &pair[1]];
        let signed = workshop.run(&words).ok().json();
        let signatures = signed["signatures"].as_array().unwrap().clone();
        let names = signatures
            .iter()
            .map(|signature| signature["artifact"].as_str().unwrap());
        assert_eq!(
            names.collect::<Vec<_>>(),
            pair,
            "in the order in which they were named"
        );
    };
    std::thread::scope(|scope| {
        images
            .chunks(2)
            .for_each(|pair| drop(scope.spawn(|| sign(pair))));
    });
    let names: Vec<&str> = images.iter().map(String::as_str).collect();
    workshop.run(&[&["verify"], &names[..]].concat()).ok();
}

/// A verifier that trusts another installation accepts nothing of this one.
#[test]
fn installations_do_not_trust_each_other() {
    let (ours, theirs) = (Workshop::installed(&[]), Workshop::installed(&[]));
    ours.run(&["sign"]).ok();
    let (issuer, sample) = (ours.issuer(), ours.env("WORKSHOP_SAMPLE"));
    let ca = ours.env("WORKSHOP_REGISTRY_CA");
    let verify = |root: &str| {
        let words = ["verify", "--trusted-root", root, "--registry-cacert", &ca];
        let policy = [
            "--certificate-identity",
            "alice@example.com",
            "--certificate-oidc-issuer",
            &issuer,
        ];
        let program = ours.env("WORKSHOP_COSIGN");
        let mut cosign = command(
            Path::new(&program),
            &[&words[..], &policy, &[&sample]].concat(),
        );
        cosign.env("TUF_ROOT", ours.env("TUF_ROOT"));
        end(cosign)
    };
    verify(&ours.env("WORKSHOP_TRUSTED_ROOT")).ok();
    verify(&theirs.env("WORKSHOP_TRUSTED_ROOT")).fails(1, "no matching attestations");
}
