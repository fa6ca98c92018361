//! Dry runs on the local target: what each plan prints, and that a shell can run it.

use std::os::unix::fs::symlink;
use std::path::Path;

use snapbox::{assert_data_eq, str};

use crate::support::cluster::Cluster;
use crate::support::pages::Page;
use crate::support::recorded::{self, bundle};
use crate::support::run::{end, xtask};
use crate::support::snapshot::{each_step_once, snapshot};
use crate::support::world::World;

/// The command whose plan chapter 6 shows.
const PLAN: &str = "install --dry-run";

/// Shows commands, none of which runs anything.
#[track_caller]
pub fn shows(file: &str, world: &World, lines: &[&str]) {
    snapshot(file, &world.show(lines));
    assert_eq!(world.calls(), "", "a dry run must not run anything");
}

/// Every plan of the local target, of which the first install has all the servers.
#[test]
fn every_plan() {
    let nothing = World::new();
    let installs = ["both", "v1", "v2"].map(|rekor| format!("install --rekor {rekor} --dry-run"));
    let mut seen = vec![nothing.show(&installs.each_ref().map(String::as_str))];
    assert!(!nothing.state.exists(), "a dry run must not leave anything");
    let both = World::new().installed("both");
    seen.push(both.show(&[
        "sign --rekor v1 --dry-run",
        "sign --rekor v2 --dry-run",
        "rotate fulcio --dry-run",
        "rotate rekor --dry-run",
    ]));
    let world = World::new().installed("v2");
    world.write("work/hello.txt", "hello");
    seen.push(world.show(&[
        "start --dry-run",
        "start fulcio --dry-run",
        "start --from ctlog --dry-run",
        "stop --dry-run",
        "stop dex tiles --dry-run",
        "restart rekor-v2 --dry-run",
        "sign --dry-run",
        "sign IMAGE HOST/NAME:TAG --as bob --dry-run",
        "sign --blob hello.txt --dry-run",
        "sign --blob hello.txt --bundle signature.json --dry-run",
        "verify --dry-run",
        "verify --blob hello.txt --dry-run",
        "verify IMAGE --identity NAME --issuer URL --dry-run",
        "install --from servers --dry-run",
        "install --from registry --dry-run",
        "uninstall --dry-run",
        "uninstall --keep-tools --dry-run",
        "uninstall --from state --dry-run",
    ]));
    snapshot("plans-local.txt", &each_step_once(&seen.join("\n")));
    for world in [nothing, both, world] {
        assert_eq!(world.calls(), "", "a dry run must not run anything");
    }
}

#[test]
fn as_json() {
    let world = World::new().installed("v2");
    world.write("work/hello.txt", "hello");
    shows(
        "dry-runs-json.txt",
        &world,
        &[
            "--json sign --blob hello.txt --dry-run",
            "--json verify --dry-run",
            "--json stop dex --dry-run",
            "--json start --from trust --dry-run",
        ],
    );
}

/// What sends a Sigstore client elsewhere is taken away by hand as well.
#[test]
fn a_dry_run_takes_redirecting_variables_away() {
    let world = World::new().installed("v2");
    let mut command = world.command("verify --dry-run");
    command
        .env("COSIGN_REPOSITORY", "x")
        .env("SIGSTORE_ROOT_FILE", "x");
    let out = world.end(command).ok().out;
    assert_eq!(
        out.lines().next(),
        Some("unset COSIGN_REPOSITORY SIGSTORE_ROOT_FILE")
    );
}

/// A dry run can be pasted: a shell makes the same calls as the program.
#[test]
fn a_shell_runs_a_dry_run_as_the_program_does() {
    let world = World::with_an_odd_path();
    let _dex = world.dex();
    world.write("work/it's a file.txt", "hello");
    world.fake("cargo", r#"shift; exec "$XTASK" "$@""#);
    symlink(world.path("fakes/program"), world.path("bin/cargo")).unwrap();
    for verb in ["sign", "verify --issuer-regexp ^http:"] {
        let line = format!("{verb} --blob \"it's a file.txt\"");
        // What is proved is proved: the bundle of the fake is a recorded one.
        if verb != "sign" {
            recorded::trust(&world);
            let (file, bundle) = (recorded::file("blobs/alpha.txt"), bundle("alpha.v2"));
            std::fs::copy(file, world.path("work/it's a file.txt")).unwrap();
            let beside = "work/it's a file.txt.sigstore.json";
            std::fs::copy(bundle, world.path(beside)).unwrap();
        }
        world.run(&line).ok();
        let by_program = world.forget_calls();

        let script = world.run(&format!("{line} --dry-run")).ok().raw;
        let mut shell = world.bare_of(Path::new("sh"));
        let program = xtask();
        shell.args(["-ec", &script]).env("XTASK", program);
        world.end(shell).ok();
        let calls = world.forget_calls();
        let by_shell: Vec<_> = calls
            .lines()
            .filter(|call| !call.contains("/cargo "))
            .collect();
        assert_eq!(by_program.trim_end(), by_shell.join("\n"));
    }
}

/// What is printed can be run from anywhere.
#[test]
fn the_path_of_a_relative_state_is_whole() {
    let world = World::new().installed("v2");
    let mut command = world.bare();
    command.args(["stop", "dex", "--dry-run", "--state", "../state"]);
    assert_data_eq!(
        world.end(command).seen(),
        str![[r#"
# stop-dex: stop Dex, the OIDC provider
cargo xtask --on local --state [TEMP]/work/../state step halt dex
exit 0

"#]]
    );
}

/// What a page shows of a plan has its numbers too, which a reader's screen shows.
#[test]
fn the_plans_on_the_pages_are_those_of_today() {
    let page = Page::read("docs/06-install.md");
    let [local, cluster] = [World::new().command(PLAN), Cluster::new().command(PLAN)].map(end);
    for (kind, run) in [("local", local.ok()), ("cluster", cluster.ok())] {
        let blocks = page.blocks().into_iter().filter(|block| block.kind == kind);
        let shown = blocks
            .flat_map(|block| block.commands)
            .flat_map(|typed| typed.shown);
        let titles: Vec<String> = shown.filter(|line| line.starts_with("# ")).collect();
        assert!(titles.len() > 5, "{titles:?}");
        for title in titles {
            let there = run.out.lines().any(|line| line == title);
            assert!(there, "not on the {kind} target: {title}");
        }
    }
}
