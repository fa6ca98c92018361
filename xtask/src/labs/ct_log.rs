//! The lab in which the operator of the CT log is the attacker.

use std::path::Path;

use anyhow::{Context, Result};

use super::forge::{self, SignedFile, StolenAuthority, Wish};
use super::{ALICE, Checks, Lab, Output, Session, monitor};
use crate::bundle;
use crate::ct_log;
use crate::proof::Link;
use crate::state;

/// The log signs a promise and leaves the entry out.
pub(crate) const PROMISE_NOT_KEPT: Lab = Lab {
    name: "promise-not-kept",
    title: "the CT log promises to show a certificate, and leaves it out",
    story: &[
        "A thief has copied the key of the certificate authority, and issues a certificate for alice himself.",
        "It has to have the promise of the CT log, and there alice would see it.",
        "But the operator of the log is a friend of his: he signs the promise, and puts nothing into the log.",
    ],
    question: "The promise is signed with the key of the log. Who can tell that it is not kept?",
    answer: &[
        "A client takes the promise for the deed: it is signed, and cosign asks the log for nothing.",
        "Alice sees nothing either, however carefully she reads the log.",
        "But the promise names the place of the entry. Whoever asks for that place sees that it is not there.",
        "The log cannot take the promise back, which it signed: it is the evidence.",
    ],
    options: &[],
    run: promise_not_kept,
};

fn promise_not_kept(session: &mut Session<'_>) -> Result<()> {
    session.expect_ok(&["sign", "--as", "bob"])?;
    let ca = StolenAuthority::take(session, 1)?;
    let draft = ca.draft(&Wish::now(session, ALICE)?)?;
    let place = ct_log::size(&session.ct_log()?)?;
    session.say(&format!(
        "\n# the operator promises the thief the place {place} of the log, and takes nothing in"
    ));
    let promise = forge::promised_without_an_entry(session, &ca, &draft, place)?;
    let file = SignedFile::new(session, "other", "a program of someone else\n")?;
    forge::bundle(
        session,
        &file,
        &draft.key,
        &ca.issue(&draft, Some(promise))?,
    )?;
    session.say("\n# to cosign, and to whoever has nothing but the bundle, all of it is right:");
    session.expect_ok(&file.verified())?;
    session.expect_ok(&file.proved())?;
    session.say("\n# alice reads the CT log, and finds nothing of hers:");
    monitor::certificates(session)?;

    session.say("\n# someone asks the log for the place that it promised:");
    let index = log_index(&file)?.to_string();
    let asked = ["inspect-rekor", "--log-index", &index];
    let refused = Checks(&[Link::CtInclusion]);
    session.expect_refusal(&asked, refused, Output::Failures)?;
    session
        .say("\n# alice signs, and her certificate takes that place; it is still not the thief's:");
    let own = SignedFile::new(session, "program", "the good program\n")?;
    session.expect_ok(&["sign", "--blob", &own.file])?;
    session.expect_refusal(&asked, refused, Output::Failures)
}

/// The index of a signature in Rekor.
fn log_index(file: &SignedFile) -> Result<u64> {
    let bundle = state::read(Path::new(&file.bundle))?.context("the file has no bundle")?;
    let entry = bundle::read(&bundle)?.entry;
    Ok(entry.context("the bundle holds no log entry")?.index)
}
