//! What is asked of a cluster that has the workshop on it, and its removal.

use std::fs;

use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::cluster::{
    Cluster, active, cert_manager, definition, deployment, labelled, object,
};
use crate::support::recorded::{self, faded, trust};
use crate::support::world::{World, answer, snapshot};

/// The variables of a cluster and its state.
#[test]
fn status_env_and_logs() {
    let cluster = Cluster::of("cluster", World::new());
    cluster.run("install").ok();
    cluster.has("rekor-system", deployment("rekor-server", false));
    cluster.write("fakes/logs/fulcio-server", "it runs\n");
    let lines = ["status", "env", "logs fulcio", "logs pony"];
    snapshot("cluster-commands.txt", &cluster.shows(&lines));
}

#[test]
fn a_cluster_that_is_well() {
    let cluster = Cluster::installed();
    cluster.has("-", labelled(object("ClusterRoleBinding", "oidc-reviewer")));
    let now = humantime::format_rfc3339(std::time::SystemTime::now()).to_string();
    let mut lease = object("Lease", "node-1");
    lease["spec"]["renewTime"] = json!(now);
    cluster.has("kube-node-lease", lease.clone());
    let run = cluster.run("doctor -q").ok();
    assert!(run.out.ends_with("no known problem found\n"), "{}", run.out);
    // A clock that stands.
    lease["spec"]["renewTime"] = json!("2026-01-02T03:04:05.000000Z");
    cluster.has("kube-node-lease", lease);
    cluster.has_not("default", &object("Secret", "ctlog-public-key"));
    cluster.write(
        "fakes/logs/fulcio-server",
        "403 Forbidden: User \"system:anonymous\" cannot get path \"/openid/v1/jwks\"\n",
    );
    let run = cluster.run("doctor -q");
    assert_data_eq!(
        cluster.redacted(&run.err),
        str![[r#"
error: something is wrong: clocks, secrets, trust
hint: set the clocks; a minikube that slept is set by: minikube stop, then cargo xtask --state [STATE] minikube
hint: cargo xtask --state [STATE] copy-secrets
hint: cargo xtask --state [STATE] trust

"#]]
    );
    assert!(run.out.contains("✗ clocks     node-1 is "), "{}", run.out);
    assert!(run.out.contains(" s behind this machine"), "{}", run.out);
    let says = "fulcio: nobody without a token may read";
    assert!(run.out.contains(says), "{}", run.out);
}

/// The log of a cluster is read through a forward, which is closed again.
#[test]
fn inspect_rekor_through_a_forward() {
    let cluster = Cluster::installed();
    trust(&cluster);
    let _forwards = cluster.answer_forwards(recorded::api);
    let lines = ["inspect-rekor --log-index 0", "inspect-rekor --log-index 7"];
    snapshot("cluster-inspect.txt", &faded(&cluster.shows(&lines)));
    let run = fs::read_dir(cluster.kept_file("run")).unwrap();
    assert_eq!(run.count(), 0, "a forward is still open");
}

/// Through an ingress it is read with curl, which checks the certificate.
#[test]
fn inspect_rekor_through_an_ingress() {
    let cluster = Cluster::minikube();
    cluster.add_program("curl", "printf '%s\\n%s' '{\"treeSize\": 1}' 200");
    cluster.run("minikube").ok();
    cluster.run("install --ingress").ok();
    trust(&cluster);
    cluster.forget_calls();
    cluster.run("inspect-rekor --log-index 0");
    let called = cluster.called();
    let with = "curl '--disable' '--silent' '--show-error' '--noproxy' '*' '--proto' '=https' ";
    assert!(called.contains(with), "{called}");
    let ca = "'--cacert' '[STATE]/minikube/trust/ingress.pem'";
    assert!(called.contains(ca), "{called}");
    let url = "'https://rekor.192.168.49.2.nip.io/api/v1/log";
    assert!(called.contains(url), "{called}");
    for insecure in ["'-k'", "'--insecure'", "'--location'"] {
        assert!(!called.contains(insecure), "{called}");
    }
    cluster.fake(
        "curl",
        "echo 'curl: (6) Could not resolve host: rekor.192.168.49.2.nip.io' >&2; exit 6",
    );
    let line = "inspect-rekor --log-index 0";
    assert_data_eq!(
        cluster.shows(&[line]),
        str![[r#"
$ cargo xtask inspect-rekor --log-index 0
on minikube (named by --on)
error: the host of the ingress has no address: this network does not resolve it
hint: do without it: cargo xtask --state [STATE] install --ingress=none
exit 2

"#]]
    );
}

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
    assert_eq!(components.iter().filter(forward).count(), 3);
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

#[test]
fn uninstall_removes_what_is_its_own() {
    let cluster = Cluster::installed();
    cluster.has("default", object("Secret", "of-somebody-else"));
    cluster.has("-", object("Namespace", "of-somebody-else"));
    let run = cluster.run("uninstall -q --yes").ok();
    snapshot("cluster-uninstall.txt", &cluster.redacted(&run.out));
    snapshot("cluster-uninstall-calls.txt", &cluster.changes());
    assert!(cluster.kept("default", "secret.of-somebody-else").is_some());
    assert!(cluster.kept("-", "namespace.of-somebody-else").is_some());
    assert!(cluster.kept("-", "namespace.rekor-system").is_none());
    assert!(!cluster.kept_file("").exists());
}

/// A cert-manager that was there before is used, and stays.
#[test]
fn a_cert_manager_of_somebody_else() {
    let cluster = Cluster::new();
    cluster.has("-", definition("platform"));
    cluster.has("platform", cert_manager());
    cluster.run("install -q").ok();
    let changes = cluster.forget_changes();
    for touched in [
        "'upgrade' '--install' '--labels'",
        "namespace-cert-manager.yml",
    ] {
        assert!(!changes.contains(touched), "{changes}");
    }
    cluster.run("uninstall -q --yes").ok();
    let changes = cluster.changes();
    assert!(!changes.contains("'uninstall' 'cert-manager'"), "{changes}");
    let definition = "customresourcedefinition.certificates.cert-manager.io";
    assert!(cluster.kept("-", definition).is_some(), "{changes}");
}

/// One that was installed as its own documentation says has the names that the
/// workshop uses as well.
#[test]
fn a_cert_manager_of_somebody_else_under_the_same_name() {
    let cluster = Cluster::new();
    cluster.has("-", definition("cert-manager"));
    cluster.has("-", active("cert-manager"));
    cluster.has("cert-manager", cert_manager());
    let release = json!({"info": {"status": "deployed"}, "config": {}});
    cluster.says("releases/cert-manager.status", &release);
    cluster.says(
        "releases/cert-manager.metadata",
        &json!({"version": "v1.0.0"}),
    );
    cluster.run("install -q").ok();
    cluster.run("uninstall -q --yes").ok();
    let changes = cluster.changes();
    for touched in [
        "helm 'upgrade' '--install' '--labels'",
        "helm 'uninstall' 'cert-manager'",
        "'delete' 'customresourcedefinitions'",
        "namespace-cert-manager.yml",
    ] {
        assert!(!changes.contains(touched), "{changes}");
    }
    assert!(cluster.kept("-", "namespace.cert-manager").is_some());
}

/// So does the workshop's own, where others have come to need it.
#[test]
fn a_cert_manager_that_others_use() {
    let cluster = Cluster::installed();
    cluster.has("shop", object("Certificate", "shop-tls"));
    let run = cluster.run("uninstall -v --yes").ok();
    let says = "cert-manager stays: Certificate shop-tls is not the workshop's";
    assert!(run.err.contains(says), "{}", run.err);
    let changes = cluster.changes();
    assert!(
        !changes.contains("helm 'uninstall' 'cert-manager'"),
        "{changes}"
    );
    assert!(
        !changes.contains("'delete' 'customresourcedefinitions'"),
        "{changes}"
    );
}

#[test]
fn minikube_is_deleted_when_it_is_named() {
    let cluster = Cluster::minikube();
    cluster.run("install -q").ok();
    cluster.forget_calls();
    let lines = [
        "uninstall -q --yes --delete-minikube work",
        "uninstall -q --delete-minikube minikube",
        "uninstall -q --yes --delete-minikube minikube --on cluster",
    ];
    assert_data_eq!(
        cluster.shows(&lines),
        str![[r#"
$ cargo xtask uninstall -q --yes --delete-minikube work
error: the minikube work is not the one of this target
hint: only that one is deleted: --delete-minikube minikube
exit 2

$ cargo xtask uninstall -q --delete-minikube minikube
error: uninstall asks first, and nobody is here to answer
hint: add --yes
exit 2

$ cargo xtask uninstall -q --yes --delete-minikube minikube --on cluster
error: the minikube minikube is not the one of this target
hint: name the target as well: --on minikube
exit 2

"#]]
    );
    assert_eq!(cluster.changes(), "");
    cluster
        .run("uninstall -q --yes --delete-minikube minikube")
        .ok();
    let changes = cluster.changes();
    assert!(
        changes.contains("minikube '--profile=minikube' 'delete'\n"),
        "{changes}"
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
