//! How far the release of sigstore/scaffold is: it is installed in two phases.

use anyhow::Result;
use serde_json::Value;

use super::helm::{Helm, HelmRelease, SCAFFOLD, without_nulls};
use super::kubectl::Kubectl;
use super::servers::NAMESPACES_V1;
use crate::exec::output_of;
use crate::fail::broken;
use crate::words;

/// What the release leaves for later at first, and what it does once only: made
/// again, Fulcio's certificate authority would be another one.
pub const FIRST_PHASE_VALUES: [&str; 6] = [
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

/// How far the release is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ReleasePhase {
    /// It is not installed.
    None,
    /// Fulcio, and Trillian for Rekor v1, with these values; null where helm was
    /// interrupted.
    First(Value),
    /// All of it.
    Whole,
}

impl ReleasePhase {
    /// Asks helm how far it is.
    pub(super) fn now(helm: &Helm) -> Result<ReleasePhase> {
        helm.installed(SCAFFOLD).map(ReleasePhase::of)
    }

    fn of(release: Option<HelmRelease>) -> ReleasePhase {
        match release {
            None => ReleasePhase::None,
            Some(release) if release.values["fulcio"]["createcerts"]["enabled"] == true => {
                let deployed = release.status == "deployed";
                ReleasePhase::First(if deployed {
                    release.values
                } else {
                    Value::Null
                })
            }
            Some(_) => ReleasePhase::Whole,
        }
    }

    /// Whether it makes the tables of the database, or is past that.
    pub(super) fn has_tables(&self) -> bool {
        match self {
            ReleasePhase::None => false,
            ReleasePhase::First(values) => {
                values["trillian"]["createdb"]["enabled"] == Value::Bool(true)
            }
            ReleasePhase::Whole => true,
        }
    }

    /// How it is told that a step of the first phase has nothing to do.
    pub(super) fn past_first(&self) -> Option<String> {
        (*self == ReleasePhase::Whole).then(|| "the release is whole".to_owned())
    }

    /// Whether it is the first phase with these values, with or without the tables.
    pub(super) fn is_first_with(&self, wanted: &Value) -> bool {
        let ReleasePhase::First(values) = self else {
            return false;
        };
        let mut values = without_nulls(values);
        set(&mut values, "trillian.createdb.enabled", false);
        values == *wanted
    }
}

/// Sets a value as helm's `--set` does: what is on the way and no mapping becomes
/// one.
pub(super) fn set(values: &mut Value, path: &str, value: bool) {
    let mut place = values;
    for key in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = &mut place[key];
    }
    *place = Value::Bool(value);
}

/// Whether the release of Sigstore is the workshop's: its namespace tells.
pub(super) fn is_ours(kubectl: &Kubectl) -> Result<bool> {
    let home = kubectl.get("", &format!("namespace/{}", SCAFFOLD.namespace))?;
    Ok(home.is_some_and(|home| home.is_ours()))
}

/// Fails where the release is not the workshop's.
pub(super) fn refuse_foreign(kubectl: &Kubectl) -> Result<()> {
    if is_ours(kubectl)? {
        return Ok(());
    }
    Err(broken("the release scaffold is not the workshop's, and stays as it is").into())
}

/// Fails where the release has the logs: the first phase alone in its place would take
/// them away.
pub(super) fn refuse_whole(helm: &Helm) -> Result<()> {
    if ReleasePhase::now(helm)? != ReleasePhase::Whole {
        return Ok(());
    }
    Err(
        broken("the release is whole, and this step would take the logs from it")
            .hint("change the whole instead: cargo xtask scaffold --from scaffold")
            .into(),
    )
}

/// Removes the Jobs of the release: the template of a Job cannot be changed, so an
/// upgrade that needs another one would fail.
pub(super) fn clear_jobs(kubectl: &Kubectl, helm: &Helm) -> Result<()> {
    // The first upgrade of an install completes it: nothing has changed yet.
    if ReleasePhase::now(helm)? != ReleasePhase::Whole {
        return Ok(());
    }
    for namespace in NAMESPACES_V1 {
        let selector = "--selector=app.kubernetes.io/managed-by=Helm";
        let words = words!["jobs", selector, "--namespace", namespace];
        output_of(&kubectl.delete(words), None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn phase(values: Value) -> ReleasePhase {
        ReleasePhase::of(Some(HelmRelease {
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
        assert!(!ReleasePhase::of(None).has_tables());
        let makes = json!({"createcerts": {"enabled": true}});
        let first = json!({"fulcio": makes, "trillian": {"createdb": {"enabled": false}}});
        assert!(!phase(first).has_tables());
        let tables = json!({"fulcio": makes, "trillian": {"createdb": {"enabled": true}}});
        assert!(phase(tables.clone()).has_tables());
        assert_ne!(phase(tables), ReleasePhase::Whole);
        assert_eq!(
            phase(json!({"rekor": {"enabled": false}})),
            ReleasePhase::Whole
        );
    }
}
