//! `preflight` of the local target.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::support::fakes::make_program;
use crate::support::ports::take;
use crate::support::run::end;
use crate::support::world::World;

/// The machine is looked at before anything is built, and all of it.
#[test]
fn everything_is_missing_at_once() {
    let world = World::on_free_ports();
    fs::remove_file(world.path("bin/go")).unwrap();
    let _taken = [take(world.base), take(world.base + 10)];
    let seen = world.show(&[&format!("preflight --port-base {}", world.base)]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask preflight --port-base [PORT+0]
✓ platform   [..] (wanted: Linux or macOS on amd64 or arm64)
✗ go         not found on the PATH (wanted: [..] or newer)
             hint: install Go [..] or newer: https://go.dev/dl/[..]
✓ disk       [..] GB free at [TEMP] (wanted: 6 GB free for the first build)
✗ ports      ports [PORT+0], [PORT+10] on 127.0.0.1 are taken [..] (wanted: [PORT+0] to [PORT+12] on 127.0.0.1, free or ours)
             hint: use other ports: cargo xtask install --port-base [..]
- openssl    not found on the PATH (wanted: any version)
             only `inspect-certificate --text` uses it
             hint: install openssl with the system's package manager
on local (named by --on)
error: what is needed is not there (go: not found on the PATH; ports: ports [PORT+0], [PORT+10] on 127.0.0.1 are taken [..])
hint: install Go [..] or newer: https://go.dev/dl/[..]
hint: use other ports: cargo xtask --state [STATE] install --port-base [..]
exit 1

"#]]
    );
}

/// In a directory that others write to may lie a program of theirs.
#[test]
fn a_program_of_the_directory_is_not_run() {
    let world = World::new();
    let theirs = world.path("work/openssl");
    make_program(&theirs, "#!/bin/sh\n: >\"$0.ran\"\necho 'OpenSSL 9'\n");
    let bin = world.path("bin").display().to_string();
    for path in [format!(".:{bin}"), format!(":{bin}"), "".into(), ".".into()] {
        let mut command = world.command("preflight");
        command.env("PATH", &path);
        let run = end(command);
        assert!(run.out.contains("openssl  "), "{path}: {}", run.out);
    }
    assert!(!world.path("work/openssl.ran").exists());
}
