//! State directories that are not what they should be, and those that are odd.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use snapbox::{assert_data_eq, str};

use crate::support::repo::repository;
use crate::support::run::xtask;
use crate::support::wait::wait_until;
use crate::support::world::World;

fn i_am_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn nothing_is_installed() {
    let world = World::new();
    let seen = world.show(&[
        "start",
        "restart",
        "status",
        "logs",
        "sign",
        "verify",
        "env",
        "inspect-rekor",
        "uninstall --yes",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask start
on local (named by --on)
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask restart
on local (named by --on)
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask status
on local (named by --on)
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask logs
on local (named by --on)
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask sign
on local (named by --on)
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask verify
on local (named by --on)
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask env
on local (named by --on)
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask inspect-rekor
on local (named by --on)
error: no Sigstore is installed here yet
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask uninstall --yes
nothing to do: nothing is installed
on local (named by --on)
exit 0

"#]]
    );
}

/// Nothing is left of what was refused.
#[test]
fn a_refusal_leaves_nothing() {
    for line in ["start", "stop", "restart", "sign", "verify", "uninstall"] {
        let world = World::new();
        world.run(line);
        assert!(!world.state.exists(), "{line}");
    }
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
fn of_someone_else() {
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
        check.args(["test", "-x", xtask(), "-a", "-r"]);
        check.arg(repository().join("deploy/local/servers.yml"));
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

/// An empty directory that was made for us, a mount point maybe.
#[test]
fn an_empty_directory_below_one_that_cannot_be_written() {
    let mut world = World::new();
    let parent = world.path("parent");
    world.state = parent.join("state");
    fs::create_dir_all(&world.state).unwrap();
    fs::set_permissions(&parent, Permissions::from_mode(0o555)).unwrap();
    let mut command = world.command("start");
    if rustix::process::geteuid().is_root() {
        chown(&world.state, Some(65534), None).unwrap();
        fs::set_permissions(&world.root, Permissions::from_mode(0o755)).unwrap();
        let mut nobody = world.bare_of(Path::new("/usr/bin/setpriv"));
        nobody.args(["--reuid=65534", "--clear-groups", "--"]);
        nobody.arg(command.get_program()).args(command.get_args());
        command = nobody;
    }
    let run = world.end(command);
    assert!(
        run.err.contains("no Sigstore is installed here yet"),
        "{}",
        run.err
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
hint: put it back from a copy, or start over: cargo xtask --state [STATE] uninstall --yes --keep-tools
exit 2

$ cargo xtask sign
on local (named by --on)
error: [STATE]/local/settings.json is damaged: EOF while parsing an object at line 2 column 18
hint: put it back from a copy, or start over: cargo xtask --state [STATE] uninstall --yes --keep-tools
exit 2

$ cargo xtask install
on local (named by --on)
error: [STATE]/local/settings.json is damaged: EOF while parsing an object at line 2 column 18
hint: put it back from a copy, or start over: cargo xtask --state [STATE] uninstall --yes --keep-tools
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
    world.run("verify --from verify").ok();
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

/// A signer writes no name, so none must be left of who came before.
#[test]
fn a_signer_at_work_is_nobody_else() {
    let world = World::new().installed("v2");
    world.run("stop").ok();
    let lock = File::open(world.state.join("lock")).unwrap();
    lock.lock_shared().unwrap();
    let run = world.run("start");
    assert!(
        run.err.contains("another command is at work"),
        "{}",
        run.err
    );
}

#[test]
fn a_path_with_spaces_and_other_letters() {
    let mut world = World::new();
    world.state = world.path("der Zustand: größer als „nichts“ 状態");
    let world = world.installed("v2");
    world.run("verify --from verify").ok();
    assert_data_eq!(
        world.calls(),
        str![[r#"
in [TEMP]/work: TUF_ROOT='[STATE]/local/tuf' [SERVERS]/cosign 'verify' '--trusted-root' '[STATE]/local/trust/trusted_root.json' '--certificate-identity' 'alice@example.com' '--certificate-oidc-issuer' 'http://127.0.0.1:17800/dex' '--registry-cacert' '[STATE]/local/keys/registry.pem' '127.0.0.1:17810/sample:latest'

"#]]
    );
    world.run("uninstall --yes").ok();
    assert!(!world.state.exists());
}

/// Commands are made of text, so another directory would be used.
#[test]
fn a_path_that_is_no_text() {
    let mut world = World::new();
    let mut name = world.root.clone().into_os_string().into_vec();
    name.extend(b"/\xff");
    world.state = OsString::from_vec(name).into();
    // Not every file system has such names.
    if fs::create_dir(&world.state).is_ok() {
        let mut command = world.bare();
        command
            .args(["uninstall", "--dry-run", "--state"])
            .arg(&world.state);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

/// A lab that waits for another one says so.
#[test]
fn a_lab_at_work() {
    let world = World::new().installed("v2");
    world.write_state("lab.lock", "");
    let held = File::options()
        .write(true)
        .open(world.state.join("lab.lock"));
    let held = held.unwrap();
    held.try_lock().unwrap();
    let told = world.path("told");
    let mut lab = world.command("lab changed-image --no-pause");
    let mut lab = lab.stderr(File::create(&told).unwrap()).spawn().unwrap();
    wait_until("the lab says that it waits", || {
        fs::read_to_string(&told).is_ok_and(|text| text.contains("another lab runs here"))
    });
    lab.kill().unwrap();
    lab.wait().unwrap();
}
