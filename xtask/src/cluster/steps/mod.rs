//! The steps that a cluster does in this program, each in its file.

pub(crate) mod accept_next;
pub(crate) mod chart_certificates;
pub(crate) mod choose;
pub(crate) mod clear_jobs;
pub(crate) mod copy_secrets;
pub(crate) mod database_secret;
pub(crate) mod fetch_images;
pub(crate) mod first_entry;
pub(crate) mod follow;
pub(crate) mod forget_next;
pub(crate) mod halt;
pub(crate) mod ingress_hosts;
pub(crate) mod job;
pub(crate) mod launch;
pub(crate) mod make_next;
pub(crate) mod preload;
pub(crate) mod publish;
pub(crate) mod refuse;
pub(crate) mod retire;
pub(crate) mod signing_config;
pub(crate) mod single_writer;
pub(crate) mod switch;
pub(crate) mod timestamp_key;
pub(crate) mod trust;
pub(crate) mod tuf_key;
pub(crate) mod tuf_root;

pub(crate) use accept_next::AcceptNext;
pub(crate) use chart_certificates::ChartCertificates;
pub(crate) use choose::Choose;
pub(crate) use clear_jobs::ClearJobs;
pub(crate) use copy_secrets::CopySecrets;
pub(crate) use database_secret::DatabaseSecret;
pub(crate) use fetch_images::FetchImages;
pub(crate) use first_entry::FirstClusterEntry;
pub(crate) use follow::Follow;
pub(crate) use forget_next::ForgetNext;
pub(crate) use halt::HaltForward;
pub(crate) use ingress_hosts::IngressHosts;
pub(crate) use job::Job;
pub(crate) use launch::LaunchForward;
pub(crate) use make_next::MakeNext;
pub(crate) use preload::Preload;
pub(crate) use publish::Publish;
pub(crate) use refuse::{Refusal, Refuse};
pub(crate) use retire::Retire;
pub(crate) use signing_config::SigningConfig;
pub(crate) use single_writer::OneWriter;
pub(crate) use switch::Switch;
pub(crate) use timestamp_key::TimestampKey;
pub(crate) use trust::ClusterTrust;
pub(crate) use tuf_key::TufKey;
pub(crate) use tuf_root::TufRoot;

use super::Cluster;
use crate::plan::ready::Wait;
use crate::steps;
use crate::target::steps::{Forget, Preflight, Record, Token, Unsign};

steps! {
    /// The steps of a cluster.
    ClusterStep of Cluster {
        Choose(Choose),
        DatabaseSecret(DatabaseSecret),
        CopySecrets(CopySecrets),
        TimestampKey(TimestampKey),
        ChartCertificates(ChartCertificates),
        FirstEntry(FirstClusterEntry),
        IngressHosts(IngressHosts),
        Refuse(Refuse),
        Preload(Preload),
        FetchImages(FetchImages),
        ClearJobs(ClearJobs),
        SingleWriter(OneWriter),
        Trust(ClusterTrust),
        Publish(Publish),
        TufRoot(TufRoot),
        TufKey(TufKey),
        NextKey(MakeNext),
        AcceptNextKey(AcceptNext),
        Switch(Switch),
        Retire(Retire),
        ForgetNextKey(ForgetNext),
        SigningConfig(SigningConfig),
        Job(Job),
        Follow(Follow),
        Launch(LaunchForward),
        Wait(Wait),
        Halt(HaltForward),
        Token(Token),
        Forget(Forget),
        Unsign(Unsign),
        Record(Record),
        Preflight(Preflight),
    }
}

#[cfg(test)]
mod tests {
    use super::job::JobVerb;
    use super::*;
    use crate::cluster::rotation::Turning;
    use crate::cluster::single_writer::SingleWriter;
    use crate::cluster::tile_values::CertifiedChart;
    use crate::entry::{Version, Versions};
    use crate::plan::Ready;
    use crate::plan::step_args::each_is_read_from_its_words;
    use crate::target::steps::samples;
    use crate::target::{ClusterOptions, RotatedKey, SignerArgs};

    #[test]
    fn each_step_is_what_is_read_from_its_words() {
        let within = std::time::Duration::from_secs(9);
        let ready = Ready::objects("default", "deployment/a job/b", within);
        let mut all = vec![
            ClusterStep::Choose(Choose {
                port_base: 20_000,
                rekor: Versions::Both,
                options: ClusterOptions {
                    charts: Some("oci://a/b".into()),
                    versions: Some("/a b/versions.yml".into()),
                    values: None,
                    ingress: Some("example.com".into()),
                },
            }),
            ClusterStep::DatabaseSecret(DatabaseSecret {}),
            ClusterStep::CopySecrets(CopySecrets {}),
            ClusterStep::TimestampKey(TimestampKey {}),
            ClusterStep::FirstEntry(FirstClusterEntry { rekor: Version::V1 }),
            ClusterStep::IngressHosts(IngressHosts {}),
            ClusterStep::ChartCertificates(ChartCertificates {
                chart: CertifiedChart::CtlogTiles,
            }),
            ClusterStep::Refuse(Refuse {
                what: Refusal::CertManagerInUse,
            }),
            ClusterStep::Preload(Preload {
                image: "a/b:c".into(),
            }),
            ClusterStep::FetchImages(FetchImages {}),
            ClusterStep::ClearJobs(ClearJobs {}),
            ClusterStep::SingleWriter(OneWriter {
                server: SingleWriter::TrillianMysql,
            }),
            ClusterStep::Trust(ClusterTrust {}),
            ClusterStep::Publish(Publish {}),
            ClusterStep::TufRoot(TufRoot {}),
            ClusterStep::TufKey(TufKey {}),
            ClusterStep::NextKey(MakeNext {
                server: Turning::Ctlog,
            }),
            ClusterStep::AcceptNextKey(AcceptNext {
                log: Turning::CtlogTiles,
            }),
            ClusterStep::Switch(Switch {
                server: Turning::RekorV2,
            }),
            ClusterStep::Retire(Retire {
                key: RotatedKey::Rekor,
            }),
            ClusterStep::ForgetNextKey(ForgetNext {
                server: Turning::Fulcio,
            }),
            ClusterStep::SigningConfig(SigningConfig {
                version: Version::V2,
                fulcio: "http://a".into(),
                rekor: "http://b".into(),
                timestamp: Some("http://c".into()),
                out: "/tmp/config".into(),
            }),
            ClusterStep::Job(Job {
                verb: JobVerb::Verify,
                name: "verify-1".into(),
                image: "a/b:c".into(),
                out: "/tmp/job.yml".into(),
                account: "default".into(),
                signing_config: "signing_config.json".into(),
                attestation: Some("https://z".into()),
                signer: SignerArgs {
                    identity: Some("https://x".into()),
                    issuer: Some("https://y".into()),
                    ..SignerArgs::default()
                },
            }),
            ClusterStep::Job(Job {
                verb: JobVerb::Sign,
                name: "sign-1".into(),
                image: "a/b:c".into(),
                out: "/tmp/job.yml".into(),
                account: "bob".into(),
                signing_config: "signing_config.rekor-v2.json".into(),
                attestation: None,
                signer: SignerArgs::default(),
            }),
            ClusterStep::Follow(Follow {
                job: "sign-1".into(),
                bundle: Some("/tmp/b".into()),
                signed: true,
                image: Some("a/b:c".into()),
                signer: Some("a name that matches .*".into()),
            }),
            ClusterStep::Launch(LaunchForward {
                component: "rekor".into(),
                words: ["kubectl", "port-forward", "--", "1:2"]
                    .map(str::to_owned)
                    .into(),
            }),
            ClusterStep::Wait(Wait::from(&ready)),
            ClusterStep::Halt(HaltForward {
                component: "rekor".into(),
            }),
        ];
        all.extend(samples());
        each_is_read_from_its_words(&all, ClusterStep::words);
    }
}
