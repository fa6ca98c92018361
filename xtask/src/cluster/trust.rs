//! The trust material of a cluster: made of the copies that `copy-secrets` left,
//! as files for this machine and as a ConfigMap for the Jobs.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::forwards::Forward;
use super::objects::{CTLOG, DEFAULT, FULCIO, REKOR, labels};
use super::{Cluster, objects};
use crate::fail::broken;
use crate::parallel;
use crate::state;
use crate::target::Signing;
use crate::trust::write as trust;
use crate::trust::write::{CertificateChain, InUse, LogKey, PublicParts, Services};

/// The ConfigMap that the Jobs mount.
pub const CONFIG_MAP: &str = "sigstore-trust";

/// Where the servers are for whoever is in the cluster.
const FULCIO_URL: &str = "http://fulcio-server.fulcio-system.svc";
const REKOR_URL: &str = "http://rekor-server.rekor-system.svc";
const CTLOG_URL: &str = "http://ctlog.ctlog-system.svc/sigstorescaffolding";

/// The Secret with the registry's certificate.
pub const REGISTRY_TLS: &str = "registry-tls";

impl Cluster {
    /// A file of the trust material.
    pub fn trust_file(&self, name: &str) -> PathBuf {
        self.dir.join("trust").join(name)
    }

    /// The cluster's OIDC discovery document.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn discovery(&self) -> Result<Value> {
        self.read(crate::words![
            "get",
            "--raw=/.well-known/openid-configuration"
        ])
    }

    /// Where this machine reaches Fulcio and Rekor while the lasting forwards are
    /// open, or through the ingress.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub fn host_urls(&self) -> Result<(String, String)> {
        let of = |name: &str| -> Result<String> {
            Ok(match &self.settings()?.ingress {
                Some(domain) => format!("https://{name}.{domain}"),
                None => {
                    let port = self.forward_port(Forward::named(name)?)?;
                    format!("http://127.0.0.1:{port}")
                }
            })
        };
        Ok((of("fulcio")?, of("rekor")?))
    }

    /// Every file of the trust material, and the ConfigMap.
    ///
    /// # Errors
    /// Where a copy is not there yet or the cluster does not answer.
    fn trust_material(&self) -> Result<(Vec<(&'static str, String)>, Value)> {
        let copies = || self.find(DEFAULT, "secrets");
        let (issuer, copies) = parallel::both(|| self.issuer(), copies)?;
        let copies = copies.unwrap_or_default();
        let secret = |name: &str| -> Result<&Value> {
            let mut all = copies["items"].as_array().into_iter().flatten();
            Ok(all
                .find(|secret| secret["metadata"]["name"] == *name)
                .ok_or_else(|| {
                    let make = if name == REGISTRY_TLS {
                        "registry"
                    } else {
                        "copy-secrets"
                    };
                    broken(format!("there is no Secret {name} in {DEFAULT}"))
                        .hint(format!("cargo xtask {make}"))
                })?)
        };
        let public = |copy: &objects::Copy| -> Result<(String, String)> {
            let secret = secret(copy.copy)?;
            let since = secret["metadata"]["creationTimestamp"].as_str();
            Ok((
                copy.part(secret, copy.as_key)?,
                since.unwrap_or_default().to_owned(),
            ))
        };
        let (chain, _) = public(&FULCIO)?;
        let (ctlog, ctlog_since) = public(&CTLOG)?;
        let (rekor, rekor_since) = public(&REKOR)?;
        let since = trust::not_before(&chain)?;
        // A log is as old as the authority whose certificates it took first; the
        // copy of its key may be younger than what it signed.
        let older = |other: &str| since.as_str().min(other).to_owned();
        let (ctlog_since, rekor_since) = (older(&ctlog_since), older(&rekor_since));
        let log = |url, pem, since| LogKey {
            url,
            pem,
            origin: None,
            in_use: InUse { since, until: None },
        };
        let root = trust::trusted_root(&PublicParts {
            fulcio: vec![CertificateChain {
                url: FULCIO_URL,
                pem: &chain,
                in_use: InUse {
                    since: &since,
                    until: None,
                },
            }],
            timestamp: Vec::new(),
            ctlogs: vec![log(CTLOG_URL, &ctlog, &ctlog_since)],
            rekor: vec![log(REKOR_URL, &rekor, &rekor_since)],
        })?;
        let (fulcio_here, rekor_here) = self.host_urls()?;
        let config = |fulcio, rekor| {
            trust::signing_config(&Services {
                fulcio,
                issuer: &issuer,
                rekor,
                rekor_version: 1,
                timestamp: None,
                since: &since,
            })
        };
        let here = config(&fulcio_here, &rekor_here);
        let inside = config(FULCIO_URL, REKOR_URL);
        let pretty = |value: &Value| serde_json::to_string_pretty(value).map(|text| text + "\n");
        let config_map = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": CONFIG_MAP, "namespace": DEFAULT, "labels": labels()},
            "data": {
                "trusted_root.json": pretty(&root)?,
                "signing_config.json": pretty(&inside)?,
            },
        });
        let registry = REKOR.part(secret(REGISTRY_TLS)?, "ca.crt")?;
        let mut files = vec![
            ("trusted_root.json", pretty(&root)?),
            ("signing_config.json", pretty(&here)?),
            ("signing_config.cluster.json", pretty(&inside)?),
            (
                "client_trust_config.json",
                pretty(&trust::client_config(&root, &here))?,
            ),
            ("registry.pem", registry),
        ];
        if self.settings()?.ingress.is_some() {
            files.push(("ingress.pem", self.ingress_certificates()?));
        }
        Ok((files, config_map))
    }

    /// The certificates with which the ingress shows Fulcio and Rekor.
    fn ingress_certificates(&self) -> Result<String> {
        let mut all = String::new();
        for (namespace, name) in [
            ("fulcio-system", "fulcio-tls"),
            ("rekor-system", "rekor-tls"),
        ] {
            let secret = self.find(namespace, &format!("secret/{name}"))?;
            let secret = secret.ok_or_else(|| {
                broken(format!("there is no Secret {name} in {namespace} yet"))
                    .hint("cargo xtask scaffold")
            })?;
            all.push_str(REKOR.part(&secret, "ca.crt")?.trim_end());
            all.push('\n');
        }
        Ok(all)
    }

    /// Writes the trust material (`cargo xtask step trust`).
    ///
    /// # Errors
    /// Where a copy is not there yet, or where the cluster or the file system
    /// refuses.
    pub fn write_trust(&self) -> Result<()> {
        let (files, config_map) = self.trust_material()?;
        for (name, text) in files {
            state::write(&self.trust_file(name), text.as_bytes(), 0o600)?;
        }
        self.apply(&config_map)
    }

    /// Whether the trust material is what the copies say, here and in the cluster.
    ///
    /// # Errors
    /// Where the cluster does not answer.
    pub fn trust_is_current(&self) -> Result<bool> {
        let there = || self.find(DEFAULT, &format!("configmap/{CONFIG_MAP}"));
        let material = || Ok(self.trust_material().ok());
        let (there, material) = parallel::both(there, material)?;
        let Some((files, config_map)) = material else {
            return Ok(false);
        };
        for (name, text) in files {
            if state::read(&self.trust_file(name))? != Some(text.into_bytes()) {
                return Ok(false);
            }
        }
        Ok(there.is_some_and(|there| there["data"] == config_map["data"]))
    }

    /// The signing config for one command, whose passages are on ports of their
    /// own.
    ///
    /// # Errors
    /// Where nothing is installed or the file system refuses.
    pub fn signing_config_for(&self, fulcio: &str, rekor: &str) -> Result<Value> {
        let mut config: Value = state::read_json(&self.trust_file("signing_config.json"))?
            .context("there is no signing config yet")?;
        for (list, url) in [("caUrls", fulcio), ("rekorTlogUrls", rekor)] {
            let service = config.get_mut(list).and_then(|list| list.get_mut(0));
            let service = service.and_then(Value::as_object_mut);
            let service = service.context("the signing config names no servers")?;
            service.insert("url".to_owned(), json!(url));
        }
        Ok(config)
    }
}
