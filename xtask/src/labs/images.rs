//! The labs about images and who signed them, which need nothing but the commands of
//! the workshop.

use anyhow::Result;

use super::{Lab, Stage};

/// An image is changed after it was signed, under the same tag.
pub const CHANGED_IMAGE: Lab = Lab {
    name: "changed-image",
    title: "the image is changed after it was signed, under the same tag",
    story: &[
        "Alice signs the image app:1, and it verifies.",
        "Then somebody with write access to the registry pushes another image under the same tag.",
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

fn changed_image(stage: &mut Stage<'_>) -> Result<()> {
    let good = stage.push("app:1", "the good program")?;
    let tag = tag_of(&good);
    stage.runs(&["sign", &tag])?;
    stage.runs(&["verify", &tag])?;
    stage.push("app:1", "a program of somebody else")?;
    stage.refused(&["verify", &tag], "carries no signature")?;
    stage.say("\n# the good one is still there, by its digest:");
    stage.runs(&["verify", &good])
}

/// The signature of one image is stored beside another.
pub const MOVED_SIGNATURE: Lab = Lab {
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

fn moved_signature(stage: &mut Stage<'_>) -> Result<()> {
    let good = stage.push("good:1", "the good program")?;
    let evil = stage.push("good:2", "a program of somebody else")?;
    stage.runs(&["sign", &good])?;
    stage.copy_signatures(&good, &evil)?;
    stage.refused(&["verify", &evil], "none that verifies")?;
    stage.refused(&["inspect-rekor", &evil], "not proved: artifact")
}

/// Somebody else signs.
pub const WRONG_SIGNER: Lab = Lab {
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

fn wrong_signer(stage: &mut Stage<'_>) -> Result<()> {
    let image = stage.push("app:1", "the program of mallory")?;
    stage.runs(&["sign", "--as", "mallory", &image])?;
    stage.runs(&["inspect-rekor", &image])?;
    stage.say("\n# every link holds; now with the question who signed:");
    let alice = "alice@example.com";
    stage.refused(&["verify", "--identity", alice, &image], "another identity")?;
    stage.refused(
        &["inspect-rekor", &image, "--identity", alice],
        "not proved: identity",
    )
}

/// The right name, vouched for by somebody else.
pub const WRONG_ISSUER: Lab = Lab {
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

fn wrong_issuer(stage: &mut Stage<'_>) -> Result<()> {
    let image = stage.push("app:1", "the good program")?;
    stage.runs(&["sign", &image])?;
    let issuer = "https://accounts.example.org";
    stage.refused(
        &["verify", "--issuer", issuer, &image],
        "another identity or issuer",
    )?;
    stage.refused(
        &["inspect-rekor", &image, "--issuer", issuer],
        "not proved: issuer",
    )
}

fn tag_of(image: &str) -> String {
    image
        .split_once('@')
        .map_or(image, |(name, _)| name)
        .to_owned()
        + ":1"
}
