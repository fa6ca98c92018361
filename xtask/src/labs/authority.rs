//! The labs in which Fulcio is deceived, or gone around.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Lab, Stage};
use crate::state;

/// Tokens that Fulcio must not believe.
pub const WRONG_TOKEN: Lab = Lab {
    name: "wrong-token",
    title: "Fulcio is shown tokens that are not for it, or not of its issuer",
    story: &[
        "Whoever has a token of Alice for Fulcio gets a certificate with her name.",
        "A web site that she logged in to has a real token of hers as well, from the same Dex, with the web site as its audience.",
        "Its operator tries that one. Then he forges: another issuer, and a signature of his own.",
    ],
    question: "What in each token keeps Fulcio from believing it?",
    answer: &[
        "Fulcio believes an issuer only if its configuration names it, and asks that issuer for its keys.",
        "A signature must be made with one of these keys, and the audience must be Fulcio's own.",
        "Who asks is told nothing but 400: the reason stands in the log of Fulcio.",
    ],
    options: &[],
    run: wrong_token,
};

fn wrong_token(stage: &mut Stage<'_>) -> Result<()> {
    stage.say("\n# Alice logs in to a web site, which is another client of the same Dex");
    let stolen = stage.token("web-site")?;
    let real = stage.token("sigstore")?;
    let file = stage.file("program.txt");
    std::fs::write(&file, "the good program\n")?;
    let attempts = [
        (
            "stolen.jwt",
            "for the web site",
            stolen,
            "expected audience",
        ),
        (
            "issuer.jwt",
            "of another issuer",
            of_another_issuer(&real)?,
            "failed to match issuer",
        ),
        (
            "signature.jwt",
            "whose signature is not Dex's",
            signed_by_nobody(&real)?,
            "failed to verify",
        ),
    ];
    for (name, what, token, reason) in attempts {
        let file_of_token = stage.file(name);
        state::write(&file_of_token, token.as_bytes(), 0o600)?;
        stage.say(&format!("\n# a token {what}"));
        let config = stage.env("WORKSHOP_SIGNING_CONFIG")?.to_owned();
        let root = stage.env("WORKSHOP_TRUSTED_ROOT")?.to_owned();
        let bundle = stage.file("none.json");
        let words = [
            Path::new("sign-blob"),
            Path::new("--yes"),
            Path::new("--identity-token"),
            &file_of_token,
            Path::new("--signing-config"),
            Path::new(&config),
            Path::new("--trusted-root"),
            Path::new(&root),
            Path::new("--bundle"),
            &bundle,
            &file,
        ];
        stage.cosign_refuses(&words, "error processing the identity token")?;
        stage.logged("fulcio", reason)?;
    }
    Ok(())
}

fn of_another_issuer(token: &str) -> Result<String> {
    let [head, payload, signature] = parts(token)?;
    let claims = BASE64_URL_SAFE_NO_PAD
        .decode(payload)
        .context("read a token")?;
    let mut claims: Value = serde_json::from_slice(&claims).context("read a token")?;
    claims["iss"] = "http://127.0.0.1:1/dex".into();
    let payload = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    Ok(format!("{head}.{payload}.{signature}"))
}

fn signed_by_nobody(token: &str) -> Result<String> {
    let [head, payload, signature] = parts(token)?;
    let length = BASE64_URL_SAFE_NO_PAD
        .decode(signature)
        .context("read a token")?
        .len();
    let nobody = BASE64_URL_SAFE_NO_PAD.encode(vec![0x5a; length]);
    Ok(format!("{head}.{payload}.{nobody}"))
}

fn parts(token: &str) -> Result<[&str; 3]> {
    let parts: Vec<&str> = token.trim().split('.').collect();
    let parts = parts.try_into().ok();
    parts.context("Dex's token has not three parts")
}

/// A certificate that another CT log promised to show.
pub const UNKNOWN_CT_LOG: Lab = Lab {
    name: "unknown-ct-log",
    title: "a certificate is issued behind the CT log's back",
    story: &[
        "Whoever has Fulcio's key can issue a certificate for any name, and shows it to no log, or to one of his own.",
        "Here the CT log begins anew with another key, and plays the log of the thief: the verifier has a trusted root from before.",
        "The certificate is issued with Fulcio's own key, so its chain is right.",
    ],
    question: "The chain is right, the signature is right, and Rekor has the entry. What is missing?",
    answer: &[
        "A verifier wants the promise of a CT log that it knows: that the certificate is shown where Alice can find it.",
        "A thief who shows it to the real log gets that promise, and is seen.",
    ],
    options: &[],
    run: unknown_ct_log,
};

fn unknown_ct_log(stage: &mut Stage<'_>) -> Result<()> {
    let root = stage.file("trusted-root-from-before.json");
    std::fs::copy(stage.env("WORKSHOP_TRUSTED_ROOT")?, &root)?;
    stage.say(&format!(
        "\n# the verifier's trusted root: {}",
        root.display()
    ));
    stage.runs(&["restart", "trillian"])?;
    let (file, bundle) = stage.signed_file("program.txt", "the program of a thief")?;
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let (bundle, root) = (path(&bundle), path(&root));
    let issuer = stage.env("WORKSHOP_ISSUER")?.to_owned();
    let words = [
        "verify-blob",
        "--trusted-root",
        &root,
        "--bundle",
        &bundle,
        "--certificate-identity",
        "alice@example.com",
        "--certificate-oidc-issuer",
        &issuer,
        &file,
    ];
    stage.cosign_refuses(&words.map(Path::new), "")?;
    stage.refused(
        &[
            "inspect-rekor",
            "--blob",
            &file,
            "--bundle",
            &bundle,
            "--trusted-root",
            &root,
        ],
        "not proved: sct",
    )
}
