//! Signing and verifying with the real cosign on this machine, for whatever
//! target: every call names the workshop's own trust material.

use std::path::{Path, PathBuf};

use crate::artifact::Artifact;
use crate::entry::Version;
use crate::plan::{Command, Plan, Step, Word, numbered};
use crate::target::Verification;
use crate::target::steps::{Forget, Record, Token};
use crate::words;

/// So many signatures are made before a token can end.
const UNDER_ONE_TOKEN: usize = 50;

/// What cosign says where Rekor v2 (rekor-tiles 2.3.0) did not take an entry because the
/// client of another entry in the same batch went away: it answers that to all of them.
const CANCELLED_BY_ANOTHER: &str = "unexpected response: 499";

/// A cosign and what it is given.
pub(crate) struct Cosign {
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
pub(crate) struct SignRequest<'a> {
    /// The images or files.
    pub artifacts: &'a [Artifact],
    /// The name of the user or service account.
    pub user: &'a str,
    /// The identity of the user, as it will stand in the certificate.
    pub identity: &'a str,
    /// Who is asked for the token: `Dex`.
    pub issued_by: &'a str,
    /// Which servers to use.
    pub signing_config: &'a Path,
    /// The log that records it.
    pub rekor: Version,
    /// The target's directory, for the token and the bundles.
    pub dir: &'a Path,
    /// The host under which the cluster's registry is reached.
    pub forwarded: Option<String>,
}

impl SignRequest<'_> {
    /// The file of the identity token. It is named after this process, so that two
    /// signers do not share anything.
    fn token(&self) -> PathBuf {
        self.dir.join(format!("tmp/token-{}", std::process::id()))
    }

    /// What gets the token. One that is there already is renewed only where it ends soon.
    fn asks_for_token(&self, renew: bool) -> Token {
        Token {
            user: self.user.to_owned(),
            out: self.token(),
            renew,
            to_sign: true,
        }
    }

    /// Where cosign writes the bundle of an artifact.
    fn bundle(&self, i: usize, artifact: &Artifact) -> PathBuf {
        let call = std::process::id();
        match artifact {
            Artifact::Image(_) => self.dir.join(format!("tmp/bundle-{call}-{i}.json")),
            Artifact::Blob { bundle, .. } => bundle.clone(),
        }
    }
}

impl Cosign {
    /// Adds the steps that sign. They need the steps of `needs`, where these are in
    /// the plan. Returns the names of the last ones.
    pub(crate) fn push_sign(
        &self,
        plan: &mut Plan,
        request: &SignRequest<'_>,
        needs: &[String],
    ) -> Vec<String> {
        let (issuer, identity) = (request.issued_by, request.identity);
        let title = format!("ask {issuer} for an identity token of {identity}");
        let token = request.asks_for_token(false);
        plan.push(Step::new("token", title).again().xtask(token));
        let mut ends = vec!["token".to_owned()];
        for (i, artifact) in request.artifacts.iter().enumerate() {
            if let Artifact::Image(image) = artifact {
                plan.push(self.digest_step(i, image).needs(needs));
            }
            let step = self.sign_step(request, i, artifact).needs(needs);
            ends.push(step.name.clone());
            plan.push(step);
        }
        plan.push(
            Step::new("forget-token", "delete the identity token")
                .needs(&ends)
                .always()
                .xtask(Forget {
                    file: request.token(),
                }),
        );
        ends
    }

    /// The step that looks up what is to be signed of an image.
    fn digest_step(&self, i: usize, image: &str) -> Step {
        let look_up = words!["triangulate", "--type", "digest"];
        let look_up = self.about(look_up, image, image.into());
        let title = format!("look up the digest of {image}");
        Step::new(format!("digest{}", numbered(i)), title).run(look_up.output(digest(i)))
    }

    /// The step that signs an artifact and remembers the signature.
    fn sign_step(&self, request: &SignRequest<'_>, i: usize, artifact: &Artifact) -> Step {
        let identity = request.identity;
        let mut record = Record {
            bundle: request.bundle(i, artifact),
            rekor: request.rekor,
            image: None,
            blob: None,
            forwarded: request.forwarded.clone(),
        };
        let sign_words = |verb: &str| {
            words![
                verb,
                "--yes",
                "--identity-token",
                request.token(),
                "--signing-config",
                request.signing_config,
                "--trusted-root",
                self.trusted_root.as_path(),
                "--bundle",
                record.bundle.as_path()
            ]
        };
        let (title, sign) = match artifact {
            Artifact::Image(image) => {
                // What a tag means may change between these steps; a digest stays.
                let digest = Word::output(digest(i));
                let sign = self.about(sign_words("sign"), image, digest.clone());
                record.image = Some(digest);
                let title = format!("sign {image} by its digest, as {identity}");
                (title, sign)
            }
            Artifact::Blob { file, .. } => {
                let sign = self.call(sign_words("sign-blob"), file.as_path().into());
                record.blob = Some(file.clone());
                (format!("sign {} as {identity}", file.display()), sign)
            }
        };
        let sign = sign.retried_where(CANCELLED_BY_ANOTHER);
        let suffix = numbered(i);
        let step = Step::new(format!("sign{suffix}"), title)
            .needs(["token".to_owned(), format!("digest{suffix}")]);
        // A token lives for minutes, and so many signatures may take longer.
        let step = match i < UNDER_ONE_TOKEN {
            true => step,
            false => step.xtask(request.asks_for_token(true)),
        };
        step.run(sign).xtask(record)
    }

    /// Adds the steps that verify, each of which needs the step that proved the same.
    /// Returns their names.
    pub(crate) fn push_verify(
        &self,
        plan: &mut Plan,
        asked: &Verification<'_>,
        needs: &[String],
        proved: &[String],
    ) -> Vec<String> {
        let mut names = Vec::new();
        for (i, artifact) in asked.artifacts.iter().enumerate() {
            let (verb, blob_verb) = match asked.attestation {
                None => (words!["verify"], words!["verify-blob"]),
                Some(kind) => (
                    words!["verify-attestation", "--type", kind],
                    words!["verify-blob-attestation", "--type", kind],
                ),
            };
            let root = words!["--trusted-root", self.trusted_root.as_path()];
            let policy = asked.signer.for_cosign();
            let (title, command) = match artifact {
                Artifact::Image(image) => {
                    let words = [verb, root, policy].concat();
                    let verify = self.about(words, image, image.into());
                    (format!("verify {image} with cosign"), verify)
                }
                Artifact::Blob { file, bundle } => {
                    let bundle = words!["--bundle", bundle.as_path()];
                    let words = [blob_verb, root, bundle, policy].concat();
                    let verify = self.call(words, file.as_path().into());
                    (format!("verify {} with cosign", file.display()), verify)
                }
            };
            let name = format!("verify{}", numbered(i));
            let needs = needs.iter().chain(proved.get(i));
            plan.push(Step::new(&name, title).needs(needs).run(command));
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

/// The name of the output that holds the digest of an image.
fn digest(i: usize) -> String {
    format!("IMAGE{}", numbered(i).replace('-', "_"))
}
