//! The values of Rekor v2, as its charts take them, and the manifests that they need.

use serde_json::{Value, json};
use xtask::cluster::servers::NAMESPACES_V2;

use super::charts::{Rendered, named, values};
use super::{files, objects};

/// The charts, their namespaces and Deployments.
const CHARTS: [(&str, &str, &str); 3] = [
    ("ctlog-tiles", "ctlog-tiles-system", "ctlog-tiles"),
    ("rekor-tiles", "rekor-tiles-system", "rekor-tiles"),
    ("tsa", "tsa-system", "tsa-server"),
];

/// What is wrong with a Deployment of one of these charts.
fn faults(deployment: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let pod = objects::pods(deployment)[0];
    if !pod["nodeSelector"].is_null() {
        found.push(format!("it asks for a node with {}", pod["nodeSelector"]));
    }
    for container in objects::containers(pod) {
        let image = container["image"].as_str().unwrap_or_default();
        if !image.contains("@sha256:") || image.matches("ghcr.io").count() > 1 {
            found.push(format!("its image is {image}"));
        }
        if !container["resources"]["limits"]["memory"].is_string() {
            found.push("its memory has no limit".to_owned());
        }
        if container["lifecycle"].to_string().contains("exec") {
            found.push("it calls a program that its image does not have".to_owned());
        }
    }
    found
}

#[test]
fn the_charts_on_tiles_make_of_the_values_what_they_should() {
    let Some(charts) = named("WORKSHOP_TEST_CHARTS") else {
        return;
    };
    for (chart, namespace, deployment) in CHARTS {
        let more: &[&str] = match chart {
            "rekor-tiles" => &["--skip-schema-validation"],
            _ => &[],
        };
        let made = Rendered::of(&charts, chart, namespace, more);
        for kind in [
            "Namespace",
            "Secret",
            "Ingress",
            "PersistentVolumeClaim",
            "Job",
        ] {
            assert_eq!(made.of_kind(kind).count(), 0, "{chart} makes a {kind}");
        }
        for object in &made.0 {
            assert_eq!(object["metadata"]["namespace"], namespace);
        }
        let server = made.named("Deployment", deployment).unwrap();
        assert_eq!(faults(server), [""; 0], "{chart}");
    }
    assert_eq!(
        CHARTS.map(|(_, namespace, _)| namespace),
        NAMESPACES_V2[2..]
    );
}

#[test]
fn the_logs_on_tiles_find_their_keys_and_volumes() {
    for log in ["ctlog-tiles", "rekor-tiles"] {
        let of = |what: &str| files::read(&format!("deploy/{what}-{log}.yml")).documents;
        let (key, volume, reader) = (of("certificate"), of("volume"), of("reader"));
        let server = &values(&format!("deploy/{log}-values.yml"))["server"];
        let home = &key[0]["metadata"]["namespace"];
        let secret = match log {
            "ctlog-tiles" => &server["posix"]["privateKey"]["secret"],
            _ => &server["signer"]["file"]["secret"],
        };
        assert_eq!(secret["name"], key[0]["spec"]["secretName"]);
        assert_eq!(secret["key"], "tls.key");
        let claim = &volume[0]["metadata"]["name"];
        let mounted = &server["posix"]["storageDir"]["volume"]["persistentVolumeClaim"];
        assert_eq!(mounted["claimName"], *claim);
        let pod = objects::pods(&reader[1])[0];
        let read = &pod["volumes"][0]["persistentVolumeClaim"];
        assert_eq!(*read, json!({"claimName": claim, "readOnly": true}));
        for object in volume.iter().chain(&reader) {
            assert_eq!(object["metadata"]["namespace"], *home);
        }
        // What clients look for in the checkpoint is the host of the log's address.
        let host = format!("{log}.{}.svc", home.as_str().unwrap());
        assert_eq!(server["hostname"], host.as_str());
    }
    let scaffold = values("deploy/scaffold-rekor-v2-values.yml");
    let url = &scaffold["fulcio"]["server"]["args"]["ct_log_url"];
    let host = values("deploy/ctlog-tiles-values.yml")["server"]["hostname"].clone();
    assert_eq!(*url, format!("http://{}", host.as_str().unwrap()));
}

#[test]
fn a_chart_that_asks_for_what_is_not_there_is_noticed() {
    let with = |part: Value| {
        let mut container = json!({
            "image": "ghcr.io/a@sha256:1",
            "resources": {"limits": {"memory": "1Mi"}},
        });
        let mut spec = json!({});
        for (name, value) in part.as_object().unwrap() {
            match name.as_str() {
                "nodeSelector" => spec[name] = value.clone(),
                _ => container[name] = value.clone(),
            }
        }
        spec["containers"] = json!([container]);
        faults(&json!({"spec": {"template": {"spec": spec}}})).len()
    };
    assert_eq!(with(json!({})), 0);
    for part in [
        json!({"nodeSelector": {"a": "b"}}),
        json!({"image": "ghcr.io/ghcr.io/a@sha256:1"}),
        json!({"image": "ghcr.io/a:1"}),
        json!({"resources": null}),
        json!({"lifecycle": {"preStop": {"exec": {"command": ["sleep", "15"]}}}}),
    ] {
        assert_eq!(with(part.clone()), 1, "{part}");
    }
}
