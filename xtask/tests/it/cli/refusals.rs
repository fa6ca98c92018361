//! What is refused on the command line or by the machine, with the exit status,
//! the sentence and the hint.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use snapbox::{assert_data_eq, str};

use crate::support::recorded::trusting;
use crate::support::world::{GO, Web, World, answer};

/// What a user sees of an install on this world's ports.
fn install(world: &World) -> String {
    world.show(&[&format!("install -q --port-base {}", world.base)])
}

fn take(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()
}

#[test]
fn go_is_missing() {
    let world = World::on_free_ports();
    fs::remove_file(world.path("bin/go")).unwrap();
    assert_data_eq!(
        install(&world),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (go: not found on the PATH)
hint: install Go [..] or newer: https://go.dev/dl/[..]
exit 1

"#]]
    );
}

#[test]
fn go_is_too_old() {
    let world = World::on_free_ports();
    world.fake("go", &GO.replace("go1.99.0", "go1.24.1"));
    assert_data_eq!(
        install(&world),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (go: go1.24.1 at [TEMP]/bin/go)
hint: install Go [..] or newer: https://go.dev/dl/[..]
exit 1

"#]]
    );
    assert!(!world.servers().exists());
}

#[test]
fn go_answers_nonsense() {
    let world = World::on_free_ports();
    let seen = ["echo devel", "exit 1"].map(|does| {
        world.fake("go", does);
        install(&world)
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (go: devel at [TEMP]/bin/go)
hint: install Go [..] or newer: https://go.dev/dl/[..]
exit 1
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (go: no version at [TEMP]/bin/go)
hint: install Go [..] or newer: https://go.dev/dl/[..]
exit 1

"#]]
    );
}

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
✗ ports      port [PORT+0] on 127.0.0.1 is taken [..]; port [PORT+10] on 127.0.0.1 is taken [..] (wanted: [PORT+0] to [PORT+10] on 127.0.0.1, free or ours)
             hint: use other ports: cargo xtask install --port-base N
- openssl    not found on the PATH (wanted: any version)
             only `inspect-certificate --text` uses it
             hint: install openssl with the system's package manager
on local (named by --on)
error: what is needed is not there (go: not found on the PATH; ports: port [PORT+0] on 127.0.0.1 is taken [..]; port [PORT+10] on 127.0.0.1 is taken [..])
hint: install Go [..] or newer: https://go.dev/dl/[..]
hint: use other ports: cargo xtask --state [STATE] install --port-base N
exit 1

"#]]
    );
}

#[test]
fn a_port_is_taken() {
    let world = World::on_free_ports();
    let _taken = take(world.base + 4);
    assert_data_eq!(
        install(&world),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: what is needed is not there (ports: port [PORT+4] on 127.0.0.1 is taken [..])
hint: use other ports: cargo xtask --state [STATE] install --port-base N
exit 1

"#]]
    );
    assert!(!world.servers().exists());
}

#[test]
fn a_port_is_taken_at_start() {
    let world = World::on_free_ports().installed("v2");
    let _taken = take(world.base);
    assert_data_eq!(
        world.show(&["start dex -q"]),
        str![[r#"
$ cargo xtask start dex -q
error: port [PORT+0] on 127.0.0.1 is taken [..]
hint: use other ports: cargo xtask --state [STATE] install --port-base N
exit 2

"#]]
    );
}

#[test]
fn ports_that_are_none() {
    let world = World::new();
    let ports = ["80", "65501", "99999", "-1", "many"];
    let lines = ports.map(|port| format!("install --port-base={port}"));
    assert_data_eq!(
        world.show(&lines.each_ref().map(String::as_str)),
        str![[r#"
$ cargo xtask install --port-base=80
error: invalid value '80' for '--port-base <N>': 80 is not in 1024..=65500

For more information, try '--help'.
exit 2

$ cargo xtask install --port-base=65501
error: invalid value '65501' for '--port-base <N>': 65501 is not in 1024..=65500

For more information, try '--help'.
exit 2

$ cargo xtask install --port-base=99999
error: invalid value '99999' for '--port-base <N>': 99999 is not in 1024..=65500

For more information, try '--help'.
exit 2

$ cargo xtask install --port-base=-1
error: invalid value '-1' for '--port-base <N>': -1 is not in 1024..=65500

For more information, try '--help'.
exit 2

$ cargo xtask install --port-base=many
error: invalid value 'many' for '--port-base <N>': invalid digit found in string

For more information, try '--help'.
exit 2

"#]]
    );
}

/// The tool's own words come first, unless it is known what they mean.
#[test]
fn the_build_fails() {
    let world = World::on_free_ports();
    let seen = ["no space left on device", "main.go:1:1: expected 'package'"].map(|says| {
        let fails = format!("echo \"{says}\" >&2; exit 1");
        world.fake("go", &GO.replace("echo example.com/one >&2", &fails));
        install(&world)
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask install -q --port-base [PORT+0]
error: the disk is full
hint: make room, then run the same command again: df -h (a first build needs about 6 GB for Go's caches)
exit 2
$ cargo xtask install -q --port-base [PORT+0]
  | main.go:1:1: expected 'package'
error: go failed with exit status: 1
exit 2

"#]]
    );
    assert!(!world.servers().exists());
}

/// Its last lines are shown, and its log stays for whoever asks.
#[test]
fn a_server_ends_right_after_its_start() {
    let world = World::on_free_ports().installed("v2");
    world.fake("dex", "echo one; echo 'two: no such file' >&2; exit 3");
    assert_data_eq!(
        world.show(&["start dex -q", "logs dex"]),
        str![[r#"
$ cargo xtask start dex -q
  | one
  | two: no such file
error: dex ended right after its start
hint: read its whole log: cargo xtask --state [STATE] logs dex
exit 2

$ cargo xtask logs dex
one
two: no such file
on local (named by --on)
exit 0

"#]]
    );
}

#[test]
fn a_server_cannot_be_started() {
    let world = World::on_free_ports().installed("v2");
    fs::remove_file(world.servers().join("dex")).unwrap();
    fs::write(world.servers().join("dex"), "text").unwrap();
    assert_data_eq!(
        world.show(&["start dex -q"]),
        str![[r#"
$ cargo xtask start dex -q
error: [SERVERS]/dex could not be started: Permission denied (os error 13)
hint: cargo xtask --state [STATE] install
exit 2

"#]]
    );
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

#[test]
fn the_servers_are_not_built() {
    let world = World::new().installed("v2");
    fs::remove_dir_all(world.path("cache")).unwrap();
    assert_data_eq!(
        world.show(&["start", "restart"]),
        str![[r#"
$ cargo xtask start
on local (named by --on)
error: the servers of this version are not built
hint: cargo xtask --state [STATE] install
exit 2

$ cargo xtask restart
on local (named by --on)
error: the servers of this version are not built
hint: cargo xtask --state [STATE] install
exit 2

"#]]
    );
}

#[test]
fn unknown_names() {
    let world = World::new().installed("v2");
    let seen = world.show(&[
        "start nobody",
        "stop dex nobody",
        "restart nobody",
        "logs nobody",
        "sign --as nobody",
        "install --from nobody",
        "sign --rekor v1",
        "sign --rekor v3",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask start nobody
on local (named by --on)
error: there is no component "nobody"
hint: the components are: dex, trillian, ctlog, fulcio, timestamp, rekor-v2, tiles, rekor-v1, registry
exit 2

$ cargo xtask stop dex nobody
on local (named by --on)
error: there is no component "nobody"
hint: the components are: dex, trillian, ctlog, fulcio, timestamp, rekor-v2, tiles, rekor-v1, registry
exit 2

$ cargo xtask restart nobody
on local (named by --on)
error: there is no component "nobody"
hint: the components are: dex, trillian, ctlog, fulcio, timestamp, rekor-v2, tiles, rekor-v1, registry
exit 2

$ cargo xtask logs nobody
on local (named by --on)
error: there is no component "nobody"
hint: the components are: dex, trillian, ctlog, fulcio, timestamp, rekor-v2, tiles, rekor-v1, registry
exit 2

$ cargo xtask sign --as nobody
on local (named by --on)
error: there is no user "nobody"
hint: the users are: alice, bob, mallory
exit 2

$ cargo xtask install --from nobody
on local (named by --on)
error: `install` has no step named "nobody"
hint: its steps are: preflight, modules, servers, keys, configure, dex, trillian, ctlog-shard, ctlog, fulcio, timestamp, rekor-v2, tiles, registry, trust, sample
exit 2

$ cargo xtask sign --rekor v1
on local (named by --on)
error: this installation runs Rekor v2, not v1
hint: run both: cargo xtask --state [STATE] install --rekor both
exit 2

$ cargo xtask sign --rekor v3
error: invalid value 'v3' for '--rekor <REKOR>'
  [possible values: v1, v2]

For more information, try '--help'.
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}

/// A word that cosign would take for an option must not reach it.
#[test]
fn images_that_are_none() {
    let world = World::new().installed("v2");
    let seen = world.show(&[
        "sign ''",
        "sign -- -",
        "sign -- --key=x",
        "verify -- --key=x",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask sign ''
on local (named by --on)
error: "" is not an image reference
exit 2

$ cargo xtask sign -- -
on local (named by --on)
error: "-" is not an image reference
exit 2

$ cargo xtask sign -- --key=x
on local (named by --on)
error: "--key=x" is not an image reference
exit 2

$ cargo xtask verify -- --key=x
on local (named by --on)
error: "--key=x" is not an image reference
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}

/// What cosign says of other images is explained; `-v` shows it.
#[test]
fn images_that_cosign_refuses() {
    let world = World::new().installed("v2");
    world.fake(
        "cosign",
        "echo 'Error: could not parse reference: A:B:C' >&2; exit 1",
    );
    assert_data_eq!(
        world.show(&["verify -q A:B:C"]),
        str![[r#"
$ cargo xtask verify -q A:B:C
error: that is not an image reference
hint: an image reference looks like 127.0.0.1:17810/sample:latest or HOST/NAME@sha256:…
exit 2

"#]]
    );
    let run = world.run("verify -v A:B:C");
    assert!(
        run.err
            .contains("| Error: could not parse reference: A:B:C\n"),
        "{}",
        run.err
    );
}

/// Answers of cosign that are known, and one that is not.
#[test]
fn verifications_that_fail() {
    let world = World::new().installed("v2");
    let seen = [
        "no signatures found",
        "no matching signatures: bad",
        "none of the expected identities matched what was in the certificate",
        "something new",
    ]
    .map(|says| {
        let fails = format!("echo first >&2; echo 'Error: {says}' >&2; exit 1");
        world.fake("cosign", &fails);
        world.show(&["verify -q"])
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask verify -q
error: the image carries no signature
hint: sign it: cargo xtask --state [STATE] sign IMAGE
exit 1
$ cargo xtask verify -q
error: the image carries signatures, but none that verifies
hint: see what cosign says: add -v
exit 1
$ cargo xtask verify -q
error: the image is signed, but not by the expected identity and issuer
hint: see who signed it: cargo xtask --state [STATE] inspect-certificate
exit 1
$ cargo xtask verify -q
  | first
  | Error: something new
error: cosign failed with exit status: 1
exit 2

"#]]
    );
}

#[test]
fn too_many_images() {
    let world = World::new().installed("v2");
    assert_data_eq!(
        world.show(&["sign a b c d e f g h i"]),
        str![[r#"
$ cargo xtask sign a b c d e f g h i
on local (named by --on)
error: at most 8 images can be signed at once
exit 2

"#]]
    );
}

#[test]
fn files_that_are_not_there() {
    let world = trusting(World::new().installed("v2"));
    let seen = world.show(&[
        "sign --blob nothing",
        "sign --blob .",
        "verify --blob nothing",
        "verify --blob ../fakes/users.yml --bundle nothing",
        "inspect-certificate --bundle nothing",
    ]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask sign --blob nothing
on local (named by --on)
error: there is no file nothing
exit 2

$ cargo xtask sign --blob .
on local (named by --on)
error: there is no file .
exit 2

$ cargo xtask verify --blob nothing
on local (named by --on)
error: there is no file nothing
exit 2

$ cargo xtask verify --blob ../fakes/users.yml --bundle nothing
on local (named by --on)
error: there is no file nothing
exit 2

$ cargo xtask inspect-certificate --bundle nothing
on local (named by --on)
error: there is no file nothing
exit 2

"#]]
    );
}

#[test]
fn bundles_that_are_none() {
    let world = trusting(World::new().installed("v2"));
    let seen = [
        "",
        "<html>",
        "{}",
        r#"{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}"#,
    ]
    .map(|text| {
        world.write("work/bundle", text);
        world.show(&["inspect-certificate --bundle bundle"])
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask inspect-certificate --bundle bundle
on local (named by --on)
error: bundle: that is no bundle: EOF while parsing a value at line 1 column 0
exit 2
$ cargo xtask inspect-certificate --bundle bundle
on local (named by --on)
error: bundle: that is no bundle: expected value at line 1 column 1
exit 2
$ cargo xtask inspect-certificate --bundle bundle
on local (named by --on)
error: bundle: that is no Sigstore bundle: its mediaType says otherwise
exit 2
$ cargo xtask inspect-certificate --bundle bundle
on local (named by --on)
error: bundle: that is no bundle this program reads: missing field `verificationMaterial`
exit 2

"#]]
    );
}

#[test]
fn openssl_is_missing() {
    let world = trusting(World::new().installed("v2"));
    let seen = world.show(&["inspect-certificate --text --bundle ../fakes/bundle"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask inspect-certificate --text --bundle ../fakes/bundle
on local (named by --on)
error: openssl was not found on the PATH
hint: install openssl with the system's package manager, or leave --text out
exit 2

"#]]
    );
}

#[test]
fn targets_that_are_none() {
    let world = World::new().installed("v2");
    let mut by_environment = world.bare();
    by_environment.arg("status").env("WORKSHOP_ON", "garbage");
    let mut by_option = world.bare();
    by_option.args(["status", "--on", "garbage"]);
    let seen = [by_environment, by_option].map(|mut command| {
        command.env("WORKSHOP_STATE", &world.state);
        world.end(command).seen()
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
error: WORKSHOP_ON names no target: "garbage"
hint: the targets are: local, minikube, cluster
exit 2
error: invalid value 'garbage' for '--on <TARGET>'
  [possible values: local, minikube, cluster]

For more information, try '--help'.
exit 2

"#]]
    );
}

#[test]
fn the_tools_of_a_cluster_are_missing() {
    let world = World::new();
    let lines = [
        "install",
        "status",
        "sign",
        "uninstall --yes",
        "install --on cluster",
    ];
    let seen = lines.map(|line| {
        let mut command = world.bare();
        command
            .args(["-q", "--on", "minikube"])
            .args(line.split(' '))
            .env("WORKSHOP_STATE", &world.state);
        world.end(command).seen()
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
error: what is needed is not there (kubectl: not found on the PATH; helm: not found on the PATH; minikube: not found on the PATH)
hint: install kubectl 1.35 or newer: https://kubernetes.io/docs/tasks/tools/
hint: install helm 3.19 or newer: https://helm.sh/docs/intro/install/
hint: install minikube 1.38.1 or newer: https://minikube.sigs.k8s.io/docs/start/
exit 1
error: kubectl was not found
hint: cargo xtask --state [STATE] preflight
exit 2
error: this installation has no trusted root yet: it is not complete
hint: go on with it: cargo xtask --state [STATE] install
exit 2
error: kubectl was not found
hint: cargo xtask --state [STATE] preflight
hint: where the cluster is gone: cargo xtask --state [STATE] uninstall --yes --from forget
exit 2
error: kubectl was not found
hint: cargo xtask --on cluster --state [STATE] preflight
exit 2

"#]]
    );
}

#[test]
fn uninstall_asks_and_nobody_answers() {
    let world = World::new().installed("v2");
    assert_data_eq!(
        world.show(&["uninstall"]),
        str![[r#"
$ cargo xtask uninstall
on local (named by --on)
error: uninstall asks first, and nobody is here to answer
hint: add --yes
exit 2

"#]]
    );
    assert!(world.local().join("settings.json").exists() && world.servers().exists());
}

/// Dex refuses, or what answers in its place is not Dex.
#[test]
fn no_token() {
    let refuses = r#"{"error":"access_denied"}"#;
    let seen = [
        (401, refuses),
        (500, "broken"),
        (200, "<html>"),
        (200, "{}"),
    ]
    .map(|(status, body)| {
        let world = World::on_free_ports().installed("v2");
        let _dex = Web::on(world.base, move |_, stream| {
            answer(stream, status, body.as_bytes());
        });
        let seen = world.show(&["sign -q"]);
        assert!(
            !world.calls().contains("/cosign 'sign'"),
            "{}",
            world.calls()
        );
        seen
    });
    assert_data_eq!(
        seen.concat(),
        str![[r#"
$ cargo xtask sign -q
  | {"error":"access_denied"}
error: Dex gives no identity token to alice@example.com: http://127.0.0.1:[PORT+0]/dex/token answers 401
hint: cargo xtask --state [STATE] status
exit 2
$ cargo xtask sign -q
  | broken
error: Dex gives no identity token to alice@example.com: http://127.0.0.1:[PORT+0]/dex/token answers 500
hint: cargo xtask --state [STATE] status
exit 2
$ cargo xtask sign -q
error: Dex answers with something that is no JSON: expected value at line 1 column 1
exit 2
$ cargo xtask sign -q
error: Dex answers without an identity token
exit 2

"#]]
    );
}

#[test]
fn no_dex() {
    let world = World::on_free_ports().installed("v2");
    assert_data_eq!(
        world.show(&["sign -q"]),
        str![[r#"
$ cargo xtask sign -q
error: Dex gives no identity token to alice@example.com: no answer from http://127.0.0.1:[PORT+0]/dex/token: io: Connection refused (os error [..])
hint: cargo xtask --state [STATE] status
exit 2

"#]]
    );
}
