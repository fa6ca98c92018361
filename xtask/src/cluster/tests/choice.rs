//! What is chosen for a cluster, from options and from what the cluster says.

use super::{facts, names, open, printed, step};
use crate::cluster::discovery::Discovery;
use crate::cluster::facts::{Request, Surroundings};
use crate::cluster::settings::ClusterSettings;
use crate::entry::Versions;
use crate::fail::Fail;
use crate::target::{ClusterOptions, TargetKind};

#[test]
fn the_ingress_adds_its_certificates() {
    let options = ClusterOptions {
        ingress: Some(String::new()),
        ..ClusterOptions::default()
    };
    let said = Surroundings {
        nip_io: Some("192.0.2.1.nip.io".to_owned()),
        ..Surroundings::default()
    };
    let minikube = open(TargetKind::Minikube);
    let chosen = minikube.chosen(Request::new(&options), &said).unwrap();
    let plan = minikube.install_plan(None, &facts(chosen)).unwrap();
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
    let elsewhere = open(TargetKind::Cluster).chosen(Request::new(&options), &said);
    assert!(elsewhere.is_err());
}

#[test]
fn another_issuer_is_given_to_fulcio() {
    let options = ClusterOptions::default();
    let said = Surroundings {
        discovery: Some(Discovery {
            issuer: "https://oidc.example.com/id/1".to_owned(),
            jwks_uri: "https://oidc.example.com/id/1/keys".to_owned(),
        }),
        ..Surroundings::default()
    };
    let cluster = open(TargetKind::Cluster);
    let settings = cluster.chosen(Request::new(&options), &said).unwrap();
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
    let said = Surroundings {
        forwarded: Some("rekor"),
        ..Surroundings::default()
    };
    let refused = open(TargetKind::Cluster).chosen(request, &said);
    let fail = Fail::from_error(&refused.err().unwrap());
    assert!(fail.what.contains("the forward to rekor"), "{}", fail.what);
}

/// What comes of choosing versions of Rekor where these are chosen already.
fn rekor(now: Versions, wanted: Versions, complete: bool) -> Result<Versions, String> {
    let options = ClusterOptions::default();
    let request = Request {
        rekor: Some(wanted),
        ..Request::new(&options)
    };
    let said = Surroundings {
        complete,
        ..Surroundings::default()
    };
    let cluster = open(TargetKind::Cluster).with_settings(ClusterSettings {
        rekor: now,
        ..ClusterSettings::new("test")
    });
    let chosen = cluster.chosen(request, &said);
    let refused = |error| Fail::from_error(&error).hints.join("; ");
    chosen.map(|settings| settings.rekor).map_err(refused)
}

#[test]
fn rekor_goes_on_in_two_steps_and_not_back() {
    use Versions::{Both, V1, V2};
    // Before there is anything to lose, all is possible.
    for (now, wanted) in [(V1, V2), (V2, V1), (Both, V1)] {
        assert_eq!(rekor(now, wanted, false), Ok(wanted));
    }
    for (now, wanted) in [(V1, Both), (Both, V2), (V2, V2), (V1, V1)] {
        assert_eq!(rekor(now, wanted, true), Ok(wanted));
    }
    let first = rekor(V1, V2, true).unwrap_err();
    assert!(first.contains("--rekor both"), "{first}");
    for (now, wanted) in [(Both, V1), (V2, V1), (V2, Both)] {
        let refused = rekor(now, wanted, true).unwrap_err();
        assert!(refused.contains("cargo xtask uninstall"), "{refused}");
    }
}

#[test]
fn the_versions_of_rekor_decide_what_is_installed() {
    let plan = |rekor| {
        let settings = ClusterSettings {
            rekor,
            ..ClusterSettings::new("test")
        };
        let cluster = open(TargetKind::Cluster);
        cluster.install_plan(None, &facts(settings)).unwrap()
    };
    let (v1, v2, both) = (plan(Versions::V1), plan(Versions::V2), plan(Versions::Both));
    for name in ["ctlog-tiles", "rekor-tiles", "tsa", "rekor-tiles-reader"] {
        assert!(!names(&v1).contains(&name), "{name}");
        assert!(names(&v2).contains(&name), "{name}");
        assert!(names(&both).contains(&name), "{name}");
    }
    for name in [
        "scaffold-database-secret",
        "scaffold-tables",
        "scaffold-trillian",
    ] {
        assert!(names(&v1).contains(&name), "{name}");
        assert!(!names(&v2).contains(&name), "{name}");
        assert!(names(&both).contains(&name), "{name}");
    }
    // What is looked at first and what comes last are the same.
    for plan in [&v1, &v2, &both] {
        assert_eq!(names(plan).last(), Some(&"publish-root"));
        assert!(plan.steps.iter().all(|step| step.done.is_some()));
        // A step that comes later is not waited for.
        for (place, step) in plan.steps.iter().enumerate() {
            let later = |need: &String| {
                let mut rest = plan.steps[place..].iter();
                rest.any(|other| other.name == *need)
            };
            assert!(!step.needs.iter().any(later), "{} is too early", step.name);
        }
    }
    // Who is told of a server finds it.
    for plan in [&v2, &both] {
        let needs = |name: &str, other: &str| step(plan, name).needs.contains(&other.to_owned());
        assert!(needs("scaffold", "ctlog-tiles"));
        assert!(needs("trust", "ctlog-tiles") && needs("trust", "first-entry"));
    }
    let namespaces = printed(&v2, "namespaces");
    assert!(
        namespaces.contains("namespaces-rekor-v2.yml") && !namespaces.contains("namespaces.yml")
    );
    assert!(printed(&v2, "begin").contains("--rekor v2"));
    let chart = printed(&v2, "rekor-tiles");
    assert!(chart.contains("--skip-schema-validation"), "{chart}");
    let chart = printed(&v2, "ctlog-tiles");
    assert!(chart.contains("ctlog-tiles-certificates.yml"), "{chart}");
}

/// Each server of Rekor v2 that clients ask has a host, and `none` takes all of them back.
#[test]
fn an_ingress_shows_rekor_v2() {
    let mut settings = ClusterSettings::new("test");
    settings.ingress = Some("example.com".to_owned());
    settings.rekor = Versions::V2;
    let cluster = open(TargetKind::Cluster);
    let plan = cluster.install_plan(None, &facts(settings)).unwrap();
    for server in [
        "fulcio",
        "rekor-v2",
        "tiles",
        "ct-tiles",
        "timestamp",
        "tuf",
    ] {
        let wait = format!("scaffold-{server}-tls");
        assert!(step(&plan, "trust").needs.contains(&wait), "{wait}");
        assert!(
            step(&plan, &wait)
                .needs
                .contains(&"ingress-hosts".to_owned())
        );
    }
    assert!(printed(&plan, "ingress-hosts").ends_with("step ingress-hosts"));
    let mut ends = facts(ClusterSettings::new("test"));
    ends.ends_ingress = true;
    let plan = cluster.install_plan(None, &ends).unwrap();
    let removed = printed(&plan, "ingress-hosts");
    assert!(removed.contains("kubectl delete --filename"), "{removed}");
    assert!(removed.contains("ingress-rekor-v2.yml"), "{removed}");
}

/// Clients look for all servers behind an ingress, where there is one.
#[test]
fn an_ingress_does_not_hide_rekor_v2() {
    let chosen = |rekor, ingress: &str| {
        let options = ClusterOptions {
            ingress: Some(ingress.to_owned()),
            ..ClusterOptions::default()
        };
        let request = Request {
            rekor: Some(rekor),
            ..Request::new(&options)
        };
        let chosen = open(TargetKind::Cluster).chosen(request, &Surroundings::default());
        chosen
            .map(|settings| settings.ingress)
            .map_err(|error| error.to_string())
    };
    let domain = "192.0.2.1.nip.io";
    assert_eq!(chosen(Versions::V1, domain), Ok(Some(domain.to_owned())));
    assert_eq!(chosen(Versions::V2, "none"), Ok(None));
    for rekor in [Versions::V2, Versions::Both] {
        assert_eq!(chosen(rekor, domain), Ok(Some(domain.to_owned())));
    }
}

/// A pod that begins beside another waits for the lock of the volume, and the other goes
/// once it is up: neither ends.
#[test]
fn a_server_that_holds_a_volume_ends_before_the_next_pod() {
    let settings = ClusterSettings {
        rekor: Versions::Both,
        ..ClusterSettings::new("test")
    };
    let cluster = open(TargetKind::Cluster);
    let plan = cluster.install_plan(None, &facts(settings)).unwrap();
    for (name, server) in [
        ("ctlog-tiles", "ctlog-tiles"),
        ("rekor-tiles", "rekor-tiles"),
        ("scaffold", "trillian-mysql"),
    ] {
        let script = printed(&plan, name);
        let alone = script.find(&format!("step single-writer {server}"));
        let upgrade = script.find("helm upgrade");
        assert!(alone.unwrap() < upgrade.unwrap(), "{script}");
    }
    // What was installed now has it as well.
    assert_eq!(
        printed(&plan, "rekor-tiles")
            .matches("single-writer")
            .count(),
        2
    );
}
