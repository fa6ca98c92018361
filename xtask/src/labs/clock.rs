//! The lab about clocks: those of the issuer, of the timestamp authority and of the
//! verifier.

use anyhow::{Context, Result};

use super::forge::{self, SignedFile, Stamp, StolenAuthority, Wish};
use super::{ALICE, Checks, Lab, Output, Problem, Session};
use crate::proof::Link;

/// How long the certificate is valid that is verified after its end, in seconds.
const SHORT: u64 = 8;

/// Clocks that do not agree.
pub(crate) const CLOCK: Lab = Lab {
    name: "clock",
    title: "the clocks of a signature do not agree",
    story: &[
        "A certificate says from when to when it is valid, and a timestamp says when something was signed.",
        "Here the clock of the certificate authority is an hour fast, for which the lab signs with its key.",
        "Then a certificate is looked at that has long ended.",
        "And in the end a retired key of the timestamp authority is found, and used once more.",
    ],
    question: "Which of these signatures verify? Which clock does a verifier believe?",
    answer: &[
        "A verifier believes the timestamp, and compares all other times with that, never with its own clock.",
        "So a signature outlives its certificate, and a verifier with a wrong clock comes to the same answer.",
        "The key of a timestamp authority is believed for the times of its period in the trusted root, and no other.",
        "Within its period whoever has it can name any time: this is why it is not in the hands of those who sign.",
    ],
    options: &[],
    run: clock,
};

fn clock(session: &mut Session<'_>) -> Result<()> {
    // The clocks come one after the other, since each waits for the one before.
    let ca = StolenAuthority::take(session, 1)?;
    session.say("\n# a certificate that is valid from in an hour on:");
    let now = Wish::now(session, ALICE)?;
    let fast = Wish {
        from: now.from + 3600,
        ..now
    };
    let early = signed(session, &ca, "early", &fast)?;
    session.expect_refusal(
        &early.verified(),
        Problem("signature-invalid"),
        Output::Full,
    )?;
    session.expect_refusal(&early.proved(), Checks(&[Link::Validity]), Output::Failures)?;

    session.say(&format!(
        "\n# a certificate that is valid for {SHORT} seconds, and looked at when these are over:"
    ));
    let short = Wish {
        seconds: SHORT,
        ..Wish::now(session, ALICE)?
    };
    let late = signed(session, &ca, "late", &short)?;
    let end = short.from + SHORT;
    session.until_after(end)?;
    session.expect_ok(&late.verified())?;
    session.expect_ok(&late.proved())?;

    session.say("\n# alice signs, and then the timestamp authority gets a new key:");
    let good = SignedFile::new(session, "program", "the good program\n")?;
    session.expect_ok(&["sign", "--blob", &good.file])?;
    session.expect_ok(&["rotate", "timestamp"])?;
    let stamp = Stamp::take(session, 1)?;
    let retired = forge::end_of_the_first(session, "timestampAuthorities")?;
    session
        .say("\n# the retired key stamps her signature again, with the last second of its period:");
    forge::restamp(&good, &stamp, retired)?;
    session.expect_ok(&good.verified())?;
    session.expect_ok(&good.proved())?;
    session.say("\n# and with the second after that, in which her certificate is still valid:");
    forge::restamp(&good, &stamp, retired + 1)?;
    session.expect_refusal(&good.verified(), Problem("signature-invalid"), Output::Full)?;
    session.expect_refusal(
        &good.proved(),
        Checks(&[Link::Timestamp, Link::Validity]),
        Output::Failures,
    )
}

/// A file with a certificate as it is wished, shown to the CT log.
fn signed(
    session: &Session<'_>,
    ca: &StolenAuthority,
    name: &str,
    wish: &Wish<'_>,
) -> Result<SignedFile> {
    let file = SignedFile::new(session, name, name)?;
    let draft = ca.draft(wish)?;
    let promise = forge::promised_by_the_log(session, ca, &draft)?;
    let leaf = ca.issue(&draft, Some(promise))?;
    forge::bundle(session, &file, &draft.key, &leaf).context("sign with a forged certificate")?;
    Ok(file)
}
