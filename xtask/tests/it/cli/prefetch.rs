//! `prefetch`: what is fetched and built in advance, so that `install` needs no
//! network, and what is said where something cannot be had.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;
use crate::support::repo::repository;
use crate::support::snapshot::{each_step_once, snapshot};
use crate::support::world::World;

/// The calls that fetch something from a network.
fn fetches(calls: &str) -> Vec<&str> {
    let fetch = |line: &&str| {
        ["helm 'pull'", "minikube 'start'", "'crictl' 'pull'"]
            .iter()
            .any(|call| line.contains(call))
    };
    calls.lines().filter(fetch).collect()
}

/// A prefetch, and a second one that does nothing.
fn prefetches(cluster: &Cluster, options: &str) -> String {
    let line = format!("prefetch {options} -q");
    let first = cluster.shows(&[&line]);
    let called = cluster.called();
    cluster.forget_calls();
    let again = cluster.run(&line).ok();
    assert!(again.out.starts_with("nothing to do"), "{}", again.seen());
    assert_eq!(cluster.forget_changes(), "");
    format!("{first}\n{called}")
}

#[test]
fn on_minikube() {
    let cluster = Cluster::minikube();
    snapshot("prefetch-minikube.txt", &prefetches(&cluster, ""));
    // What is there is not fetched a second time.
    cluster.run("install").ok();
    let calls = cluster.called();
    assert_eq!(fetches(&calls), [""; 0]);
}

#[test]
fn on_a_cluster() {
    let cluster = Cluster::new();
    snapshot("prefetch-cluster.txt", &prefetches(&cluster, ""));
    cluster.run("install").ok();
    let calls = cluster.called();
    assert_eq!(fetches(&calls), [""; 0]);
}

#[test]
fn the_images_as_json() {
    let cluster = Cluster::new();
    let events = cluster.run("prefetch --json").ok().events();
    let result = events.last().unwrap();
    assert_eq!(result["changed"], true);
    let images = result["images"].as_array().unwrap();
    assert_eq!(images.len(), 6, "{images:?}");
}

/// Nothing is fetched that is in a directory of charts, and the choice is remembered.
#[test]
fn with_charts_from_a_directory() {
    let cluster = Cluster::minikube();
    let pins = xtask::cluster::pins::pins(repository(), None).unwrap();
    for (name, chart) in [
        ("scaffold", pins.charts.scaffold),
        ("cert-manager", pins.charts.cert_manager),
    ] {
        cluster.write(&format!("work/mirror/{name}-{}.tgz", chart.version), "");
    }
    prefetches(&cluster, "--charts mirror");
    cluster.run("install").ok();
    let calls = cluster.called();
    assert_eq!(fetches(&calls), [""; 0]);
    assert!(calls.contains("/mirror/scaffold-[VERSION].tgz'"), "{calls}");
}

/// The addon of an ingress that was chosen has images as well.
#[test]
fn with_an_ingress() {
    let cluster = Cluster::minikube();
    cluster.add_program("curl", "");
    cluster.run("prefetch --ingress=example.test").ok();
    let changes = cluster.changes();
    assert!(
        changes.contains("minikube 'addons' 'enable' 'ingress'"),
        "{changes}"
    );
    let again = cluster.run("prefetch --ingress=example.test").ok();
    assert!(again.out.starts_with("nothing to do"), "{}", again.seen());
}

#[test]
fn dry_runs() {
    let lines = ["prefetch --dry-run", "prefetch --from servers --dry-run"];
    let local = World::new();
    let seen = local.show(&lines);
    assert_eq!(local.calls(), "");
    assert!(!local.state.exists());
    let minikube = Cluster::minikube();
    let lines = ["prefetch --dry-run", "prefetch --from images --dry-run"];
    let on_minikube = minikube.shows(&lines);
    assert_eq!(minikube.changes(), "");
    let cluster = Cluster::new();
    let on_cluster = cluster.shows(&["prefetch --dry-run"]);
    assert_eq!(cluster.changes(), "");
    let all = [seen, on_minikube, on_cluster].join("\n");
    snapshot("plans-prefetch.txt", &each_step_once(&all));
}

/// Whatever else fails, all that can be had is fetched; the next run fetches the rest.
#[test]
fn an_image_that_cannot_be_had() {
    let cluster = Cluster::minikube();
    cluster.fails(
        "minikube ssh * crictl pull docker.io/tool*",
        "toomanyrequests: You have reached your unauthenticated pull rate limit.",
    );
    assert_data_eq!(
        cluster.shows(&["prefetch -q"]),
        str![[r#"
$ cargo xtask prefetch -q
error: the image docker.io/tool@sha256:77 was not fetched: Docker Hub has had too many requests from this address
hint: wait, log in, or fetch the image once for all: minikube image pull IMAGE
hint: more about it: https://github.com/kubernetes/minikube/issues/9760
exit 2

"#]]
    );
    assert_eq!(fetches(&cluster.called()).len(), 2 + 1 + 6);
    cluster.forget_calls();
    fs::remove_file(cluster.path("fakes/when")).unwrap();
    cluster.run("prefetch").ok();
    let calls = cluster.called();
    assert_eq!(
        fetches(&calls),
        [
            "minikube 'ssh' '--profile' 'minikube' '--' 'sudo' 'crictl' 'pull' 'docker.io/tool@sha256:77'"
        ]
    );
}

#[test]
fn a_minikube_that_does_not_start() {
    let cluster = Cluster::minikube();
    cluster.fails(
        "minikube start *",
        "X Exiting due to PROVIDER_DOCKER_NOT_RUNNING",
    );
    let run = cluster.run("prefetch");
    assert_eq!(run.exit, 2, "{}", run.seen());
    let calls = cluster.called();
    let charts = fetches(&calls);
    let charts = charts.iter().filter(|call| call.starts_with("helm "));
    assert_eq!(charts.count(), 2);
}

/// The images are in the profile, and survive its stop.
#[test]
fn a_minikube_that_was_stopped() {
    let cluster = Cluster::minikube();
    cluster.run("prefetch").ok();
    cluster.write("fakes/profiles", r#"{"valid": []}"#);
    cluster.forget_calls();
    cluster.run("prefetch").ok();
    let calls = cluster.called();
    let fetched = fetches(&calls);
    assert_eq!(fetched.len(), 1, "{fetched:?}");
    assert!(fetched[0].starts_with("minikube 'start'"), "{fetched:?}");
}

/// The install that follows looks for the one image that it fetches in advance, and
/// says where that cannot be had.
#[test]
fn an_install_without_the_image() {
    let cluster = Cluster::minikube();
    cluster.fails("minikube ssh * crictl pull *", "dial tcp: no such host");
    let run = cluster.run("install").ok();
    assert!(
        run.err.contains("not fetched in advance: the image "),
        "{}",
        run.err
    );
}

#[test]
fn on_the_local_target() {
    let world = World::on_free_ports();
    let mut typed = world.bare();
    typed.args(["--on", "local", "--state"]).arg(&world.state);
    typed.args(["prefetch", "--json"]);
    let events = world.end(typed).ok().events();
    let result = events.last().unwrap();
    assert_eq!(
        result.to_string(),
        r#"{"event":"result","command":"prefetch","ok":true,"exit":0,"changed":true,"steps":{"modules":"done","servers":"done"}}"#
    );
    // The target is remembered, and nothing is configured yet.
    assert_eq!(
        fs::read_to_string(world.state.join("target")).unwrap(),
        "local"
    );
    assert!(!world.local().exists());
    world.forget_calls();
    assert_data_eq!(
        world.show(&["prefetch", "prefetch -q --charts DIR", "status -q"]),
        str![[r#"
$ cargo xtask prefetch
nothing to do: everything is here that can be fetched in advance
next: cargo xtask --state [STATE] install
or, chapter by chapter: cargo xtask --state [STATE] next
on local (named by --on)
exit 0

$ cargo xtask prefetch -q --charts DIR
error: --charts, --versions, --values and --ingress are for a cluster
hint: name one: --on minikube or --on cluster
exit 2

$ cargo xtask status -q
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

"#]]
    );
    let _answers = world.answer_for_servers();
    world
        .run(&format!("install --port-base {}", world.base))
        .ok();
    let calls = world.calls();
    let go: Vec<&str> = calls
        .lines()
        .filter(|call| call.contains("/go '"))
        .collect();
    // `preflight` looks which Go there is.
    assert!(
        go.iter().all(|call| call.contains("'env' 'GOVERSION'")),
        "{go:?}"
    );
}

/// Two at once, of two states: one builds, the other waits for it.
#[test]
fn the_servers_are_built_once() {
    let world = World::new();
    let of = |name: &str| {
        let mut command = world.bare();
        command.args(["prefetch", "--state"]).arg(world.path(name));
        command.stdout(std::process::Stdio::piped());
        world.start_as_is(command)
    };
    for run in [of("first"), of("second")].map(|started| started.end()) {
        run.ok();
    }
    let calls = world.calls();
    let builds = calls.lines().filter(|call| call.contains("'build' '-v'"));
    assert_eq!(builds.count(), 1, "{calls}");
}
