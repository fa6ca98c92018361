//! The Jobs that sign and verify inside the cluster, made of the manifests of `verify/`.

use std::path::Path;

use anyhow::{Context, Result};
use serde_yaml::Value as Yaml;

use super::yaml;
use crate::fail::broken;
use crate::state;
use crate::target::SignerArgs;

/// What a Job does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobTask {
    /// Sign as a service account of [`DEFAULT`].
    Sign {
        /// Its name.
        account: String,
        /// The signing config among the files that the Job is given.
        config: String,
    },
    /// Verify against an identity and its issuer.
    Verify {
        /// Whose certificate is expected, and who must have vouched for that name.
        signer: SignerArgs,
        /// The type of the attestation that is expected instead of a signature.
        attestation: Option<String>,
    },
}

impl JobTask {
    fn manifest(&self) -> &'static str {
        match self {
            JobTask::Sign { .. } => "verify/job-sign.yml",
            JobTask::Verify { .. } => "verify/job-verify.yml",
        }
    }
}

/// The image that is signed where none is named: that of the manifest.
pub(super) fn sample_image(repo: &Path) -> Result<String> {
    let job = yaml::read(&repo.join("verify/job-sign.yml"))?;
    let arguments = &job["spec"]["template"]["spec"]["containers"][0]["args"];
    let last = arguments.as_sequence().and_then(|all| all.last()?.as_str());
    Ok(last
        .context("verify/job-sign.yml names no image")?
        .to_owned())
}

/// The image that signs and verifies: that of the manifest's container.
pub(super) fn tool_image(repo: &Path) -> Result<String> {
    let job = yaml::read(&repo.join("verify/job-sign.yml"))?;
    let image = job["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
    let image = image.ok_or_else(|| broken("verify/job-sign.yml names no image"))?;
    Ok(image.to_owned())
}

/// A Job of the manifest, for this image and under this name.
fn job(repo: &Path, task: &JobTask, name: &str, image: &str) -> Result<Yaml> {
    let file = task.manifest();
    let mut job = yaml::read(&repo.join(file))?;
    let damaged = || broken(format!("{file} is no Job that this program can fill in"));
    let sample = sample_image(repo)?;
    let arguments = &job["spec"]["template"]["spec"]["containers"][0]["args"];
    if !arguments.is_sequence() || !job["metadata"].is_mapping() {
        return Err(damaged().into());
    }
    job["metadata"]["name"] = name.into();
    let pod = &mut job["spec"]["template"]["spec"];
    if let JobTask::Sign { account, .. } = task {
        pod["serviceAccountName"] = account.as_str().into();
        // It fetches the sample, and only that.
        if image != sample {
            pod.as_mapping_mut()
                .ok_or_else(damaged)?
                .remove("initContainers");
        }
    }
    let arguments = pod["containers"][0]["args"]
        .as_sequence_mut()
        .ok_or_else(damaged)?;
    *arguments.last_mut().ok_or_else(damaged)? = image.into();
    if let JobTask::Sign { config, .. } = task {
        let config = format!("--signing-config=/etc/sigstore/{config}");
        replace(arguments, "--signing-config=", config).ok_or_else(damaged)?;
    }
    if let JobTask::Verify {
        signer,
        attestation,
    } = task
    {
        if let Some(kind) = attestation {
            *arguments.first_mut().ok_or_else(damaged)? = "verify-attestation".into();
            arguments.insert(1, format!("--type={kind}").into());
        }
        for (option, value) in signer.certificate_options() {
            // The manifest has the option that compares whole names.
            let whole = format!("{}=", option.trim_end_matches("-regexp"));
            replace(arguments, &whole, format!("{option}={value}")).ok_or_else(damaged)?;
        }
    }
    Ok(job)
}

/// Puts another argument in the place of the one that begins like this; `None` where
/// there is none.
fn replace(arguments: &mut [Yaml], begins: &str, with: String) -> Option<()> {
    let mut arguments = arguments.iter_mut();
    let argument = arguments.find(|argument| {
        argument
            .as_str()
            .is_some_and(|text| text.starts_with(begins))
    });
    *argument? = with.into();
    Some(())
}

/// Writes a Job to a file (`cargo xtask step job`).
pub(super) fn write_job(
    repo: &Path,
    task: &JobTask,
    name: &str,
    image: &str,
    out: &Path,
) -> Result<()> {
    let text = serde_yaml::to_string(&job(repo, task, name, image)?).context("write YAML")?;
    state::write(out, text.as_bytes(), 0o600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_manifest_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("verify")).unwrap();
        let task = JobTask::Sign {
            account: "bob".into(),
            config: "signing_config.rekor-v2.json".into(),
        };
        for text in [
            "",
            "a",
            "[]",
            "{metadata: 1}",
            "{spec: {template: 1}}",
            "{spec: {template: {spec: {containers: [1]}}}}",
        ] {
            std::fs::write(temp.path().join("verify/job-sign.yml"), text).unwrap();
            assert!(job(temp.path(), &task, "sign-1", "x").is_err(), "{text}");
        }
    }

    #[test]
    fn a_job_differs_from_its_manifest_where_it_must() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let sample = sample_image(repo).unwrap();
        let task = JobTask::Sign {
            account: "bob".into(),
            config: "signing_config.rekor-v2.json".into(),
        };
        let own = job(repo, &task, "sign-1", "registry/x@sha256:1").unwrap();
        let pod = &own["spec"]["template"]["spec"];
        assert_eq!(own["metadata"]["name"], "sign-1");
        assert_eq!(pod["serviceAccountName"], "bob");
        assert!(pod["initContainers"].is_null());
        let arguments = serde_yaml::to_string(&pod["containers"][0]["args"]).unwrap();
        assert!(
            arguments.contains("/etc/sigstore/signing_config.rekor-v2.json\n"),
            "{arguments}"
        );
        let of_sample = job(repo, &task, "sign-2", &sample).unwrap();
        assert!(!of_sample["spec"]["template"]["spec"]["initContainers"].is_null());
        let task = JobTask::Verify {
            signer: SignerArgs {
                identity: Some("https://example.com/me".into()),
                issuer_regexp: Some("^https://issuer$".into()),
                ..SignerArgs::default()
            },
            attestation: Some("https://example.com/tested/v1".into()),
        };
        let verify = job(repo, &task, "verify-1", "registry/x@sha256:1").unwrap();
        let text = serde_yaml::to_string(&verify).unwrap();
        assert!(
            text.contains("--certificate-identity=https://example.com/me\n"),
            "{text}"
        );
        assert!(
            text.contains("--certificate-oidc-issuer-regexp=^https://issuer$\n"),
            "{text}"
        );
        let begins = "- verify-attestation\n        - --type=https://example.com/tested/v1\n";
        assert!(text.contains(begins), "{text}");
    }
}
