//! The lab about identity tokens: what Fulcio has to refuse before it issues anything.

use std::path::Path;

use anyhow::Result;

use super::forge::IdToken;
use super::{ALICE, Lab, Session};
use crate::state;

/// Tokens that Fulcio must not believe.
pub(crate) const WRONG_TOKEN: Lab = Lab {
    name: "wrong-token",
    title: "Fulcio is shown tokens that are not for it, or not of its issuer",
    story: &[
        "Whoever has a token of alice for Fulcio gets a certificate with her name.",
        "Mallory runs a web site. Alice logged in to it, so he has a real token of hers, from the same Dex, with the web site as its audience.",
        "He tries that one. Then he forges: another issuer, his own token with her name, and a key of his own.",
    ],
    question: "What in each token keeps Fulcio from believing it?",
    answer: &[
        "A token says for whom it is. If one for a web site were one for Fulcio, every web site could sign for its users.",
        "Fulcio believes an issuer only if its configuration names it, and asks that issuer for its keys.",
        "Under a changed name the signature of Dex is wrong.",
        "Mallory's own key is of a kind that Dex does not announce: his signature is not even looked at.",
        "The client is told nothing but 400: the reason is in the log of Fulcio.",
    ],
    options: &[],
    run: wrong_token,
};

fn wrong_token(session: &mut Session<'_>) -> Result<()> {
    let file = session.file("program.txt");
    std::fs::write(&file, "a program of someone else\n")?;
    session.say("\n# alice logs in to the web site of mallory, and mallory to sign for himself");
    let stolen = IdToken::read(&session.token("alice", "web-site")?)?;
    let own = IdToken::read(&session.token("mallory", "sigstore")?)?;
    let forged = own.claim("email", ALICE);
    let elsewhere = forged.clone().claim("iss", "https://accounts.example.org");
    // Each token is wrong in one respect only, so that exactly one check of Fulcio
    // refuses it.
    let attempts = [
        ("stolen", "for the web site", stolen, "expected audience"),
        (
            "issuer",
            "that says alice, of an issuer of his own",
            elsewhere.signed_by_nobody()?,
            "failed to match issuer",
        ),
        (
            "name",
            "that says alice, under the signature of Dex for mallory",
            forged.clone(),
            "failed to verify id token signature",
        ),
        (
            "key",
            "that says alice, signed with a key of his own",
            forged.signed_by_nobody()?,
            "unexpected signature algorithm",
        ),
    ];
    let config = session.env("WORKSHOP_SIGNING_CONFIG")?.to_owned();
    let root = session.env("WORKSHOP_TRUSTED_ROOT")?.to_owned();
    let bundle = session.file("none.json");
    for (name, what, token, reason) in attempts {
        let path = session.file(&format!("{name}.jwt"));
        state::write(&path, token.text().as_bytes(), 0o600)?;
        session.say(&format!("\n# a token {what}"));
        let words = [
            Path::new("sign-blob"),
            Path::new("--yes"),
            Path::new("--identity-token"),
            &path,
            Path::new("--signing-config"),
            Path::new(&config),
            Path::new("--trusted-root"),
            Path::new(&root),
            Path::new("--bundle"),
            &bundle,
            &file,
        ];
        session.expect_cosign_refusal(&words, "token-refused")?;
        session.expect_logged("fulcio", reason)?;
    }
    Ok(())
}
