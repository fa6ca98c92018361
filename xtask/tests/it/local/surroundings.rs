//! What the caller's shell and network have to do with it.

use std::path::Path;
use std::process::Stdio;

use crate::support::run::{command, end, xtask};
use crate::support::unshared::unshared;
use crate::support::workshop::Workshop;

/// The caller's environment does not reach the servers: this would open the
/// registry to the network.
#[test]
fn servers_do_not_listen_where_the_caller_says() {
    let workshop = Workshop::installed(&[]);
    workshop.run(&["stop"]).ok();
    let mut start = workshop.command(&["start"]);
    start.env(
        "REGISTRY_HTTP_ADDR",
        format!("0.0.0.0:{}", workshop.ports.base + 15),
    );
    end(start).ok();
    let local = workshop.address(15);
    assert!(
        std::net::TcpStream::connect(local).is_err(),
        "the registry listens elsewhere"
    );
    workshop.run(&["status"]).ok();
}

/// Whoever follows a log into a program that has read enough is let go.
#[test]
fn a_followed_log_ends_with_its_reader() {
    let workshop = Workshop::installed(&[]);
    let xtask = xtask();
    let state = workshop.state.to_str().unwrap();
    // The first line is all that `head` reads; each request makes another.
    let script = "\"$1\" --on local --state \"$2\" logs -f timestamp 2>/dev/null | head -n 1";
    let mut follow = command(Path::new("sh"), &["-c", script, "sh", xtask, state]);
    let mut child = follow.stdout(Stdio::null()).spawn().unwrap();
    let ping = format!("http://{}/ping", workshop.address(4));
    while child.try_wait().unwrap().is_none() {
        ureq::get(&ping).call().unwrap();
    }
}

#[test]
fn the_dry_run_pastes_into_a_shell() {
    let workshop = Workshop::empty();
    let base = workshop.ports.base.to_string();
    // The cargo of the test run is busy with the test run.
    let paste = |script: &str| {
        let shim = format!("cargo() {{ shift; '{}' \"$@\"; }}\nset -eu\n", xtask());
        end(command(Path::new("sh"), &["-c", &(shim + script)])).ok()
    };
    // What is built already need not be built again to see that it pastes.
    Workshop::installed(&[]);
    let script = workshop
        .run(&["install", "--port-base", &base, "--dry-run"])
        .ok()
        .out;
    let step =
        |line: &str, name: &str| line.starts_with("# ") && line.contains(&format!(" {name}: "));
    let building: Vec<&str> = script
        .lines()
        .skip_while(|line| !step(line, "modules"))
        .collect();
    let after: Vec<&str> = building
        .iter()
        .copied()
        .skip_while(|line| !step(line, "keys"))
        .collect();
    assert!(after.len() > 20, "{script}");
    paste(&after.join("\n"));
    workshop.run(&["status"]).ok();
    assert_eq!(
        workshop.run(&["--json", "install"]).ok().json()["changed"],
        false
    );

    let script = workshop.run(&["sign", "--dry-run"]).ok().out;
    paste(&script);
    let script = workshop.run(&["verify", "--dry-run"]).ok().out;
    paste(&script);
    let script = workshop.run(&["restart", "--dry-run"]).ok().out;
    paste(&script);
    workshop.run(&["verify"]).ok();
}

/// After `prefetch` nothing needs a network: where there is none but loopback, the
/// tour runs, the steps after it one by one, and a lab.
#[test]
fn nothing_needs_a_network_after_prefetch() {
    let workshop = Workshop::empty();
    workshop.run(&["prefetch"]).ok();
    let inside = "ip link set lo up; exec \"$@\"";
    let Some(lonely) = unshared(&["--net"], inside) else {
        return;
    };
    let reaches = "exec 3<>/dev/tcp/192.0.2.1/53";
    let alone = lonely(&["bash", "-c", reaches]);
    assert!(alone.err.contains("unreachable"), "{}", alone.err);

    let base = workshop.ports.base.to_string();
    let lab = Workshop::empty();
    let script = r#"
        run() { "$xtask" --on local --state "$state" "$@"; }
        # Servers live in the namespace they were started in, so they are stopped in
        # it as well.
        trap 'run stop -q >&2' EXIT
        run prefetch
        run install --port-base "$1"
        run tour
        run sign
        run verify
        run inspect-rekor
        run lab wrong-signer --no-pause --port-base "$2"
        run prefetch --json
    "#;
    let variables = [
        "env".to_owned(),
        format!("xtask={}", xtask()),
        format!("state={}", workshop.state.display()),
    ];
    let lab_base = lab.ports.base.to_string();
    let variables = variables.each_ref().map(String::as_str);
    let script = ["sh", "-ec", script, "sh", &base, &lab_base];
    let ended = lonely(&[&variables[..], &script].concat()).ok();
    assert!(
        ended.out.starts_with("nothing to do: everything is here"),
        "{}",
        ended.out
    );
    for said in [
        "refused, as it should be",
        "✓ inclusion",
        "not proved: identity",
    ] {
        assert!(ended.out.contains(said), "{said} is not in {}", ended.out);
    }
    assert_eq!(ended.json()["changed"], false);
}
