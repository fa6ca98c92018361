//! Whose signature is expected.

use regex_lite::Regex;

use super::{Verdict, wrong};
use crate::fail::{Fail, broken};
use crate::format::certificate::Leaf;
use crate::format::key::PublicKey;
use crate::proof::Link;

/// What the name or the issuer in a certificate must be.
#[derive(Debug, Clone)]
pub enum Expected {
    /// Exactly this name.
    Exactly(String),
    /// Something in which this regular expression is found; `^` and `$` make it all.
    Matching(Regex),
}

/// Whose signature is expected; what is not named may be anything.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// One of the names in the certificate.
    pub identity: Option<Expected>,
    /// Who vouched for it.
    pub issuer: Option<Expected>,
    /// The key that signed, where it is expected that no certificate comes with the
    /// signature.
    pub key: Option<PublicKey>,
}

impl Expected {
    /// What was typed: a text, or a regular expression.
    pub fn typed(text: Option<&str>, regexp: Option<&str>) -> Result<Option<Expected>, Fail> {
        match (text, regexp) {
            (Some(text), _) => Ok(Some(Expected::Exactly(text.to_owned()))),
            (None, Some(regexp)) => Regex::new(regexp)
                .map(|regex| Some(Expected::Matching(regex)))
                .map_err(|error| {
                    broken(format!("{regexp:?} is no regular expression: {error}"))
                        .hint("any name that ends so: '^.*@example\\.com$'")
                }),
            (None, None) => Ok(None),
        }
    }

    /// Whether a name is as it should be.
    pub(crate) fn holds(&self, text: &str) -> bool {
        match self {
            Expected::Exactly(expected) => expected == text,
            Expected::Matching(regex) => regex.is_match(text),
        }
    }

    /// As a sentence names it.
    pub(crate) fn text(&self) -> String {
        match self {
            Expected::Exactly(text) => text.clone(),
            Expected::Matching(regex) => format!("/{regex}/"),
        }
    }
}

impl Policy {
    /// Compares a certificate with what is expected.
    pub fn compare(&self, leaf: Option<&Leaf>) -> Vec<(Link, Verdict)> {
        let names = leaf.map(Leaf::identities).unwrap_or_default();
        let issuer: Vec<String> = leaf.and_then(Leaf::issuer_claim).into_iter().collect();
        let one = |link, expected: &Option<Expected>, found: &[String]| {
            let expected = expected.as_ref()?;
            let verdict = match found.iter().find(|found| expected.holds(found)) {
                Some(found) => Ok(format!("{found} is expected")),
                None if found.is_empty() => wrong(format!(
                    "{} is expected, and none is named",
                    expected.text()
                )),
                None => wrong(format!(
                    "{} is expected, and it is {}",
                    expected.text(),
                    found.join(", ")
                )),
            };
            Some((link, verdict))
        };
        [
            one(Link::Identity, &self.identity, &names),
            one(Link::Issuer, &self.issuer, &issuer),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
