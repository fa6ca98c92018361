//! The trust material of a cluster: made of the copies that `copy-secrets` left,
//! as files for this machine and as a ConfigMap for the Jobs.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Cluster;
use super::copies::text_of;
use super::discovery::Discovery;
use super::object::{DEFAULT, Object, labels};
use super::servers::{CTLOG, ClusterServer, FULCIO, REKOR, shown_by_ingress, with_public_part};
use crate::fail::broken;
use crate::parallel;
use crate::state;
use crate::time;
use crate::trust::generations::Generation;
use crate::trust::merge::merged;
use crate::trust::root::TrustedRoot;
use crate::trust::write as trust;
use crate::trust::write::{CertificateChain, InUse, LogKey, PublicParts, Services};

/// The ConfigMap that the Jobs mount.
pub(super) const CONFIG_MAP: &str = "sigstore-trust";

/// The Secret with the registry's certificate.
pub(super) const REGISTRY_TLS: &str = "registry-tls";

/// All of it.
struct TrustMaterial {
    /// Files for this machine.
    files: Vec<(&'static str, String)>,
    /// The object for the Jobs.
    config_map: Value,
    /// That object as it is there now.
    there: Option<Object>,
}

/// The Secrets of [`DEFAULT`].
struct Copies(Vec<Object>);

impl Copies {
    fn secret(&self, name: &str) -> Result<&Object> {
        let mut all = self.0.iter();
        let found = all.find(|secret| secret.metadata.name == name);
        Ok(found.ok_or_else(|| {
            let make = if name == REGISTRY_TLS {
                "registry"
            } else {
                "copy-secrets"
            };
            broken(format!("there is no Secret {name} in {DEFAULT}"))
                .hint(format!("cargo xtask {make}"))
        })?)
    }

    /// The public part of a server, and since when its copy is there.
    fn public(&self, server: &ClusterServer) -> Result<(String, &str)> {
        let part = server.public.as_ref();
        let part = part.context("a server without a public part")?;
        let secret = self.secret(part.copy)?;
        let since = secret.metadata.creation_timestamp.as_deref();
        Ok((text_of(secret, part.as_key)?, since.unwrap_or_default()))
    }

    /// The public part of the key that a server has next, while its key turns, and since
    /// when its copy is there.
    fn next(&self, server: &ClusterServer) -> Result<Option<(String, &str)>> {
        let part = server.public.as_ref();
        let part = part.context("a server without a public part")?;
        let mut all = self.0.iter();
        let name = part.next_copy();
        let Some(secret) = all.find(|secret| secret.metadata.name == name) else {
            return Ok(None);
        };
        let since = secret.metadata.creation_timestamp.as_deref();
        let next = (text_of(secret, part.as_key)?, since.unwrap_or_default());
        Ok(Some(next))
    }

    /// The lists of the trusted root with keys that turn: those that go on to count.
    fn turning(&self, ended: Option<&ClusterServer>) -> Vec<&'static str> {
        let turns = |server: &&ClusterServer| {
            let is_ended = ended.is_some_and(|ended| ended.name == server.name);
            !is_ended && matches!(self.next(server), Ok(Some(_)))
        };
        let servers = with_public_part().map(|(server, _)| server);
        let lists = servers
            .filter(turns)
            .filter_map(|server| server.next.as_ref()?.list);
        lists.collect()
    }
}

impl Cluster {
    /// Where this machine reaches Fulcio and Rekor while the persistent forwards are
    /// open, or through the ingress.
    pub(super) fn host_urls(&self) -> Result<(String, String)> {
        let forwards = self.port_forwards()?;
        let ingress = self.settings()?.ingress.as_ref();
        let of = |server: &'static ClusterServer| match ingress {
            Some(domain) => format!("https://{}.{domain}", server.name),
            None => format!("http://{}", forwards.persistent(server).address()),
        };
        Ok((of(&FULCIO), of(&REKOR)))
    }

    /// All of it. The former key of the server that is `ended` counts no longer, from the
    /// next second on.
    fn trust_material(&self, ended: Option<&ClusterServer>) -> Result<TrustMaterial> {
        let kubectl = self.kubectl()?;
        // Each is a call of kubectl, so they are asked side by side.
        let issuer = || Discovery::of(&kubectl)?.into_issuer();
        let copies = || {
            let map = || kubectl.get(DEFAULT, &format!("configmap/{CONFIG_MAP}"));
            parallel::both(map, || kubectl.list(DEFAULT, "secrets"))
        };
        let (issuer, (there, copies)) = parallel::both(issuer, copies)?;
        let copies = Copies(copies);
        let (made, since) = trusted_root(&copies)?;
        // Each machine and the cluster may remember what the others do not.
        let before = self.trusted_before(there.as_ref())?;
        let turning = copies.turning(ended);
        let root = merged(&before, made, &time::soon(), &turning);
        let (fulcio, rekor) = self.host_urls()?;
        let config = |fulcio: &str, rekor: &str| {
            trust::signing_config(&Services {
                fulcio,
                issuer: &issuer,
                rekor,
                rekor_version: 1,
                timestamp: None,
                since: &since,
            })
        };
        let here = config(&fulcio, &rekor);
        let inside = config(&FULCIO.url(), &REKOR.url());
        let (root_text, inside_text) = (pretty(&root)?, pretty(&inside)?);
        let config_map = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": CONFIG_MAP, "namespace": DEFAULT, "labels": labels()},
            "data": {"trusted_root.json": root_text, "signing_config.json": inside_text},
        });
        let client = pretty(&trust::client_config(&root, &here))?;
        let registry = text_of(copies.secret(REGISTRY_TLS)?, "ca.crt")?;
        let mut files = vec![
            ("trusted_root.json", root_text),
            ("signing_config.json", pretty(&here)?),
            ("signing_config.cluster.json", inside_text),
            ("client_trust_config.json", client),
            ("registry.pem", registry),
        ];
        if self.settings()?.ingress.is_some() {
            files.push(("ingress.pem", self.ingress_certificates()?));
        }
        Ok(TrustMaterial {
            files,
            config_map,
            there,
        })
    }

    /// The trusted roots of before: that of the Jobs, and that of this machine.
    fn trusted_before(&self, map: Option<&Object>) -> Result<Vec<Value>> {
        let inside = map.and_then(|map| map.data.get("trusted_root.json"));
        let here = state::read(&self.trust_file("trusted_root.json"))?;
        let texts = inside.map(|text| text.clone().into_bytes()).into_iter();
        let texts = texts.chain(here);
        let readable = texts.filter(|text| TrustedRoot::read(text).is_ok());
        let roots = readable.map(|text| serde_json::from_slice(&text));
        Ok(roots.collect::<Result<_, _>>()?)
    }

    /// The certificates with which the ingress shows Fulcio and Rekor.
    fn ingress_certificates(&self) -> Result<String> {
        let kubectl = self.kubectl()?;
        let mut all = String::new();
        for (server, certificate) in shown_by_ingress() {
            let (name, namespace) = (certificate.secret, server.namespace);
            let secret = kubectl.get(namespace, &format!("secret/{name}"))?;
            let secret = secret.ok_or_else(|| {
                broken(format!("there is no Secret {name} in {namespace} yet"))
                    .hint("cargo xtask scaffold")
            })?;
            all.push_str(text_of(&secret, "ca.crt")?.trim_end());
            all.push('\n');
        }
        Ok(all)
    }

    /// Writes the trust material (`cargo xtask step trust`).
    pub(super) fn write_trust(&self, ended: Option<&ClusterServer>) -> Result<()> {
        let material = self.trust_material(ended)?;
        for (name, text) in material.files {
            if name == "trusted_root.json" {
                Generation::count(&self.dir, &serde_json::from_str(&text)?)?;
            }
            state::write(&self.trust_file(name), text.as_bytes(), 0o600)?;
        }
        self.kubectl()?.apply(&material.config_map)
    }

    /// Whether the trust material is what the copies say, here and in the cluster.
    pub(super) fn trust_is_current(&self, ended: Option<&ClusterServer>) -> Result<bool> {
        let Ok(material) = self.trust_material(ended) else {
            return Ok(false);
        };
        for (name, text) in material.files {
            if state::read(&self.trust_file(name))? != Some(text.into_bytes()) {
                return Ok(false);
            }
        }
        let wanted = &material.config_map["data"];
        let there = material.there;
        Ok(there.is_some_and(|there| json!(there.data) == *wanted))
    }

    /// The signing config for one command, whose forwards are on ports of their own.
    pub(super) fn signing_config_for(&self, fulcio: &str, rekor: &str) -> Result<Value> {
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

/// The trusted root, and since when the authority is valid.
fn trusted_root(copies: &Copies) -> Result<(Value, String)> {
    let (chain, _) = copies.public(&FULCIO)?;
    let since = trust::not_before(&chain)?;
    let next = copies.next(&FULCIO)?.filter(|(next, _)| *next != chain);
    let next = next.map(|(next, _)| Ok::<_, anyhow::Error>((trust::not_before(&next)?, next)));
    let chains = [Some((since.clone(), chain)), next.transpose()?];
    let fulcio_url = FULCIO.url();
    let authority = |(since, pem)| CertificateChain {
        url: &fulcio_url,
        pem,
        in_use: InUse { since, until: None },
    };
    let chains = chains.iter().flatten();
    // A log is as old as the authority whose certificates it took first; the
    // copy of its key may be younger than what it signed.
    let keys = |server: &ClusterServer| -> Result<Vec<(String, String)>> {
        let (key, made) = copies.public(server)?;
        let next = copies.next(server)?.filter(|(next, _)| *next != key);
        let next = next.map(|(next, made)| (next, made.to_owned()));
        let older = since.as_str().min(made).to_owned();
        Ok(std::iter::once((key, older)).chain(next).collect())
    };
    let (ctlogs, rekor) = (keys(&CTLOG)?, keys(&REKOR)?);
    let (ctlog_url, rekor_url) = (CTLOG.url(), REKOR.url());
    let ctlogs = ctlogs
        .iter()
        .map(|(pem, since)| log(&ctlog_url, pem, since));
    let rekor = rekor.iter().map(|(pem, since)| log(&rekor_url, pem, since));
    let root = trust::trusted_root(&PublicParts {
        fulcio: chains.map(|(since, pem)| authority((since, pem))).collect(),
        timestamp: Vec::new(),
        ctlogs: ctlogs.collect(),
        rekor: rekor.collect(),
    })?;
    Ok((root, since))
}

fn log<'a>(url: &'a str, pem: &'a str, since: &'a str) -> LogKey<'a> {
    LogKey {
        url,
        pem,
        origin: None,
        in_use: InUse { since, until: None },
    }
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
