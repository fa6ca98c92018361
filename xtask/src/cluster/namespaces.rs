//! The namespaces of a cluster: whose they are, and whether they are going away.

use anyhow::Result;

use super::kubectl::Kubectl;
use super::object::Object;
use super::servers::made_namespaces;
use crate::entry::Versions;
use crate::fail::broken;
use crate::words;

/// All namespaces of the cluster.
fn all(kubectl: &Kubectl) -> Result<Vec<Object>> {
    kubectl.get_all(words!["namespaces"])
}

/// Whether the workshop's namespaces for these versions of Rekor are all there.
pub(crate) fn are_there(kubectl: &Kubectl, rekor: Versions) -> Result<bool> {
    let all = all(kubectl)?;
    // Whose they are is asked by the command.
    let is_there = |name: &&str| {
        all.iter().any(|namespace| {
            namespace.metadata.name == **name
                && namespace.status.phase == "Active"
                && namespace.is_ours()
        })
    };
    Ok(made_namespaces(rekor).iter().all(is_there))
}

/// Fails where a namespace of the workshop is there and is not the workshop's: what is
/// in it would be changed now, and deleted at the end.
pub(crate) fn refuse_foreign(kubectl: &Kubectl, rekor: Versions) -> Result<()> {
    let (all, names) = (all(kubectl)?, made_namespaces(rekor));
    let foreign = all.iter().find(|namespace| {
        names.contains(&namespace.metadata.name.as_str()) && !namespace.is_ours()
    });
    let Some(foreign) = foreign else {
        return Ok(());
    };
    let name = &foreign.metadata.name;
    Err(broken(format!(
        "the namespace {name} is there, and is not the workshop's: another Sigstore is on this cluster"
    ))
    .hint("use another cluster, for example: cargo xtask minikube")
    .hint("or remove that one first, with what installed it")
    .into())
}

/// The workshop's namespaces that are being deleted.
pub(crate) fn ending(kubectl: &Kubectl) -> Result<Vec<String>> {
    let own = made_namespaces(Versions::Both);
    let all = all(kubectl)?.into_iter();
    let ending = all.filter(|namespace| namespace.status.phase == "Terminating");
    let names = ending.map(|namespace| namespace.metadata.name);
    Ok(names
        .filter(|name| own.contains(&name.as_str()) || name == "cert-manager")
        .collect())
}
