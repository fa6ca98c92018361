//! Objects that the workshop makes of others, instead of editing text: copies of
//! public parts, and passwords that a chart must not make up.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::{Cluster, LABEL};
use crate::exec::output_of;
use crate::fail::{Fail, broken};
use crate::format::hex::hex;
use crate::parallel;
use crate::random::random;
use crate::trust::write as trust;
use crate::words;

/// The namespace in which images are signed and verified.
pub const DEFAULT: &str = "default";

/// A Secret whose public part is copied to [`DEFAULT`], so that whoever signs
/// there need not read the namespaces of the servers.
#[derive(Debug)]
pub struct Copy {
    /// The namespace it is in.
    pub namespace: &'static str,
    /// Its name there.
    pub secret: &'static str,
    /// The key of the public part.
    pub key: &'static str,
    /// The name of the copy.
    pub copy: &'static str,
    /// The key in the copy.
    pub as_key: &'static str,
}

/// Fulcio's certificate chain.
pub const FULCIO: Copy = Copy {
    namespace: "fulcio-system",
    secret: "fulcio-server-secret",
    key: "cert",
    copy: "fulcio-certificate",
    as_key: "cert",
};

/// The CT log's public key.
pub const CTLOG: Copy = Copy {
    namespace: "ctlog-system",
    secret: "ctlog-public-key",
    key: "public",
    copy: "ctlog-public-key",
    as_key: "public",
};

/// Rekor's public key, out of the certificate that lies beside the key.
pub const REKOR: Copy = Copy {
    namespace: "rekor-system",
    secret: "rekor-signer",
    key: "tls.crt",
    copy: "rekor-public-key",
    as_key: "public",
};

/// What `copy-secrets` copies.
pub const COPIES: [&Copy; 3] = [&FULCIO, &CTLOG, &REKOR];

impl Copy {
    /// The copy of an object: a new name and namespace, the public part alone, and
    /// nothing that the server set.
    ///
    /// # Errors
    /// Where the object lacks the part or holds something else there.
    pub fn of(&self, source: &Value) -> Result<Value> {
        let part = self.part(source, self.key)?;
        let public = if self.key == "tls.crt" {
            trust::public_key(&part)?
        } else {
            part
        };
        if public.contains("PRIVATE KEY") {
            return Err(broken(format!(
                "{}/{}: what should be public is a private key",
                self.namespace, self.secret
            ))
            .into());
        }
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self.copy, "namespace": DEFAULT, "labels": labels()},
            "type": "Opaque",
            "data": {self.as_key: BASE64_STANDARD.encode(public)},
        }))
    }

    /// A part of a Secret as text.
    ///
    /// # Errors
    /// Where it is not there or no text.
    pub fn part(&self, secret: &Value, key: &str) -> Result<String> {
        let data = secret["data"][key].as_str().filter(|data| !data.is_empty());
        let data = data.ok_or_else(|| {
            broken(format!(
                "the Secret {} holds no {key}",
                secret["metadata"]["name"].as_str().unwrap_or(self.secret)
            ))
        })?;
        let bytes = BASE64_STANDARD
            .decode(data)
            .context("a Secret that is no base64")?;
        String::from_utf8(bytes).context("a Secret that is no text")
    }
}

/// The label of what the workshop makes, as an object has it.
pub fn labels() -> Value {
    let (name, value) = LABEL.split_once('=').unwrap_or((LABEL, ""));
    json!({name: value})
}

/// Whether an object carries the workshop's label.
pub fn is_ours(object: &Value) -> bool {
    let (name, value) = LABEL.split_once('=').unwrap_or((LABEL, ""));
    object["metadata"]["labels"][name] == *value
}

/// Whether a list that kubectl printed has nothing in it.
pub fn is_empty(list: Option<&Value>) -> bool {
    list.is_none_or(|list| list["items"].as_array().is_none_or(Vec::is_empty))
}

impl Cluster {
    /// Copies the public parts (`cargo xtask step copy-secrets`).
    ///
    /// # Errors
    /// Where a Secret is not there yet, or the cluster refuses.
    pub fn copy_secrets(&self) -> Result<()> {
        COPIES.iter().try_for_each(|copy| {
            let source = self.find(copy.namespace, &format!("secret/{}", copy.secret))?;
            let source = source.ok_or_else(|| {
                broken(format!(
                    "there is no Secret {} in {}",
                    copy.secret, copy.namespace
                ))
                .hint("cargo xtask scaffold")
            })?;
            self.apply(&copy.of(&source)?)
        })
    }

    /// Whether every copy is there and is what its source is now.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn copies_are_current(&self) -> Result<bool> {
        let sources = || -> Result<Vec<Option<Value>>> {
            let find = |copy: &&Copy| self.find(copy.namespace, &format!("secret/{}", copy.secret));
            parallel::each(&COPIES, find).into_iter().collect()
        };
        let (sources, copied) = parallel::both(sources, || self.find(DEFAULT, "secrets"))?;
        let copied = copied.unwrap_or_default();
        let copied = copied["items"].as_array().cloned().unwrap_or_default();
        for (copy, source) in COPIES.iter().zip(sources) {
            let Some(source) = source else {
                return Ok(false);
            };
            let wanted = copy.of(&source)?;
            let same = |secret: &Value| {
                secret["metadata"]["name"] == *copy.copy && secret["data"] == wanted["data"]
            };
            if !copied.iter().any(same) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the passwords of Trillian's database, where there are none
    /// (`cargo xtask step database-secret`). They go from here to the API server
    /// on standard input, and nowhere else.
    ///
    /// # Errors
    /// Where the cluster refuses.
    pub fn make_database_secret(&self) -> Result<()> {
        let (namespace, name) = DATABASE_SECRET;
        if self.find(namespace, &format!("secret/{name}"))?.is_some() {
            return Ok(());
        }
        let mut data = Map::new();
        for key in ["mysql-root-password", "mysql-password"] {
            data.insert(key.to_owned(), json!(hex(&random::<24>()?)));
        }
        for key in ["mysql-user", "mysql-database"] {
            let value = if key == "mysql-user" {
                "mysql"
            } else {
                "trillian"
            };
            data.insert(key.to_owned(), json!(value));
        }
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, "labels": labels()},
            "type": "Opaque",
            "stringData": data,
        });
        // Created and not applied: where two install at once, the first one counts.
        let create = self.ask(words!["create", "--filename", "-"])?;
        match output_of(&create, Some(secret.to_string().as_bytes())) {
            Err(error) if !Fail::from_error(&error).says("AlreadyExists") => Err(error),
            _ => Ok(()),
        }
    }
}

/// Namespace and name of the Secret with the passwords of Trillian's database.
pub const DATABASE_SECRET: (&str, &str) = ("trillian-system", "trillian-mysql-auth");

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(key: &str, value: &str) -> Value {
        json!({
            "kind": "Secret",
            "metadata": {
                "name": "x", "namespace": "y", "uid": "1", "resourceVersion": "2",
                "creationTimestamp": "2026-01-02T03:04:05Z", "managedFields": [], "ownerReferences": [],
            },
            "data": {key: BASE64_STANDARD.encode(value), "private": "c2VjcmV0", "password": "c2VjcmV0"},
        })
    }

    #[test]
    fn a_copy_holds_the_public_part_and_nothing_that_the_server_set() {
        let copy = FULCIO.of(&secret("cert", "public")).unwrap();
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "name": "fulcio-certificate", "namespace": "default",
                "labels": {"app.kubernetes.io/part-of": "sigstore-workshop"},
            },
            "data": {"cert": "cHVibGlj"},
        });
        assert_eq!(copy, expected);
    }

    #[test]
    fn a_private_key_is_never_copied() {
        let key = "-----BEGIN PRIVATE KEY-----\n";
        assert!(CTLOG.of(&secret("public", key)).is_err());
        assert!(CTLOG.of(&secret("other", "x")).is_err());
        assert!(REKOR.of(&secret("tls.crt", key)).is_err());
    }
}
