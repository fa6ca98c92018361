//! A monitor: whoever reads a CT log sees for which names certificates were issued.

use anyhow::{Context, Result};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::Session;
use crate::ct_log::{CtLog, Precertificate};
use crate::format::der;
use crate::format::hex::hex;
use crate::time;

/// A certificate that a CT log shows.
pub(crate) struct Shown {
    /// The name that it is for.
    pub email: String,
    /// Its serial number, in hexadecimal.
    pub serial: String,
}

/// Lists the first certificates of the lab's CT log, for the reader as well.
pub(crate) fn certificates(session: &Session<'_>) -> Result<Vec<Shown>> {
    let server = session.ct_log()?;
    session.say(&format!("\n# the tiles of the CT log, at {}:", server.url));
    let mut all = Vec::new();
    CtLog::ask(&server)?.each(0, &mut |index, entry| {
        let (at, shown) = read(&entry)?;
        let Shown { email, serial } = &shown;
        session.say(&format!("{index}  {at}  {email}  serial {serial}"));
        all.push(shown);
        Ok(())
    })?;
    Ok(all)
}

fn read(entry: &Precertificate) -> Result<(String, Shown)> {
    let certificate: TbsCertificate = der::read(entry.certificate.as_slice())?;
    let at = time::from_unix(entry.timestamp / 1000).context("read a time")?;
    let (_, names) = certificate
        .get::<SubjectAltName>()?
        .context("a certificate of the CT log names nobody")?;
    let email = names.0.iter().find_map(|name| match name {
        GeneralName::Rfc822Name(name) => Some(name.to_string()),
        _ => None,
    });
    let shown = Shown {
        email: email.context("a certificate of the CT log names no e-mail address")?,
        serial: hex(certificate.serial_number.as_bytes()),
    };
    Ok((at, shown))
}
