//! The labs in which a thief has the key of the certificate authority.

use std::path::Path;

use anyhow::{Context, Result};
use x509_cert::ext::pkix::sct::SignedCertificateTimestamp;

use super::forge::{self, Draft, SignedFile, StolenAuthority, Wish};
use super::{ALICE, Checks, Lab, Output, Problem, Session, monitor};
use crate::bundle;
use crate::fail::broken;
use crate::format::hex::hex;
use crate::proof::Link;
use crate::state;

/// A certificate that no CT log has seen.
pub(crate) const BEHIND_THE_CT_LOG: Lab = Lab {
    name: "behind-the-ct-log",
    title: "a certificate is issued behind the CT log's back",
    story: &[
        "A thief has copied the key of the certificate authority, and issues a certificate for alice himself.",
        "Alice must not find out, so he shows it to no CT log.",
        "Rekor and the timestamp authority ask nobody who someone is: they take what he sends.",
    ],
    question: "Everything that he has is signed with the right keys. What is missing?",
    answer: &[
        "A certificate counts only with the promise of a known CT log to show it to everybody.",
        "So whoever misuses the key of the authority has to do it in public.",
        "A promise of a log that the trusted root does not name is worth nothing, right as it may be.",
        "Neither is a real one that was made for another certificate.",
    ],
    options: &[],
    run: behind_the_ct_log,
};

fn behind_the_ct_log(session: &mut Session<'_>) -> Result<()> {
    let ca = StolenAuthority::take(session, 1)?;
    let draft = ca.draft(&Wish::now(session, ALICE)?)?;
    session.say("\n# a certificate for alice, without any promise of a CT log:");
    let file = signed(session, &ca, &draft, None)?;
    session.expect_refusal(&file.verified(), Problem("signature-invalid"), Output::Full)?;
    session.expect_refusal(&file.proved(), Checks(&[Link::Sct]), Output::Full)?;

    session.say("\n# the same with a promise of a CT log of his own:");
    let promise = forge::promised_by_nobody(&ca, &draft)?;
    signed(session, &ca, &draft, Some(promise))?;
    session.expect_refusal(&file.verified(), Problem("signature-invalid"), Output::Full)?;
    session.expect_refusal(&file.proved(), Checks(&[Link::Sct]), Output::Failures)?;

    session.say("\n# and with a real promise, which the CT log made for another certificate:");
    let other = ca.draft(&Wish::now(session, "mallory@example.com")?)?;
    let promise = forge::promised_by_the_log(session, &ca, &other)?;
    signed(session, &ca, &draft, Some(promise))?;
    session.expect_refusal(&file.verified(), Problem("signature-invalid"), Output::Full)?;
    session.expect_refusal(&file.proved(), Checks(&[Link::Sct]), Output::Failures)
}

/// A thief who shows his certificate to the CT log.
pub(crate) const STOLEN_CA: Lab = Lab {
    name: "stolen-ca",
    title: "the key of the certificate authority is stolen, and nothing else is wrong",
    story: &[
        "The thief has the key of the certificate authority, and this time he follows every rule.",
        "He shows his certificate for alice to the CT log, which promises to show it, as it does for Fulcio.",
    ],
    question: "Every check will pass. Who can find out, and what helps then?",
    answer: &[
        "To a verifier it is a certificate of Fulcio's: that is what the key of an authority can do.",
        "But it is in the CT log, under the name of alice, and she knows what she signed.",
        "The log prevents nothing. It helps where someone reads it.",
        "A new key ends the period of the old one in the trusted root, and every verifier has to get that root.",
        "From then on the signatures of the thief are refused: he does not have the key of the timestamp authority, so he cannot date anything back.",
        "What he signed before that still verifies, as the good signatures do: it has to be refused by name.",
        "Or the period ends before the theft, and what was signed since then is signed again.",
    ],
    options: &[],
    run: stolen_ca,
};

fn stolen_ca(session: &mut Session<'_>) -> Result<()> {
    let good = SignedFile::new(session, "program", "the good program\n")?;
    session.expect_ok(&["sign", "--blob", &good.file])?;

    session.say("\n# the thief shows his certificate to the CT log, and signs as alice:");
    let ca = StolenAuthority::take(session, 1)?;
    let file = with_promise(session, &ca)?;
    session.expect_ok(&file.verified())?;
    session.expect_ok(&file.proved())?;

    session.say("\n# alice reads the CT log, and compares with what she signed:");
    let known = [serial(&good)?];
    let strange = monitor::certificates(session)?
        .into_iter()
        .find(|shown| shown.email == ALICE && !known.contains(&shown.serial))
        .ok_or_else(|| broken("the attack was not caught: the CT log does not show it"))?;
    session.say(&format!("alice never asked for {}", strange.serial));
    session.note_caught("the CT log");

    session.say(
        "\n# the authority gets a new key; what alice signed with the old one still verifies:",
    );
    session.expect_ok(&["rotate", "fulcio"])?;
    session.expect_ok(&good.verified())?;
    session.say("\n# so does what the thief signed before that:");
    session.expect_ok(&file.verified())?;
    session.say("\n# the thief signs once more with the old key:");
    session.until_after(forge::end_of_the_first(session, "certificateAuthorities")?)?;
    with_promise(session, &ca)?;
    session.expect_refusal(&file.verified(), Problem("signature-invalid"), Output::Full)?;
    session.expect_refusal(&file.proved(), Checks(&[Link::Validity]), Output::Failures)
}

/// Whoever signs with an authority of his own.
pub(crate) const OWN_AUTHORITY: Lab = Lab {
    name: "own-authority",
    title: "an entry in alice's name that Fulcio never made a certificate for",
    story: &[
        "An attacker has no key of anybody, so he makes an authority of his own and gives it the name of the workshop's.",
        "It issues a certificate for alice, and he signs with it.",
        "Rekor records what he sends: in the log there is now an entry that names her.",
    ],
    question: "Alice lists the log and sees an entry that she did not make. Does it harm her?",
    answer: &[
        "No verifier believes it: the name of an authority is worth nothing, its key is what counts, and the trusted root has another one.",
        "Rekor promises that an entry is there for everybody to see, and not that what it says is true.",
        "So a monitor has to tell the two apart: an entry that Fulcio vouches for and that alice did not make is a theft; any other is noise that anybody can make.",
    ],
    options: &[],
    run: own_authority,
};

fn own_authority(session: &mut Session<'_>) -> Result<()> {
    let good = SignedFile::new(session, "program", "the good program\n")?;
    session.expect_ok(&["sign", "--blob", &good.file])?;
    session.say("\n# the attacker signs as alice, with an authority of his own:");
    let ca = StolenAuthority::imitate(session)?;
    let draft = ca.draft(&Wish::now(session, ALICE)?)?;
    let file = signed(session, &ca, &draft, None)?;
    session.expect_refusal(
        &file.verified(),
        Problem("leaf-without-authority"),
        Output::Full,
    )?;
    session.expect_refusal(&file.proved(), Checks(&[Link::Chain]), Output::Failures)?;
    session.say("\n# Alice lists the entries in her name:");
    session.expect_ok(&["log", "--identity", ALICE])
}

/// A program of the thief, signed as Alice with a real promise of the CT log.
fn with_promise(session: &Session<'_>, ca: &StolenAuthority) -> Result<SignedFile> {
    let draft = ca.draft(&Wish::now(session, ALICE)?)?;
    let promise = forge::promised_by_the_log(session, ca, &draft)?;
    signed(session, ca, &draft, Some(promise))
}

/// The serial number of the certificate that signed a file.
fn serial(file: &SignedFile) -> Result<String> {
    let bundle = state::read(Path::new(&file.bundle))?.context("the file has no bundle")?;
    let bundle = bundle::read(&bundle)?;
    let leaf = bundle
        .certificate()
        .context("the bundle has no certificate")?;
    let tbs = &leaf.certificate().tbs_certificate;
    Ok(hex(tbs.serial_number.as_bytes()))
}

/// A program of the thief, signed as Alice.
fn signed(
    session: &Session<'_>,
    ca: &StolenAuthority,
    draft: &Draft,
    promise: Option<SignedCertificateTimestamp>,
) -> Result<SignedFile> {
    let file = SignedFile::new(session, "other", "a program of someone else\n")?;
    forge::bundle(session, &file, &draft.key, &ca.issue(draft, promise)?)?;
    Ok(file)
}
