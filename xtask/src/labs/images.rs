//! The labs about images and who signed them, which need nothing but the commands of
//! the workshop.

use anyhow::Result;

use super::{Checks, Lab, Output, Problem, Session};
use crate::proof::Link;

/// An image is changed after it was signed, under the same tag.
pub(crate) const CHANGED_IMAGE: Lab = Lab {
    name: "changed-image",
    title: "the image is changed after it was signed, under the same tag",
    story: &[
        "Alice signs the image app:1, and it verifies.",
        "Then someone with write access to the registry pushes another image under the same tag.",
        "Whoever pulls app:1 from now on gets the other one.",
    ],
    question: "The tag is the same, and Alice's signature is still in the registry. Does app:1 verify?",
    answer: &[
        "A signature is about a digest, not about a tag.",
        "The new image has another digest, and nobody signed that.",
    ],
    options: &[],
    run: changed_image,
};

fn changed_image(session: &mut Session<'_>) -> Result<()> {
    let good = session.push("app:1", "the good program")?;
    let tag = tag_of(&good);
    session.expect_ok(&["sign", &tag])?;
    session.expect_ok(&["verify", &tag])?;
    session.push("app:1", "a program of someone else")?;
    session.expect_refusal(&["verify", &tag], Problem("unsigned"), Output::Full)?;
    session.say("\n# the good one is still there, by its digest:");
    session.expect_ok(&["verify", &good])
}

/// The signature of one image is stored beside another.
pub(crate) const MOVED_SIGNATURE: Lab = Lab {
    name: "moved-signature",
    title: "the signature of one image is moved to another",
    story: &[
        "Alice signs a good image.",
        "An attacker copies her signature to where the registry keeps the signatures of another image.",
        "It is a real signature, of Alice, with a real entry in the log.",
    ],
    question: "Which link of the chain is broken, and which all hold?",
    answer: &[
        "Everything about the signature itself holds: it is Alice's, and it is in the log.",
        "But the statement that she signed names the digest of the good image.",
    ],
    options: &[],
    run: moved_signature,
};

fn moved_signature(session: &mut Session<'_>) -> Result<()> {
    let good = session.push("good:1", "the good program")?;
    let evil = session.push("good:2", "a program of someone else")?;
    session.expect_ok(&["sign", &good])?;
    session.copy_signatures(&good, &evil)?;
    session.expect_refusal(
        &["verify", &evil],
        Problem("no-signature-verifies"),
        Output::Full,
    )?;
    session.expect_refusal(
        &["inspect-rekor", &evil],
        Checks(&[Link::Artifact]),
        Output::Full,
    )
}

/// Another user signs.
pub(crate) const WRONG_SIGNER: Lab = Lab {
    name: "wrong-signer",
    title: "mallory signs, and alice is expected",
    story: &[
        "Mallory has an account like everybody else, so Fulcio gives him a certificate.",
        "He signs the image himself. The signature is right, and so is everything in the log.",
    ],
    question: "What keeps a verifier from accepting it?",
    answer: &[
        "Nothing but the policy: whoever verifies has to say whose signature is expected.",
        "A verifier that accepts any identity accepts everybody's.",
    ],
    options: &[],
    run: wrong_signer,
};

fn wrong_signer(session: &mut Session<'_>) -> Result<()> {
    let image = session.push("app:1", "the program of mallory")?;
    session.expect_ok(&["sign", "--as", "mallory", &image])?;
    session.expect_ok(&["inspect-rekor", &image])?;
    session.say("\n# every link holds; now with the question who signed:");
    let alice = "alice@example.com";
    session.expect_refusal(
        &["verify", "--identity", alice, &image],
        Problem("another-signer"),
        Output::Full,
    )?;
    session.expect_refusal(
        &["inspect-rekor", &image, "--identity", alice],
        Checks(&[Link::Identity]),
        Output::Full,
    )
}

/// The right name, vouched for by another issuer.
pub(crate) const WRONG_ISSUER: Lab = Lab {
    name: "wrong-issuer",
    title: "the right name, vouched for by the wrong issuer",
    story: &[
        "A name says little without who vouches for it: anybody can run an issuer that calls him alice@example.com.",
        "The verifier here expects Alice of another company, whose issuer is https://accounts.example.org.",
    ],
    question: "The name in the certificate is right. Is that enough?",
    answer: &[
        "Fulcio writes the issuer into the certificate beside the name, and both are compared.",
    ],
    options: &[],
    run: wrong_issuer,
};

fn wrong_issuer(session: &mut Session<'_>) -> Result<()> {
    let image = session.push("app:1", "the good program")?;
    session.expect_ok(&["sign", &image])?;
    let issuer = "https://accounts.example.org";
    session.expect_refusal(
        &["verify", "--issuer", issuer, &image],
        Problem("another-signer"),
        Output::Full,
    )?;
    session.expect_refusal(
        &["inspect-rekor", &image, "--issuer", issuer],
        Checks(&[Link::Issuer]),
        Output::Full,
    )
}

fn tag_of(image: &str) -> String {
    image
        .split_once('@')
        .map_or(image, |(name, _)| name)
        .to_owned()
        + ":1"
}
