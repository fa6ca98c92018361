//! Plans of a cluster as values: no program runs, so none has to be there. The facts are
//! made by hand, and the repository is nowhere: a plan reads nothing.

mod choice;
mod rotation;
mod signing;

use std::path::Path;

use serde_json::json;

use super::Cluster;
use super::charts::{ChartInput, ChartSources, Charts};
use super::facts::{InstallFacts, RemovalFacts};
use super::servers::REKOR;
use super::settings::ClusterSettings;
use crate::entry::Versions;
use crate::plan::shell;
use crate::plan::{Plan, Ready, Step};
use crate::state::{self, State};
use crate::target::{InstallStage, Made, Removal, TargetKind, WayBack};

/// A repository that does not exist.
const NO_REPOSITORY: &str = "/nowhere/repository";

/// The facts of an install with these settings.
fn facts(settings: ClusterSettings) -> InstallFacts {
    let pins = "
        tools: {kubectl: {minimum: '1.29'}, helm: {minimum: '3.14'}, minikube: {minimum: '1.32'}}
        kubernetes: {minimum: '1.29'}
        charts:
          cert-manager: {repository: 'https://charts.example.com', version: v1.0.0}
          scaffold: {repository: 'https://charts.example.com', version: 0.1.0}
          ctlog-tiles: {repository: 'https://charts.example.com', version: 0.2.0}
          rekor-tiles: {repository: 'https://charts.example.com', version: 0.3.0}
          tsa: {repository: 'https://charts.example.com', version: 0.4.0}
        book: {mdbook: '0.4'}
        clients: {}";
    let input = |chart: &str| ChartInput {
        path: format!("/nowhere/{chart}.tgz").into(),
        extra: None,
        wanted: json!({"replicas": 1}),
    };
    let sources = ChartSources {
        repo: NO_REPOSITORY.into(),
        dir: "/nowhere/cluster".into(),
        settings,
        pins: serde_yaml::from_str(pins).unwrap(),
    };
    InstallFacts {
        charts: Charts::new(sources, input),
        job_image: "registry.example.com/cosign:1".to_owned(),
        ends_ingress: false,
    }
}

/// The facts of an install that chooses nothing.
fn plain() -> InstallFacts {
    facts(ClusterSettings::new("test"))
}

/// A cluster of which nothing is known but its context.
fn open(kind: TargetKind) -> Cluster {
    let state = State::open("/nowhere".into()).unwrap();
    Cluster::open(Path::new(NO_REPOSITORY), &state, kind, Some("test"), &[]).unwrap()
}

/// A cluster with the settings that an install leaves, in a directory of its own.
fn installed(dir: &Path) -> Cluster {
    let state = State::open(dir.to_owned()).unwrap();
    let file = dir.join("cluster/settings.json");
    state::write_json(&file, &ClusterSettings::new("test")).unwrap();
    Cluster::open(
        Path::new(NO_REPOSITORY),
        &state,
        TargetKind::Cluster,
        None,
        &[],
    )
    .unwrap()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.name.as_str()).collect()
}

fn step<'a>(plan: &'a Plan, name: &str) -> &'a Step {
    let mut all = plan.steps.iter();
    all.find(|step| step.name == name).unwrap()
}

/// What a dry run prints of a step.
fn printed(plan: &Plan, name: &str) -> String {
    shell::commands(step(plan, name), &plan.globals).join("\n")
}

/// What ends soon stops no install, which renews it.
#[test]
fn preflight_warns_of_a_role_that_ends() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = installed(dir.path());
    assert_eq!(cluster.roles_last(), None);
    let files = [
        ("timestamp.json", "snapshot.json", "2026-01-08T00:00:00Z"),
        ("1.snapshot.json", "targets.json", "2126-01-08T00:00:00Z"),
        ("1.targets.json", "", "2126-01-08T00:00:00Z"),
        ("1.root.json", "", "2126-01-08T00:00:00Z"),
    ];
    for (name, meta, expires) in files {
        let role = json!({"signed": {"expires": expires, "meta": {meta: {"version": 1}}}});
        let file = dir.path().join("cluster/tuf-repository").join(name);
        state::write_json(&file, &role).unwrap();
    }
    let finding = cluster.roles_last().unwrap();
    assert!(finding.passes() && !finding.ok, "{finding:?}");
    assert!(
        finding
            .found
            .starts_with("its role timestamp ends 2026-01-08"),
        "{finding:?}"
    );
}

#[test]
fn opening_a_cluster_asks_nobody() {
    let state = State::open("/nowhere".into()).unwrap();
    let cluster = Cluster::open(
        Path::new(NO_REPOSITORY),
        &state,
        TargetKind::Cluster,
        None,
        &[],
    )
    .unwrap();
    assert!(cluster.settings.get().is_none());
}

#[test]
fn a_cluster_and_a_minikube_are_installed_alike() {
    let plan = |kind| open(kind).install_plan(None, &plain()).unwrap();
    let (cluster, minikube) = (plan(TargetKind::Cluster), plan(TargetKind::Minikube));
    let only_minikube: Vec<&str> = names(&minikube)
        .into_iter()
        .filter(|name| !names(&cluster).contains(name))
        .collect();
    assert_eq!(only_minikube, ["minikube", "images"]);
    assert_eq!(names(&cluster).last(), Some(&"publish-root"));
    // Every step tells whether it is done, so that an install can be resumed.
    assert!(minikube.steps.iter().all(|step| step.done.is_some()));
}

#[test]
fn a_stage_is_the_same_plan_under_its_own_name() {
    let cluster = open(TargetKind::Cluster);
    let whole = cluster.install_plan(None, &plain()).unwrap();
    let stage = cluster.install_plan(Some(InstallStage::Scaffold), &plain());
    let stage = stage.unwrap();
    assert_eq!(stage.command, "scaffold");
    assert_eq!(names(&stage), names(&whole));
}

#[test]
fn what_is_waited_for_is_in_the_table_of_servers() {
    let plan = open(TargetKind::Cluster).install_plan(None, &plain());
    let plan = plan.unwrap();
    let Some(Ready::Objects {
        namespace,
        conditions,
        ..
    }) = &step(&plan, "scaffold-rekor").ready
    else {
        panic!("no objects are waited for");
    };
    assert_eq!(namespace, REKOR.namespace);
    let words: Vec<String> = REKOR.ready.iter().map(ToString::to_string).collect();
    assert_eq!(*conditions, words);
}

#[test]
fn an_uninstall_ends_with_what_is_here() {
    let plan =
        open(TargetKind::Cluster).uninstall_plan(Removal::default(), &RemovalFacts::default());
    assert_eq!(
        names(&plan.unwrap()),
        [
            "scaffold",
            "certificates",
            "clusterissuers",
            "clusterrolebindings",
            "objects",
            "cert-manager",
            "cert-manager-namespace",
            "namespaces",
            "forget",
        ]
    );
    let deleted = Removal {
        delete_minikube: Some("test"),
        ..Removal::default()
    };
    let plan = open(TargetKind::Minikube).uninstall_plan(deleted, &RemovalFacts::default());
    assert_eq!(names(&plan.unwrap()), ["forget", "delete-minikube"]);
}

#[test]
fn a_chapter_takes_back_what_is_its_own() {
    let sigstore = [
        WayBack::Remove(Made::Sigstore),
        WayBack::Remove(Made::Trust),
    ];
    let binding = [WayBack::Remove(Made::Binding)];
    let plan = open(TargetKind::Cluster)
        .reset_plan(&sigstore, &RemovalFacts::default())
        .unwrap();
    let all = names(&plan);
    assert!(all.contains(&"scaffold") && all.contains(&"trust"));
    assert!(!all.contains(&"clusterrolebindings") && !all.contains(&"forget"));
    let plan = open(TargetKind::Cluster)
        .reset_plan(&binding, &RemovalFacts::default())
        .unwrap();
    assert!(names(&plan).contains(&"clusterrolebindings"));
    assert!(!names(&plan).contains(&"scaffold"));
}

#[test]
fn what_is_fetched_is_named_by_the_facts() {
    let plan = open(TargetKind::Minikube).prefetch_plan(&plain()).unwrap();
    assert_eq!(
        names(&plan),
        [
            "begin",
            "cert-manager-chart",
            "scaffold-chart",
            "minikube",
            "images"
        ]
    );
    assert!(printed(&plan, "scaffold-chart").contains("https://charts.example.com"));
    let plan = open(TargetKind::Minikube).install_plan(None, &plain());
    let image = printed(&plan.unwrap(), "images");
    assert!(image.contains("registry.example.com/cosign:1"), "{image}");
}

/// `status` says that such a forward is not up, and to type `start`.
#[test]
fn a_forward_to_a_server_that_has_gone_is_ended() {
    let temp = tempfile::tempdir().unwrap();
    let cluster = installed(temp.path()).with_settings(ClusterSettings {
        rekor: Versions::V2,
        ..ClusterSettings::new("test")
    });
    let facts = RemovalFacts {
        forwards: vec!["rekor".to_owned(), "tuf".to_owned()],
        ..RemovalFacts::default()
    };
    let plan = cluster.start_plan(&[], &facts).unwrap();
    let all = names(&plan);
    let closed = all.iter().filter(|name| name.starts_with("close-"));
    assert!(closed.eq(["close-rekor"].iter()), "{all:?}");
    let plan = cluster.start_plan(&["tuf".to_owned()], &facts).unwrap();
    assert_eq!(names(&plan), ["forward-tuf"]);
    let plan = cluster.restart_plan(&[], &facts).unwrap();
    let all = names(&plan);
    let of_rekor = all.iter().filter(|name| **name == "close-rekor");
    assert_eq!(of_rekor.count(), 1, "{all:?}");
}

#[test]
fn forwards_are_ended_as_the_facts_name_them() {
    let temp = tempfile::tempdir().unwrap();
    let cluster = installed(temp.path());
    let facts = RemovalFacts {
        forwards: vec!["rekor".to_owned(), "registry-17".to_owned()],
        sample: Some("registry.example.com/sample:1".to_owned()),
    };
    let plan = cluster.stop_plan(&[], &facts).unwrap();
    assert_eq!(names(&plan), ["close-rekor", "close-registry-17"]);
    let rekor = ["rekor".to_owned()];
    let plan = cluster.restart_plan(&rekor, &facts).unwrap();
    assert_eq!(names(&plan), ["close-rekor", "forward-rekor"]);
    let unsign = [WayBack::Unsign { attestations: true }];
    let plan = cluster.reset_plan(&unsign, &facts).unwrap();
    assert!(printed(&plan, "unsign").contains("registry.example.com/sample:1"));
}
