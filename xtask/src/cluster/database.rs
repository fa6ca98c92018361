//! The passwords of Trillian's database, which the chart would otherwise make up again
//! at each upgrade.

use anyhow::Result;
use serde_json::json;

use super::conditions::{Condition, ConditionKind};
use super::kubectl::Kubectl;
use super::object::labels;
use super::servers::TRILLIAN_DATABASE;
use crate::format::hex::hex;
use crate::random::random;

/// The name of the Secret with the passwords, which is where the database is.
const SECRET: &str = "trillian-mysql-auth";

/// That there are passwords.
pub(crate) static PASSWORDS: [Condition; 1] = [Condition::key(
    ConditionKind::Secret,
    SECRET,
    "mysql-password",
)];

/// Makes the passwords where there are none. They go from here to the API server on
/// standard input, and nowhere else.
pub(crate) fn make_passwords(kubectl: &Kubectl) -> Result<()> {
    let namespace = TRILLIAN_DATABASE.namespace;
    if kubectl
        .get(namespace, &format!("secret/{SECRET}"))?
        .is_some()
    {
        return Ok(());
    }
    let root = hex(&random::<24>()?);
    let password = hex(&random::<24>()?);
    kubectl.create(&json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": namespace, "labels": labels()},
        "type": "Opaque",
        "stringData": {
            "mysql-root-password": root,
            "mysql-password": password,
            "mysql-user": "mysql",
            "mysql-database": "trillian",
        },
    }))
}
