//! `inspect-certificate`: a leaf certificate in plain words, and whether what it says is
//! proved.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, EvidenceArgs};
use crate::evidence::{CertificateDocument, Inspected, Online, Verdicts, describe, openssl_text};
use crate::fail::not_so;
use crate::format::certificate::Leaf;
use crate::proof::Link;
use crate::walkthrough::Milestone;

/// The checks that are about the certificate, and about the time that it needs.
const OF_CERTIFICATE: [Link; 8] = [
    Link::Promise,
    Link::Chain,
    Link::Sct,
    Link::CtInclusion,
    Link::Timestamp,
    Link::Validity,
    Link::Identity,
    Link::Issuer,
];

/// Why there is nothing to show of some signatures.
const NO_CERTIFICATE: &str = "there is no certificate: it was signed with a key, not an identity";

/// Show a leaf certificate in plain words, and prove who issued it
#[derive(Debug, Args)]
pub(crate) struct InspectCertificateCommand {
    /// Whose certificate.
    #[command(flatten)]
    evidence: EvidenceArgs,
    /// Print what openssl says of it
    #[arg(long)]
    text: bool,
}

/// One of several signatures that has no certificate.
#[derive(Serialize)]
struct WithoutCertificate<'a> {
    found_at: Option<&'a str>,
    ok: bool,
    error: &'a str,
}

/// A certificate in the words of openssl.
#[derive(Serialize)]
struct OpensslText<'a> {
    text: &'a str,
}

impl InspectCertificateCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let mut verdicts = Verdicts::default();
        self.evidence.inspect_all(app, Online(false), |inspected| {
            let Some(leaf) = inspected.evidence.leaf() else {
                return say_missing(app, &inspected, &mut verdicts);
            };
            if self.text {
                let text = openssl_text(&leaf)?;
                app.ui.say(text.trim_end());
                app.ui.event(&OpensslText { text: &text });
                return Ok(());
            }
            self.show(app, inspected, &leaf, &mut verdicts);
            Ok(())
        })?;
        let refusal = verdicts.end();
        let done = refusal.is_none().then_some(Milestone::InspectCertificate);
        Ok(Answer::printed().but(refusal).milestone(done))
    }

    fn show(&self, app: &App, mut inspected: Inspected, leaf: &Leaf, verdicts: &mut Verdicts) {
        let proof = &mut inspected.proof;
        // An artifact that was named must not be passed over in silence.
        let named = self.evidence.blob.is_some() || self.evidence.image.is_some();
        let shown = |link| {
            OF_CERTIFICATE.contains(&link)
                || named && matches!(link, Link::Artifact | Link::Signature)
        };
        proof.checks.retain(|check| shown(check.link));
        proof.unchecked.retain(|check| shown(check.link));
        proof.counted.retain(|counted| shown(counted.link));
        app.ui.event(&CertificateDocument::of(leaf, proof));
        let lines = describe::title(&inspected).into_iter().chain(leaf.lines());
        for line in lines {
            app.ui.say_row(line, describe::SECOND);
        }
        app.ui.say("");
        for line in describe::checks(&inspected.proof) {
            app.ui.say_row(line, describe::SECOND_OF_CHECKS);
        }
        verdicts.add(&mut inspected);
    }
}

/// Says of one of several signatures that it has no certificate; an error where there is
/// only this one.
fn say_missing(app: &App, inspected: &Inspected, verdicts: &mut Verdicts) -> Result<()> {
    let Some(title) = describe::title(inspected) else {
        return Err(not_so(NO_CERTIFICATE).into());
    };
    app.ui.event(&WithoutCertificate {
        found_at: inspected.title.as_deref(),
        ok: false,
        error: NO_CERTIFICATE,
    });
    app.ui.say(title);
    app.ui.say(NO_CERTIFICATE);
    verdicts.fail(vec!["certificate"]);
    Ok(())
}
