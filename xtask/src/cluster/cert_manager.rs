//! The cert-manager of a cluster: whether there is one, whose it is, and who uses it.
//! Whose it is, the label of its release tells.

use anyhow::Result;

use super::helm::CERT_MANAGER;
use super::kubectl::Kubectl;
use super::object::{LABEL, label};
use super::servers::made_namespaces;
use crate::entry::Versions;
use crate::fail::broken;

/// What can be made with it.
const KINDS: &str =
    "certificates.cert-manager.io,issuers.cert-manager.io,clusterissuers.cert-manager.io";

/// Whether the cluster has a cert-manager that works, whoever installed it. Resource
/// definitions alone may have been left by one that is gone.
pub(super) fn is_there(kubectl: &Kubectl) -> Result<bool> {
    let selector = "--selector=app.kubernetes.io/name=cert-manager";
    let found = kubectl.list_with("deployments", &["--all-namespaces", selector])?;
    Ok(!found.is_empty())
}

/// Whether the cert-manager of this cluster was installed by the workshop.
pub(super) fn is_ours(kubectl: &Kubectl) -> Result<bool> {
    let selector = format!("--selector=owner=helm,name={},{LABEL}", CERT_MANAGER.chart);
    let options = ["--namespace", CERT_MANAGER.namespace, &selector];
    Ok(!kubectl.list_with("secrets", &options)?.is_empty())
}

/// Why the workshop's cert-manager has to stay, where it has to: what others made with
/// it would go with it.
pub(super) fn why_it_stays(kubectl: &Kubectl) -> Result<Option<String>> {
    let others = format!("--selector=!{}", label().0);
    let others = kubectl.list_with(KINDS, &["--all-namespaces", &others])?;
    let own = made_namespaces(Versions::Both);
    // What cert-manager made for an Ingress of the workshop goes with it.
    let mut others = others
        .into_iter()
        .filter(|object| !own.contains(&object.metadata.namespace.as_str()));
    Ok(others.next().map(|object| {
        let (kind, name) = (object.kind, object.metadata.name);
        format!("cert-manager stays: {kind} {name} is not the workshop's")
    }))
}

/// Fails where the cluster has a cert-manager that is not the workshop's.
pub(super) fn refuse_foreign(kubectl: &Kubectl) -> Result<()> {
    if is_ours(kubectl)? || !is_there(kubectl)? {
        return Ok(());
    }
    Err(broken("the cert-manager of this cluster is not the workshop's, and stays as it is").into())
}

/// Fails where the cluster has no cert-manager of the workshop, or others use it.
pub(super) fn refuse_used(kubectl: &Kubectl) -> Result<()> {
    if !is_ours(kubectl)? {
        return Err(broken("the cluster has no cert-manager that is the workshop's").into());
    }
    match why_it_stays(kubectl)? {
        Some(why) => Err(broken(why).into()),
        None => Ok(()),
    }
}
