//! What other clients are given: the TUF repository, Dex's page in a browser, trust
//! material as cosign's own.

use std::path::Path;

use serde_json::Value;

use crate::support::run::{command, end};
use crate::support::workshop::Workshop;

/// What is published follows the keys, and is looked at.
#[test]
fn a_damaged_repository_is_named() {
    let workshop = Workshop::installed(&[]);
    let ends = workshop.run(&["rotate", "fulcio"]).ok();
    assert!(ends.err.contains("publish"), "{}", ends.seen());
    // What is published is what is there: nothing is left to do, and nothing is wrong.
    let doctor = workshop.run(&["doctor"]).ok();
    assert!(doctor.out.contains("✓ tuf"), "{}", doctor.seen());
    workshop.run(&["install"]).ok();

    // One bit of the repository makes doctor and the next start say which file it is.
    // The second were those with both keys, the third say when the old one ended.
    let targets = workshop.state.join("local/data/tuf/3.targets.json");
    let text = std::fs::read_to_string(&targets).unwrap();
    std::fs::write(
        &targets,
        text.replace("2.0", "2.1")
            .replacen("\"sig\": \"3", "\"sig\": \"2", 1),
    )
    .unwrap();
    let doctor = workshop.run(&["doctor"]);
    assert_eq!(doctor.exit, 1, "{}", doctor.seen());
    assert!(doctor.out.contains("✗ tuf        data/tuf/3.targets.json"));
    workshop.run(&["start"]).fails(2, "3.targets.json");
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
