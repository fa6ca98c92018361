//! The steps that the local target does in this program, each in its file.

pub(crate) mod begin;
pub(crate) mod configure;
pub(crate) mod first_entry;
pub(crate) mod halt;
pub(crate) mod launch;
pub(crate) mod pack;
pub(crate) mod preflight;
pub(crate) mod publish;
pub(crate) mod retire;
pub(crate) mod sample;
pub(crate) mod trust;

pub(crate) use begin::Begin;
pub(crate) use configure::Configure;
pub(crate) use first_entry::FirstEntry;
pub(crate) use halt::Halt;
pub(crate) use launch::Launch;
pub(crate) use pack::{ListPack, TakePack};
pub(crate) use retire::Retire;
pub(crate) use trust::LocalTrust;

use super::Local;
use crate::plan::ready::Wait;
use crate::steps;
use crate::target::steps::{Forget, Preflight, Record, Token, Unsign};

steps! {
    /// The steps of the local target.
    LocalStep of Local {
        Begin(Begin),
        Configure(Configure),
        Launch(Launch),
        Wait(Wait),
        Halt(Halt),
        FirstEntry(FirstEntry),
        Retire(Retire),
        Trust(LocalTrust),
        ListPack(ListPack),
        TakePack(TakePack),
        Token(Token),
        Forget(Forget),
        Unsign(Unsign),
        Record(Record),
        Preflight(Preflight),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Version, Versions};
    use crate::plan::Ready;
    use crate::plan::step_args::each_is_read_from_its_words;
    use crate::target::steps::samples;

    #[test]
    fn each_step_is_what_is_read_from_its_words() {
        let ready = Ready::answers(
            "dex",
            "http://127.0.0.1:1",
            std::time::Duration::from_secs(9),
        );
        let mut all = vec![
            LocalStep::Begin(Begin {}),
            LocalStep::Retire(Retire {}),
            LocalStep::Configure(Configure {
                port_base: 20_000,
                rekor: Versions::V2,
                keys: vec!["rekor-v1:1".parse().unwrap(), "tuf:5".parse().unwrap()],
            }),
            LocalStep::Launch(Launch {
                component: "dex".into(),
                words: ["dex", "serve", "--flag", "--", "config.yml"]
                    .map(str::to_owned)
                    .into(),
            }),
            LocalStep::Wait(Wait::from(&ready)),
            LocalStep::Halt(Halt {
                component: "dex".into(),
            }),
            LocalStep::FirstEntry(FirstEntry { rekor: Version::V1 }),
            LocalStep::Trust(LocalTrust {}),
            LocalStep::ListPack(ListPack {
                dir: "/cache/a pack".into(),
            }),
            LocalStep::TakePack(TakePack {
                dir: "/cache/unpacked".into(),
            }),
        ];
        all.extend(samples());
        each_is_read_from_its_words(&all, LocalStep::words);
    }
}
