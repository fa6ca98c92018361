//! Waiting for what a cluster makes, and what is said of it meanwhile.

use rustix::process::Signal;
use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::cluster::{Cluster, object, waiting_pod};
use crate::support::wait::wait_until;

/// Waits in vain until the events of a pod were read, and is interrupted then.
fn waits(cluster: &Cluster, line: &str) -> String {
    let run = cluster.start(line);
    wait_until("the events are read", || {
        cluster.calls().contains("'events'")
    });
    run.signal(Signal::INT);
    let run = run.end();
    assert_eq!(run.exit, 130, "{}", run.seen());
    let err = cluster.redacted(&run.err);
    let troubles = err
        .lines()
        .filter(|line| line.starts_with("  ") || line.starts_with("error:"));
    troubles.map(|line| format!("{line}\n")).collect()
}

/// What keeps an image away is said while it is waited for.
#[test]
fn images_that_do_not_come() {
    let mut seen = Vec::new();
    for says in [
        "toomanyrequests: You have reached your unauthenticated pull rate limit",
        "failed to pull and unpack image \"docker.io/library/nothing:1\": not found",
        "something new",
    ] {
        let cluster = Cluster::new();
        cluster.run("issuer --with-needs").ok();
        let pod = waiting_pod("trillian-mysql-0", "ErrImagePull", says);
        cluster.makes("install-scaffold", "trillian-system", pod);
        cluster.makes(
            "install-scaffold",
            "trillian-system",
            crate::support::cluster::deployment("trillian-mysql", false),
        );
        let mut event = object("Event", "pull");
        event["message"] = json!("Failed to pull image");
        cluster.has("trillian-system", event);
        seen.push(waits(&cluster, "scaffold"));
    }
    assert_data_eq!(
        seen.join("\n"),
        str![[r#"
  trillian-system: the pod trillian-mysql-0 does not start (ErrImagePull): Docker Hub has had too many requests from this address
    | the pod trillian-mysql-0 does not start (ErrImagePull): toomanyrequests: You have reached your unauthenticated pull rate limit
    | Failed to pull image
    hint: wait, log in, or fetch the image once for all: minikube image pull IMAGE
    hint: more about it: https://github.com/kubernetes/minikube/issues/9760
error: interrupted

  trillian-system: the pod trillian-mysql-0 does not start (ErrImagePull): the registry has no such image
    | the pod trillian-mysql-0 does not start (ErrImagePull): failed to pull and unpack image "docker.io/library/nothing:1": not found
    | Failed to pull image
    hint: see which: kubectl get events --all-namespaces
error: interrupted

  trillian-system: the pod trillian-mysql-0 does not start (ErrImagePull): something new
    | Failed to pull image
error: interrupted

"#]]
    );
}

/// What cannot pass is not waited for.
#[test]
fn a_job_that_gave_up() {
    let cluster = Cluster::new();
    cluster.run("issuer --with-needs").ok();
    cluster.makes(
        "install-scaffold",
        "fulcio-system",
        crate::support::cluster::deployment("fulcio-server", false),
    );
    cluster.makes(
        "install-scaffold",
        "fulcio-system",
        crate::support::cluster::job("fulcio-createcerts", "Failed"),
    );
    assert_data_eq!(
        cluster.shows(&["scaffold -q"]),
        str![[r#"
$ cargo xtask scaffold -q
error: the Job fulcio-createcerts has given up: BackoffLimitExceeded
exit 1

"#]]
    );
    // Where this one stopped, the next goes on.
    cluster.has(
        "fulcio-system",
        crate::support::cluster::deployment("fulcio-server", true),
    );
    cluster.run("scaffold -q").ok();
}
