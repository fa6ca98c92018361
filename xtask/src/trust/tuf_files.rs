//! A TUF repository in files, as far as it is read here: which files clients need, and
//! when its roles end (TUF specification, sections 4 and 6.2).

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::state;
use crate::time;

/// The newest roles of a repository with consistent snapshots.
#[derive(Debug)]
pub(crate) struct TufFiles {
    /// Each role by its name, as its file holds it.
    roles: [(&'static str, Value); 4],
    /// How many roots there are.
    roots: u64,
}

impl TufFiles {
    /// Reads them; `None` where nothing is published.
    ///
    /// # Errors
    /// Where the repository is damaged.
    pub(crate) fn read(dir: &Path) -> Result<Option<TufFiles>> {
        let read = |name: String| state::read_json::<Value>(&dir.join(name));
        let Some(timestamp) = read("timestamp.json".into())? else {
            return Ok(None);
        };
        let snapshot = read(format!("{}.snapshot.json", version(&timestamp, "snapshot")))?;
        let snapshot = snapshot.unwrap_or_default();
        let targets = read(format!("{}.targets.json", version(&snapshot, "targets")))?;
        let mut root = Value::Null;
        let mut roots = 0;
        while let Some(next) = read(format!("{}.root.json", roots + 1))? {
            root = next;
            roots += 1;
        }
        let roles = [
            ("timestamp", timestamp),
            ("snapshot", snapshot),
            ("targets", targets.unwrap_or_default()),
            ("root", root),
        ];
        Ok(Some(TufFiles { roles, roots }))
    }

    /// The role that ends first, and when.
    ///
    /// # Errors
    /// Where a role has no end, as one that is missing.
    pub(crate) fn first_end(&self) -> Result<(&'static str, SystemTime)> {
        let mut ends = Vec::new();
        for (name, role) in &self.roles {
            let end = role["signed"]["expires"].as_str();
            let end = end.with_context(|| format!("the TUF role {name} has no end"))?;
            ends.push((*name, time::parse(end).context("the end of a TUF role")?));
        }
        let first = ends.into_iter().min_by_key(|(_, end)| *end);
        first.context("a TUF repository without a role")
    }

    /// The files that clients need, below the directory of the repository: every root,
    /// for those who begin with the first one, and the newest of all else.
    pub(crate) fn needed(&self) -> Vec<String> {
        let [(_, timestamp), (_, snapshot), (_, targets), _] = &self.roles;
        let mut all: Vec<String> = (1..=self.roots)
            .map(|number| format!("{number}.root.json"))
            .collect();
        all.push("timestamp.json".into());
        all.push(format!("{}.snapshot.json", version(timestamp, "snapshot")));
        all.push(format!("{}.targets.json", version(snapshot, "targets")));
        let named = targets["signed"]["targets"].as_object();
        for (name, target) in named.into_iter().flatten() {
            let hash = target["hashes"]["sha256"].as_str().unwrap_or_default();
            all.push(format!("targets/{hash}.{name}"));
        }
        all
    }
}

/// The version of a role that another one names.
fn version(of: &Value, name: &str) -> u64 {
    let named = &of["signed"]["meta"][format!("{name}.json")]["version"];
    named.as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(expires: &str, more: Value) -> Value {
        let mut signed = json!({"expires": expires});
        for (name, value) in more.as_object().unwrap() {
            signed[name] = value.clone();
        }
        json!({ "signed": signed })
    }

    #[test]
    fn clients_need_every_root_and_the_newest_of_all_else() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, value: &Value| {
            state::write_json(&dir.path().join(name), value).unwrap();
        };
        assert!(TufFiles::read(dir.path()).unwrap().is_none());
        let meta = |name: &str, version: u64| json!({"meta": {name: {"version": version}}});
        write(
            "timestamp.json",
            &role("2026-01-08T00:00:00Z", meta("snapshot.json", 3)),
        );
        write(
            "3.snapshot.json",
            &role("2026-04-01T00:00:00Z", meta("targets.json", 2)),
        );
        write(
            "2.snapshot.json",
            &role("2026-03-01T00:00:00Z", meta("targets.json", 1)),
        );
        let target = json!({"targets": {"a.json": {"hashes": {"sha256": "00ff"}}}});
        write("2.targets.json", &role("2026-04-01T00:00:00Z", target));
        for number in [1, 2] {
            let name = format!("{number}.root.json");
            write(&name, &role("2027-01-01T00:00:00Z", json!({})));
        }
        let files = TufFiles::read(dir.path()).unwrap().unwrap();
        assert_eq!(
            files.needed(),
            [
                "1.root.json",
                "2.root.json",
                "timestamp.json",
                "3.snapshot.json",
                "2.targets.json",
                "targets/00ff.a.json",
            ]
        );
        let (name, end) = files.first_end().unwrap();
        assert_eq!(
            (name, time::format(end).as_str()),
            ("timestamp", "2026-01-08T00:00:00Z")
        );
        std::fs::remove_file(dir.path().join("2.targets.json")).unwrap();
        let damaged = TufFiles::read(dir.path()).unwrap().unwrap();
        assert!(damaged.first_end().is_err());
    }
}
