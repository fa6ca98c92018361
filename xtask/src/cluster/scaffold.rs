//! Sigstore itself: the chart sigstore/scaffold, in an order in which none of its
//! Jobs fails. A Job that fails once is tried again after ten seconds, then twenty,
//! and those that wait look every few seconds at most: what a Job needs comes
//! before the Job.

use std::sync::{Arc, OnceLock};

use anyhow::Result;
use serde_json::Value;

use super::Cluster;
use super::objects::DATABASE_SECRET;
use super::plans::{NAMESPACES, ready};
use super::releases::{Release, SCAFFOLD, without_nulls};
use super::steps::{ClearJobs, DatabaseSecret, Refusal};
use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::plan::{Plan, Step, Word};
use crate::words;

/// What must hold in a namespace, as [`Cluster::wait_for`] reads it.
pub struct Goal {
    /// The step that waits for it.
    pub step: &'static str,
    /// What it is, for a person.
    pub title: &'static str,
    /// The namespace.
    pub namespace: &'static str,
    /// The conditions.
    pub conditions: &'static str,
}

/// Trillian's database.
const DATABASE: Goal = Goal {
    step: "scaffold-database",
    title: "wait for Trillian's database",
    namespace: "trillian-system",
    conditions: "deployment/trillian-mysql",
};
/// Trillian.
const TRILLIAN: Goal = Goal {
    step: "scaffold-trillian",
    title: "wait for Trillian, the Merkle trees",
    namespace: "trillian-system",
    conditions: "ended/scaffold-trillian-createdb deployment/trillian-logserver deployment/trillian-logsigner",
};
/// Fulcio and its authority.
pub const FULCIO: Goal = Goal {
    step: "scaffold-fulcio",
    title: "wait for Fulcio, the certificate authority",
    namespace: "fulcio-system",
    conditions: "secret/fulcio-server-secret:cert deployment/fulcio-server",
};
/// Rekor and its tree.
pub const REKOR: Goal = Goal {
    step: "scaffold-rekor",
    title: "wait for Rekor, the transparency log",
    namespace: "rekor-system",
    conditions: "configmap/rekor-config:treeID deployment/rekor-server",
};
/// The CT log, its tree and its key.
pub const CTLOG: Goal = Goal {
    step: "scaffold-ctlog",
    title: "wait for the certificate transparency log",
    namespace: "ctlog-system",
    conditions: "configmap/ctlog-config:treeID secret/ctlog-public-key:public deployment/ctlog",
};

/// The certificates with which an ingress shows Fulcio and Rekor.
pub const INGRESS_TLS: [Goal; 2] = [
    Goal {
        step: "scaffold-fulcio-tls",
        title: "wait for the certificate of Fulcio's ingress",
        namespace: "fulcio-system",
        conditions: "secret/fulcio-tls:ca.crt certificate/fulcio-tls",
    },
    Goal {
        step: "scaffold-rekor-tls",
        title: "wait for the certificate of Rekor's ingress",
        namespace: "rekor-system",
        conditions: "secret/rekor-tls:ca.crt certificate/rekor-tls",
    },
];

/// What the release leaves for later at first, and what it does once only: made
/// again, Fulcio's certificate authority would be another one.
pub const GROUND: [&str; 6] = [
    "--set",
    "fulcio.createcerts.enabled=true",
    "--set",
    "rekor.enabled=false",
    "--set",
    "ctlog.enabled=false",
];

/// What makes the tables once the database is up. Whatever else the release has
/// stays as it is.
pub const TABLES: [&str; 3] = ["--reuse-values", "--set", "trillian.createdb.enabled=true"];

/// What the Jobs of Rekor make.
const REKOR_MADE: &str = "configmap/rekor-config:treeID";
/// What the Jobs of the CT log make.
const CTLOG_MADE: &str = "configmap/ctlog-config:treeID secret/ctlog-public-key:public";

/// How far the release is.
#[derive(Debug, Clone, PartialEq)]
enum Stage {
    /// There is none.
    None,
    /// Fulcio and Trillian, with these values; null where helm was interrupted.
    Ground(Value),
    /// All of it.
    Whole,
}

impl Stage {
    fn of(release: Option<Release>) -> Stage {
        match release {
            None => Stage::None,
            Some(release) if release.values["rekor"]["enabled"] == Value::Bool(false) => {
                let deployed = release.status == "deployed";
                Stage::Ground(if deployed {
                    release.values
                } else {
                    Value::Null
                })
            }
            Some(_) => Stage::Whole,
        }
    }

    /// Whether it makes the tables of the database, or is past that.
    fn has_tables(&self) -> bool {
        match self {
            Stage::None => false,
            Stage::Ground(values) => values["trillian"]["createdb"]["enabled"] == Value::Bool(true),
            Stage::Whole => true,
        }
    }
}

impl Cluster {
    /// Adds the steps that install Sigstore.
    ///
    /// # Errors
    /// Where the chart or its values are not there.
    pub fn push_scaffold(&self, plan: &mut Plan) -> Result<()> {
        self.push_secrets(plan)?;
        self.push_ground(plan)?;
        let release = self.release_words(SCAFFOLD)?;
        let whole = self.clone();
        plan.push(
            Step::new("scaffold", "install Rekor and the CT log as well")
                .needs([
                    "begin",
                    "scaffold-trees",
                    "scaffold-authority",
                    "scaffold-rekor-key",
                ])
                .done(move || {
                    let done = whole.is_current(SCAFFOLD)? && whole.logs_are_coming()?;
                    Ok(done.then(|| "it is as it should be".to_owned()))
                })
                .xtask(ClearJobs {})
                .run(self.helm([words!["upgrade", "--install"], release].concat())?),
        );
        for goal in [&TRILLIAN, &FULCIO, &REKOR, &CTLOG] {
            plan.push(self.goal_step(goal).needs(["scaffold"]));
        }
        if self.settings()?.ingress.is_some() {
            for goal in &INGRESS_TLS {
                plan.push(self.goal_step(goal).needs(["scaffold", "issuer"]));
            }
        }
        Ok(())
    }

    fn goal_step(&self, goal: &Goal) -> Step {
        let cluster = self.clone();
        let (namespace, conditions) = (goal.namespace, goal.conditions);
        Step::new(goal.step, goal.title)
            .done(move || {
                let lacking = cluster.lacking(namespace, conditions)?;
                Ok(lacking.is_empty().then(|| "it is up".to_owned()))
            })
            .ready(ready(namespace, conditions))
    }

    /// What the chart would otherwise make up anew at each upgrade.
    fn push_secrets(&self, plan: &mut Plan) -> Result<()> {
        let (namespace, name) = DATABASE_SECRET;
        let secret = self.clone();
        plan.push(
            Step::new(
                "scaffold-database-secret",
                "make the passwords of Trillian's database",
            )
            .needs(["namespaces"])
            .done(move || {
                let key = format!("secret/{name}:mysql-password");
                let lacking = secret.lacking(namespace, &key)?;
                Ok(lacking.is_empty().then(|| "they are there".to_owned()))
            })
            .xtask(DatabaseSecret {}),
        );
        const KEY: Goal = Goal {
            step: "scaffold-rekor-key",
            title: "have the key made that Rekor signs with",
            namespace: "rekor-system",
            conditions: "secret/rekor-signer:tls.key",
        };
        plan.push(
            self.goal_step(&KEY)
                .needs(["issuer"])
                .run(self.apply_command(&["deploy/certificate-rekor.yml"])?),
        );
        Ok(())
    }

    /// What the logs stand on. Once the release is whole, these steps have nothing to
    /// do: whatever is wrong with it then is for the upgrade of the whole to mend.
    fn push_ground(&self, plan: &mut Plan) -> Result<()> {
        let cluster = self.clone();
        let memo: Arc<OnceLock<Result<Stage, Fail>>> = Arc::default();
        // No step but the last changes the answer that matters, so it is asked for once.
        let stage = move || -> Result<Stage> {
            let look = || cluster.release(SCAFFOLD).map(Stage::of);
            let found = memo.get_or_init(|| look().map_err(|error| Fail::from_error(&error)));
            Ok(found.clone()?)
        };
        let past =
            |stage: &Stage| (*stage == Stage::Whole).then(|| "the release is whole".to_owned());
        let wanted = self.wanted_ground()?;
        let (at, set): (_, Vec<Word>) = (stage.clone(), GROUND.map(Into::into).into());
        let install = [
            words!["upgrade", "--install"],
            self.release_words(SCAFFOLD)?,
            set,
        ]
        .concat();
        plan.push(
            Step::new("scaffold-ground", "install Fulcio and Trillian")
                // An Ingress is refused until the controller is up.
                .needs([
                    "begin",
                    "ingress",
                    "scaffold-database-secret",
                    "scaffold-chart",
                ])
                .done(move || {
                    let stage = at()?;
                    Ok(past(&stage).or_else(|| match &stage {
                        Stage::Ground(values) if without_tables(values) == wanted => {
                            Some("it is as it should be".to_owned())
                        }
                        _ => None,
                    }))
                })
                // On a whole release this would remove the logs.
                .xtask(Refusal::WholeRelease.step())
                .run(self.helm(install)?),
        );
        let upgrade = words![
            "upgrade",
            SCAFFOLD.chart,
            self.chart_path(SCAFFOLD.chart)?,
            "--namespace",
            SCAFFOLD.namespace
        ];
        let awaited = |goal: &Goal, step: &'static str| {
            let (cluster, at) = (self.clone(), stage.clone());
            let (namespace, conditions) = (goal.namespace, goal.conditions);
            Step::new(step, goal.title)
                .done(move || {
                    if let Some(past) = past(&at()?) {
                        return Ok(Some(past));
                    }
                    let lacking = cluster.lacking(namespace, conditions)?;
                    Ok(lacking.is_empty().then(|| "it is up".to_owned()))
                })
                .ready(ready(namespace, conditions))
        };
        plan.push(awaited(&DATABASE, DATABASE.step).needs(["scaffold-ground"]));
        let at = stage.clone();
        plan.push(
            Step::new("scaffold-tables", "have the tables of the database made")
                .needs([DATABASE.step])
                .done(move || Ok(at()?.has_tables().then(|| "they are made".to_owned())))
                .run(self.helm([upgrade, TABLES.map(Into::into).into()].concat())?),
        );
        plan.push(awaited(&TRILLIAN, "scaffold-trees").needs(["scaffold-tables"]));
        plan.push(awaited(&FULCIO, "scaffold-authority").needs(["scaffold-ground"]));
        Ok(())
    }

    /// Whether the Jobs of the logs have made what they make, or are still at it.
    /// One that has given up is made again by an upgrade.
    fn logs_are_coming(&self) -> Result<bool> {
        for (namespace, made) in [(REKOR.namespace, REKOR_MADE), (CTLOG.namespace, CTLOG_MADE)] {
            if self.lacking(namespace, made)?.is_empty() {
                continue;
            }
            let jobs = self.find(namespace, "jobs")?.unwrap_or_default();
            let jobs = jobs["items"].as_array().cloned().unwrap_or_default();
            if !jobs
                .iter()
                .any(|job| job["status"]["active"].as_u64().unwrap_or(0) > 0)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The values of the ground, as helm remembers them.
    fn wanted_ground(&self) -> Result<Value> {
        let mut values = without_nulls(&self.wanted_values(SCAFFOLD.chart)?);
        for assignment in GROUND.iter().filter_map(|word| word.split_once('=')) {
            let (path, value) = assignment;
            set(&mut values, path, value == "true");
        }
        Ok(values)
    }

    /// Fails where the release has the logs (`cargo xtask step refuse whole-release`): the
    /// ground alone in its place would take them away.
    ///
    /// # Errors
    /// Exactly then, or where helm fails.
    pub fn refuse_whole(&self) -> Result<()> {
        if self.release(SCAFFOLD).map(Stage::of)? != Stage::Whole {
            return Ok(());
        }
        Err(
            broken("the release is whole, and this step would take the logs from it")
                .hint("change the whole instead: cargo xtask scaffold --from scaffold")
                .into(),
        )
    }

    /// Removes the Jobs of the release (`cargo xtask step clear-jobs`): the template
    /// of a Job cannot be changed, so an upgrade that needs another one would fail.
    ///
    /// # Errors
    /// Where the cluster refuses.
    pub fn clear_jobs(&self) -> Result<()> {
        // The first upgrade of an install completes it: nothing has changed yet.
        if self.release(SCAFFOLD).map(Stage::of)? != Stage::Whole {
            return Ok(());
        }
        for namespace in NAMESPACES {
            let selector = "--selector=app.kubernetes.io/managed-by=Helm";
            let words = words!["jobs", selector, "--namespace", namespace];
            output_of(&self.delete(words)?, None)?;
        }
        Ok(())
    }
}

/// The values of a ground as they are before its tables are made.
fn without_tables(values: &Value) -> Value {
    let mut values = without_nulls(values);
    set(&mut values, "trillian.createdb.enabled", false);
    values
}

/// Sets a value as helm's `--set` does: what is on the way and no mapping becomes
/// one.
fn set(values: &mut Value, path: &str, value: bool) {
    let mut place = values;
    for key in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = &mut place[key];
    }
    *place = Value::Bool(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stage(values: Value) -> Stage {
        Stage::of(Some(Release {
            status: "deployed".into(),
            version: "1".into(),
            values,
        }))
    }

    #[test]
    fn a_value_is_set_whatever_is_on_the_way() {
        for below in [
            json!(null),
            json!("text"),
            json!({"a": 1}),
            json!({"a": {"c": 2}}),
        ] {
            let mut values = below;
            set(&mut values, "a.b", true);
            assert_eq!(values["a"]["b"], true);
        }
    }

    #[test]
    fn the_values_of_a_release_tell_how_far_it_is() {
        assert!(!Stage::of(None).has_tables());
        let ground =
            json!({"rekor": {"enabled": false}, "trillian": {"createdb": {"enabled": false}}});
        assert!(!stage(ground).has_tables());
        let tables =
            json!({"rekor": {"enabled": false}, "trillian": {"createdb": {"enabled": true}}});
        assert!(stage(tables.clone()).has_tables());
        assert_ne!(stage(tables), Stage::Whole);
        assert_eq!(
            stage(json!({"trillian": {"createdb": {"enabled": false}}})),
            Stage::Whole
        );
    }
}
