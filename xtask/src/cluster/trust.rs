//! The trust material of a cluster: made of the copies that `copy-secrets` left,
//! as files for this machine and as a ConfigMap for the Jobs.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Cluster;
use super::copies::text_of;
use super::discovery::Discovery;
use super::object::{DEFAULT, Object, labels};
use super::rotation::Turning;
use super::servers::{ClusterServer, shown_by_ingress};
use super::sign_addresses::{SignAddresses, config_name, signs};
use super::trusted_keys::{Copies, trusted_root};
use crate::entry::Version;
use crate::fail::broken;
use crate::parallel;
use crate::state;
use crate::time;
use crate::trust::generations::Generation;
use crate::trust::merge::merged;
use crate::trust::root::TrustedRoot;
use crate::trust::write as trust;

/// The ConfigMap that the Jobs mount.
pub(super) const CONFIG_MAP: &str = "sigstore-trust";

/// All of it.
struct TrustMaterial {
    /// Files for this machine.
    files: Vec<(&'static str, String)>,
    /// The object for the Jobs.
    config_map: Value,
    /// That object as it is there now.
    there: Option<Object>,
}

impl Cluster {
    /// Where this machine reaches a server while the persistent forwards are open, or
    /// through the ingress.
    pub(super) fn host_url(&self, server: &'static ClusterServer) -> Result<String> {
        let at = match self.settings()?.ingress.as_ref() {
            Some(domain) => format!("https://{}.{domain}", server.name),
            None => format!(
                "http://{}",
                self.port_forwards()?.persistent(server).address()
            ),
        };
        Ok(at + server.path())
    }

    /// Where this machine reaches the servers that are asked for a signature.
    pub(super) fn host_addresses(&self, rekor: Version) -> Result<SignAddresses> {
        SignAddresses::of(rekor, |server| self.host_url(server))
    }

    /// All of it. The former keys of the servers that have `ended` count no longer, from
    /// the next second on.
    fn trust_material(&self, ended: &[Turning]) -> Result<TrustMaterial> {
        let kubectl = self.kubectl()?;
        // Each is a call of kubectl, so they are asked side by side.
        let issuer = || Discovery::of(&kubectl)?.into_issuer();
        let copies = || {
            let map = || kubectl.get(DEFAULT, &format!("configmap/{CONFIG_MAP}"));
            parallel::both(map, || kubectl.list(DEFAULT, "secrets"))
        };
        let (issuer, (there, copies)) = parallel::both(issuer, copies)?;
        let copies = Copies(copies);
        let rekor = self.settings()?.rekor;
        let (made, since) = trusted_root(&copies, rekor)?;
        // Each machine and the cluster may remember what the others do not.
        let before = self.trusted_before(there.as_ref())?;
        let turning = copies.turning(rekor, ended);
        let root = merged(&before, made, &time::soon(), &turning);
        let root_text = pretty(&root)?;
        let mut data = json!({"trusted_root.json": root_text});
        let mut files = vec![("trusted_root.json", root_text)];
        for version in [Version::V1, Version::V2] {
            if !rekor.has(version) {
                continue;
            }
            let of = |addresses: &SignAddresses| addresses.config(version, &issuer, &since);
            let here = of(&self.host_addresses(version)?);
            let inside = pretty(&of(&SignAddresses::of(version, |server| Ok(server.url()))?))?;
            if version == signs(rekor) {
                let client = pretty(&trust::client_config(&root, &here))?;
                files.push(("client_trust_config.json", client));
                files.push(("signing_config.cluster.json", inside.clone()));
            }
            let name = config_name(rekor, version);
            data[name] = json!(inside);
            files.push((name, pretty(&here)?));
        }
        let config_map = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": CONFIG_MAP, "namespace": DEFAULT, "labels": labels()},
            "data": data,
        });
        files.push(("registry.pem", copies.registry_certificates()?));
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

    /// The certificates with which the ingress shows the servers.
    fn ingress_certificates(&self) -> Result<String> {
        let kubectl = self.kubectl()?;
        let mut all = String::new();
        for (server, certificate) in shown_by_ingress(self.settings()?.rekor) {
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
    pub(super) fn write_trust(&self, ended: &[Turning]) -> Result<()> {
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
    pub(super) fn trust_is_current(&self, ended: &[Turning]) -> Result<bool> {
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
    pub(super) fn signing_config_for(
        &self,
        rekor: Version,
        addresses: &SignAddresses,
    ) -> Result<Value> {
        let name = config_name(self.settings()?.rekor, rekor);
        let mut config: Value =
            state::read_json(&self.trust_file(name))?.context("there is no signing config yet")?;
        let mut lists = vec![
            ("caUrls", &addresses.fulcio),
            ("rekorTlogUrls", &addresses.rekor),
        ];
        lists.extend(addresses.timestamp.iter().map(|url| ("tsaUrls", url)));
        for (list, url) in lists {
            let service = config.get_mut(list).and_then(|list| list.get_mut(0));
            let service = service.and_then(Value::as_object_mut);
            let service = service.context("the signing config names no servers")?;
            service.insert("url".to_owned(), json!(url));
        }
        Ok(config)
    }
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
