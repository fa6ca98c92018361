//! `start` and `stop` on a cluster: forwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;
use crate::support::recorded::trust;
use crate::support::snapshot::snapshot;
use crate::support::web::answer;

#[test]
fn forwards_are_started_and_stopped() {
    let cluster = Cluster::installed();
    let forwards = cluster.answer_forwards(|_, stream| answer(stream, 200, b"{}"));
    cluster.run("start -q").ok();
    snapshot("cluster-start.txt", &cluster.forget_changes());
    let again = cluster.run("start -q").ok();
    assert_eq!(again.out, "nothing to do: everything runs\n");
    let status = cluster.run("status --json").ok().events();
    let components = status[0]["components"].as_array().unwrap();
    let forward = |component: &&serde_json::Value| {
        component["name"].as_str().unwrap().starts_with("forward-") && component["state"] == "up"
    };
    assert_eq!(components.iter().filter(forward).count(), 4);
    let refused = cluster.run("install -q --port-base 20000");
    assert!(
        refused.err.contains("the ports cannot change"),
        "{}",
        refused.err
    );
    cluster.run("stop -q rekor").ok();
    cluster.run("stop -q").ok();
    let again = cluster.run("stop -q").ok();
    assert_eq!(again.out, "nothing to do: nothing runs\n");
    drop(forwards);
}

/// A forward to a pod that was replaced goes on to listen, and leads nowhere.
#[test]
fn a_forward_that_leads_nowhere_is_opened_again() {
    let cluster = Cluster::installed();
    let replaced = Arc::new(AtomicBool::new(false));
    let is_replaced = Arc::clone(&replaced);
    let forwards = cluster.answer_forwards(move |_, stream| {
        if !is_replaced.load(Ordering::Relaxed) {
            answer(stream, 404, b"");
        }
    });
    cluster.run("start -q rekor").ok();
    replaced.store(true, Ordering::Relaxed);
    let status = cluster.run("status --json").events();
    let components = status[0]["components"].as_array().unwrap();
    let forward = components.iter().find(|one| one["name"] == "forward-rekor");
    assert_eq!(forward.unwrap()["state"], "silent");
    // The process of the forward is ended. What listens for it here is the test, which goes
    // on, so that the next one finds its port taken.
    let again = cluster.run("start -q rekor");
    assert!(again.err.contains(" is taken by "), "{}", again.seen());
    cluster.run("stop -q").ok();
    drop(forwards);
}

/// What a forward said before it ended is shown.
#[test]
fn a_forward_that_ends() {
    let cluster = Cluster::installed();
    trust(&cluster);
    cluster.fails(
        "kubectl port-forward *",
        "error: unable to forward port because pod is not running. Current status=Pending",
    );
    let lines = ["start -q rekor", "inspect-rekor -q --log-index 0"];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask start -q rekor
  | error: unable to forward port because pod is not running. Current status=Pending
error: rekor ended right after its start
hint: read its whole log: cargo xtask --state [STATE] logs rekor
exit 2

$ cargo xtask inspect-rekor -q --log-index 0
  | error: unable to forward port because pod is not running. Current status=Pending
error: rekor-[N] ended right after its start
hint: read its whole log: cargo xtask --state [STATE] logs rekor-[N]
exit 2

"#]]
    );
}

/// Between the parts of an install, what is not there yet is named as such.
#[test]
fn a_server_that_is_not_there_yet() {
    let cluster = Cluster::installed();
    for (call, said) in [
        (
            "kubectl port-forward *",
            r#"Error from server (NotFound): services "registry" not found"#,
        ),
        (
            "kubectl logs *",
            r#"error: error from server (NotFound): deployments.apps "registry" not found in namespace "default""#,
        ),
    ] {
        cluster.fails(call, said);
    }
    for line in ["start -q registry", "logs -q registry"] {
        let run = cluster.run(line);
        assert_eq!(run.exit, 2, "{line}: {}", run.err);
        for part in [
            "has no such server yet",
            "cargo xtask --state [STATE] install",
        ] {
            assert!(run.err.contains(part), "{line}: {}", run.err);
        }
    }
}
