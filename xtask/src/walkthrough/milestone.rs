//! What a chapter asks a command to do, where only the memory of progress can show it.

use crate::fail::{Fail, broken};

/// Something that a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// It put an identity token into a file.
    Token,
    /// It verified a signature.
    Verify,
    /// It refused a signature by another signer than was expected.
    Refusal,
    /// It proved every link of a signature.
    InspectRekor,
    /// It proved what a certificate says.
    InspectCertificate,
    /// It proved bundles of which none was made here.
    ForeignBundle,
    /// It drew the ceremony of a signature.
    Report,
    /// It ran the lab of this name.
    Lab(String),
}

impl Milestone {
    const ALL: [(&str, Milestone); 7] = [
        ("token", Milestone::Token),
        ("verify", Milestone::Verify),
        ("refusal", Milestone::Refusal),
        ("inspect-rekor", Milestone::InspectRekor),
        ("inspect-certificate", Milestone::InspectCertificate),
        ("foreign-bundle", Milestone::ForeignBundle),
        ("report", Milestone::Report),
    ];

    /// The name under which it is remembered, and by which the chapters ask for it.
    pub(crate) fn name(&self) -> String {
        if let Milestone::Lab(name) = self {
            return format!("lab {name}");
        }
        let known = Milestone::ALL.iter().find(|(_, known)| known == self);
        known.map_or_else(String::new, |(name, _)| (*name).to_owned())
    }

    /// The one of a name.
    pub(crate) fn named(name: &str) -> Result<Milestone, Fail> {
        if let Some(lab) = name.strip_prefix("lab ") {
            return Ok(Milestone::Lab(lab.to_owned()));
        }
        let mut all = Milestone::ALL.into_iter();
        let found = all.find(|(known, _)| *known == name);
        let (_, found) = found.ok_or_else(|| broken(format!("no command does {name:?}")))?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_milestone_has_the_name_by_which_it_is_found() {
        let lab = Milestone::Lab("clock".to_owned());
        for milestone in Milestone::ALL.map(|(_, it)| it).into_iter().chain([lab]) {
            assert_eq!(Milestone::named(&milestone.name()).unwrap(), milestone);
        }
        assert!(Milestone::named("").is_err());
    }
}
