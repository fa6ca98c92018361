//! `client sign|verify FILE [tuf]`: sigstore-rust against the Sigstore that `cargo xtask
//! env` names. With `tuf` it takes the trusted root and the signing config by TUF, or else
//! from files. The identity token is in the file TOKEN.

use std::fs;

use anyhow::{Result, bail};
use sigstore_sign::oidc::IdentityToken;
use sigstore_sign::trust_root::{SigningConfig, TrustedRoot, TufBootstrap, TufConfig};
use sigstore_sign::{SigningContext, SigningServices};
use sigstore_verify::types::Bundle;
use sigstore_verify::{VerificationPolicy, verify};

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, file, ..] = &words[..] else {
        bail!("client sign|verify FILE [tuf]");
    };
    let by_tuf = words.get(2).is_some();
    let (artifact, bundle) = (fs::read(file)?, format!("{file}.sigstore.json"));
    match what.as_str() {
        "sign" => {
            let config = match by_tuf {
                true => SigningConfig::from_tuf(tuf()?).await?,
                false => SigningConfig::from_file(env("WORKSHOP_SIGNING_CONFIG")?)?,
            };
            let services = SigningServices::from_signing_config(&config)?;
            let token = IdentityToken::from_jwt(fs::read_to_string("TOKEN")?.trim())?;
            let signer = SigningContext::new(services).signer(token);
            let made = signer.sign(artifact.as_slice()).await?;
            fs::write(bundle, made.to_json_pretty()?)?;
        }
        "verify" => {
            let root = match by_tuf {
                true => TrustedRoot::from_tuf(tuf()?).await?,
                false => TrustedRoot::from_file(env("WORKSHOP_TRUSTED_ROOT")?)?,
            };
            let bundle: Bundle = serde_json::from_str(&fs::read_to_string(bundle)?)?;
            let policy = VerificationPolicy::new(env("WORKSHOP_IDENTITY")?, env("WORKSHOP_ISSUER")?);
            verify(artifact.as_slice(), &bundle, &policy, &root)?;
        }
        other => bail!("there is no {other}"),
    }
    Ok(())
}

fn tuf() -> Result<TufConfig> {
    let first = TufBootstrap::trusted(fs::read(env("WORKSHOP_TUF_ANCHOR")?)?);
    Ok(TufConfig::custom(env("WORKSHOP_TUF")?, first).with_cache_dir("tuf-of-rust".into()))
}

fn env(name: &str) -> Result<String> {
    Ok(std::env::var(name)?)
}
