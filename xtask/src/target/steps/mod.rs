//! The steps that every target has, each in its file: arguments, words and work.

pub(crate) mod forget;
pub(crate) mod preflight;
pub(crate) mod prove;
pub(crate) mod record;
pub(crate) mod token;
pub(crate) mod unsign;

pub(crate) use forget::Forget;
pub(crate) use preflight::Preflight;
pub(crate) use prove::{Prove, push_prove};
pub(crate) use record::Record;
pub(crate) use token::Token;
pub(crate) use unsign::{Unsign, push_unsign, push_unsign_of};

use std::path::Path;

use anyhow::Result;

use super::Target;
use crate::entry::Version;

/// What the steps of a signature ask of the target that they are of.
pub(crate) trait SigningTarget: Target {
    /// Gets an identity token of a user for Fulcio, and writes it to a file that only
    /// its owner reads.
    fn write_token(&self, user: &str, out: &Path) -> Result<()>;

    /// Fails where somebody else than our Fulcio would be given a token.
    fn require_fulcio(&self) -> Result<()>;

    /// The name by digest of an image that was signed with this bundle; `forwarded` is
    /// the host under which the target's registry was reached.
    fn name_of_image(
        &self,
        image: String,
        bundle: &Path,
        forwarded: Option<&str>,
    ) -> Result<String>;

    /// The shard of Rekor's log that holds the entry of a bundle, where shards are counted.
    fn shard_of(&self, rekor: Version, bundle: &Path) -> Result<Option<usize>>;
}

/// Some of each, for the tests of the lists that have them.
#[cfg(test)]
pub(crate) fn samples<S>() -> Vec<S>
where
    S: From<Token> + From<Forget> + From<Unsign> + From<Record> + From<Preflight>,
{
    use super::PreflightOptions;
    use crate::entry::Versions;

    let record = Record {
        bundle: "/tmp/bundle".into(),
        rekor: Version::V1,
        image: Some("a/b@sha256:0".into()),
        blob: None,
        forwarded: None,
    };
    let forwarded = Record {
        forwarded: Some("127.0.0.1:1".into()),
        ..record.clone()
    };
    let unsign = |attestations| Unsign {
        image: "a/b:c".into(),
        attestations,
    };
    let chosen = PreflightOptions {
        rekor: Some(Versions::V1),
        ports: 20_000.into(),
    };
    let token = Token {
        user: "alice".into(),
        out: "/a b/token".into(),
        renew: false,
        to_sign: false,
    };
    let forget = Forget {
        file: "/tmp/token".into(),
    };
    // Those with options come with and without them, since each is written in its own words.
    vec![
        Token {
            renew: true,
            to_sign: true,
            ..token.clone()
        }
        .into(),
        token.into(),
        forget.into(),
        unsign(true).into(),
        unsign(false).into(),
        record.into(),
        forwarded.into(),
        Preflight::default().into(),
        Preflight { options: chosen }.into(),
    ]
}
