//! The lab about identity tokens: what Fulcio has to refuse before it issues anything.

use anyhow::Result;

use super::forge::Token;
use super::{ALICE, Lab, Stage};

/// Tokens that do not say to Fulcio what they should.
pub const WRONG_TOKEN: Lab = Lab {
    name: "wrong-token",
    title: "mallory shows Fulcio a token that says alice",
    story: &[
        "Whoever has a token of alice that Fulcio accepts gets a certificate of hers.",
        "Mallory tries four: one that alice gave to a website of his, where she logs in with the same Dex,",
        "one of an issuer of his own, his own token with her name in it, and one that he signed himself.",
    ],
    question: "The first is a real token of alice, with a right signature of Dex. Why is it not enough?",
    answer: &[
        "A token says for whom it is. One for a website is none for Fulcio, or every website could sign for its users.",
        "Fulcio's configuration names the issuers that count, and whoever else signs is nobody to it.",
        "It gets the keys of an issuer from the issuer itself, and under a changed word the signature does not fit them.",
        "Mallory's own key is of a kind that Dex does not announce: his signature is not even looked at.",
        "The client learns no more than that the token is wrong: only the log of Fulcio says why.",
    ],
    options: &[],
    run: wrong_token,
};

fn wrong_token(stage: &mut Stage<'_>) -> Result<()> {
    let file = stage.file("token-for-the-website");
    let path = file.to_string_lossy();
    stage.say("# alice logs in to the website, which gets a token of hers:");
    stage.runs(&[
        "step",
        "token",
        "--as",
        "alice",
        "--audience",
        "not-sigstore",
        "--out",
        &path,
    ])?;
    stage.no_certificate(&file, "audience")?;

    let file = stage.file("token-of-mallory");
    let path = file.to_string_lossy();
    stage.say("\n# mallory logs in, and gets a token of his own for Fulcio:");
    stage.runs(&["step", "token", "--as", "mallory", "--out", &path])?;
    let alice = Token::read(&file)?
        .claim("email", ALICE)
        .claim("name", "alice");
    stage.say("\n# it says alice now, and comes from an issuer of his own:");
    let token = alice.clone().claim("iss", "https://accounts.example.org");
    let token = token
        .signed_by_nobody()?
        .write(stage, "token-of-another-issuer")?;
    stage.no_certificate(&token, "failed to match issuer URL")?;
    stage.say("\n# it says alice, and keeps the signature of Dex:");
    let token = alice.write(stage, "token-changed")?;
    stage.no_certificate(&token, "failed to verify id token signature")?;
    stage.say("\n# it says alice, and mallory signed it with a key of his own:");
    let token = alice
        .signed_by_nobody()?
        .write(stage, "token-of-another-key")?;
    stage.no_certificate(&token, "unexpected signature algorithm")
}
