//! Every client of `docs/clients.md`, installed from its registry: it verifies what cosign
//! signed, cosign verifies what it signed, and it refuses what it has to.

mod desk;
mod libraries;
mod lines;
mod registry;
mod table;
