//! `--json`: the events of a run and its result.

use serde_json::{Value, json};

use crate::support::fakes::COSIGN;
use crate::support::run::Run;
use crate::support::world::World;

/// Checks what all runs with `--json` have in common and returns the result.
#[track_caller]
fn result(run: &Run, command: &str) -> Value {
    assert_eq!(run.err, "", "all is said on standard output");
    let result = run.events().pop().unwrap();
    assert_eq!(result["event"], "result");
    assert_eq!(result["command"], command);
    assert_eq!(result["exit"], run.exit);
    assert_eq!(result["ok"], run.exit == 0);
    assert_eq!(result["error"].is_string(), run.exit != 0, "{result}");
    assert_eq!(result["hints"].is_array(), run.exit != 0, "{result}");
    result
}

#[test]
fn every_step_begins_and_ends_once() {
    let world = World::on_free_ports();
    let _answers = world.answer_for_servers();
    let run = world.run(&format!(
        "--json install --rekor both --port-base {}",
        world.base
    ));
    let result = result(&run, "install");
    assert_eq!(result["changed"], true);
    assert_eq!(result["sigstore"]["rekor"], "both");

    let events = run.events();
    let steps = events[0]["steps"].as_array().unwrap();
    assert_eq!((&events[0]["event"], steps.len()), (&json!("plan"), 21));
    let place = |kind: &str, step: &Value| {
        let is = |event: &&Value| event["event"] == kind && event["step"] == *step;
        assert_eq!(events.iter().filter(is).count(), 1, "{kind} of {step}");
        events.iter().position(|event| is(&event)).unwrap()
    };
    for step in steps {
        let (name, start) = (&step["name"], place("start", &step["name"]));
        // The logs of these servers hold entries.
        let has_entry = name.as_str().unwrap().starts_with("first-entry");
        let (event, end) = match has_entry {
            true => ("skip", "skipped"),
            false => ("done", "done"),
        };
        assert!(start < place(event, name));
        assert_eq!(result["steps"][name.as_str().unwrap()], end);
        for need in step["needs"].as_array().unwrap() {
            assert!(
                place("done", need) < start,
                "{name} began before {need} was done"
            );
        }
    }
    assert!(
        events.contains(&json!({"event": "progress", "step": "servers", "done": 2, "total": 2}))
    );
}

#[test]
fn commands_that_succeed() {
    let world = World::on_free_ports().installed("v2");
    let dex = world.dex();
    let signed = result(&world.run("--json sign"), "sign");
    assert_eq!(signed["signatures"][0]["identity"], "alice@example.com");
    assert_eq!(signed["steps"]["forget-token"], "done");
    let verified = result(&world.run("--json verify --from verify"), "verify");
    assert_eq!(verified["identity"], "alice@example.com");
    drop(dex);
    let stopped = result(&world.run("--json stop"), "stop");
    assert_eq!(stopped["changed"], false);
    assert_eq!(stopped["steps"]["stop-dex"], "skipped");
    let removed = result(&world.run("--json uninstall --yes"), "uninstall");
    assert_eq!(removed["removed"], json!(["state", "tools"]));
}

#[test]
fn commands_that_fail() {
    let world = World::on_free_ports().installed("v2");
    let nobody = result(&world.run("--json sign --as nobody"), "sign");
    assert_eq!(nobody["exit"], 2);
    assert_eq!(
        nobody["hints"],
        json!(["the users are: alice, bob, mallory"])
    );

    world.fake("cosign", "echo 'Error: no signatures found' >&2; exit 1");
    let run = world.run("--json verify --from verify");
    let unsigned = result(&run, "verify");
    assert_eq!(unsigned["exit"], 1);
    assert_eq!(unsigned["error"], "the image carries no signature");
    assert_eq!(unsigned["tail"], json!(["Error: no signatures found"]));
    let failed = run
        .events()
        .into_iter()
        .find(|event| event["event"] == "fail");
    assert_eq!(failed.unwrap()["step"], "verify");

    // What cannot run any more says so, and the clean-up runs all the same. It
    // is Dex that is missing.
    world.fake("cosign", COSIGN);
    let run = world.run("--json sign");
    result(&run, "sign");
    let events = run.events();
    assert!(
        events.contains(&json!({"event": "blocked", "step": "sign", "by": "token"})),
        "{}",
        run.out
    );
    let cleaned = |event: &Value| event["event"] == "done" && event["step"] == "forget-token";
    assert!(events.iter().any(cleaned), "{}", run.out);

    result(&world.run("--json install --from nobody"), "install");
    result(&world.run("--json uninstall"), "uninstall");
    world.write_state("version", "99\n");
    result(&world.run("--json status"), "status");
}
