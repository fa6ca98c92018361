//! The OIDC discovery document of a cluster: who issues its service accounts' tokens.

use anyhow::Result;

use super::kubectl::Kubectl;
use crate::fail::{Fail, broken, not_so};
use crate::preflight::Finding;
use crate::target::TargetKind;
use crate::words;

/// The issuer that the chart has Fulcio believe; minikube is started with it.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc";

/// What the document says, empty where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Discovery {
    pub(crate) issuer: String,
    /// Where the issuer's keys are.
    pub(crate) jwks_uri: String,
}

impl Discovery {
    /// Asks the cluster for it.
    pub(crate) fn of(kubectl: &Kubectl) -> Result<Discovery> {
        let said = kubectl.get_json(words!["get", "--raw=/.well-known/openid-configuration"])?;
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        Ok(Discovery {
            issuer: text("issuer"),
            jwks_uri: text("jwks_uri"),
        })
    }

    /// The issuer, which must be there.
    pub(crate) fn into_issuer(self) -> Result<String> {
        if self.issuer.is_empty() {
            return Err(broken("the cluster's discovery document names no issuer").into());
        }
        Ok(self.issuer)
    }

    /// The issuer where it is another than the chart expects, and whether Fulcio must ask
    /// without a token: it shows one to the issuer's host only, and nobody outside the
    /// cluster should see it.
    pub(crate) fn for_fulcio(&self) -> (Option<String>, bool) {
        let inside = [ISSUER, "https://kubernetes.default.svc.cluster.local"];
        let inside = inside.contains(&self.issuer.as_str());
        let other = self.issuer != ISSUER && !self.issuer.is_empty();
        (
            other.then(|| self.issuer.clone()),
            !inside || host(&self.issuer) != host(&self.jwks_uri),
        )
    }

    /// Whether Fulcio will believe tokens of this issuer.
    pub(crate) fn check(&self, kind: TargetKind, profile: &str) -> Finding {
        let or_none = |text: &str| match text {
            "" => "none".to_owned(),
            text => text.to_owned(),
        };
        let (issuer, keys) = (or_none(&self.issuer), or_none(&self.jwks_uri));
        let found = format!("{issuer}, with its keys at {keys}");
        if kind == TargetKind::Cluster {
            // Fulcio is configured for whatever issuer there is.
            let finding = Finding::new("issuer", "one that the discovery document names");
            return if issuer.starts_with("https://") {
                finding.found(found)
            } else {
                finding.missing(
                    found,
                    "start the API server with --service-account-issuer=https://…",
                )
            };
        }
        let finding = Finding::new(
            "issuer",
            format!("{ISSUER}, with its keys on the same host"),
        );
        if issuer == ISSUER && host(&keys) == host(&issuer) {
            return finding.found(found);
        }
        // `minikube start` ignores options for a profile that exists.
        finding.missing(
            found,
            format!(
                "make it again: minikube --profile={profile} delete, then cargo xtask minikube"
            ),
        )
    }

    /// Fails where Fulcio will not believe tokens of this issuer.
    ///
    /// # Errors
    /// Exit status 1, with a hint about what to change.
    pub(crate) fn require(&self, kind: TargetKind, profile: &str) -> Result<()> {
        let finding = self.check(kind, profile);
        if finding.ok {
            return Ok(());
        }
        let fail = not_so(format!(
            "Fulcio will not believe this cluster's tokens: {}",
            finding.found
        ));
        Err(finding.hint.into_iter().fold(fail, Fail::hint).into())
    }
}

/// The host and port of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(issuer: &str, keys: &str) -> (Option<String>, bool) {
        let discovery = Discovery {
            issuer: issuer.to_owned(),
            jwks_uri: keys.to_owned(),
        };
        discovery.for_fulcio()
    }

    #[test]
    fn fulcio_shows_its_token_to_the_cluster_only() {
        let local = "https://kubernetes.default.svc.cluster.local";
        assert_eq!(
            of(ISSUER, &format!("{ISSUER}/openid/v1/jwks")),
            (None, false)
        );
        assert_eq!(
            of(ISSUER, "https://10.0.0.1:6443/openid/v1/jwks"),
            (None, true)
        );
        assert_eq!(
            of(local, &format!("{local}/openid/v1/jwks")),
            (Some(local.into()), false)
        );
        assert_eq!(
            of(local, "https://172.18.0.2:6443/openid/v1/jwks"),
            (Some(local.into()), true)
        );
        let cloud = "https://oidc.example.com/id/1";
        assert_eq!(
            of(cloud, "https://oidc.example.com/id/1/keys"),
            (Some(cloud.into()), true)
        );
    }
}
