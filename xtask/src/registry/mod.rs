//! Finding the signatures of an image in its registry (OCI distribution and image
//! specifications, version 1.1).

mod client;
mod index;
mod legacy;
mod reference;
mod referrers;

use crate::bundle::{self, Bundle};
use crate::fail::Fail;
use crate::http::Server;
use client::Repository;
pub(crate) use index::{listed, signed_index_of};
pub use legacy::simple_signing;
pub use reference::Reference;
pub(crate) use referrers::forget;

/// No image has more signatures that are looked at.
const MOST: usize = 100;

/// A registry outside the workshop: with TLS, except on this machine, as cosign does it.
pub(crate) fn elsewhere(host: &str) -> Server {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let scheme = match name {
        "localhost" | "127.0.0.1" | "[::1]" => "http",
        _ => "https",
    };
    Server::at(format!("{scheme}://{host}"))
}

/// A signature that was found.
pub(crate) struct Found {
    /// The digest of the manifest that holds it, or the tag.
    pub at: String,
    /// The signature.
    pub bundle: Bundle,
}

/// The digest of an image.
///
/// # Errors
/// Where the registry does not answer, or there is no such image.
pub(crate) fn digest(server: &Server, image: &Reference) -> Result<String, Fail> {
    let repository = Repository { server, image };
    Ok(bundle::sha256(&repository.required_manifest()?))
}

/// The digest of an image, and its signatures.
///
/// # Errors
/// Where the registry does not answer, or there is no such image.
pub(crate) fn signatures(server: &Server, image: &Reference) -> Result<(String, Vec<Found>), Fail> {
    let repository = Repository { server, image };
    let digest = digest(server, image)?;
    let mut found = repository.referrers(&digest)?;
    found.extend(repository.legacy(&digest)?);
    Ok((digest, found))
}
