//! The values, as the charts take them.
//!
//! The charts are not part of the repository, and no test fetches anything, so these
//! tests run only where someone names charts that are there already:
//!
//! - `WORKSHOP_TEST_CHARTS_SCHEMAS=DIR`, with `DIR/fulcio/values.schema.json` and
//!   `DIR/fulcio/values.yaml` and the same of the other charts
//! - `WORKSHOP_TEST_CHARTS=DIR`, with the unpacked charts `DIR/scaffold` and
//!   `DIR/cert-manager`, and `WORKSHOP_TEST_HELM`, the helm to use where it is not
//!   the one on the PATH

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};
use xtask::cluster::pins::pins;
use xtask::cluster::scaffold_release::{FIRST_PHASE_VALUES, TABLES};
use xtask::cluster::servers::NAMESPACES_V1;
use xtask::cluster::yaml;

use super::{files, objects};
use crate::support::repo::repository;
use crate::support::skip::not_here;

/// What the templates of the charts read although neither the schema nor the values
/// of the chart say so. `the_charts_make_of_the_values_what_they_should` looks for
/// what they make of it.
const UNDOCUMENTED: [&str; 7] = [
    "ctlog.server.readinessProbe.periodSeconds",
    "ctlog.server.resources",
    "fulcio.server.ingress.tls",
    "fulcio.server.resources",
    "rekor.server.signerFileSecretOptions",
    "trillian.mysql.containerSecurityContext",
    "trillian.mysql.securityContext",
];

/// The directory that a variable names. CI has no charts, so not even there is it a
/// failure that there is none; the line says that something was not looked at.
pub fn named(variable: &str) -> Option<PathBuf> {
    let dir = std::env::var_os(variable).map(PathBuf::from);
    if dir.is_none() {
        not_here(&format!(
            "the charts are not in the repository; name them: {variable}=DIR"
        ));
    }
    dir
}

pub fn values(file: &str) -> Value {
    files::read(file).documents.remove(0)
}

/// The values for the ingress, with a domain as their comment puts it there.
fn ingress_values() -> String {
    let file = files::read("deploy/scaffold-ingress-values.yml");
    file.text.replace("DOMAIN", "example.test")
}

/// Where a value is not what a schema allows. The schemas of these charts know three
/// words; a fourth one ends the test, rather than being passed over.
fn misfits(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, says) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" => {}
            "type" => {
                let is = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(number) if number.is_f64() => "number",
                    Value::Number(_) => "integer",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                if says != is {
                    found.push(format!("{at} is of type {is}, not {says}"));
                }
            }
            "properties" => {
                for (name, schema) in says.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        found.extend(misfits(schema, value, &format!("{at}.{name}")));
                    }
                }
            }
            "items" => {
                for value in value.as_array().into_iter().flatten() {
                    found.extend(misfits(says, value, &format!("{at}[]")));
                }
            }
            other => panic!("{at}: a schema says {other}"),
        }
    }
    found
}

/// The names of values that neither the schema nor the values of the chart have: as a
/// rule, typing errors. Where the chart leaves open what may stand below, so does this.
fn unknown(schema: &Value, defaults: &Value, value: &Value, at: &str) -> Vec<String> {
    let is_empty = |map: &Value| map.as_object().is_none_or(serde_json::Map::is_empty);
    let properties = &schema["properties"];
    if is_empty(properties) && is_empty(defaults) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        if properties.get(name).is_none() && defaults.get(name).is_none() {
            found.push(at);
        } else {
            found.extend(unknown(&properties[name], &defaults[name], value, &at));
        }
    }
    found
}

/// One document over another, as helm lays them.
fn merged(below: &Value, above: &Value) -> Value {
    let yaml = |value: &Value| serde_yaml::to_value(value).unwrap();
    let mut all = yaml(below);
    yaml::merge(&mut all, yaml(above));
    serde_json::to_value(all).unwrap()
}

#[test]
fn the_values_fit_the_schemas_of_the_charts() {
    let Some(dir) = named("WORKSHOP_TEST_CHARTS_SCHEMAS") else {
        return;
    };
    let read = |chart: &str| {
        let text = |name: &str| std::fs::read_to_string(dir.join(chart).join(name)).unwrap();
        let schema: Value = serde_json::from_str(&text("values.schema.json")).unwrap();
        (
            schema,
            files::parse(&text("values.yaml")).unwrap().remove(0),
        )
    };
    let (whole_schema, whole_defaults) = read("scaffold");
    let base = values("deploy/scaffold-values.yml");
    let ingress = files::parse(&ingress_values()).unwrap().remove(0);
    let mut odd = Vec::new();
    let mut seen = Vec::new();
    let shown = merged(&base, &ingress);
    for ours in [&base, &shown] {
        let all = merged(&whole_defaults, ours);
        assert_eq!(misfits(&whole_schema, &all, "scaffold"), [""; 0]);
        for (name, ours) in ours.as_object().unwrap() {
            let of_whole = (&whole_schema["properties"][name], &whole_defaults[name]);
            if !dir.join(name).is_dir() {
                odd.extend(unknown(of_whole.0, of_whole.1, ours, name));
                continue;
            }
            seen.push(name.as_str());
            let (schema, defaults) = read(name);
            // A part is turned on and off by the whole.
            let defaults = merged(
                &defaults,
                &all[name]["enabled"]
                    .as_bool()
                    .map_or(json!({}), |on| json!({"enabled": on})),
            );
            assert_eq!(misfits(&schema, &merged(&defaults, ours), name), [""; 0]);
            odd.extend(unknown(&schema, &defaults, ours, name));
        }
    }
    for chart in ["ctlog", "fulcio", "rekor", "trillian", "tsa", "tuf"] {
        assert!(seen.contains(&chart), "there is no chart {chart}");
    }
    odd.sort();
    odd.dedup();
    assert_eq!(odd, UNDOCUMENTED);
}

#[test]
fn values_that_do_not_fit_are_noticed() {
    let schema = json!({"type": "object", "properties": {
        "server": {"type": "object", "properties": {
            "port": {"type": "integer"},
            "args": {"type": "array", "items": {"type": "string"}},
        }},
        "labels": {"type": "object"},
    }});
    let fits = json!({"server": {"port": 80, "args": ["a"]}, "labels": {"any": "thing"}});
    assert_eq!(misfits(&schema, &fits, "c"), [""; 0]);
    assert_eq!(unknown(&schema, &json!({}), &fits, "c"), [""; 0]);
    for bad in [
        json!({"server": {"port": "80"}}),
        json!({"server": {"args": [1]}}),
        json!({"server": []}),
    ] {
        assert_eq!(misfits(&schema, &bad, "c").len(), 1, "{bad}");
    }
    let mistyped = json!({"server": {"prot": 80}, "lables": {}});
    let known = json!({"lables": {}});
    assert_eq!(unknown(&schema, &known, &mistyped, "c"), ["c.server.prot"]);
}

/// What helm makes of a chart.
pub struct Rendered(pub Vec<Value>);

impl Rendered {
    pub fn of(charts: &Path, chart: &str, namespace: &str, more: &[&str]) -> Rendered {
        let pins = pins(repository(), None).unwrap();
        let helm = std::env::var_os("WORKSHOP_TEST_HELM").unwrap_or_else(|| "helm".into());
        let output = Command::new(helm)
            .args(["template", chart])
            .arg(charts.join(chart))
            .args(["--namespace", namespace])
            .args(["--kube-version", &pins.kubernetes.minimum])
            .args(["--values", &format!("deploy/{chart}-values.yml")])
            .args(more)
            .current_dir(repository())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let text = String::from_utf8(output.stdout).unwrap();
        // As helm reads it: of a key that is there twice, the last one counts.
        let objects = serde_yaml::Deserializer::from_str(&text);
        let objects = objects.map(|object| Value::deserialize(object).unwrap());
        Rendered(objects.filter(Value::is_object).collect())
    }

    pub fn named(&self, kind: &str, name: &str) -> Option<&Value> {
        self.of_kind(kind)
            .find(|object| object["metadata"]["name"] == name)
    }

    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    fn container(&self, deployment: &str) -> &Value {
        let found = self
            .named("Deployment", deployment)
            .unwrap_or_else(|| panic!("there is no Deployment {deployment}"));
        &found["spec"]["template"]["spec"]["containers"][0]
    }
}

#[test]
fn the_charts_make_of_the_values_what_they_should() {
    let Some(charts) = named("WORKSHOP_TEST_CHARTS") else {
        return;
    };
    let pins = pins(repository(), None).unwrap();
    let scaffold = yaml::read(&charts.join("scaffold/Chart.yaml")).unwrap();
    assert_eq!(scaffold["version"], *pins.charts.scaffold.version);
    let whole = Rendered::of(&charts, "scaffold", "sigstore", &[]);

    // The workshop's own namespaces, keys and passwords, nothing that the chart makes up.
    assert_eq!(whole.of_kind("Namespace").count(), 0);
    assert_eq!(whole.of_kind("Secret").count(), 0);
    assert_eq!(whole.of_kind("Ingress").count(), 0);
    for object in &whole.0 {
        let namespace = object["metadata"]["namespace"].as_str().unwrap();
        assert!(NAMESPACES_V1.contains(&namespace), "{namespace}");
    }
    for deployment in ["trillian-mysql", "trillian-logserver", "trillian-logsigner"] {
        let env = whole.container(deployment)["env"].to_string();
        assert!(env.contains(r#""name":"trillian-mysql-auth""#), "{env}");
    }

    // The certificate is applied before the chart; the two have to agree.
    let rekor = whole.container("rekor-server");
    let key = "--rekor_server.signer=/etc/rekor/signer/rekor.pem";
    assert!(rekor["args"].as_array().unwrap().contains(&json!(key)));
    let pod = objects::pods(whole.named("Deployment", "rekor-server").unwrap())[0];
    let volumes = pod["volumes"].as_array().unwrap();
    let secret = values("deploy/certificate-rekor.yml")["spec"]["secretName"].clone();
    let of_key = |volume: &&Value| volume["secret"]["secretName"] == secret;
    let volume = volumes.iter().find(of_key).unwrap();
    assert_eq!(
        volume["secret"]["items"],
        json!([{"key": "tls.key", "path": "rekor.pem"}])
    );
    let mounts = rekor["volumeMounts"].as_array().unwrap();
    assert!(
        mounts
            .iter()
            .any(|mount| mount["name"] == volume["name"]
                && mount["mountPath"] == "/etc/rekor/signer")
    );

    // Every server and only they are there, each with an image that stays the same.
    let mut servers: Vec<_> = whole
        .of_kind("Deployment")
        .map(|server| server["metadata"]["name"].as_str().unwrap())
        .collect();
    servers.sort_unstable();
    assert_eq!(
        servers,
        [
            "ctlog",
            "fulcio-server",
            "rekor-redis",
            "rekor-server",
            "trillian-logserver",
            "trillian-logsigner",
            "trillian-mysql"
        ]
    );
    for pod in whole.0.iter().flat_map(objects::pods) {
        for container in objects::containers(pod) {
            let image = container["image"].as_str().unwrap();
            assert!(image.contains("@sha256:"), "{image}");
        }
    }
    for server in servers {
        let container = whole.container(server);
        for (kind, of) in [
            ("requests", "cpu"),
            ("requests", "memory"),
            ("limits", "memory"),
        ] {
            assert!(
                container["resources"][kind][of].is_string(),
                "{server} has no {kind} of {of}"
            );
        }
    }
    assert_eq!(
        whole.container("ctlog")["readinessProbe"]["periodSeconds"],
        2
    );
    let database = whole.container("trillian-mysql");
    let image = &values("deploy/scaffold-values.yml")["trillian"]["mysql"]["image"];
    let digest = image["version"].as_str().unwrap();
    assert!(database["image"].as_str().unwrap().ends_with(digest));
    assert_eq!(
        database["securityContext"]["allowPrivilegeEscalation"],
        false
    );
    let pod = objects::pods(whole.named("Deployment", "trillian-mysql").unwrap())[0];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let job = whole.named("Job", "scaffold-ctlog-createctconfig").unwrap();
    assert_eq!(job["spec"]["backoffLimit"], 30);

    // An authority is made once, with what the logs stand on, and the tables after
    // that: `helm upgrade` is asked to keep the rest, which there is none of here.
    let (authority, maker) = ("fulcio-createcerts", "scaffold-trillian-createdb");
    let base = Rendered::of(&charts, "scaffold", "sigstore", &FIRST_PHASE_VALUES);
    let tables = Rendered::of(&charts, "scaffold", "sigstore", &TABLES[1..]);
    assert_eq!(TABLES[0], "--reuse-values");
    for (rendered, jobs) in [
        (&whole, [false, false]),
        (&base, [true, false]),
        (&tables, [false, true]),
    ] {
        let has = [authority, maker].map(|job| rendered.named("Job", job).is_some());
        assert_eq!(has, jobs);
    }
    for object in &base.0 {
        let namespace = object["metadata"]["namespace"].as_str().unwrap();
        assert!(["fulcio-system", "trillian-system"].contains(&namespace));
    }
    // The pod that makes the tables must not be taken for the database.
    let service = tables.named("Service", "trillian-mysql").unwrap();
    let selector = service["spec"]["selector"].as_object().unwrap();
    let labels = &tables.named("Job", maker).unwrap()["spec"]["template"]["metadata"]["labels"];
    assert!(
        selector.iter().any(|(name, value)| labels[name] != *value),
        "{labels}"
    );
}

#[test]
fn the_ingress_has_names_and_certificates() {
    let Some(charts) = named("WORKSHOP_TEST_CHARTS") else {
        return;
    };
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("ingress.yml");
    std::fs::write(&file, ingress_values()).unwrap();
    let values = ["--values", file.to_str().unwrap()];
    let shown = Rendered::of(&charts, "scaffold", "sigstore", &values);
    assert_eq!(shown.of_kind("Ingress").count(), 2);
    for (ingress, host, secret) in [
        ("fulcio-server-http", "fulcio.example.test", "fulcio-tls"),
        ("rekor-server", "rekor.example.test", "rekor-tls"),
    ] {
        let object = shown.named("Ingress", ingress).unwrap();
        let spec = &object["spec"];
        assert_eq!(spec["ingressClassName"], "nginx");
        assert_eq!(spec["rules"][0]["host"], host);
        assert_eq!(
            spec["tls"],
            json!([{"hosts": [host], "secretName": secret}])
        );
        let issuer = &object["metadata"]["annotations"]["cert-manager.io/cluster-issuer"];
        let ours = super::files::read("deploy/clusterissuer-selfsigned-issuer.yml");
        assert_eq!(*issuer, ours.documents[0]["metadata"]["name"]);
    }
}

#[test]
fn cert_manager_takes_its_values() {
    let Some(charts) = named("WORKSHOP_TEST_CHARTS") else {
        return;
    };
    let whole = Rendered::of(&charts, "cert-manager", "cert-manager", &[]);
    assert_eq!(whole.of_kind("Job").count(), 0);
    for server in [
        "cert-manager",
        "cert-manager-webhook",
        "cert-manager-cainjector",
    ] {
        let resources = &whole.container(server)["resources"];
        assert!(resources["limits"]["memory"].is_string(), "{server}");
    }
    // Older charts call it something else.
    let pins = pins(repository(), None).unwrap();
    let chart = yaml::read(&charts.join("cert-manager/Chart.yaml")).unwrap();
    if chart["version"] == *pins.charts.cert_manager.version {
        let kept = whole.of_kind("CustomResourceDefinition").all(|definition| {
            definition["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        });
        assert!(kept && whole.of_kind("CustomResourceDefinition").count() > 0);
    }
}
