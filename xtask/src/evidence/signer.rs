//! Who signed an artifact, or attested something of it: the verdict over all that was
//! found about it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Inspected;
use super::describe::attested;
use crate::fail::{Fail, not_so};
use crate::format::certificate::Leaf;
use crate::proof::Link;
use crate::target::SignerArgs;
use crate::text::counted;
use crate::time;

/// No more signers than these are named in a sentence.
const NAMED: usize = 3;

/// A signature that is proved, and is what was asked for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Verified {
    /// The image by digest, or the file.
    pub(crate) artifact: String,
    /// The identity in the leaf certificate; none where a key signed.
    pub(crate) identity: Option<String>,
    /// The issuer in it.
    pub(crate) issuer: Option<String>,
    /// When it was signed, RFC 3339.
    pub(crate) signed_at: Option<String>,
    /// The predicate type of an attestation (in-toto).
    pub(crate) predicate_type: Option<String>,
}

/// What is asked of the signatures of one artifact.
pub(super) struct Wanted<'a> {
    /// The artifact, for a person.
    pub(super) name: &'a str,
    /// Whether it is an image, whose signatures are beside it whatever they are of.
    pub(super) is_image: bool,
    /// Who must have signed.
    pub(super) signer: &'a SignerArgs,
    /// The predicate type that must be attested, instead of a signature.
    pub(super) attestation: Option<&'a str>,
    /// The options that show the same signatures: `--bundle F`, or the image.
    pub(super) shown_by: &'a str,
}

impl Wanted<'_> {
    /// The first signature that holds; else a refusal that says what there is instead.
    ///
    /// # Errors
    /// Exit status 1.
    pub(super) fn among(&self, found: &[Inspected]) -> Result<Verified, Fail> {
        let wanted = found.iter().filter(|one| states(one, self.attestation));
        let wanted: Vec<&Inspected> = wanted.collect();
        if let Some(holds) = wanted.iter().find(|one| one.proof.failed().is_empty()) {
            return Ok(self.verified(holds));
        }
        if wanted.is_empty() {
            return Err(self.nothing_of_the_kind(found));
        }
        let by_others = wanted.iter().filter(|one| proved(one));
        let by_others: BTreeSet<String> = by_others.map(|one| signer(one)).collect();
        if !by_others.is_empty() {
            return Err(self.by_somebody_else(by_others));
        }
        Err(self.not_proved(&wanted))
    }

    fn verified(&self, one: &Inspected) -> Verified {
        let leaf = one.evidence.leaf();
        let content = one.evidence.bundle.as_ref().map(|bundle| &bundle.content);
        let attested = content.filter(|content| content.is_attestation());
        Verified {
            artifact: self.name.to_owned(),
            identity: leaf.as_ref().and_then(first_identity),
            issuer: leaf.as_ref().and_then(Leaf::issuer_claim),
            signed_at: one.proof.signed_at.and_then(time::from_unix),
            predicate_type: attested.and_then(|content| content.predicate_type()),
        }
    }

    /// There are signatures where an attestation is asked for, or the other way round.
    fn nothing_of_the_kind(&self, found: &[Inspected]) -> Fail {
        let what = match self.attestation {
            Some(kind) => format!("nobody attested {kind} of {}", self.name),
            None => format!("nobody signed {}", self.name),
        };
        let told = found.iter().filter(|one| proved(one)).map(|one| {
            let who = first_signer(one);
            match attested(&one.evidence) {
                Some(kind) => format!("{who} attested {kind}"),
                None => format!("{who} signed it"),
            }
        });
        let told: BTreeSet<String> = told.collect();
        let instead = match (told.is_empty(), found.len() as u64) {
            (false, _) => listed(told),
            (true, n) => format!(
                "{} beside it {} not proved",
                counted(n, "statement", "statements"),
                if n == 1 { "is" } else { "are" }
            ),
        };
        self.refusal("unsigned", format!("{what}; {instead}"), "inspect-rekor")
    }

    fn by_somebody_else(&self, by: BTreeSet<String>) -> Fail {
        let verb = if self.attestation.is_some() {
            "attested"
        } else {
            "signed"
        };
        let expected = self.signer.expected();
        let issuer = match (&self.signer.issuer, &self.signer.issuer_regexp) {
            (Some(issuer), _) => format!(" (issuer {issuer})"),
            (None, Some(regexp)) => format!(" (an issuer that matches {regexp})"),
            (None, None) => String::new(),
        };
        let what = format!(
            "{verb} by {}, but {expected}{issuer} was expected",
            listed(by)
        );
        self.refusal("another-signer", what, "inspect-certificate")
    }

    fn not_proved(&self, wanted: &[&Inspected]) -> Fail {
        // What is wrong first explains what is wrong after it.
        let first = wanted.iter().find_map(|one| {
            let wrong = one.proof.checks.iter().find(|check| !check.ok);
            let wrong = wrong.map(|check| (check.link, &check.detail));
            let mut not_read = one.proof.unchecked.iter().filter(|check| check.not_read);
            wrong.or_else(|| not_read.next().map(|check| (check.link, &check.detail)))
        });
        let what = match (self.attestation.is_some(), wanted.len() as u64) {
            (false, 1) => "the signature is not proved".to_owned(),
            (true, 1) => "the attestation is not proved".to_owned(),
            (_, n) => format!("none of {n} signatures is proved"),
        };
        let what = match first {
            Some((Link::Artifact, detail)) if self.is_image => {
                format!("the signature is of another image: {detail}")
            }
            Some((Link::Artifact, detail)) => {
                format!("{} is not what was signed: {detail}", self.name)
            }
            Some((link, detail)) => format!("{what}: {}: {detail}", link.name()),
            None => what,
        };
        let problem = match first {
            Some((Link::Artifact, _)) if self.is_image => "no-signature-verifies",
            Some((Link::Artifact, _)) => "another-file",
            Some((Link::Entry | Link::Inclusion | Link::Checkpoint, _)) => "not-logged",
            Some((Link::Chain, _)) => "leaf-without-authority",
            _ => "signature-invalid",
        };
        self.refusal(problem, what, "inspect-rekor")
    }

    /// A refusal under the id of the problem that cosign's own words would be.
    fn refusal(&self, problem: &'static str, what: String, look: &str) -> Fail {
        let look = format!("look at it: cargo xtask {look} {}", self.shown_by);
        Fail {
            problem: Some(problem),
            ..not_so(what).hint(look)
        }
    }
}

/// Whether all holds but whose signature it is.
fn proved(one: &Inspected) -> bool {
    let failed = one.proof.failed();
    let names = [Link::Identity, Link::Issuer];
    failed.iter().all(|link| names.contains(link))
}

fn states(one: &Inspected, predicate_type: Option<&str>) -> bool {
    let bundle = one.evidence.bundle.as_ref();
    bundle.is_some_and(|bundle| bundle.content.states(predicate_type))
}

fn first_identity(leaf: &Leaf) -> Option<String> {
    leaf.identities().into_iter().next()
}

fn first_signer(one: &Inspected) -> String {
    let leaf = one.evidence.leaf();
    let name = leaf.as_ref().map(first_identity);
    match name {
        Some(name) => name.unwrap_or_else(|| "a certificate without a name".into()),
        None => "a key without a name".into(),
    }
}

/// The signer, and who vouched for that name.
fn signer(one: &Inspected) -> String {
    let issuer = one.evidence.leaf().and_then(|leaf| leaf.issuer_claim());
    let who = first_signer(one);
    match issuer {
        Some(issuer) => format!("{who} (issuer {issuer})"),
        None => who,
    }
}

fn listed(all: BTreeSet<String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let mut named: Vec<String> = all.into_iter().take(NAMED).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join(" and ")
}
