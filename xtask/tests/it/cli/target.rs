//! Which target a command is for, and which cluster.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;
use crate::support::world::World;

#[test]
fn targets_that_are_none() {
    let world = World::new().installed("v2");
    let mut by_environment = world.bare();
    by_environment.arg("status").env("WORKSHOP_ON", "garbage");
    let mut by_option = world.bare();
    by_option.args(["status", "--on", "garbage"]);
    let seen = [by_environment, by_option].map(|mut command| {
        command.env("WORKSHOP_STATE", &world.state);
        world.end(command).seen()
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
error: WORKSHOP_ON names no target: "garbage"
hint: the targets are: local, minikube, cluster
exit 2
[REFUSED: "garbage", "--on <TARGET>"]
exit 2

"#]]
    );
}

#[test]
fn a_kept_target_that_is_none() {
    let world = World::new().installed("v2");
    world.write_state("target", "nowhere");
    let mut command = world.bare();
    command.arg("status").env("WORKSHOP_STATE", &world.state);
    assert_data_eq!(
        world.end(command).seen(),
        str![[r#"
error: the state directory names no target: "nowhere"
hint: the targets are: local, minikube, cluster
exit 2

"#]]
    );
}

/// The environment names a target, unless the command does.
#[test]
fn the_environment_names_the_target() {
    let cluster = Cluster::installed();
    let seen = ["cluster", "minikube", "pony"].map(|on| {
        let mut command = cluster.bare();
        command.args(["status", "--state"]).arg(&cluster.state);
        command.env("WORKSHOP_ON", on);
        let run = cluster.end(command);
        let mut lines = run.err.lines();
        format!("{} exit {}\n", lines.next().unwrap(), run.exit)
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
on cluster (named by WORKSHOP_ON) exit 0
on minikube (named by WORKSHOP_ON) exit 2
error: WORKSHOP_ON names no target: "pony" exit 2

"#]]
    );
}

/// The target of a minikube that this command starts is remembered.
#[test]
fn minikube_is_chosen_for_the_commands_to_come() {
    let cluster = Cluster::minikube();
    let run = |line: &str| {
        let mut command = cluster.bare();
        command.args(["--state"]).arg(&cluster.state);
        command.args(line.split(' '));
        cluster.end(command)
    };
    let lines = ["status", "minikube -q", "issuer -q --with-needs", "status"];
    let seen = lines.map(|line| {
        let run = run(line);
        format!("$ cargo xtask {line}\n{}", cluster.redacted(&run.seen()))
    });
    assert_data_eq!(
        seen.join("\n"),
        str![[r#"
$ cargo xtask status
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask minikube -q
done: minikube
exit 0

$ cargo xtask issuer -q --with-needs
done: issuer
exit 0

$ cargo xtask status
component            state    address
cert-manager         up       cert-manager
fulcio               stopped  fulcio-system
ctlog                stopped  ctlog-system
rekor                stopped  rekor-system
trillian-log-server  stopped  trillian-system
trillian-log-signer  stopped  trillian-system
trillian-database    stopped  trillian-system
registry             stopped  default
tuf                  stopped  default
on minikube (chosen before)
error: not up: fulcio, ctlog, rekor, trillian-log-server, trillian-log-signer, trillian-database, registry, tuf
hint: see why: cargo xtask --state [STATE] doctor
exit 1

"#]]
    );
    let chosen = fs::read_to_string(cluster.state.join("target")).unwrap();
    assert_eq!(chosen, "minikube");
}

#[test]
fn a_context_that_does_not_exist() {
    let cluster = Cluster::new();
    let lines = ["install -q --context nobody", "trust -q --context nobody"];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask install -q --context nobody
error: what is needed is not there (cluster: error: context "nobody" does not exist)
hint: see which there are: kubectl config get-contexts
exit 1

$ cargo xtask trust -q --context nobody
  | error: context "nobody" does not exist
error: kubectl knows no cluster of that name
hint: see which there are: kubectl config get-contexts
exit 2

"#]]
    );
}

/// A state directory belongs to one cluster.
#[test]
fn another_context_than_before() {
    let cluster = Cluster::installed();
    let lines = ["install -q --context other", "status -q --context other"];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask install -q --context other
error: this state directory belongs to the cluster test, not to other
hint: name another state directory: --state DIR
hint: or remove what is there first: cargo xtask --state [STATE] uninstall
hint: where that cluster is gone: cargo xtask --state [STATE] uninstall --yes --from forget
exit 2

$ cargo xtask status -q --context other
error: this state directory belongs to the cluster test, not to other
hint: name another state directory: --state DIR
hint: or remove what is there first: cargo xtask --state [STATE] uninstall
hint: where that cluster is gone: cargo xtask --state [STATE] uninstall --yes --from forget
exit 2

"#]]
    );
    // Whatever kubectl's current context is by now.
    cluster.write("fakes/context", "other");
    let run = cluster.run("status -q");
    assert!(run.err.contains("test"), "{}", run.err);
    cluster.write("fakes/context", "test");
    let same = cluster.run("install -q --context test").ok();
    assert!(same.out.starts_with("nothing to do"), "{}", same.out);
    assert_data_eq!(
        cluster.shows(&["status -q --on local --context test"]),
        str![[r#"
$ cargo xtask status -q --on local --context test
error: --context names a cluster, and the target is local
hint: name the target as well: --on cluster
exit 2

"#]]
    );
}

#[test]
fn no_current_context() {
    let cluster = Cluster::new();
    cluster.fails("kubectl config *", "error: current-context is not set");
    assert_data_eq!(
        cluster.shows(&["install -q"]),
        str![[r#"
$ cargo xtask install -q
error: kubectl has no current context, so no cluster is known
hint: see which there are: kubectl config get-contexts
hint: name one: --context NAME, or start one: cargo xtask --state [STATE] minikube
exit 2

"#]]
    );
}
