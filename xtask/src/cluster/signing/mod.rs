//! Signing and verifying: as Jobs in the cluster, or with cosign on this machine.

mod in_cluster;
mod on_host;
mod token;

pub(super) use on_host::OnHost;
