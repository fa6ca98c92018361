//! `sign` and `verify` on a cluster.

use std::fs;
use std::path::Path;

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::support::cluster::{Cluster, TOKEN, object, waiting_pod};
use crate::support::fakes::COSIGN;
use crate::support::snapshot::snapshot;
use crate::support::web::answer;

/// An image of someone else.
const IMAGE: &str = "registry.example.com/app@sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// What cosign prints of a signature that it verified.
const SIGNED: &str = r#"[{"critical":{"type":"https://sigstore.dev/cosign/sign/v1"}}]"#;

/// Nothing is left of a Job: not itself, not its file.
#[track_caller]
fn nothing_is_left(cluster: &Cluster) {
    let calls = cluster.changes();
    assert!(calls.contains("kubectl 'delete' 'job/"), "{calls}");
    let objects = fs::read_dir(cluster.path("fakes/objects/default")).unwrap();
    let names = objects.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let jobs: Vec<String> = names.filter(|name| name.starts_with("job.")).collect();
    assert!(jobs.is_empty(), "{jobs:?}");
    let tmp = fs::read_dir(cluster.kept_file("tmp")).unwrap();
    let left: Vec<_> = tmp.map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What is remembered of signatures.
fn signatures(cluster: &Cluster) -> Vec<Value> {
    let text = fs::read(cluster.kept_file("signatures.json")).unwrap_or(b"[]".to_vec());
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn sign_and_verify_the_sample_as_jobs() {
    let cluster = Cluster::installed();
    let run = cluster.run("sign");
    cluster.keeps_secrets(&run.seen());
    snapshot("cluster-sign.txt", &cluster.redacted(&run.ok().seen()));
    snapshot("cluster-sign-calls.txt", &cluster.changes());
    let job = fs::read_to_string(cluster.path("fakes/job.yml")).unwrap();
    snapshot("cluster-sign-job.txt", &cluster.redacted(&job));
    let mode = fs::read_to_string(cluster.path("fakes/job-mode")).unwrap();
    assert!(mode.starts_with("-rw-------"), "{mode}");
    nothing_is_left(&cluster);
    let made = signatures(&cluster);
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(made[0]["rekor"], "v1");
    let bundle = made[0]["bundle"].as_str().unwrap();
    assert!(cluster.kept_file(bundle).exists());
    cluster.forget_calls();

    cluster.write(
        "fakes/job-log",
        &format!("The signature was verified\n{SIGNED}\n"),
    );
    let run = cluster.run("verify").ok();
    snapshot("cluster-verify.txt", &cluster.redacted(&run.seen()));
    snapshot("cluster-verify-calls.txt", &cluster.changes());
    let job = fs::read_to_string(cluster.path("fakes/job.yml")).unwrap();
    snapshot("cluster-verify-job.txt", &cluster.redacted(&job));
    nothing_is_left(&cluster);
}

/// For cosign's `verify` an attestation will do, and it says which it was.
#[test]
fn what_is_only_attested() {
    let cluster = Cluster::installed();
    let attested = r#"[{"critical":{"type":"https://example.com/tested/v1"}}]"#;
    cluster.write("fakes/job-log", attested);
    assert_data_eq!(
        cluster.shows(&["verify -q", "verify -q --key key.pem"]),
        str![[r#"
$ cargo xtask verify -q
error: nobody signed it; it is attested: https://example.com/tested/v1
hint: ask for what is attested: --attestation TYPE
exit 1

$ cargo xtask verify -q --key key.pem
error: a Job in the cluster has no key file of this machine
hint: verify from here: --from-host
exit 2

"#]]
    );
    nothing_is_left(&cluster);
    let line = "verify -q --attestation https://example.com/tested/v1";
    cluster.run(line).ok();
    let job = fs::read_to_string(cluster.path("fakes/job.yml")).unwrap();
    assert!(
        job.contains("- verify-attestation\n        - --type=https://example.com/tested/v1\n"),
        "{job}"
    );
    // An attestation of another type is an answer, as it is from this machine.
    let said = "none of the attestations matched the predicate type: https://example.com/built/v1";
    let found = "https://example.com/tested/v1,https://sigstore.dev/cosign/sign/v1";
    cluster.write("fakes/job-log", &format!("Error: {said}, found: {found}\n"));
    cluster.write("fakes/job-end", "Failed\n");
    let run = cluster.run("verify -q --attestation https://example.com/built/v1");
    assert_eq!(run.exit, 1, "{}", run.seen());
    let who = "https://kubernetes.io/namespaces/default/serviceaccounts/default";
    for part in [
        "error: nobody attested https://example.com/built/v1 of registry.default.svc.cluster.local/",
        &format!("; {who} attested https://example.com/tested/v1 and {who} signed it\n"),
    ] {
        assert!(run.err.contains(part), "{}", run.err);
    }
    cluster.write("fakes/job-end", "Complete\n");
    cluster.write("fakes/job-log", "nothing\n");
    let run = cluster.run("verify -q");
    assert_eq!(run.exit, 2, "{}", run.seen());
}

#[test]
fn sign_as_someone_else() {
    let cluster = Cluster::installed();
    cluster.has("default", object("ServiceAccount", "bob"));
    cluster.run(&format!("sign -q --as bob {IMAGE}")).ok();
    let job = fs::read_to_string(cluster.path("fakes/job.yml")).unwrap();
    assert!(job.contains("serviceAccountName: bob\n"), "{job}");
    // The sample is copied for those who sign the sample.
    assert!(!job.contains("initContainers"), "{job}");
    assert!(job.contains(&format!("- {IMAGE}\n")), "{job}");
    cluster.write("fakes/job-log", SIGNED);
    let line = format!("verify -q {IMAGE} --identity https://a/b --issuer https://c");
    cluster.run(&line).ok();
    let job = fs::read_to_string(cluster.path("fakes/job.yml")).unwrap();
    assert!(
        job.contains("--certificate-identity=https://a/b\n"),
        "{job}"
    );
    assert!(
        job.contains("--certificate-oidc-issuer=https://c\n"),
        "{job}"
    );
    assert_data_eq!(
        cluster.shows(&["sign -q --as nobody", "sign -q --rekor v2", "sign -q ''"]),
        str![[r#"
$ cargo xtask sign -q --as nobody
error: there is no service account "nobody" in default
hint: make it: kubectl create serviceaccount nobody
exit 2

$ cargo xtask sign -q --rekor v2
error: the cluster runs Rekor v1, not v2
hint: beside it: cargo xtask --state [STATE] install --rekor both
exit 2

$ cargo xtask sign -q ''
error: "" is not an image reference
exit 2

"#]]
    );
}

#[test]
fn several_images_are_several_jobs() {
    let cluster = Cluster::installed();
    cluster
        .run(&format!("sign -q {IMAGE} other.example.com/image:1"))
        .ok();
    assert_eq!(signatures(&cluster).len(), 2);
    nothing_is_left(&cluster);
    let changes = cluster.changes();
    let created = changes
        .lines()
        .filter(|line| line.starts_with("kubectl 'create'"));
    assert_eq!(created.count(), 2, "{changes}");
}

/// What a Job that failed said is explained, and an answer of "no" is exit status 1.
#[test]
fn jobs_that_fail() {
    let cluster = Cluster::installed();
    cluster.write("fakes/job-end", "Failed\n");
    let seen = [
        ("verify -q", "Error: no signatures found"),
        (
            "verify -q",
            "Error: none of the expected identities matched what was in the certificate, got subjects [a] with issuer b",
        ),
        ("verify -q", "something new"),
        (
            "sign -q",
            "Error: signing: getting signer: There was an error processing the identity token",
        ),
    ]
    .map(|(line, says)| {
        cluster.write("fakes/job-log", &format!("{says}\n"));
        let seen = cluster.shows(&[line]);
        nothing_is_left(&cluster);
        seen
    });
    assert_data_eq!(
        seen.join("\n"),
        str![[r#"
$ cargo xtask verify -q
error: the image carries no signature
hint: sign it: cargo xtask --state [STATE] sign IMAGE
exit 1

$ cargo xtask verify -q
error: the image is signed, but not by the expected identity and issuer
hint: see who signed it: cargo xtask --state [STATE] inspect-certificate
exit 1

$ cargo xtask verify -q
  | something new
error: the Job verify-[N] failed
exit 2

$ cargo xtask sign -q
error: Fulcio refused the identity token
hint: the reason is in Fulcio's log: cargo xtask --state [STATE] logs fulcio
hint: more about it: https://github.com/sigstore/fulcio/issues/1769
exit 1

"#]]
    );
    assert!(signatures(&cluster).is_empty());
}

/// A pod that never runs is no reason to wait forever.
#[test]
fn a_job_that_cannot_start() {
    let cluster = Cluster::installed();
    let mut pod = waiting_pod("x", "InvalidImageName", "couldn't parse image");
    pod["metadata"]["name"] = "NAME-x".into();
    pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] = "NAME".into();
    let pod = pod.to_string();
    let (before, rest) = pod.split_once("NAME-x").unwrap();
    let (middle, after) = rest.split_once("NAME").unwrap();
    let does = format!(
        "for file in \"$@\"; do case $file in *.yml) job=${{file##*/}} job=${{job%.yml}} ;; esac; done\n\
         printf '%s' '{}' \"$job\" '-x{middle}' \"$job\" '{}' >\"$FAKES/objects/default/pod.$job\"\nexit",
        before.replace('\'', r"'\''"),
        after.replace('\'', r"'\''")
    );
    cluster.when("kubectl create --filename*", &does);
    let run = cluster.run("sign -q");
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert_data_eq!(
        cluster.redacted(&run.err),
        str![[r#"
error: the pod sign-[N]-x does not start (InvalidImageName): couldn't parse image

"#]]
    );
    let changes = cluster.changes();
    assert!(changes.contains("kubectl 'delete' 'job/"), "{changes}");
}

#[test]
fn a_job_without_a_bundle() {
    let cluster = Cluster::installed();
    cluster.write("fakes/job-log", "signed, but I do not show what\n");
    assert_data_eq!(
        cluster.shows(&["sign -q"]),
        str![[r#"
$ cargo xtask sign -q
error: cosign left no bundle at [STATE]/cluster/tmp/sign-[N].sigstore.json
exit 2

"#]]
    );
    nothing_is_left(&cluster);
}

/// A world whose Services answer.
fn from_host() -> (Cluster, crate::support::cluster::Forwards) {
    let cluster = Cluster::installed();
    cluster.add_program("cosign", COSIGN);
    let forwards = cluster.answer_forwards(|_, stream| answer(stream, 200, b"{}"));
    (cluster, forwards)
}

/// Forwards that one command opened are closed again, and the token is gone.
#[track_caller]
fn nothing_stays_open(cluster: &Cluster) {
    for dir in ["run", "tmp"] {
        let left: Vec<_> = fs::read_dir(cluster.kept_file(dir))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn sign_and_verify_from_this_machine() {
    let (cluster, _forwards) = from_host();
    let run = cluster.run("sign -q --from-host");
    cluster.keeps_secrets(&run.seen());
    snapshot("cluster-from-host.txt", &cluster.redacted(&run.ok().seen()));
    snapshot("cluster-from-host-calls.txt", &cluster.changes());
    let mode = fs::read_to_string(cluster.path("fakes/token-mode")).unwrap();
    assert!(mode.starts_with("-rw-------"), "{mode}");
    // The shell that keeps it reads lines.
    assert_eq!(
        fs::read_to_string(cluster.path("fakes/token")).unwrap(),
        TOKEN
    );
    nothing_stays_open(&cluster);
    let made = signatures(&cluster);
    let artifact = made[0]["artifact"].as_str().unwrap();
    let name = "registry.default.svc.cluster.local/sigstore/scaffolding/checktree@sha256:";
    assert!(artifact.starts_with(name), "{artifact}");
    cluster.forget_calls();
    cluster.run("verify -q --from-host --from verify").ok();
    snapshot("cluster-verify-from-host-calls.txt", &cluster.changes());
    nothing_stays_open(&cluster);
}

#[test]
fn a_file() {
    let (cluster, _forwards) = from_host();
    cluster.write("work/hello.txt", "hello");
    let run = cluster.run("sign -q --blob hello.txt");
    cluster.keeps_secrets(&run.seen());
    snapshot("cluster-file.txt", &cluster.redacted(&run.ok().seen()));
    cluster.run("verify -q --blob hello.txt --from verify").ok();
    snapshot("cluster-file-calls.txt", &cluster.changes());
    nothing_stays_open(&cluster);
}

/// What was opened is closed when cosign says no.
#[test]
fn a_failure_of_cosign_closes_the_forwards() {
    let (cluster, _forwards) = from_host();
    cluster.fake("cosign", "echo 'Error: no signatures found' >&2; exit 1");
    let seen = cluster.shows(&["sign -q --from-host", "verify -q --from-host --from verify"]);
    assert_data_eq!(
        &seen,
        str![[r#"
$ cargo xtask sign -q --from-host
error: the image carries no signature
hint: sign it: cargo xtask --state [STATE] sign IMAGE
exit 1

$ cargo xtask verify -q --from-host --from verify
error: the image carries no signature
hint: sign it: cargo xtask --state [STATE] sign IMAGE
exit 1

"#]]
    );
    nothing_stays_open(&cluster);
    cluster.keeps_secrets(&seen);
}

/// A cosign of this machine is called with the trust material of the workshop.
#[test]
fn nothing_reaches_the_public_sigstore() {
    let (cluster, _forwards) = from_host();
    cluster.write("work/hello.txt", "hello");
    for line in [
        "sign --from-host",
        "verify --from-host --from verify",
        "sign --blob hello.txt",
        "verify --blob hello.txt --from verify",
    ] {
        let mut command = cluster.command(line);
        command
            .env("COSIGN_REPOSITORY", "elsewhere")
            .env("SIGSTORE_ROOT_FILE", "elsewhere");
        cluster.end(command).ok();
    }
    let calls = cluster.calls();
    let cosign = calls.lines().filter(|line| line.contains("/bin/cosign "));
    for call in cosign.clone() {
        assert!(!call.contains("elsewhere"), "{call}");
        assert!(call.contains(" TUF_ROOT='[STATE]/cluster/tuf' "), "{call}");
        let looks = call.contains("cosign 'triangulate'");
        assert!(looks || call.contains("'--trusted-root'"), "{call}");
    }
    assert_eq!(cosign.count(), 5, "{calls}");
}

#[test]
fn no_cosign_on_this_machine() {
    let cluster = Cluster::installed();
    assert_data_eq!(
        cluster.shows(&["sign -q --from-host"]),
        str![[r#"
$ cargo xtask sign -q --from-host
error: there is no cosign on this machine
hint: install cosign 3: https://docs.sigstore.dev/cosign/system_config/installation/
hint: or build it with Go: cargo xtask --state [STATE] --on local install
exit 2

"#]]
    );
    assert!(!Path::new(&cluster.kept_file("tmp/token")).exists());
}
