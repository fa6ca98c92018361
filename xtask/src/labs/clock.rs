//! The lab about clocks: that of who issues, that of who stamps, that of who verifies.

use anyhow::{Context, Result};

use super::forge::{self, Authority, SignedFile, Stamp, Wish};
use super::{ALICE, Lab, Stage};

/// How long a certificate lives that is verified after its end, in seconds.
const SHORT: u64 = 8;

/// Clocks that do not agree.
pub const CLOCK: Lab = Lab {
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

fn clock(stage: &mut Stage<'_>) -> Result<()> {
    let ca = Authority::stolen(stage, 1)?;
    stage.say("\n# a certificate that is valid from in an hour on:");
    let now = Wish::now(stage, ALICE)?;
    let fast = Wish {
        from: now.from + 3600,
        ..now
    };
    let early = signed(stage, &ca, "early", &fast)?;
    stage.refused(&early.verified(), "leads to no authority")?;
    stage.refused_shortly(&early.proved(), "not proved: validity")?;

    stage.say(&format!(
        "\n# a certificate that is valid for {SHORT} seconds, and looked at when these are over:"
    ));
    let short = Wish {
        seconds: SHORT,
        ..Wish::now(stage, ALICE)?
    };
    let late = signed(stage, &ca, "late", &short)?;
    let end = short.from + SHORT;
    stage.until_after(end)?;
    stage.runs(&late.verified())?;
    stage.runs(&late.proved())?;

    stage.say("\n# alice signs, and then the timestamp authority gets a new key:");
    let good = SignedFile::new(stage, "program", "the good program\n")?;
    stage.runs(&["sign", "--blob", &good.file])?;
    stage.runs(&["install", "--renew", "timestamp"])?;
    let stamp = Stamp::stolen(stage, 1)?;
    let retired = forge::end_of_the_first(stage, "timestampAuthorities")?;
    stage.say("\n# the retired key stamps her signature anew, with the last second of its period:");
    forge::restamp(&good, &stamp, retired)?;
    stage.runs(&good.verified())?;
    stage.runs(&good.proved())?;
    stage.say("\n# and with the second after that, in which her certificate is still valid:");
    forge::restamp(&good, &stamp, retired + 1)?;
    stage.refused(&good.verified(), "does not verify")?;
    stage.refused_shortly(&good.proved(), "not proved: timestamp")
}

/// A file with a certificate as it is wished, shown to the CT log.
fn signed(stage: &Stage<'_>, ca: &Authority, name: &str, wish: &Wish<'_>) -> Result<SignedFile> {
    let file = SignedFile::new(stage, name, name)?;
    let draft = ca.draft(wish)?;
    let promise = forge::promised_by_the_log(stage, ca, &draft)?;
    let leaf = ca.issue(&draft, Some(promise))?;
    forge::bundle(stage, &file, &draft.key, &leaf).context("sign with a forged certificate")?;
    Ok(file)
}
