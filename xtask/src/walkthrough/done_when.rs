//! How it is seen that a task of a chapter is done.

use std::str::FromStr;

use super::Milestone;
use crate::fail::{Fail, broken};
use crate::target::InstallStage;

/// How to see that a task is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DoneWhen {
    /// The preflight finds nothing missing.
    Machine,
    /// A prefetch has nothing left to do.
    Prefetched,
    /// Of these components those that the installation has are up.
    Up(Vec<String>),
    /// A part of an install is done.
    Part(InstallStage),
    /// An install has nothing left to do.
    Installed,
    /// The registry holds a signature of the sample, by whom `verify` expects.
    SampleSigned,
    /// A file that was signed here proves with its bundle.
    FileSigned,
    /// The checkpoint of a log is kept.
    Checkpoint,
    /// The sample carries an attestation.
    Attested,
    /// The CT log shows a certificate that none of the signatures made here has.
    CertificateAsked,
    /// Rekor shows an entry in the name of who signs here that no signature made here has.
    EntryWritten,
    /// A command did it, which nothing but the memory of progress shows.
    Did(Milestone),
}

impl FromStr for DoneWhen {
    type Err = Fail;

    fn from_str(text: &str) -> Result<DoneWhen, Fail> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        Ok(match (kind, rest) {
            ("machine", "") => DoneWhen::Machine,
            ("prefetched", "") => DoneWhen::Prefetched,
            ("installed", "") => DoneWhen::Installed,
            ("sample-signed", "") => DoneWhen::SampleSigned,
            ("file-signed", "") => DoneWhen::FileSigned,
            ("checkpoint", "") => DoneWhen::Checkpoint,
            ("attested", "") => DoneWhen::Attested,
            ("certificate-asked", "") => DoneWhen::CertificateAsked,
            ("entry-written", "") => DoneWhen::EntryWritten,
            ("up", names) if !names.is_empty() => {
                DoneWhen::Up(names.split(' ').map(str::to_owned).collect())
            }
            ("did", name) => DoneWhen::Did(Milestone::named(name)?),
            ("part", name) => {
                let part = InstallStage::ALL
                    .into_iter()
                    .find(|part| part.name() == name);
                DoneWhen::Part(part.ok_or_else(|| broken(format!("there is no part {name:?}")))?)
            }
            _ => return Err(broken(format!("nothing is seen by {text:?}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_to_see_it_is_one_that_there_is() {
        assert_eq!(
            "part trust".parse::<DoneWhen>().unwrap(),
            DoneWhen::Part(InstallStage::Trust)
        );
        for wrong in [
            "",
            "up",
            "did",
            "did x",
            "part",
            "part dex",
            "machine x",
            "seen",
        ] {
            assert!(wrong.parse::<DoneWhen>().is_err(), "{wrong}");
        }
    }
}
