//! Who must have signed, as it is typed.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use crate::fail::broken;
use crate::format::key::{PublicKey, Unproved};
use crate::plan::Word;
use crate::proof::policy::{Expected, Policy};
use crate::state;
use crate::words;

/// Who must have signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SignerArgs {
    /// Who must have signed [default: anybody; for verify alice@example.com, on a cluster the
    /// service account default]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["identity_regexp", "key"])]
    pub identity: Option<String>,
    /// The same as a regular expression that must be found in the name
    #[arg(long, value_name = "REGEXP", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "key")]
    pub identity_regexp: Option<String>,
    /// Who must have vouched for that name [default: anybody; for verify the workshop's Dex, or
    /// the cluster's issuer]
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["issuer_regexp", "key"])]
    pub issuer: Option<String>,
    /// The same as a regular expression that must be found in the URL
    #[arg(long, value_name = "REGEXP", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "key")]
    pub issuer_regexp: Option<String>,
    /// The public key, PEM, that must have signed, where no certificate names a signer
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

impl SignerArgs {
    /// Whether anything is expected of the signer.
    pub(crate) fn is_given(&self) -> bool {
        *self != SignerArgs::default()
    }

    /// Whether a name is expected, or a key.
    pub(crate) fn names_signer(&self) -> bool {
        self.identity.is_some() || self.identity_regexp.is_some() || self.key.is_some()
    }

    /// Whether an issuer is expected, or a key.
    pub(crate) fn names_issuer(&self) -> bool {
        self.issuer.is_some() || self.issuer_regexp.is_some() || self.key.is_some()
    }

    /// The regular expressions that are found anywhere in a name, so that more names match
    /// than it seems.
    ///
    /// # Errors
    /// Where one of them is no regular expression.
    pub(crate) fn unanchored(&self) -> Result<Vec<&String>> {
        let all = self.identity_regexp.iter().chain(&self.issuer_regexp);
        let mut unanchored = Vec::new();
        for regexp in all {
            Expected::typed(None, Some(regexp))?;
            if !(regexp.starts_with('^') && regexp.ends_with('$')) {
                unanchored.push(regexp);
            }
        }
        Ok(unanchored)
    }

    /// What that means for a certificate, or a key.
    pub(crate) fn policy(&self) -> Result<Policy> {
        let (identity, issuer) = (self.identity.as_deref(), self.issuer.as_deref());
        Ok(Policy {
            identity: Expected::typed(identity, self.identity_regexp.as_deref())?,
            issuer: Expected::typed(issuer, self.issuer_regexp.as_deref())?,
            key: self.public_key()?,
        })
    }

    fn public_key(&self) -> Result<Option<PublicKey>> {
        let Some(file) = &self.key else {
            return Ok(None);
        };
        let name = file.display();
        let text = state::read(file)?.ok_or_else(|| broken(format!("there is no file {name}")))?;
        let der = SubjectPublicKeyInfoDer::from_pem_slice(&text).map_err(|_| {
            broken(format!("{name} is not a public key in PEM"))
                .hint("a private key has one: openssl pkey -in FILE -pubout")
        })?;
        let key = PublicKey::from_der(&der).map_err(|why| {
            let (Unproved::Wrong(why) | Unproved::NotRead(why)) = why;
            broken(why)
        });
        Ok(Some(key.with_context(|| format!("{name}"))?))
    }

    /// It as the options of this program.
    pub(crate) fn words(&self) -> Vec<Word> {
        let mut words = Vec::new();
        let options = [
            ("--identity", &self.identity),
            ("--identity-regexp", &self.identity_regexp),
            ("--issuer", &self.issuer),
            ("--issuer-regexp", &self.issuer_regexp),
        ];
        for (option, value) in options {
            if let Some(value) = value {
                words.extend(words![option, value]);
            }
        }
        if let Some(key) = &self.key {
            words.extend(words!["--key", key.as_path()]);
        }
        words
    }

    /// It as cosign's own options.
    pub(crate) fn for_cosign(&self) -> Vec<Word> {
        let mut words = Vec::new();
        for (option, value) in self.certificate_options() {
            words.extend(words![option, value]);
        }
        if let Some(key) = &self.key {
            words.extend(words!["--key", key.as_path()]);
        }
        words
    }

    /// cosign's options that name what a certificate must hold, and their values.
    pub(crate) fn certificate_options(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let options = [
            ("--certificate-identity", &self.identity),
            ("--certificate-identity-regexp", &self.identity_regexp),
            ("--certificate-oidc-issuer", &self.issuer),
            ("--certificate-oidc-issuer-regexp", &self.issuer_regexp),
        ];
        options
            .into_iter()
            .filter_map(|(option, value)| Some((option, value.as_ref()?)))
    }

    /// Who is expected, as a sentence names it.
    pub(crate) fn expected(&self) -> String {
        match (&self.identity, &self.identity_regexp, &self.key) {
            (Some(name), _, _) => name.clone(),
            (None, Some(regexp), _) => format!("a name that matches {regexp}"),
            (None, None, Some(key)) => format!("the key {}", key.display()),
            (None, None, None) => "anybody".to_owned(),
        }
    }
}
