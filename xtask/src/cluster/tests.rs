//! Plans of a cluster as values: no program runs, so none has to be there.

use std::path::{Path, PathBuf};

use super::Cluster;
use super::discovery::Discovery;
use super::facts::{CosignPlace, InstallFacts, Request, SigningFacts};
use super::forwards::PortForward;
use super::servers::{FULCIO, REGISTRY, REKOR};
use super::settings::ClusterSettings;
use crate::artifact::Artifact;
use crate::fail::Fail;
use crate::plan::shell;
use crate::plan::{Plan, Ready, Step};
use crate::state::{self, State};
use crate::target::{ClusterOptions, InstallStage, Made, Removal, Reset, TargetKind, WayBack};

fn repo() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A cluster of which nothing is known but its context.
fn open(kind: TargetKind) -> Cluster {
    let state = State::open("/nowhere".into()).unwrap();
    Cluster::open(repo(), &state, kind, Some("test"), &[]).unwrap()
}

/// A cluster with the settings that an install leaves, in a directory of its own.
fn installed(dir: &Path) -> Cluster {
    let state = State::open(dir.to_owned()).unwrap();
    let file = dir.join("cluster/settings.json");
    state::write_json(&file, &ClusterSettings::new("test")).unwrap();
    Cluster::open(repo(), &state, TargetKind::Cluster, None, &[]).unwrap()
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

#[test]
fn opening_a_cluster_asks_nobody() {
    let state = State::open("/nowhere".into()).unwrap();
    let cluster = Cluster::open(repo(), &state, TargetKind::Cluster, None, &[]).unwrap();
    assert!(cluster.settings.get().is_none());
}

#[test]
fn a_cluster_and_a_minikube_are_installed_alike() {
    let (options, facts) = (ClusterOptions::default(), InstallFacts::default());
    let plan = |kind| {
        let request = Request::new(&options);
        open(kind).install_plan(request, &facts).unwrap()
    };
    let (cluster, minikube) = (plan(TargetKind::Cluster), plan(TargetKind::Minikube));
    let only_minikube: Vec<&str> = names(&minikube)
        .into_iter()
        .filter(|name| !names(&cluster).contains(name))
        .collect();
    assert_eq!(only_minikube, ["minikube", "images"]);
    assert_eq!(names(&cluster).last(), Some(&"trust"));
    // Every step tells whether it is done, so that an install can be resumed.
    assert!(minikube.steps.iter().all(|step| step.done.is_some()));
}

#[test]
fn the_ingress_adds_its_certificates() {
    let options = ClusterOptions {
        ingress: Some(String::new()),
        ..ClusterOptions::default()
    };
    let facts = InstallFacts {
        nip_io: Some("192.0.2.1.nip.io".to_owned()),
        ..InstallFacts::default()
    };
    let cluster = open(TargetKind::Minikube);
    let plan = cluster.install_plan(Request::new(&options), &facts);
    let plan = plan.unwrap();
    for name in ["ingress", "scaffold-fulcio-tls", "scaffold-rekor-tls"] {
        assert!(names(&plan).contains(&name), "{name}");
    }
    assert!(
        step(&plan, "trust")
            .needs
            .contains(&"scaffold-rekor-tls".to_owned())
    );
    let begin = printed(&plan, "begin");
    assert!(begin.contains("--ingress=192.0.2.1.nip.io"), "{begin}");
    // Elsewhere nobody knows the address of the controller.
    let elsewhere = open(TargetKind::Cluster).install_plan(Request::new(&options), &facts);
    assert!(elsewhere.is_err());
}

#[test]
fn a_stage_is_the_same_plan_under_its_own_name() {
    let (options, facts) = (ClusterOptions::default(), InstallFacts::default());
    let request = Request::new(&options);
    let stage = Request {
        stage: Some(InstallStage::Scaffold),
        ..request
    };
    let cluster = open(TargetKind::Cluster);
    let whole = cluster.install_plan(request, &facts).unwrap();
    let stage = cluster.install_plan(stage, &facts).unwrap();
    assert_eq!(stage.command, "scaffold");
    assert_eq!(names(&stage), names(&whole));
}

#[test]
fn another_issuer_is_given_to_fulcio() {
    let options = ClusterOptions::default();
    let facts = InstallFacts {
        discovery: Some(Discovery {
            issuer: "https://oidc.example.com/id/1".to_owned(),
            jwks_uri: "https://oidc.example.com/id/1/keys".to_owned(),
        }),
        ..InstallFacts::default()
    };
    let cluster = open(TargetKind::Cluster);
    let chosen = cluster.chosen(Request::new(&options), &facts).unwrap();
    let settings = chosen.settings().unwrap();
    assert_eq!(
        settings.issuer.as_deref(),
        Some("https://oidc.example.com/id/1")
    );
    assert!(settings.anonymous);
}

#[test]
fn ports_stay_while_a_forward_is_open() {
    let options = ClusterOptions::default();
    let request = Request {
        port_base: Some(20_000),
        ..Request::new(&options)
    };
    let facts = InstallFacts {
        forwarded: Some("rekor"),
        ..InstallFacts::default()
    };
    let refused = open(TargetKind::Cluster).install_plan(request, &facts);
    let fail = Fail::from_error(&refused.err().unwrap());
    assert!(fail.what.contains("the forward to rekor"), "{}", fail.what);
}

#[test]
fn what_is_waited_for_is_in_the_table_of_servers() {
    let (options, facts) = (ClusterOptions::default(), InstallFacts::default());
    let plan = open(TargetKind::Cluster).install_plan(Request::new(&options), &facts);
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
fn images_are_signed_by_jobs_and_files_here() {
    let temp = tempfile::tempdir().unwrap();
    let cluster = installed(temp.path());
    let image = Artifact::Image("registry.default.svc.cluster.local/a:1".to_owned());
    let jobs = SigningFacts {
        account_exists: true,
        place: CosignPlace::Jobs(vec!["sign-0000000001".to_owned()]),
    };
    let plan = cluster.sign_plan(std::slice::from_ref(&image), "bob", &jobs);
    assert_eq!(names(&plan.unwrap()), ["job", "sign", "clean-up-sign"]);
    let forward = |server, port| PortForward {
        server,
        port,
        persistent: false,
    };
    let here = SigningFacts {
        account_exists: true,
        place: CosignPlace::Here {
            cosign: PathBuf::from("/bin/cosign"),
            forwards: vec![
                forward(&FULCIO, 20_001),
                forward(&REKOR, 20_002),
                forward(&REGISTRY, 20_003),
            ],
        },
    };
    let plan = cluster.sign_plan(&[image], "bob", &here).unwrap();
    let all = names(&plan);
    for name in [
        "forward-fulcio",
        "signing-config",
        "close-registry",
        "forget-signing-config",
    ] {
        assert!(all.contains(&name), "{name}: {all:?}");
    }
    // The registry has the name that it has here.
    let sign = printed(&plan, "digest");
    assert!(sign.contains("127.0.0.1:20003/a:1"), "{sign}");
}

#[test]
fn nobody_signs_as_an_account_that_is_not_there() {
    let temp = tempfile::tempdir().unwrap();
    let facts = SigningFacts {
        account_exists: false,
        place: CosignPlace::Jobs(Vec::new()),
    };
    let refused = installed(temp.path()).sign_plan(&[], "bob", &facts);
    assert!(refused.is_err());
}

#[test]
fn an_image_is_verified_by_a_job_that_goes() {
    let temp = tempfile::tempdir().unwrap();
    let image = Artifact::Image("registry.default.svc.cluster.local/a:1".to_owned());
    let place = CosignPlace::Jobs(vec!["verify-0000000001".to_owned()]);
    let cluster = installed(temp.path());
    let plan = cluster.verify_plan(&[image], ("https://me", "https://issuer"), &place);
    let plan = plan.unwrap();
    assert_eq!(names(&plan), ["job", "verify", "clean-up-verify"]);
    assert!(step(&plan, "clean-up-verify").always);
}

#[test]
fn an_uninstall_ends_with_what_is_here() {
    let plan = open(TargetKind::Cluster).uninstall(Removal::default());
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
    let plan = open(TargetKind::Minikube).uninstall(deleted);
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
        .reset("authority", &sigstore)
        .unwrap();
    let all = names(&plan);
    assert!(all.contains(&"scaffold") && all.contains(&"trust"));
    assert!(!all.contains(&"clusterrolebindings") && !all.contains(&"forget"));
    let plan = open(TargetKind::Cluster)
        .reset("identity", &binding)
        .unwrap();
    assert!(names(&plan).contains(&"clusterrolebindings"));
    assert!(!names(&plan).contains(&"scaffold"));
}
