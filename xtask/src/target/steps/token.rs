//! `step token`: an identity token for Fulcio, in a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::SigningTarget;
use crate::plan::{StepArgs, StepEvent, Word};
use crate::{state, time, words};

/// A token that ends sooner than this is asked for again, in seconds.
const SOON: u64 = 120;

/// Get an identity token, for Fulcio
#[derive(Debug, Clone, PartialEq, Args)]
pub(crate) struct Token {
    /// The user.
    #[arg(long = "as", value_name = "USER")]
    pub(crate) user: String,
    /// The file it goes to, mode 0600.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Keep the one that is there, unless it ends within two minutes.
    #[arg(long)]
    pub(crate) renew: bool,
    /// Fail where the Fulcio that is given it does not run.
    #[arg(long)]
    pub(crate) to_sign: bool,
}

impl StepArgs for Token {
    const NAME: &'static str = "token";

    fn arguments(&self) -> Vec<Word> {
        let mut words = words!["--as", &self.user, "--out", self.out.as_path()];
        if self.renew {
            words.push("--renew".into());
        }
        if self.to_sign {
            words.push("--to-sign".into());
        }
        words
    }
}

impl Token {
    pub(crate) fn run(self, target: &dyn SigningTarget, _: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        if self.to_sign {
            target.require_fulcio()?;
        }
        let kept = state::read(&self.out)?.filter(|_| self.renew);
        let ends = kept.and_then(|token| expiry(&token));
        if ends.is_some_and(|ends| ends > time::unix_now() + SOON) {
            return Ok(());
        }
        target.write_token(&self.user, &self.out)
    }
}

/// When a token ends, in seconds since 1970 (`exp`, RFC 7519). Whether it is genuine is for
/// Fulcio to say.
fn expiry(token: &[u8]) -> Option<u64> {
    let claims = token.split(|byte| *byte == b'.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    serde_json::from_slice::<Value>(&claims).ok()?["exp"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_when_it_ends() {
        let token = |claims: &str| format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
        let ends = |claims| expiry(token(claims).as_bytes());
        assert_eq!(ends(r#"{"exp": 1700000000}"#), Some(1_700_000_000));
        assert_eq!(ends(r#"{"exp": "soon"}"#), None);
        assert_eq!(ends("{"), None);
        assert_eq!(expiry(b""), None);
        assert_eq!(expiry(b"a.%%.c"), None);
    }
}
