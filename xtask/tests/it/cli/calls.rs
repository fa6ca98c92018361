//! What is run, to the letter: the calls that the fake programs noted.

use std::fs;

use xtask::local::process;

use crate::support::world::{COSIGN, DIGEST, PASSWORD, TOKEN, World, snapshot};

/// Calls of programs that ran side by side, in an order that is always the same.
fn sorted(calls: &str) -> String {
    let mut lines: Vec<_> = calls.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

#[test]
fn install_builds_makes_and_starts_everything() {
    let world = World::on_free_ports();
    let answers = world.answer_for_servers();
    world
        .run(&format!("install --port-base {}", world.base))
        .ok();
    snapshot("calls-install.txt", &sorted(&world.forget_calls()));

    // What is added is all that runs.
    world.run("install --rekor both").ok();
    snapshot(
        "calls-install-rekor-v1-too.txt",
        &sorted(&world.forget_calls()),
    );

    // Nothing of it is done twice.
    let again = world.run("install").ok();
    assert_eq!(
        again.out,
        "nothing to do: everything is installed and runs\n"
    );
    assert_eq!(world.forget_calls(), "");

    let status = world.run("status --json").ok().events();
    let components = status[0]["components"].as_array().unwrap();
    assert_eq!(components.len(), 9);
    let log_size = |name: &str| {
        let component = components
            .iter()
            .find(|component| component["name"] == name);
        component.unwrap()["log_size"].clone()
    };
    assert_eq!(log_size("tiles"), 3);
    assert_eq!(log_size("rekor-v1"), 4);
    assert_eq!(log_size("ctlog"), 5);

    // Stopped servers are gone.
    let records: Vec<_> = components
        .iter()
        .filter_map(|component| {
            let name = component["name"].as_str().unwrap();
            process::running(&world.local(), name).unwrap()
        })
        .collect();
    assert_eq!(records.len(), 9);
    assert_eq!(world.run("stop").ok().out, "stopped\n");
    assert!(!records.iter().any(process::Record::alive));
    let again = world.run("stop").ok();
    assert_eq!(again.out, "nothing to do: nothing runs\n");
    drop(answers);

    assert_eq!(world.run("uninstall --yes").ok().exit, 0);
    assert!(!world.state.exists() && !world.servers().exists());
}

/// The token goes by a file that only its owner reads, for as long as cosign
/// needs it, and the password goes nowhere but to Dex.
#[track_caller]
fn token_was_kept(world: &World, seen: &str) {
    let mode = fs::read_to_string(world.path("fakes/token-mode")).unwrap();
    assert!(mode.starts_with("-rw-------"), "{mode}");
    assert_eq!(
        fs::read_to_string(world.path("fakes/token")).unwrap(),
        TOKEN
    );
    for secret in [TOKEN, PASSWORD] {
        assert!(!world.calls().contains(secret), "{}", world.calls());
        assert!(!seen.contains(secret), "{seen}");
    }
    let left: Vec<_> = fs::read_dir(world.local().join("tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn sign_an_image() {
    let world = World::on_free_ports().installed("both");
    let _dex = world.dex();
    // As much is said as can be.
    let run = world.run("sign -v --rekor v1").ok();
    token_was_kept(&world, &run.seen());
    snapshot("sign-an-image.txt", &run.out);
    let run = world.run("sign --json --as bob").ok();
    token_was_kept(&world, &run.seen());
    snapshot("calls-sign.txt", &world.calls());
}

#[test]
fn a_failure_of_cosign_leaves_no_token() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    let fails = r#"cp "$2" "$FAKES/token"; echo no >&2; exit 1"#;
    world.fake(
        "cosign",
        &COSIGN.replace(r#"cp "$2" "$FAKES/token""#, fails),
    );
    let run = world.run("sign -v");
    assert_eq!(run.exit, 2, "{}", run.seen());
    token_was_kept(&world, &run.seen());
}

#[test]
fn sign_several_images() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    let line = "sign -q one.example/image:1 two.example/image:2";
    let run = world.run(line).ok();
    token_was_kept(&world, &run.seen());
    snapshot("calls-sign-several.txt", &sorted(&world.calls()));
    // What was signed is the digest, whatever the tag names by now.
    let signed = run.out.lines().filter(|line| line.starts_with("signed "));
    let signed: Vec<_> = signed.map(str::to_owned).collect();
    assert_eq!(signed.len(), 2, "{}", run.out);
    for image in ["one.example/image", "two.example/image"] {
        assert!(
            signed.contains(&format!("signed {image}@{DIGEST}")),
            "{signed:?}"
        );
    }
}

#[test]
fn sign_and_verify_a_file() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    world.write("work/hello.txt", "hello");
    let run = world.run("sign -q --blob hello.txt").ok();
    token_was_kept(&world, &run.seen());
    snapshot("sign-a-file.txt", &run.seen());
    let run = world.run("verify -q --blob hello.txt").ok();
    snapshot("verify-a-file.txt", &run.seen());
    snapshot("calls-file.txt", &world.calls());
}

/// Every call that signs or verifies says where to go and whom to trust.
/// Without these options cosign would turn to the public Sigstore.
#[test]
fn nothing_reaches_the_public_sigstore() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    world.write("work/hello.txt", "hello");
    for line in [
        "sign",
        "verify",
        "sign --blob hello.txt",
        "verify --blob hello.txt",
    ] {
        let mut command = world.command(line);
        command
            .env("COSIGN_REPOSITORY", "elsewhere")
            .env("SIGSTORE_ROOT_FILE", "elsewhere");
        world.end(command).ok();
    }
    let calls = world.calls();
    assert!(!calls.contains("elsewhere"), "{calls}");
    assert!(
        calls
            .lines()
            .all(|call| call.contains(" TUF_ROOT='[STATE]/local/tuf' ")),
        "{calls}"
    );
    let with = |verb: &str, option: &str| {
        let of_verb = calls
            .lines()
            .filter(|call| call.contains(&format!("/cosign '{verb}")));
        assert_eq!(of_verb.clone().count(), 2, "{calls}");
        assert!(
            of_verb
                .into_iter()
                .all(|call| call.contains(&format!(" '{option}' "))),
            "{calls}"
        );
    };
    with("sign", "--signing-config");
    with("sign", "--trusted-root");
    with("verify", "--trusted-root");
}

/// Servers get nothing of the caller's that could redirect them either.
#[test]
fn servers_start_without_redirecting_variables() {
    let world = World::on_free_ports().installed("v2");
    let answers = world.answer_for_servers();
    let mut command = world.command("start registry");
    command
        .env("COSIGN_REPOSITORY", "x")
        .env("SIGSTORE_ROOT_FILE", "x");
    assert_eq!(world.end(command).ok().out, "started\n");
    drop(answers);
    snapshot("calls-start-registry.txt", &sorted(&world.calls()));
}
