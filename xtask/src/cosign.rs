//! Signing and verifying with the real cosign on this machine, for whatever
//! target: every call names the workshop's own trust material.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::artifact::Artifact;
use crate::entry::Version;
use crate::fail::broken;
use crate::plan::{Command, Plan, Step, Word};
use crate::words;

/// The names of the outputs that hold the digests of the images of one call.
const DIGESTS: [&str; 8] = [
    "IMAGE", "IMAGE_2", "IMAGE_3", "IMAGE_4", "IMAGE_5", "IMAGE_6", "IMAGE_7", "IMAGE_8",
];

/// A cosign and what it is given.
pub struct Cosign {
    /// The program.
    pub program: PathBuf,
    /// Where it keeps its own files, instead of the home directory.
    pub tuf_root: PathBuf,
    /// Whom to believe.
    pub trusted_root: PathBuf,
    /// The workshop's registry as this machine reaches it: hosts with ports.
    pub registry: Vec<String>,
    /// The only certificate that counts for it.
    pub registry_ca: PathBuf,
    /// Further environment variables.
    pub env: Vec<(String, String)>,
}

/// What a call signs, as whom.
pub struct Signing<'a> {
    /// The images or files.
    pub artifacts: &'a [Artifact],
    /// The name of the user or service account.
    pub user: &'a str,
    /// The same, as it will stand in the certificate.
    pub identity: &'a str,
    /// Who is asked for the token: `Dex`.
    pub issued_by: &'a str,
    /// Which servers to use.
    pub signing_config: &'a Path,
    /// The log that records it.
    pub rekor: Version,
    /// The target's directory, for the token and the bundles.
    pub dir: &'a Path,
    /// Further options of `step record`.
    pub record: Vec<Word>,
}

impl Cosign {
    /// Adds the steps that sign. They need the steps of `needs`, where these are in
    /// the plan. Returns the names of the last ones.
    ///
    /// # Errors
    /// Where too many images are named.
    pub fn push_sign(
        &self,
        plan: &mut Plan,
        signing: &Signing<'_>,
        needs: &[String],
    ) -> Result<Vec<String>> {
        let Signing {
            artifacts,
            user,
            identity,
            issued_by,
            signing_config,
            rekor,
            dir,
            record: ref more,
        } = *signing;
        if artifacts.len() > DIGESTS.len() {
            return Err(broken(format!(
                "at most {} images can be signed at once",
                DIGESTS.len()
            ))
            .into());
        }
        // Named after this process, so that two signers do not share anything.
        let call = std::process::id();
        let token = dir.join(format!("tmp/token-{call}"));
        let ask = words!["step", "token", "--as", user, "--out", token.as_path()];
        let title = format!("ask {issued_by} for an identity token of {identity}");
        plan.push(Step::new("token", title).again().xtask(ask));
        let mut ends = vec!["token".to_owned()];
        for (i, artifact) in artifacts.iter().enumerate() {
            let suffix = numbered(i);
            let mut record = words!["step", "record", "--id", format!("{call}-{i}")];
            record.extend(words!["--rekor", rekor.name(), "--bundle"]);
            let sign_words = |verb: &str, bundle: &Path| {
                words![
                    verb,
                    "--yes",
                    "--identity-token",
                    token.as_path(),
                    "--signing-config",
                    signing_config,
                    "--trusted-root",
                    self.trusted_root.as_path(),
                    "--bundle",
                    bundle
                ]
            };
            let (title, sign) = match artifact {
                Artifact::Image(image) => {
                    let digest = Word::output(DIGESTS[i]);
                    let look_up = words!["triangulate", "--type", "digest"];
                    let look_up = self.about(look_up, image, image.into());
                    let title = format!("look up the digest of {image}");
                    plan.push(
                        Step::new(format!("digest{suffix}"), title)
                            .needs(needs.iter())
                            .run(look_up.output(DIGESTS[i])),
                    );
                    let bundle = dir.join(format!("tmp/bundle-{call}-{i}.json"));
                    let words = sign_words("sign", &bundle);
                    record.extend([bundle.into(), "--image".into(), digest.clone()]);
                    let title = format!("sign {image} by its digest, as {identity}");
                    (title, self.about(words, image, digest))
                }
                Artifact::Blob { file, bundle } => {
                    let words = sign_words("sign-blob", bundle);
                    record.extend(words![bundle.as_path(), "--blob", file.as_path()]);
                    let title = format!("sign {} as {identity}", file.display());
                    (title, self.call(words, file.as_path().into()))
                }
            };
            plan.push(
                Step::new(format!("sign{suffix}"), title)
                    .needs(["token".to_owned(), format!("digest{suffix}")])
                    .needs(needs.iter())
                    .run(sign)
                    .xtask([record, more.clone()].concat()),
            );
            ends.push(format!("sign{suffix}"));
        }
        plan.push(
            Step::new("forget-token", "delete the identity token")
                .needs(ends.iter())
                .always()
                .xtask(words!["step", "forget", token]),
        );
        Ok(ends)
    }

    /// Adds the steps that verify against a policy: cosign's own options. Returns
    /// their names.
    pub fn push_verify(
        &self,
        plan: &mut Plan,
        artifacts: &[Artifact],
        policy: &[Word],
        needs: &[String],
    ) -> Vec<String> {
        let mut names = Vec::new();
        for (i, artifact) in artifacts.iter().enumerate() {
            let root = words!["--trusted-root", self.trusted_root.as_path()];
            let (title, command) = match artifact {
                Artifact::Image(image) => {
                    let words = [words!["verify"], root, policy.to_vec()].concat();
                    (
                        format!("verify {image}"),
                        self.about(words, image, image.into()),
                    )
                }
                Artifact::Blob { file, bundle } => {
                    let bundle = words!["--bundle", bundle.as_path()];
                    let words = [words!["verify-blob"], root, bundle, policy.to_vec()].concat();
                    (
                        format!("verify {}", file.display()),
                        self.call(words, file.as_path().into()),
                    )
                }
            };
            let name = format!("verify{}", numbered(i));
            plan.push(Step::new(&name, title).needs(needs.iter()).run(command));
            names.push(name);
        }
        names
    }

    /// A call about an image. For the workshop's own registry its certificate is
    /// the only one that counts; others are left to the system.
    fn about(&self, mut words: Vec<Word>, image: &str, last: Word) -> Command {
        let ours = |host: &String| {
            image
                .strip_prefix(host.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if self.registry.iter().any(ours) {
            words.extend(words!["--registry-cacert", self.registry_ca.as_path()]);
        }
        self.call(words, last)
    }

    fn call(&self, words: Vec<Word>, last: Word) -> Command {
        let program = words![self.program.as_path()];
        let mut command = Command::new([program, words, vec![last]].concat())
            .env("TUF_ROOT", self.tuf_root.to_string_lossy());
        command.env.extend(self.env.iter().cloned());
        command
    }
}

/// What tells the steps of several artifacts apart: nothing for the first, then
/// `-2`, `-3`.
pub fn numbered(i: usize) -> String {
    if i == 0 {
        String::new()
    } else {
        format!("-{}", i + 1)
    }
}
