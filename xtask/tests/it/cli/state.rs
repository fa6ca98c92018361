//! State directories that are not what they should be, and those that are odd.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use snapbox::{assert_data_eq, str};

use crate::support::world::{World, repo};

fn i_am_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_file() {
    let world = World::new();
    world.write("state", "not a directory");
    assert_data_eq!(
        world.show(&["status"]),
        str![[r#"
$ cargo xtask status
error: [STATE] is not a directory
hint: name another state directory: --state DIR
exit 2

"#]]
    );
}

#[test]
fn below_a_file() {
    let mut world = World::new();
    world.write("file", "not a directory");
    world.state = world.path("file/state");
    assert_data_eq!(
        world.show(&["status"]),
        str![[r#"
$ cargo xtask status
error: read the state directory [STATE]: Not a directory (os error 20)
exit 2

"#]]
    );
}

#[test]
fn foreign_files() {
    let world = World::new();
    world.write_state("thesis.txt", "years of work");
    let seen = world.show(&["install --dry-run", "uninstall --yes"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask install --dry-run
error: [STATE] holds files but no state of this workshop
hint: name another state directory: --state DIR
exit 2

$ cargo xtask uninstall --yes
error: [STATE] holds files but no state of this workshop
hint: name another state directory: --state DIR
exit 2

"#]]
    );
    let left = fs::read_to_string(world.state.join("thesis.txt"));
    assert_eq!(left.unwrap(), "years of work");
}

#[test]
fn an_older_format() {
    let world = World::new().installed("v2");
    world.write_state("version", "0\n");
    assert_data_eq!(
        world.show(&["status"]),
        str![[r#"
$ cargo xtask status
error: [STATE] was made by an older version of the workshop (format 0)
hint: move it away and run `cargo xtask install`
hint: name another state directory: --state DIR
exit 2

"#]]
    );
}

#[test]
fn a_newer_format() {
    let world = World::new().installed("v2");
    world.write_state("version", "99\n");
    assert_data_eq!(
        world.show(&["status"]),
        str![[r#"
$ cargo xtask status
error: [STATE] was made by a newer version of the workshop (format 99)
hint: update this checkout: git pull
hint: name another state directory: --state DIR
exit 2

"#]]
    );
}

#[test]
fn a_format_that_is_none() {
    let world = World::new().installed("v2");
    let seen = ["", "one\n", "-1\n", "1 2\n"].map(|version| {
        world.write_state("version", version);
        world.show(&["status"])
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask status
error: [STATE]/version does not hold a number
hint: where nothing else is damaged, write 1 into it
hint: name another state directory: --state DIR
exit 2
$ cargo xtask status
error: [STATE]/version does not hold a number
hint: where nothing else is damaged, write 1 into it
hint: name another state directory: --state DIR
exit 2
$ cargo xtask status
error: [STATE]/version does not hold a number
hint: where nothing else is damaged, write 1 into it
hint: name another state directory: --state DIR
exit 2
$ cargo xtask status
error: [STATE]/version does not hold a number
hint: where nothing else is damaged, write 1 into it
hint: name another state directory: --state DIR
exit 2

"#]]
    );
}

#[test]
fn of_somebody_else() {
    let mut world = World::new();
    if i_am_root() {
        fs::create_dir(&world.state).unwrap();
        chown(&world.state, Some(65534), None).unwrap();
    } else {
        // Whoever runs the tests without being root does not own this one.
        world.state = "/etc".into();
    }
    assert_data_eq!(
        world.run("install").seen(),
        str![[r#"
error: the state directory [STATE] belongs to user [..], not to you ([..])
hint: name another state directory: --state DIR
exit 2

"#]]
    );
}

#[test]
fn in_a_directory_that_cannot_be_written() {
    let mut world = World::new();
    let parent = world.path("parent");
    fs::create_dir(&parent).unwrap();
    fs::set_permissions(&parent, Permissions::from_mode(0o555)).unwrap();
    world.state = parent.join("state");
    let mut command = world.command("install");
    if i_am_root() {
        // Root may write everywhere, so the program runs as nobody, who needs
        // a way to all of it.
        fs::set_permissions(&world.root, Permissions::from_mode(0o755)).unwrap();
        let mut nobody = world.bare_of(Path::new("/usr/bin/setpriv"));
        nobody.args(["--reuid=65534", "--clear-groups", "--"]);
        let mut check = Command::new(nobody.get_program());
        check.args(nobody.get_args());
        check.args(["test", "-x", env!("CARGO_BIN_EXE_xtask"), "-a", "-r"]);
        check.arg(repo().join("deploy/local/servers.yml"));
        if !check.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: nobody cannot run the program here");
            return;
        }
        nobody.arg(command.get_program()).args(command.get_args());
        command = nobody;
    }
    assert_data_eq!(
        world.end(command).seen(),
        str![[r#"
on local (named by --on)
error: make the directory [STATE]: Permission denied (os error 13)
exit 2

"#]]
    );
}

#[test]
fn settings_cut_off() {
    let world = World::new().installed("v2");
    world.write_state("local/settings.json", "{\n  \"port_base\": 178");
    assert_data_eq!(
        world.show(&["status", "sign", "install"]),
        str![[r#"
$ cargo xtask status
on local (named by --on)
error: [STATE]/local/settings.json is damaged: EOF while parsing an object at line 2 column 18
hint: put it back from a copy, or begin anew: cargo xtask --state [STATE] uninstall --yes --keep-tools
exit 2

$ cargo xtask sign
on local (named by --on)
error: [STATE]/local/settings.json is damaged: EOF while parsing an object at line 2 column 18
hint: put it back from a copy, or begin anew: cargo xtask --state [STATE] uninstall --yes --keep-tools
exit 2

$ cargo xtask install
on local (named by --on)
error: [STATE]/local/settings.json is damaged: EOF while parsing an object at line 2 column 18
hint: put it back from a copy, or begin anew: cargo xtask --state [STATE] uninstall --yes --keep-tools
exit 2

"#]]
    );
    // The way out that is hinted at is one.
    world.run("uninstall --yes --keep-tools").ok();
    assert!(!world.state.exists());
}

#[test]
fn users_damaged() {
    let world = World::new().installed("v2");
    world.write_state("local/keys/users.yml", "users: [{name: alice");
    assert_data_eq!(
        world.show(&["sign", "verify"]),
        str![[r#"
$ cargo xtask sign
on local (named by --on)
error: [STATE]/local/keys/users.yml is damaged: did not find expected ',' or '}' at line 2 column 1, while parsing a flow mapping at line 1 column 9
hint: delete it; `cargo xtask --state [STATE] start` makes new users
exit 2

$ cargo xtask verify
on local (named by --on)
error: [STATE]/local/keys/users.yml is damaged: did not find expected ',' or '}' at line 2 column 1, while parsing a flow mapping at line 1 column 9
hint: delete it; `cargo xtask --state [STATE] start` makes new users
exit 2

"#]]
    );
}

#[test]
fn a_target_that_is_none() {
    let world = World::new().installed("v2");
    world.write_state("target", "nowhere");
    let mut command = world.bare();
    command.arg("status").env("WORKSHOP_STATE", &world.state);
    assert_data_eq!(
        world.end(command).seen(),
        str![[r#"
error: the state directory names no target: "nowhere"
hint: the targets are: local, minikube, cluster
exit 2

"#]]
    );
}

#[test]
fn a_command_at_work() {
    let world = World::new().installed("v2");
    world.write_state("lock", "cargo xtask install (process 4711)");
    let lock = File::open(world.state.join("lock")).unwrap();
    lock.lock().unwrap();
    assert_data_eq!(
        world.show(&["install", "stop", "sign", "verify", "uninstall --yes"]),
        str![[r#"
$ cargo xtask install
on local (named by --on)
error: cargo xtask install (process [PID]) is at work on this state directory
hint: wait until it has ended, or use another state directory: --state DIR
exit 2

$ cargo xtask stop
on local (named by --on)
error: cargo xtask install (process [PID]) is at work on this state directory
hint: wait until it has ended, or use another state directory: --state DIR
exit 2

$ cargo xtask sign
on local (named by --on)
error: cargo xtask install (process [PID]) is at work on this state directory
hint: wait until it has ended, or use another state directory: --state DIR
exit 2

$ cargo xtask verify
on local (named by --on)
error: cargo xtask install (process [PID]) is at work on this state directory
hint: wait until it has ended, or use another state directory: --state DIR
exit 2

$ cargo xtask uninstall --yes
on local (named by --on)
error: cargo xtask install (process [PID]) is at work on this state directory
hint: wait until it has ended, or use another state directory: --state DIR
exit 2

"#]]
    );
    // Looking disturbs nobody.
    world.run("env").ok();
    world.run("install --dry-run").ok();
    lock.unlock().unwrap();
    world.run("stop").ok();
}

/// Signing and verifying go on side by side; changes wait for them.
#[test]
fn a_signer_at_work() {
    let world = World::new().installed("v2");
    world.write_state("lock", "");
    let lock = File::open(world.state.join("lock")).unwrap();
    lock.lock_shared().unwrap();
    world.run("verify").ok();
    assert_data_eq!(
        world.show(&["stop"]),
        str![[r#"
$ cargo xtask stop
on local (named by --on)
error: another command is at work on this state directory
hint: wait until it has ended, or use another state directory: --state DIR
exit 2

"#]]
    );
}

#[test]
fn a_path_with_spaces_and_other_letters() {
    let mut world = World::new();
    world.state = world.path("der Zustand: größer als „nichts“ 状態");
    let world = world.installed("v2");
    world.run("verify").ok();
    assert_data_eq!(
        world.calls(),
        str![[r#"
in [TEMP]/work: TUF_ROOT='[STATE]/local/tuf' [SERVERS]/cosign 'verify' '--trusted-root' '[STATE]/local/trust/trusted_root.json' '--certificate-identity' 'alice@example.com' '--certificate-oidc-issuer' 'http://127.0.0.1:17800/dex' '--registry-cacert' '[STATE]/local/keys/registry.pem' '127.0.0.1:17810/sample:latest'

"#]]
    );
    world.run("uninstall --yes").ok();
    assert!(!world.state.exists());
}

/// What is printed can be run from anywhere.
#[test]
fn a_relative_path() {
    let world = World::new().installed("v2");
    let mut command = world.bare();
    command.args(["stop", "dex", "--dry-run", "--state", "../state"]);
    assert_data_eq!(
        world.end(command).seen(),
        str![[r#"
# 1/1 stop-dex: stop Dex, the OIDC provider
cargo xtask --on local --state [TEMP]/work/../state step halt dex
on local (no cluster was chosen)
exit 0

"#]]
    );
}
