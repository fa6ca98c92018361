//! The Jobs that sign and verify inside the cluster: rendered from the manifests
//! of `verify/`, followed until they end, and explained where they fail.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_yaml::Value as Yaml;

use super::objects::DEFAULT;
use super::{Cluster, settings};
use crate::bundle;
use crate::exec::each_line_of;
use crate::fail::{BROKEN, Fail, NOT_SO, broken};
use crate::plan::StepEvent;
use crate::problems;
use crate::state;
use crate::target::Signing;
use crate::words;

/// How long a Job may take: its image may have to be fetched.
pub const WITHIN: Duration = Duration::from_secs(300);

/// A Job that prints more lines than these does something else than its task.
const MOST: usize = 10_000;

/// What a Job does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Sign as a service account of [`DEFAULT`].
    Sign {
        /// Its name.
        account: String,
    },
    /// Verify against an identity and its issuer.
    Verify {
        /// Whose certificate is expected.
        identity: String,
        /// Who must have vouched for that name.
        issuer: String,
    },
}

impl Task {
    fn manifest(&self) -> &'static str {
        match self {
            Task::Sign { .. } => "verify/job-sign.yml",
            Task::Verify { .. } => "verify/job-verify.yml",
        }
    }
}

impl Cluster {
    /// A Job of the manifest, for this image and under this name.
    ///
    /// # Errors
    /// Where the manifest is damaged.
    pub fn job(&self, task: &Task, name: &str, image: &str) -> Result<Yaml> {
        let file = task.manifest();
        let mut job = settings::yaml(&self.manifest(file))?;
        let damaged = || broken(format!("{file} is no Job that this program can fill in"));
        let sample = self.sample()?;
        let arguments = &job["spec"]["template"]["spec"]["containers"][0]["args"];
        if !arguments.is_sequence() || !job["metadata"].is_mapping() {
            return Err(damaged().into());
        }
        job["metadata"]["name"] = name.into();
        let pod = &mut job["spec"]["template"]["spec"];
        if let Task::Sign { account } = task {
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
        if let Task::Verify { identity, issuer } = task {
            for (option, value) in [
                ("--certificate-identity=", identity),
                ("--certificate-oidc-issuer=", issuer),
            ] {
                let argument = arguments.iter_mut().find(|argument| {
                    argument
                        .as_str()
                        .is_some_and(|text| text.starts_with(option))
                });
                *argument.ok_or_else(damaged)? = format!("{option}{value}").into();
            }
        }
        Ok(job)
    }

    /// Writes a Job to a file (`cargo xtask step job`).
    ///
    /// # Errors
    /// Where the manifest is damaged or the file system refuses.
    pub fn write_job(&self, task: &Task, name: &str, image: &str, out: &Path) -> Result<()> {
        let text = serde_yaml::to_string(&self.job(task, name, image)?).context("write YAML")?;
        state::write(out, text.as_bytes(), 0o600)
    }

    /// Shows what a Job prints until it ends, and keeps the bundle that it prints
    /// where one is wanted (`cargo xtask step follow`).
    ///
    /// # Errors
    /// Exit status 1 where the Job fails, with the meaning of its last lines.
    pub fn follow(
        &self,
        job: &str,
        bundle: Option<&Path>,
        report: &dyn Fn(StepEvent<'_>),
    ) -> Result<()> {
        let until = |condition: &str, report: &dyn Fn(StepEvent<'_>)| {
            let conditions = [format!("{condition}/{job}")];
            self.wait_for(DEFAULT, &conditions, WITHIN, report)
        };
        // Its log begins when its pod does.
        until("begun", report).map_err(|error| could_not_look(&error))?;
        let lines = self.log_of(job, bundle, report)?;
        // What went wrong is in the log that has been shown.
        let ended = until("job", &|event| {
            if let StepEvent::Waiting(_) = event {
                report(event);
            }
        });
        let Err(error) = ended else { return Ok(()) };
        let fail = Fail::from_error(&error);
        if fail.exit != NOT_SO {
            return Err(error);
        }
        let last = lines[lines.len().saturating_sub(12)..].to_vec();
        let fail = problems::explain(broken(format!("the Job {job} failed")).tail(last));
        Err(fail.into())
    }

    /// Streams the log of a Job and returns its lines, without the bundle.
    fn log_of(
        &self,
        job: &str,
        bundle_file: Option<&Path>,
        report: &dyn Fn(StepEvent<'_>),
    ) -> Result<Vec<String>> {
        let words = words![
            "logs",
            "--follow",
            "--namespace",
            DEFAULT,
            "--all-containers",
            "--ignore-errors",
            format!("job/{job}")
        ];
        let mut lines = Vec::new();
        let mut kept = Ok(());
        each_line_of(&self.kubectl(words)?, &mut |line| {
            if let Some(file) = bundle_file.filter(|_| bundle::read(line.as_bytes()).is_ok()) {
                kept = state::write(file, line.as_bytes(), 0o600);
            } else {
                report(StepEvent::Line(line));
                lines.push(line.to_owned());
            }
            lines.len() < MOST
        })?;
        kept?;
        Ok(lines)
    }
}

/// That a Job did not run says nothing about the image: it is no "no".
fn could_not_look(error: &anyhow::Error) -> Fail {
    Fail {
        exit: BROKEN,
        ..Fail::from_error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
    use crate::target::TargetKind;

    #[test]
    fn a_damaged_manifest_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("verify")).unwrap();
        let state = State::open("/nowhere".into()).unwrap();
        let cluster =
            Cluster::open(temp.path(), &state, TargetKind::Cluster, Some("test"), &[]).unwrap();
        let task = Task::Sign {
            account: "bob".into(),
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
            assert!(cluster.job(&task, "sign-1", "x").is_err(), "{text}");
        }
    }

    #[test]
    fn a_job_differs_from_its_manifest_where_it_must() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let state = State::open("/nowhere".into()).unwrap();
        let cluster = Cluster::open(repo, &state, TargetKind::Cluster, Some("test"), &[]).unwrap();
        let sample = cluster.sample().unwrap();
        let task = Task::Sign {
            account: "bob".into(),
        };
        let own = cluster.job(&task, "sign-1", "registry/x@sha256:1").unwrap();
        let pod = &own["spec"]["template"]["spec"];
        assert_eq!(own["metadata"]["name"], "sign-1");
        assert_eq!(pod["serviceAccountName"], "bob");
        assert!(pod["initContainers"].is_null());
        let of_sample = cluster.job(&task, "sign-2", &sample).unwrap();
        assert!(!of_sample["spec"]["template"]["spec"]["initContainers"].is_null());
        let task = Task::Verify {
            identity: "https://example.com/me".into(),
            issuer: "https://issuer".into(),
        };
        let verify = cluster
            .job(&task, "verify-1", "registry/x@sha256:1")
            .unwrap();
        let text = serde_yaml::to_string(&verify).unwrap();
        assert!(
            text.contains("--certificate-identity=https://example.com/me\n"),
            "{text}"
        );
        assert!(
            text.contains("--certificate-oidc-issuer=https://issuer\n"),
            "{text}"
        );
    }
}
