//! Known problems: what a tool says, what it means and what to do.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::fail::{BROKEN, Fail};

/// A problem that users met before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Problem {
    /// Strings that all are in what the tool said.
    says: Vec<String>,
    /// What happened, one sentence without a full stop.
    means: String,
    /// What to type.
    hint: Option<String>,
    /// Where it is discussed.
    link: Option<String>,
    /// The exit status it stands for.
    exit: Option<u8>,
    /// Whether what the tool said is needed as well: it names what this is about.
    #[serde(default)]
    shown: bool,
}

/// The file is part of the program, so that a mistake in it is a failed test
/// and never an error a user sees.
static PROBLEMS: LazyLock<Vec<Problem>> =
    LazyLock::new(|| serde_yaml::from_str(include_str!("problems.yml")).unwrap_or_default());

/// A tool's failure in plain words, where the problem is a known one.
pub fn explain(fail: Fail) -> Fail {
    if fail.tail.is_empty() {
        return fail;
    }
    let said = fail.tail.join("\n");
    match PROBLEMS
        .iter()
        .find(|problem| problem.says.iter().all(|text| said.contains(text.as_str())))
    {
        None => fail,
        Some(problem) => Fail {
            what: problem.means.clone(),
            hints: problem
                .hint
                .iter()
                .cloned()
                .chain(
                    problem
                        .link
                        .iter()
                        .map(|link| format!("more about it: {link}")),
                )
                .chain(fail.hints)
                .collect(),
            exit: problem.exit.unwrap_or(BROKEN),
            tail: fail.tail,
            known: !problem.shown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fail::{NOT_SO, broken};

    #[test]
    fn the_table_parses() {
        let table: Vec<Problem> = serde_yaml::from_str(include_str!("problems.yml")).unwrap();
        assert!(table.len() > 10);
        assert!(
            table
                .iter()
                .all(|problem| !problem.says.is_empty() && !problem.means.ends_with('.'))
        );
    }

    #[test]
    fn a_known_problem_is_explained_and_keeps_the_tools_words() {
        let fail = explain(broken("cosign failed").tail(vec!["Error: no signatures found".into()]));
        assert_eq!(fail.exit, NOT_SO);
        assert_eq!(fail.what, "the image carries no signature");
        assert_eq!(fail.tail, ["Error: no signatures found"]);
    }

    /// What tools really said, with what it means.
    const SAMPLES: &[(&str, &str)] = &[
        (
            "The connection to the server 192.168.49.2:8443 was refused - did you specify the right host or port?",
            "the cluster's API server does not answer",
        ),
        (
            "Error: Kubernetes cluster unreachable: Get \"https://127.0.0.1:6443/version\": dial tcp 127.0.0.1:6443: connect: connection refused",
            "the cluster's API server does not answer",
        ),
        (
            "error: context \"nobody\" does not exist",
            "kubectl knows no cluster of that name",
        ),
        (
            "Unable to connect to the server: dial tcp: lookup cluster.example on 10.0.0.1:53: no such host",
            "the cluster's API server cannot be reached",
        ),
        (
            "Error from server (NotFound): services \"registry\" not found",
            "the cluster has no such server yet",
        ),
        (
            "error: error from server (NotFound): deployments.apps \"registry\" not found in namespace \"default\"",
            "the cluster has no such server yet",
        ),
        (
            "error: You must be logged in to the server (Unauthorized)",
            "the cluster does not know who you are",
        ),
        (
            "forbidden: User \\\"system:anonymous\\\" cannot get path \\\"/openid/v1/jwks\\\"",
            "nobody without a token may read",
        ),
        (
            "Error from server (Forbidden): namespaces is forbidden: User \"dev\" cannot create resource \"namespaces\" in API group \"\" at the cluster scope",
            "the cluster does not allow it",
        ),
        (
            "Error: failed calling webhook \"validate.nginx.ingress.kubernetes.io\": failed to call webhook: dial tcp 10.96.0.5:443: connect: connection refused",
            "the ingress controller is not up yet",
        ),
        (
            "E1123 09:00:00 portforward.go:413] error: lost connection to pod",
            "a forward to the cluster has ended",
        ),
        (
            "oidc: issuer did not match the issuer returned by provider, expected \"https://kubernetes.default.svc.cluster.local\" got \"https://kubernetes.default.svc\"",
            "Fulcio and the cluster name its issuer differently",
        ),
        (
            "Error: INSTALLATION FAILED: cannot re-use a name that is still in use",
            "the release is there already",
        ),
        (
            "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
            "another helm is at work",
        ),
        (
            "Error: chart \"scaffold\" matching 9.9.9 not found in https://sigstore.github.io/helm-charts index. (try 'helm repo update'): no chart version found for scaffold-9.9.9",
            "the repository has no such version",
        ),
        (
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nrekor:\n- server: Additional property foo is not allowed",
            "the chart does not take these values",
        ),
        (
            "Error: UPGRADE FAILED: cannot patch \"createtree\" with kind Job: Job.batch \"createtree\" is invalid: spec.template: Invalid value: core.PodTemplateSpec{}: field is immutable",
            "a Job cannot be changed",
        ),
        (
            "Error: INSTALLATION FAILED: Unable to continue with install: Namespace \"fulcio-system\" in namespace \"\" exists and cannot be imported into the current release: invalid ownership metadata",
            "something of another installation",
        ),
        (
            "Error: INSTALLATION FAILED: client rate limiter Wait returned an error: context deadline exceeded",
            "helm or kubectl waited in vain",
        ),
        (
            "error: timed out waiting for the condition on jobs/createtree",
            "a Job did not show its end in time",
        ),
        (
            "Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit",
            "Docker Hub has had too many requests",
        ),
        (
            "failed to pull and unpack image \"a\": write /var/lib/containerd/x: no space left on device",
            "the disk of the node is full",
        ),
        (
            "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available",
            "no node has enough memory",
        ),
        (
            "0/1 nodes are available: 1 Insufficient cpu.",
            "no node has enough CPU",
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }.",
            "no node has room on its disk",
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }.",
            "the nodes are short of memory",
        ),
        (
            "rpc error: code = NotFound desc = failed to pull and unpack image \"ghcr.io/a/b:1\": failed to resolve reference \"ghcr.io/a/b:1\": ghcr.io/a/b:1: not found",
            "the registry has no such image",
        ),
        (
            "GET https://ghcr.io/token?scope=repository: UNAUTHORIZED: authentication required",
            "the registry wants a login",
        ),
        (
            "failed to pull and unpack image \"a\": failed to authorize: unexpected status: 401 Unauthorized",
            "the registry wants a login",
        ),
        (
            "Failed to create inotify object: too many open files",
            "the kernel allows too few",
        ),
        (
            "warning: spurious network error (1 try remaining): [6] Could not resolve hostname (Could not resolve host: index.crates.io)",
            "the registry of Rust crates",
        ),
        (
            "curl: (6) Could not resolve host: rekor.192.168.49.2.nip.io",
            "the host of the ingress has no address",
        ),
        (
            "tls: failed to verify certificate: x509: “rekor.192.168.49.2.nip.io” certificate is not trusted",
            "macOS does not trust this certificate",
        ),
        (
            "docker: Error response from daemon: listen tcp 0.0.0.0:5000: bind: address already in use",
            "port 5000 is taken",
        ),
        (
            "COSIGN_REPOSITORY=127.0.0.1:5007/target cosign sign --registry-referrers-mode=oci-1-1",
            "cosign ignores COSIGN_REPOSITORY",
        ),
        (
            "Error: no matching signatures: none of the expected identities matched what was in the certificate, got subjects [a] with issuer b",
            "the image is signed, but not by the expected",
        ),
        (
            "no matching CertificateIdentity found, last error: expected SAN value \"a\", got \"b\"",
            "the signature is there, but its certificate names another",
        ),
        (
            "Error: no signatures found",
            "the image carries no signature",
        ),
        (
            "Error: no matching signatures: invalid signature",
            "the image carries signatures, but none",
        ),
        (
            "not enough verified log entries from transparency log: 0 < 1",
            "the signature is in no log",
        ),
        (
            "Error: no matching attestations: x",
            "the image carries signatures, but none",
        ),
        (
            "provided artifact digest does not match digest in statement",
            "the file is not the one",
        ),
        (
            "failed to verify signature: could not verify message: invalid signature",
            "the file is not the one",
        ),
        (
            "MANIFEST_UNKNOWN: manifest unknown",
            "the registry has no such image",
        ),
        (
            "NAME_UNKNOWN: repository name not known to registry",
            "the registry has no such image",
        ),
        (
            "Error: could not parse reference: Not An Image",
            "that is not an image reference",
        ),
        (
            "There was an error processing the identity token",
            "Fulcio refused the identity token",
        ),
        (
            "Error: verifying bundle: rekor log public key not found for payload",
            "the trusted root lacks the key",
        ),
        (
            "x509: certificate signed by unknown authority",
            "the certificate does not come from a CA",
        ),
        (
            "Error: cannot specify service URLs and use signing config",
            "cosign v3 takes either",
        ),
        ("write /tmp/x: no space left on device", "the disk is full"),
        (
            "go: github.com/a/b@v1: Get \"https://proxy.golang.org\": dial tcp: connection refused",
            "the Go module proxy",
        ),
        (
            "Get \"https://index.docker.io/v2/\": dial tcp: lookup index.docker.io: no such host",
            "a host name could not be resolved",
        ),
        (
            "dial tcp: lookup nowhere: no such host",
            "a host name could not be resolved",
        ),
        ("connect: connection refused", "a server did not answer"),
        (
            "context deadline exceeded",
            "a server did not answer in time",
        ),
        (
            "open keys/fulcio-1.key: no such file or directory",
            "a certificate has lost its private key",
        ),
        (
            "dial tcp 192.168.64.2:8443: connect: no route to host",
            "no way leads to that address",
        ),
        (
            "failed to verify leaf certificate: leaf certificate verification failed",
            "there is a signature, but its certificate leads",
        ),
        (
            "failed to verify timestamps",
            "there is a signature, but it does not verify",
        ),
    ];

    /// Every entry explains a sample: none is hidden by one before it.
    #[test]
    fn each_problem_is_found_by_what_a_tool_says() {
        let mut explained = Vec::new();
        for (said, means) in SAMPLES {
            let lines = said.lines().map(str::to_owned).collect();
            let fail = explain(broken("a tool failed").tail(lines));
            assert!(fail.what.starts_with(means), "{said}: {}", fail.what);
            explained.push((fail.what, fail.hints));
        }
        for problem in PROBLEMS.iter() {
            let found = explained.iter().any(|(what, hints)| {
                *what == problem.means && problem.hint.iter().all(|hint| hints.contains(hint))
            });
            assert!(found, "no sample is explained by: {}", problem.means);
        }
    }

    /// The table as a page: a section for each of its comments, a row for each entry.
    fn page(introduction: &str) -> String {
        let mut page = introduction.to_owned();
        // The first comment is about the file itself.
        for section in include_str!("problems.yml").split("\n\n").skip(1) {
            let about = section.lines().next().unwrap().trim_start_matches("# ");
            page += &format!("\n\n## From {about}\n\n");
            page += "| what is said | what it means | what to do |\n|---|---|---|";
            for problem in serde_yaml::from_str::<Vec<Problem>>(section).unwrap() {
                let says: Vec<String> = problem
                    .says
                    .iter()
                    .map(|text| format!("`{}`", text.trim()))
                    .collect();
                let link = problem.link.map(|link| format!("[more about it]({link})"));
                let todo: Vec<String> = problem.hint.into_iter().chain(link).collect();
                page += &format!(
                    "\n| {} | {} | {} |",
                    says.join(" and "),
                    problem.means,
                    todo.join("; ")
                );
            }
        }
        page + "\n"
    }

    /// Where the table changed, SNAPSHOTS=overwrite writes the page anew; what stands
    /// before its first section stays.
    #[test]
    fn the_page_has_every_problem() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (introduction, _) = text.split_once("\n\n## From ").unwrap();
        let shown = snapbox::Data::read_from(path.as_ref(), Some(snapbox::data::DataFormat::Text));
        snapbox::Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .eq(page(introduction), shown.raw());
    }

    #[test]
    fn an_unknown_problem_stays_as_it_is() {
        let fail = explain(broken("cosign failed").tail(vec!["something new".into()]));
        assert_eq!((fail.what.as_str(), fail.exit), ("cosign failed", BROKEN));
    }
}
