//! The local target from end to end: real servers, real cosign.

mod chapters;
mod labs;
mod progress;
mod proofs;

use std::path::Path;
use std::process::Stdio;

use crate::support::ports::Ports;
use crate::support::repo::repository;
use crate::support::run::{command, end, program, xtask};
use crate::support::skip::skipped;
use crate::support::unshared::unshared;
use crate::support::workshop::Workshop;
use serde_json::Value;

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
        assert_eq!(signature["log_index"], 0);
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
            "0",
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
            "0",
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
    assert_eq!(components.len(), 9);
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
        (1.into(), 1.into(), 2.into())
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
        .fails(1, "the image carries no signature");
    workshop.run(&["sign", &hello]).ok();
    workshop.run(&["verify", &hello]).ok();
    let other_name = "names another identity or issuer than expected";
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
        .fails(1, "the image carries no signature");

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
        .fails(2, "the registry has no such image");
    workshop
        .run(&["sign", &missing])
        .fails(2, "the registry has no such image");
    workshop
        .run(&["sign", "Not A Reference"])
        .fails(2, "that is not an image reference");
    workshop.run(&["stop", "registry"]).ok();
    workshop
        .run(&["verify", &hello])
        .fails(2, "a server did not answer");
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
        .fails(1, "names another identity");
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
        .fails(1, "is not the one that was signed");
    std::fs::write(format!("{name}.sigstore.json"), "{}").unwrap();
    assert_ne!(
        workshop
            .run(&["verify", "--blob", name, "--identity", "bob@example.com"])
            .exit,
        0
    );
}

#[test]
fn signatures_outlive_restarts_and_crashes() {
    let workshop = Workshop::installed(&["--rekor", "both"]);
    let [first, second] = ["v1", "v2"].map(|version| {
        let image = workshop.push(&format!("kept:{version}"), version);
        workshop.run(&["sign", &image, "--rekor", version]).ok();
        image
    });
    let verify_all = || {
        workshop.run(&["verify", &first, &second]).ok();
    };
    verify_all();

    workshop.run(&["restart"]).ok();
    verify_all();
    workshop
        .run(&["inspect-rekor", "--rekor", "v1"])
        .fails(1, "the entry was in shard 1 of Rekor v1");

    // Rekor v2's log goes on where it was.
    let third = workshop.push("kept:3", "3");
    let signed = workshop.run(&["--json", "sign", &third]).ok().json();
    assert_eq!(signed["signatures"][0]["log_index"], 1);

    for component in workshop.components() {
        workshop.kill(&component);
    }
    workshop.run(&["status"]).fails(1, "not up: dex, trillian");
    workshop.run(&["start"]).ok();
    workshop.run(&["status"]).ok();
    verify_all();

    // Trillian alone: the logs behind it begin a new shard each.
    let dex = workshop.pid("dex");
    workshop.kill("trillian");
    workshop.run(&["start"]).ok();
    assert_eq!(workshop.pid("dex"), dex, "what runs is left alone");
    verify_all();
    let fourth = workshop.push("kept:4", "4");
    workshop.run(&["sign", &fourth, "--rekor", "v1"]).ok();
    workshop.run(&["verify", &fourth]).ok();

    // Rekor v1 alone: the same shard, the same entries.
    workshop.kill("rekor-v1");
    workshop.run(&["start", "rekor-v1"]).ok();
    workshop.run(&["inspect-rekor"]).ok();
    assert_eq!(
        workshop.run(&["--json", "start"]).ok().json()["changed"],
        false
    );
}

#[test]
fn keys_are_replaced_without_breaking_what_they_signed() {
    let workshop = Workshop::installed(&[]);
    let image = workshop.push("old:1", "old");
    workshop.run(&["sign", &image]).ok();
    for key in ["ca", "timestamp"] {
        workshop.run(&["install", "--renew", key]).ok();
        workshop.run(&["verify", &image]).ok();
        let new = workshop.push(&format!("new:{key}"), key);
        workshop.run(&["sign", &new]).ok();
        workshop.run(&["verify", &new]).ok();
    }
    assert!(workshop.dir().join("keys/fulcio-2.key").exists());
    assert!(workshop.dir().join("keys/timestamp-2.key").exists());
}

/// A certificate that ends soon is warned of; TLS, which no signature depends
/// on, is renewed by `start`.
#[test]
fn what_ends_soon_is_renewed_or_warned_of() {
    if program(&["openssl"]).is_none() {
        return skipped("openssl, which makes the certificates that end soon");
    }
    let workshop = Workshop::installed(&[]);
    let shorten = |name: &str| {
        let file = |end: &str| {
            workshop
                .dir()
                .join(format!("keys/{name}.{end}"))
                .display()
                .to_string()
        };
        let (key, pem) = (file("key"), file("pem"));
        let subject = [
            "-subj",
            "/CN=short",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ];
        let words = ["req", "-x509", "-days", "5", "-key", &key, "-out", &pem];
        end(command(
            Path::new("openssl"),
            &[&words[..], &subject].concat(),
        ))
        .ok();
    };
    shorten("registry");
    let warned = workshop.run(&["status"]).ok().out;
    assert!(
        warned.contains("warning: registry: its certificate ends"),
        "{warned}"
    );
    assert!(warned.trim_end().ends_with(" start"), "{warned}");
    let before = workshop.pid("registry");
    workshop.run(&["start"]).ok();
    assert_ne!(
        workshop.pid("registry"),
        before,
        "the registry uses the new certificate"
    );
    assert!(!workshop.run(&["status"]).ok().out.contains("warning"));
    workshop.run(&["sign"]).ok();
    workshop.run(&["verify"]).ok();

    shorten("fulcio-1");
    let warned = workshop.run(&["status"]).ok().out;
    assert!(warned.contains("install --renew ca"), "{warned}");
}

/// Newer sources of the servers: they are built, the state stays.
#[test]
fn raised_pins_keep_the_state() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    let copy = workshop.temp.path().join("newer checkout");
    let words = [
        "-R",
        &repository().join("deploy").display().to_string(),
        &copy.display().to_string(),
    ];
    std::fs::create_dir(&copy).unwrap();
    end(command(Path::new("cp"), &words)).ok();
    let main = copy.join("deploy/local/cmd/loopback/main.go");
    let newer = std::fs::read_to_string(&main).unwrap() + "\n// A newer version.\n";
    std::fs::write(&main, newer).unwrap();

    let cache = workshop.temp.path().join("cache");
    let newer = |words: &[&str]| {
        let mut command = workshop.command(words);
        command
            .env("CARGO_MANIFEST_DIR", &copy)
            .env("WORKSHOP_CACHE", &cache);
        end(command)
    };
    newer(&["start"]).fails(2, "the servers of this version are not built");
    let before = workshop.pid("dex");
    newer(&["install"]).ok();
    assert_ne!(workshop.pid("dex"), before, "the new servers run");
    newer(&["verify"]).ok();
    newer(&["sign"]).ok();
    newer(&["verify"]).ok();
}

#[test]
fn ports_change_and_the_state_moves() {
    let mut workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    let old_issuer = workshop.issuer();
    let sample = format!("{}/sample:latest", workshop.registry());
    let other = Ports::free();
    workshop
        .run(&["install", "--port-base", &other.base.to_string()])
        .fails(2, "the ports cannot change while");
    workshop.run(&["verify", &sample]).ok();
    workshop.run(&["stop"]).ok();
    workshop.run(&["stop"]).ok();

    // The state moves to another directory while nothing runs.
    let moved = workshop.temp.path().join("moved");
    std::fs::rename(&workshop.state, &moved).unwrap();
    workshop.state = moved;
    workshop.ports = other;
    workshop.install(&[]).ok();
    // The image moved with its registry; who vouched for Alice did not.
    workshop.run(&["verify", "--issuer", &old_issuer]).ok();
    workshop.run(&["sign"]).ok();
    workshop.run(&["verify"]).ok();
    workshop.run(&["install", "--rekor", "v1"]).ok();
    assert!(!workshop.components().contains(&"rekor-v2".to_owned()));
    workshop.run(&["verify"]).ok();
}

#[test]
fn damaged_files_are_made_again_or_named() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["sign"]).ok();
    let trusted_root = workshop.dir().join("trust/trusted_root.json");
    let good = std::fs::read(&trusted_root).unwrap();
    std::fs::write(&trusted_root, &good[..good.len() / 2]).unwrap();
    workshop.run(&["start"]).ok();
    assert_eq!(
        std::fs::read(&trusted_root).unwrap(),
        good,
        "trust material is derived, so it is made again"
    );
    workshop.run(&["verify"]).ok();
    std::fs::write(&trusted_root, "{}").unwrap();
    workshop.run(&["start"]).ok();
    workshop.run(&["verify"]).ok();

    let key = workshop.dir().join("keys/fulcio-1.key");
    let good = std::fs::read(&key).unwrap();
    workshop.run(&["stop"]).ok();
    std::fs::write(&key, &good[..20]).unwrap();
    workshop.run(&["start"]).fails(2, "keys/fulcio-1");
    assert_eq!(
        std::fs::read(&key).unwrap(),
        &good[..20],
        "a key is never overwritten"
    );
    std::fs::write(&key, &good).unwrap();
    workshop.run(&["start"]).ok();
    workshop.run(&["verify"]).ok();

    // A new key would go on with the old log, and break every proof before.
    workshop.run(&["stop"]).ok();
    for end in ["key", "pub"] {
        let file = workshop.dir().join(format!("keys/rekor-v2.{end}"));
        std::fs::rename(&file, file.with_extension(format!("{end}.away"))).unwrap();
    }
    workshop
        .run(&["start"])
        .fails(2, "keys/rekor-v2.pub is gone");
    for end in ["key", "pub"] {
        let file = workshop.dir().join(format!("keys/rekor-v2.{end}"));
        std::fs::rename(file.with_extension(format!("{end}.away")), &file).unwrap();
    }
    workshop.run(&["start"]).ok();
    workshop.run(&["verify"]).ok();

    // Users are made again while everything runs, with new passwords.
    std::fs::remove_file(workshop.dir().join("keys/users.yml")).unwrap();
    workshop.run(&["sign"]).fails(2, "there are no users");
    workshop.run(&["start"]).ok();
    workshop.run(&["sign"]).ok();

    std::fs::write(workshop.dir().join("signatures.json"), "[{").unwrap();
    workshop
        .run(&["inspect-rekor"])
        .fails(2, "signatures.json is damaged");

    // What is damaged can be removed, as the hint of such an error says.
    std::fs::write(workshop.dir().join("settings.json"), "{").unwrap();
    workshop
        .run(&["status"])
        .fails(2, "settings.json is damaged");
    workshop.run(&["uninstall", "--yes", "--keep-tools"]).ok();
    assert!(!workshop.state.exists());
}

#[test]
fn a_server_that_is_down_is_named() {
    let workshop = Workshop::installed(&[]);
    workshop.kill("fulcio");
    workshop.run(&["status"]).fails(1, "not up: fulcio");
    workshop.run(&["sign"]).fails(2, "a server did not answer");
    let tmp: Vec<_> = std::fs::read_dir(workshop.dir().join("tmp"))
        .unwrap()
        .collect();
    assert!(tmp.is_empty(), "a token was left: {tmp:?}");
    workshop.run(&["stop", "tiles"]).ok();
    workshop
        .run(&["inspect-rekor", "--log-index", "0"])
        .fails(2, "no answer from");
    workshop.run(&["start", "fulcio"]).ok();
    assert_eq!(workshop.state_of("fulcio"), "up");
    assert_eq!(workshop.state_of("tiles"), "stopped");
    workshop.run(&["start"]).ok();
    workshop.run(&["sign"]).ok();

    // One that runs and does not answer is started again.
    let dex = rustix::process::Pid::from_raw(workshop.pid("dex")).unwrap();
    rustix::process::kill_process(dex, rustix::process::Signal::STOP).unwrap();
    workshop.run(&["status"]).fails(1, "not up: dex");
    workshop.run(&["start"]).ok();
    workshop.run(&["status"]).ok();
}

/// The caller's environment does not reach the servers: this would open the
/// registry to the network.
#[test]
fn servers_do_not_listen_where_the_caller_says() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["stop"]).ok();
    let mut start = workshop.command(&["start"]);
    start.env(
        "REGISTRY_HTTP_ADDR",
        format!("0.0.0.0:{}", workshop.ports.base + 15),
    );
    end(start).ok();
    let local = workshop.address(15);
    assert!(
        std::net::TcpStream::connect(local).is_err(),
        "the registry listens elsewhere"
    );
    workshop.run(&["status"]).ok();
}

/// Whoever follows a log into a program that has read enough is let go.
#[test]
fn a_followed_log_ends_with_its_reader() {
    let workshop = Workshop::installed(&[]);
    let xtask = xtask();
    let state = workshop.state.to_str().unwrap();
    // The first line is all that `head` reads; each request makes another.
    let script = "\"$1\" --on local --state \"$2\" logs -f timestamp 2>/dev/null | head -n 1";
    let mut follow = command(Path::new("sh"), &["-c", script, "sh", xtask, state]);
    let mut child = follow.stdout(Stdio::null()).spawn().unwrap();
    let ping = format!("http://{}/ping", workshop.address(4));
    while child.try_wait().unwrap().is_none() {
        ureq::get(&ping).call().unwrap();
    }
}

#[test]
fn the_dry_run_pastes_into_a_shell() {
    let workshop = Workshop::empty();
    let base = workshop.ports.base.to_string();
    // The cargo of the test run is busy with the test run.
    let paste = |script: &str| {
        let shim = format!("cargo() {{ shift; '{}' \"$@\"; }}\nset -eu\n", xtask());
        end(command(Path::new("sh"), &["-c", &(shim + script)])).ok()
    };
    // What is built already need not be built again to see that it pastes.
    Workshop::installed(&[]);
    let script = workshop
        .run(&["install", "--port-base", &base, "--dry-run"])
        .ok()
        .out;
    let step =
        |line: &str, name: &str| line.starts_with("# ") && line.contains(&format!(" {name}: "));
    let building: Vec<&str> = script
        .lines()
        .skip_while(|line| !step(line, "modules"))
        .collect();
    let after: Vec<&str> = building
        .iter()
        .copied()
        .skip_while(|line| !step(line, "keys"))
        .collect();
    assert!(after.len() > 20, "{script}");
    paste(&after.join("\n"));
    workshop.run(&["status"]).ok();
    assert_eq!(
        workshop.run(&["--json", "install"]).ok().json()["changed"],
        false
    );

    let script = workshop.run(&["sign", "--dry-run"]).ok().out;
    paste(&script);
    let script = workshop.run(&["verify", "--dry-run"]).ok().out;
    paste(&script);
    let script = workshop.run(&["restart", "--dry-run"]).ok().out;
    paste(&script);
    workshop.run(&["verify"]).ok();
}

/// sigstore-python signs and verifies, and each client verifies the other's.
#[test]
fn other_clients_work_with_what_env_prints() {
    let Some(sigstore) = std::env::var_os("WORKSHOP_TEST_SIGSTORE_PYTHON") else {
        return skipped(
            "sigstore-python: set WORKSHOP_TEST_SIGSTORE_PYTHON to its `sigstore` program",
        );
    };
    let workshop = Workshop::installed(&[]);
    // Protobuf leaves the index 0 and the empty proof of a log's first entry
    // out, and sigstore-python 4.5.1 misses them.
    workshop.run(&["sign"]).ok();
    let env = workshop.run(&["env"]).ok().out;
    let clients: Vec<&str> = env
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .collect();
    assert_eq!(clients.len(), 5, "{env}");
    let temp = workshop.temp.path();
    std::fs::write(temp.join("cosigned"), "by cosign").unwrap();
    std::fs::write(temp.join("pysigned"), "by python").unwrap();
    let shell = |line: &str, file: &str| {
        let shims = format!(
            "cargo() {{ shift; '{}' \"$@\"; }}\nsigstore() {{ '{}' \"$@\"; }}\nset -eu\n",
            xtask(),
            sigstore.to_string_lossy(),
        );
        let mut sh = command(
            Path::new("sh"),
            &[
                "-c",
                &format!("{shims}{env}\n{}", line.replace("FILE", file)),
            ],
        );
        sh.current_dir(temp);
        end(sh)
    };
    let [
        token,
        cosign_signs,
        cosign_verifies,
        python_signs,
        python_verifies,
    ] = clients[..]
    else {
        unreachable!()
    };
    shell(token, "").ok();
    shell(cosign_signs, "cosigned").ok();
    shell(python_signs, "pysigned").ok();
    for file in ["cosigned", "pysigned"] {
        shell(cosign_verifies, file).ok();
        shell(python_verifies, file).ok();
    }
    std::fs::write(temp.join("pysigned"), "changed").unwrap();
    for verifies in [cosign_verifies, python_verifies] {
        assert_ne!(shell(verifies, "pysigned").exit, 0);
    }
}

/// A person signs in on Dex's page and comes back to the client with a code, as
/// `cosign` has it in a browser.
#[test]
fn the_login_page_lets_alice_in() {
    let workshop = Workshop::installed(&[]);
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects_will_error(false)
            .build(),
    );
    let back = "http://localhost:45678/auth/callback";
    let asked = format!(
        "{}/auth?client_id=sigstore&redirect_uri={back}&response_type=code&scope=openid+email&state=s&nonce=n\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        workshop.issuer()
    );
    let page = agent
        .get(&asked)
        .call()
        .unwrap()
        .into_body()
        .read_to_string()
        .unwrap();
    let action = page
        .split("action=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    let action = format!(
        "http://{}{}",
        workshop.address(0),
        action.replace("&amp;", "&")
    );
    let users = std::fs::read_to_string(workshop.env("WORKSHOP_USERS")).unwrap();
    let password = users
        .lines()
        .skip_while(|line| !line.contains("alice"))
        .find_map(|line| line.trim().strip_prefix("password: "))
        .unwrap();
    let log_in = |password: &str| {
        let form = [("login", "alice@example.com"), ("password", password)];
        let post = agent.post(&action).config().max_redirects(0).build();
        let answer = post.send_form(form).unwrap();
        let to = answer
            .headers()
            .get("location")
            .map(|to| to.to_str().unwrap().to_owned());
        to.unwrap_or_default()
    };
    assert_eq!(log_in("wrong"), "");
    let to = log_in(password);
    assert!(to.starts_with(&format!("{back}?code=")), "{to}");
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

/// After `prefetch` nothing needs a network: where there is none but loopback, the
/// tour runs, the steps after it one by one, and a lab.
#[test]
fn nothing_needs_a_network_after_prefetch() {
    let workshop = Workshop::empty();
    workshop.run(&["prefetch"]).ok();
    let inside = "ip link set lo up; exec \"$@\"";
    let Some(lonely) = unshared(&["--net"], inside) else {
        return;
    };
    let reaches = "exec 3<>/dev/tcp/192.0.2.1/53";
    let alone = lonely(&["bash", "-c", reaches]);
    assert!(alone.err.contains("unreachable"), "{}", alone.err);

    let base = workshop.ports.base.to_string();
    let lab = Workshop::empty();
    let script = r#"
        run() { "$xtask" --on local --state "$state" "$@"; }
        # Servers live in the namespace they were started in, so they are stopped in
        # it as well.
        trap 'run stop -q >&2' EXIT
        run prefetch
        run install --port-base "$1"
        run tour
        run sign
        run verify
        run inspect-rekor
        run lab wrong-signer --no-pause --port-base "$2"
        run prefetch --json
    "#;
    let variables = [
        "env".to_owned(),
        format!("xtask={}", xtask()),
        format!("state={}", workshop.state.display()),
    ];
    let lab_base = lab.ports.base.to_string();
    let variables = variables.each_ref().map(String::as_str);
    let script = ["sh", "-ec", script, "sh", &base, &lab_base];
    let ended = lonely(&[&variables[..], &script].concat()).ok();
    assert!(
        ended.out.starts_with("nothing to do: everything is here"),
        "{}",
        ended.out
    );
    for said in [
        "refused, as it should be",
        "✓ inclusion",
        "not proved: identity",
    ] {
        assert!(ended.out.contains(said), "{said} is not in {}", ended.out);
    }
    assert_eq!(ended.json()["changed"], false);
}

/// A disk that is full is named, whatever was being written, and what was
/// written can be removed.
#[test]
fn a_full_disk_is_named() {
    Workshop::installed(&[]);
    let workshop = Workshop::empty();
    std::fs::create_dir(&workshop.state).unwrap();
    let base = workshop.ports.base.to_string();
    let state = workshop.state.to_str().unwrap();
    let xtask = xtask();
    let on = [xtask, "--on", "local", "--state"];
    let inside = "mount -t tmpfs -o size=$1 tmpfs \"$2\"; shift 2; exec \"$@\"";
    let Some(small) = unshared(&["--mount"], inside) else {
        return;
    };
    // Too small for the keys; then too small for something later, where it is
    // a race which of the servers meets the end of the disk first.
    for (size, said) in [("40k", "the disk is full"), ("160k", ""), ("200k", "")] {
        let inner = format!("{state}/inner");
        let script = "\"$@\" install --port-base \"$0\"; code=$?; \"$@\" uninstall --yes --keep-tools >&2 || exit 9; exit $code";
        let words = [
            &[size, state, "sh", "-c", script, &base],
            &on[..],
            &[&inner],
        ]
        .concat();
        small(&words).fails(2, said);
    }
}

/// Two installs at once: one works, the other says so and changes nothing.
#[test]
fn two_installs_do_not_interleave() {
    let workshop = Workshop::empty();
    let base = workshop.ports.base.to_string();
    let words = ["install", "--port-base", &base];
    let spawn = || {
        let mut command = workshop.command(&words);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let ends: Vec<_> = [spawn(), spawn()]
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    let codes: Vec<_> = ends.iter().map(|end| end.status.code().unwrap()).collect();
    assert!(codes.contains(&0), "{ends:?}");
    for end in ends.iter().filter(|end| !end.status.success()) {
        assert_eq!(end.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&end.stderr).contains("is at work on this state directory"),
            "{end:?}"
        );
    }
    workshop.run(&["status"]).ok();
}

/// The trust material of both targets is written by this program: of the same keys and
/// periods, cosign makes the same.
#[test]
fn cosign_writes_the_same_trust_material() {
    use xtask::trust::write::{
        CertificateChain, InUse, LogKey, PublicParts, Services, signing_config, trusted_root,
    };
    let workshop = Workshop::installed(&["--rekor", "both"]);
    let key = |name: &str| workshop.dir().join("keys").join(name);
    let text = |name: &str| std::fs::read_to_string(key(name)).unwrap();
    let (since, until) = ("2026-01-02T03:04:05Z", "2026-02-03T04:05:06Z");
    let cosign = workshop.env("WORKSHOP_COSIGN");
    let made = |words: &[&str]| -> Value {
        let made = end(command(Path::new(&cosign), words)).ok();
        serde_json::from_str(&made.out).unwrap()
    };
    let spec = |url: &str, what: &str, name: &str, more: &str| {
        let file = key(name);
        format!(
            "url={url},{what}={},start-time={since}{more}",
            file.display()
        )
    };
    let ended = format!(",end-time={until}");
    let mut theirs = made(&[
        "trusted-root",
        "create",
        "--fulcio",
        &spec("http://fulcio", "certificate-chain", "fulcio-1.pem", &ended),
        "--fulcio",
        &spec("http://other", "certificate-chain", "fulcio-1.pem", ""),
        "--tsa",
        &spec("http://tsa", "certificate-chain", "timestamp-1.pem", ""),
        "--ctfe",
        &spec("http://ctlog", "public-key", "ctlog-1.pub", ""),
        "--rekor",
        &spec("http://rekor", "public-key", "rekor-v1-1.pub", &ended),
        "--rekor",
        &spec(
            "http://tiles",
            "public-key",
            "rekor-v2.pub",
            ",origin=127.0.0.1",
        ),
    ]);
    let (open, closed) = (
        InUse { since, until: None },
        InUse {
            since,
            until: Some(until),
        },
    );
    let (fulcio, timestamp) = (text("fulcio-1.pem"), text("timestamp-1.pem"));
    let (ctlog, rekor, tiles) = (
        text("ctlog-1.pub"),
        text("rekor-v1-1.pub"),
        text("rekor-v2.pub"),
    );
    let chain = |url, pem, in_use| CertificateChain { url, pem, in_use };
    let log = |url, pem, origin, in_use| LogKey {
        url,
        pem,
        origin,
        in_use,
    };
    let mut ours = trusted_root(&PublicParts {
        fulcio: vec![
            chain("http://fulcio", fulcio.as_str(), closed),
            chain("http://other", &fulcio, open),
        ],
        timestamp: vec![chain("http://tsa", &timestamp, open)],
        ctlogs: vec![log("http://ctlog", ctlog.as_str(), None, open)],
        rekor: vec![
            log("http://rekor", rekor.as_str(), None, closed),
            log("http://tiles", &tiles, Some("127.0.0.1"), open),
        ],
    })
    .unwrap();
    // cosign gives keys of the same second in any order.
    for root in [&mut theirs, &mut ours] {
        for list in ["tlogs", "certificateAuthorities"] {
            let url = |key: &Value| format!("{}{}", key["baseUrl"], key["uri"]);
            root[list].as_array_mut().unwrap().sort_by_key(url);
        }
    }
    assert_eq!(ours, theirs);

    let service = |url: &str, version: &str| {
        format!("url={url},api-version={version},start-time={since},operator=workshop")
    };
    for (rekor_version, timestamp) in [(1, None), (2, Some("http://tsa"))] {
        let mut words = vec!["signing-config".to_owned(), "create".to_owned()];
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        option("--fulcio", service("http://fulcio", "1"));
        option("--oidc-provider", service("http://issuer", "1"));
        option(
            "--rekor",
            service("http://rekor", &rekor_version.to_string()),
        );
        option("--rekor-config", "ANY".to_owned());
        if let Some(url) = timestamp {
            option("--tsa", service(url, "1"));
        }
        option("--tsa-config", "ANY".to_owned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ours = signing_config(&Services {
            fulcio: "http://fulcio",
            issuer: "http://issuer",
            rekor: "http://rekor",
            rekor_version,
            timestamp,
            since,
        });
        assert_eq!(ours, made(&words));
    }
}
