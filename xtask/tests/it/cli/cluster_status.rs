//! `status`, `env` and `logs` on a cluster.

use crate::support::cluster::{Cluster, deployment};
use crate::support::snapshot::snapshot;
use crate::support::world::World;

/// The variables of a cluster and its state.
#[test]
fn status_env_and_logs() {
    let cluster = Cluster::of("cluster", World::new());
    cluster.run("install").ok();
    cluster.has("rekor-system", deployment("rekor-server", false));
    cluster.write("fakes/logs/fulcio-server", "it runs\n");
    let lines = ["status", "env", "logs fulcio", "logs pony"];
    // How long the TUF repository is up grows with the calendar.
    let shown = cluster.shows(&lines);
    let shown: Vec<&str> = shown
        .lines()
        .map(|line| match line.starts_with("tuf  ") {
            true => line
                .rsplit_once("  ")
                .map_or(line, |(row, _)| row.trim_end()),
            false => line,
        })
        .collect();
    snapshot("cluster-commands.txt", &(shown.join("\n") + "\n"));
}
