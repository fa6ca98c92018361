//! Signing and verifying with the real cosign, and the memory of what was
//! signed here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::config::User;
use super::{Local, shards, trust};
use crate::artifact::{Artifact, Signature};
use crate::bundle;
use crate::encoding::hex;
use crate::fail::{Fail, broken};
use crate::plan::shell::quote;
use crate::plan::{Command, Plan, Step, Word};
use crate::rekor::Version;
use crate::words;
use crate::{http, state};

/// How many signatures are remembered.
const REMEMBERED: usize = 1000;

/// The names of the outputs that hold the digests of the images of one call.
const DIGESTS: [&str; 8] = [
    "IMAGE", "IMAGE_2", "IMAGE_3", "IMAGE_4", "IMAGE_5", "IMAGE_6", "IMAGE_7", "IMAGE_8",
];

impl Local {
    /// The user of this name.
    ///
    /// # Errors
    /// Where there is none; the names there are become the hint.
    pub fn user(&self, name: &str) -> Result<User> {
        let users = self.users()?;
        let names: Vec<_> = users.iter().map(|user| user.name.clone()).collect();
        if users.is_empty() {
            return Err(broken("there are no users")
                .hint("make them again: cargo xtask start")
                .into());
        }
        users
            .into_iter()
            .find(|user| user.name == name)
            .ok_or_else(|| {
                broken(format!("there is no user {name:?}"))
                    .hint(format!("the users are: {}", names.join(", ")))
                    .into()
            })
    }

    /// The plan that signs artifacts as a user, recorded by a version of Rekor.
    ///
    /// # Errors
    /// Where the user or that Rekor is not there, or too many images are named.
    pub fn sign_plan(&self, artifacts: &[Artifact], user: &str, version: Version) -> Result<Plan> {
        self.require_installed()?;
        self.rekor_address(version)?;
        // What cannot be remembered is not signed.
        self.signatures()?;
        let user = self.user(user)?;
        if artifacts.len() > DIGESTS.len() {
            return Err(broken(format!(
                "at most {} images can be signed at once",
                DIGESTS.len()
            ))
            .into());
        }
        let mut plan = Plan::new("sign", self.globals.clone());
        // Named after this process, so that two signers do not share anything.
        let call = std::process::id();
        let token = self.dir.join(format!("tmp/token-{call}"));
        let ask = words![
            "step",
            "token",
            "--as",
            &user.name,
            "--out",
            token.as_path()
        ];
        let title = format!("ask Dex for an identity token of {}", user.email);
        plan.push(Step::new("token", title).again().xtask(ask));
        let mut ends = vec!["token".to_owned()];
        for (i, artifact) in artifacts.iter().enumerate() {
            let suffix = numbered(i);
            let mut record = words!["step", "record", "--id", format!("{call}-{i}")];
            record.extend(words!["--rekor", version.name(), "--bundle"]);
            let (title, sign) = match artifact {
                Artifact::Image(image) => {
                    let digest = Word::output(DIGESTS[i]);
                    let look_up = words!["triangulate", "--type", "digest"];
                    let look_up = self.cosign(look_up, image, image.into())?;
                    let title = format!("look up the digest of {image}");
                    plan.push(
                        Step::new(format!("digest{suffix}"), title).run(look_up.output(DIGESTS[i])),
                    );
                    let bundle = self.dir.join(format!("tmp/bundle-{call}-{i}.json"));
                    let words = self.sign_words("sign", &token, version, &bundle);
                    record.extend([bundle.into(), "--image".into(), digest.clone()]);
                    let title = format!("sign {image} by its digest, as {}", user.email);
                    (title, self.cosign(words, image, digest)?)
                }
                Artifact::Blob { file, bundle } => {
                    let words = self.sign_words("sign-blob", &token, version, bundle);
                    record.extend(words![bundle.as_path(), "--blob", file.as_path()]);
                    let title = format!("sign {} as {}", file.display(), user.email);
                    (title, self.client(words, &[file.as_path().into()]))
                }
            };
            plan.push(
                Step::new(format!("sign{suffix}"), title)
                    .needs(["token".to_owned(), format!("digest{suffix}")])
                    .run(sign)
                    .xtask(record),
            );
            ends.push(format!("sign{suffix}"));
        }
        plan.push(
            Step::new("forget-token", "delete the identity token")
                .needs(ends)
                .always()
                .xtask(words!["step", "forget", token]),
        );
        Ok(plan)
    }

    fn sign_words(&self, verb: &str, token: &Path, version: Version, bundle: &Path) -> Vec<Word> {
        words![
            verb,
            "--yes",
            "--identity-token",
            token,
            "--signing-config",
            self.trust_file(&trust::signing_config(Some(version))),
            "--trusted-root",
            self.trust_file("trusted_root.json"),
            "--bundle",
            bundle,
        ]
    }

    /// The plan that verifies artifacts against an identity and an issuer.
    ///
    /// # Errors
    /// Where nothing is installed.
    pub fn verify_plan(&self, artifacts: &[Artifact], policy: &[Word]) -> Result<Plan> {
        self.require_installed()?;
        let mut plan = Plan::new("verify", self.globals.clone());
        for (i, artifact) in artifacts.iter().enumerate() {
            let suffix = numbered(i);
            let root = words!["--trusted-root", self.trust_file("trusted_root.json")];
            let (title, command) = match artifact {
                Artifact::Image(image) => {
                    let words = [words!["verify"], root, policy.to_vec()].concat();
                    (
                        format!("verify {image}"),
                        self.cosign(words, image, image.into())?,
                    )
                }
                Artifact::Blob { file, bundle } => {
                    let bundle = words!["--bundle", bundle.as_path()];
                    let words = [words!["verify-blob"], root, bundle, policy.to_vec()].concat();
                    (
                        format!("verify {}", file.display()),
                        self.client(words, &[file.as_path().into()]),
                    )
                }
            };
            plan.push(Step::new(format!("verify{suffix}"), title).run(command));
        }
        Ok(plan)
    }

    /// A cosign call about an image. For the workshop's own registry its
    /// certificate is the only one that counts; others are left to the system.
    fn cosign(&self, mut words: Vec<Word>, image: &str, last: Word) -> Result<Command> {
        let port = self.manifest.port("registry", &self.settings)?;
        if ["127.0.0.1", "localhost"]
            .iter()
            .any(|host| image.starts_with(&format!("{host}:{port}/")))
        {
            words.extend(words![
                "--registry-cacert",
                self.dir.join("keys/registry.pem")
            ]);
        }
        Ok(self.client(words, &[last]))
    }

    fn client(&self, words: Vec<Word>, last: &[Word]) -> Command {
        let program = words![self.servers.program("cosign")];
        Command::new([program, words, last.to_vec()].concat())
            .env("TUF_ROOT", self.tuf_root().to_string_lossy())
    }

    /// A file of the trust material.
    pub fn trust_file(&self, name: &str) -> PathBuf {
        self.dir.join("trust").join(name)
    }

    /// Asks Dex for an identity token by the password grant and writes it to a
    /// file that only its owner reads (`cargo xtask step token`).
    ///
    /// # Errors
    /// Where Dex does not answer or refuses.
    pub fn token(&self, user: &str, out: &Path) -> Result<()> {
        let user = self.user(user)?;
        let form = [
            ("grant_type", "password"),
            ("client_id", "sigstore"),
            ("scope", "openid email profile"),
            ("username", &user.email),
            ("password", &user.password),
        ];
        let url = format!("{}/token", self.issuer()?);
        let answer =
            http::post_form(&url, &form, Duration::from_secs(20)).map_err(|fail| Fail {
                what: format!(
                    "Dex gives no identity token to {}: {}",
                    user.email, fail.what
                ),
                ..fail
            })?;
        let answer: Value = serde_json::from_slice(&answer)
            .context("Dex answers with something that is no JSON")?;
        let token = answer["id_token"]
            .as_str()
            .ok_or_else(|| broken("Dex answers without an identity token"))?;
        state::write(out, token.as_bytes(), 0o600)
    }

    /// Remembers a signature (`cargo xtask step record`). Bundles of images are
    /// kept beside the trust material; those of files stay where they are.
    ///
    /// # Errors
    /// Where the bundle cannot be read or a file cannot be written.
    pub fn remember(
        &self,
        id: String,
        bundle: &Path,
        rekor: Version,
        artifact: &str,
        image: bool,
    ) -> Result<()> {
        let text = state::read(bundle)?
            .ok_or_else(|| broken(format!("cosign left no bundle at {}", bundle.display())))?;
        let read = bundle::read(&text)?;
        let leaf = read.leaf()?;
        let shard = match rekor {
            Version::V1 => shards::current(&self.dir, "rekor-v1")?.map(|shard| shard.number),
            Version::V2 => None,
        };
        let bundle = if image {
            let hash = hex(&Sha256::digest(&text)[..8]);
            let kept = self.dir.join(format!("signatures/{hash}.sigstore.json"));
            state::write(&kept, &text, 0o600)?;
            let _ = std::fs::remove_file(bundle);
            // Relative, so that it survives a move of the repository.
            kept.strip_prefix(&self.dir)?.to_owned()
        } else {
            std::path::absolute(bundle)?
        };
        let signature = Signature {
            id,
            artifact: artifact.to_owned(),
            image,
            identity: leaf.identities().first().cloned().unwrap_or_default(),
            issuer: leaf.issuer_claim(),
            rekor,
            log_index: read.log_index()?,
            shard,
            bundle,
        };
        let _held = state::exclusive(&self.dir.join("signatures.lock"))?;
        let mut all = self.signatures()?;
        all.push(signature);
        let surplus = all.len().saturating_sub(REMEMBERED);
        for old in all.drain(..surplus).filter(|old| old.image) {
            let _ = std::fs::remove_file(self.dir.join(old.bundle));
        }
        state::write_json(&self.dir.join("signatures.json"), &all)
    }

    /// The signatures that were made here, oldest first.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub fn signatures(&self) -> Result<Vec<Signature>> {
        let path = self.dir.join("signatures.json");
        match state::read_json(&path) {
            Ok(all) => Ok(all.unwrap_or_default()),
            Err(error) => Err(Fail {
                hints: vec![format!(
                    "it only remembers what was signed here, so it can go: rm {}",
                    quote(&path.to_string_lossy())
                )],
                ..Fail::from_error(&error)
            }
            .into()),
        }
    }
}

/// What tells the steps of several artifacts apart: nothing for the first, then
/// `-2`, `-3`.
fn numbered(i: usize) -> String {
    if i == 0 {
        String::new()
    } else {
        format!("-{}", i + 1)
    }
}
