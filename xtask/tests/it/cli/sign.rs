//! `sign` on the local target: what cosign and Dex are told, and what is refused.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::support::fakes::{COSIGN, DIGEST, PASSWORD, TOKEN};
use crate::support::recorded::trusting;
use crate::support::snapshot::{snapshot, sorted};
use crate::support::web::{Web, answer};
use crate::support::world::World;

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
    let run = world.run("verify -q --blob hello.txt --from verify").ok();
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
        "verify --from verify",
        "sign --blob hello.txt",
        "verify --blob hello.txt --from verify",
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

/// The token of the run before is gone, so it is asked for again.
#[test]
fn from_a_step_on() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    world.run("sign --from sign").ok();
    assert!(world.calls().contains("/cosign 'sign'"));
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
error: the list on standard input is empty
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

#[test]
fn any_number_of_images() {
    let world = World::new().installed("v2");
    let images =
        ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|name| format!("r.example/{name}"));
    let images = images.join(" ");
    let plan = world.run(&format!("sign {images} --dry-run")).ok().out;
    assert!(plan.contains("\nIMAGE_9=$("), "{plan}");
    assert!(plan.contains("--image \"$IMAGE_9\""), "{plan}");
}

/// What fails is named with its reason, and the rest counts.
#[test]
fn some_of_many() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    let files: Vec<String> = (1..=12).map(|n| format!("file-{n}")).collect();
    for file in &files {
        world.write(&format!("work/{file}"), file);
    }
    let refuses = "case \"$*\" in *file-7*) echo 'Error: no such thing' >&2; exit 1 ;; esac";
    world.fake("cosign", &format!("{refuses}\n{COSIGN}"));
    let run = world.run(&format!("sign {}", files.join(" ")));
    assert_eq!(run.exit, 1, "{}", run.seen());
    assert_eq!(run.out.matches("signed ").count(), 11, "{}", run.out);
    let said = "not signed: file-7: cosign failed with exit status: 1\n";
    assert!(run.err.contains(said), "{}", run.err);
    // One line for a tenth of the steps, and not one for each.
    assert!(run.err.contains("14 of 14 steps\n"), "{}", run.err);
    assert!(!run.err.contains("sign-2"), "{}", run.err);
    let said =
        "error: 1 of 12 is not signed\nhint: sign what is left: run the same command again\n";
    assert!(run.err.ends_with(said), "{}", run.err);

    let events = world.run("--json sign file-1 file-7").events();
    let result = events.last().unwrap();
    assert_eq!((&result["ok"], &result["exit"]), (&false.into(), &1.into()));
    assert_eq!(
        result["signatures"].as_array().unwrap().len(),
        1,
        "{result}"
    );
    assert_eq!(result["error"], "1 of 2 is not signed");
    // Where there is no token there is nothing of any of them.
    drop(_dex);
    let run = world.run("sign -q file-1 file-2");
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(!run.err.contains("not signed"), "{}", run.err);
}

/// What could not be kept is refused before anything goes to a log.
#[test]
fn bundles_that_cannot_be_written() {
    let world = World::new().installed("v2");
    for file in ["a", "b", "a.sigstore.json", "b.sigstore.json/x"] {
        world.write(&format!("work/{file}"), file);
    }
    world.write("work/notes", "what is dear to somebody");
    world.write("work/c", "c");
    world.write("work/d", "d");
    world.write("work/c.sigstore.json", "");
    let link = std::os::unix::fs::symlink;
    let beside_c = world.path("work/c.sigstore.json");
    link(beside_c, world.path("work/d.sigstore.json")).unwrap();
    link(world.path("nowhere"), world.path("work/dangling")).unwrap();
    fs::hard_link(world.path("work/a"), world.path("work/hard")).unwrap();
    for (line, said) in [
        ("sign --blob a --bundle hard", "that is the file itself"),
        (
            "sign --blob a --bundle notes",
            "something else than a bundle is there",
        ),
        ("sign --blob a --bundle dangling", "that is not a file"),
        ("sign --blob a --bundle /dev/null", "that is not a file"),
        ("sign c d", "two files have one bundle"),
        ("sign --blob a --bundle a", "that is the file itself"),
        ("sign b", "that is a directory"),
        (
            "sign --blob a --bundle none/c",
            "there is no such directory",
        ),
        ("sign a --bundle e", ""),
        ("sign a b --bundle c", "--bundle is for one file"),
        ("sign b.sigstore.json", "b.sigstore.json is a directory"),
        (
            "sign a.sigstore.json",
            "only bundles of other files are named",
        ),
        (
            "sign sample",
            "there is no file sample, and an image is named with its registry",
        ),
    ] {
        let run = world.run(&format!("{line} --dry-run"));
        if said.is_empty() {
            run.ok();
            continue;
        }
        assert_eq!(run.exit, 2, "{line}: {}", run.seen());
        assert!(run.err.contains(said), "{line}: {}", run.err);
    }
    assert_eq!(world.calls(), "");
    assert_eq!(fs::read_to_string(world.path("work/a")).unwrap(), "a");
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
        let _dex = world.dex_that(move |_, stream| answer(stream, status, body.as_bytes()));
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
error: Dex answers with something that is not JSON: expected value at line 1 column 1
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
error: fulcio does not run
hint: cargo xtask --state [STATE] start
exit 2

"#]]
    );
}

#[test]
fn names_that_are_unknown() {
    let world = World::new().installed("v2");
    let seen = world.show(&["sign --as nobody", "sign --rekor v1", "sign --rekor v3"]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask sign --as nobody
on local (named by --on)
error: there is no user "nobody"
hint: the users are: alice, bob, mallory
exit 2

$ cargo xtask sign --rekor v1
on local (named by --on)
error: this installation runs Rekor v2, not v1
hint: run both: cargo xtask --state [STATE] install --rekor both
exit 2

$ cargo xtask sign --rekor v3
[REFUSED: "v3", "--rekor <REKOR>"]
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}

#[test]
fn files_that_are_not_there() {
    let world = World::new().installed("v2");
    let seen = world.show(&["sign --blob nothing", "sign --blob ."]);
    assert_data_eq!(
        seen,
        str![[r#"
$ cargo xtask sign --blob nothing
on local (named by --on)
error: there is no file nothing
exit 2

$ cargo xtask sign --blob .
on local (named by --on)
error: . is a directory
hint: name the files in it: ./*
exit 2

"#]]
    );
    assert_eq!(world.calls(), "");
}

/// What cosign could not write to its end is no bundle, and the next signature goes there.
#[test]
fn a_full_disk_leaves_no_bundle() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    world.write("work/one", "one");
    world.write("work/two", "two");
    let torn = r#"
for word in "$@"; do case $word in *.sigstore.json) printf '{"mediaType":' >"$word" ;; esac; done
echo 'Error: write bundle: no space left on device' >&2; exit 1"#;
    world.fake("cosign", torn);
    for line in ["sign -v one", "sign one two"] {
        let run = world.run(line).fails(2, "");
        assert!(
            run.err.contains("the disk is full") || line.ends_with("two"),
            "{}",
            run.err
        );
        let said = "removed what was written of the bundle of [TEMP]/work/one\n";
        assert!(run.err.contains(said), "{}", run.err);
        for name in ["one", "two"] {
            assert!(!world.path(&format!("work/{name}.sigstore.json")).exists());
        }
    }
    // One that says that all is well, and wrote nothing.
    world.fake(
        "cosign",
        r#"for word in "$@"; do case $word in *.sigstore.json) : >"$word" ;; esac; done"#,
    );
    world.run("sign one").fails(2, "that is not a bundle");
    assert!(!world.path("work/one.sigstore.json").exists());
}

/// Rekor v2 answers 499 to all of a batch where the client of one went away.
#[test]
fn an_entry_that_another_took_along_is_tried_again() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    world.write("work/one", "one");
    let refuses = |times: usize, status: usize| {
        format!(
            r#"
n=0; [ ! -f "$FAKES/n" ] || read -r n <"$FAKES/n"
n=$((n + 1)); echo "$n" >"$FAKES/n"
if [ "$n" -le {times} ]; then
  echo 'Error: signing bundle: adding rekor v2 entry: unexpected response: {status} {{"code":1}}' >&2
  exit 1
fi
{COSIGN}"#
        )
    };
    let tries = |times, status| {
        let _ = fs::remove_file(world.path("fakes/n"));
        world.fake("cosign", &refuses(times, status));
        let exit = world.run("sign one").exit;
        let n = fs::read_to_string(world.path("fakes/n")).unwrap();
        (exit, n.trim().parse::<usize>().unwrap())
    };
    assert_eq!(tries(1, 499), (0, 2));
    assert_eq!(tries(3, 499), (0, 4));
    assert_eq!(tries(9, 499), (2, 4));
    assert_eq!(tries(1, 500), (2, 1));
}

#[test]
fn names_that_are_not_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let world = World::new().installed("v2");
    let bad = OsStr::from_bytes(b"bad\xff");
    fs::write(world.path("work").join(bad), "bad").unwrap();
    fs::write(world.path("work/list"), b"one\nbad\xff\n").unwrap();
    for line in ["sign", "sign --blob", "verify", "sign --bundle"] {
        let mut command = world.command(line);
        command.arg(bad);
        if line.ends_with("--bundle") {
            world.write("work/one", "one");
            command.arg("one");
        }
        let run = world.end(command).fails(2, "error: the name \"");
        assert!(run.err.contains("\" is not UTF-8\nhint: "), "{}", run.err);
    }
    let mut command = world.command("sign -");
    command.stdin(fs::File::open(world.path("work/list")).unwrap());
    let run = world
        .end(command)
        .fails(2, "error: the name \"bad\u{fffd}\" is not UTF-8");
    assert_eq!(world.calls(), "", "{}", run.err);
}

/// A tag, and the digest that it leads to.
#[test]
fn an_image_of_two_names_is_signed_once() {
    let world = World::on_free_ports().installed("v2");
    let _dex = world.dex();
    let at = world.base + 13;
    let _registry = Web::on(at, |path, stream| match path {
        "/v2/app/manifests/1" | "/v2/app/manifests/2" => answer(stream, 200, path.as_bytes()),
        path if path.starts_with("/v2/app/manifests/sha256:") => {
            answer(stream, 200, b"/v2/app/manifests/1");
        }
        _ => answer(stream, 404, b"{}"),
    });
    let digest = xtask::bundle::sha256(b"/v2/app/manifests/1");
    let image = format!("127.0.0.1:{at}/app");
    let line = format!("sign -q {image}:1 {image}@{digest} {image}:2");
    let run = world.run(&line).ok();
    assert_eq!(run.out.matches("signed ").count(), 2, "{}", run.out);
}

/// A file may have any name, and none of it reaches the terminal as it is.
#[test]
fn no_name_of_a_file_rewrites_a_line() {
    let world = trusting(World::on_free_ports().installed("v2"));
    let _dex = world.dex();
    let name = "a\u{1b}[2J\n\u{202e}b\u{200b}c\u{9b}";
    for name in [name, "two"] {
        fs::write(world.path("work").join(name), name).unwrap();
    }
    let forged = |text: &str| {
        text.contains(['\u{1b}', '\u{202e}', '\u{200b}', '\u{9b}']) || text.contains("\n\u{fffd}b")
    };
    for line in [
        "sign",
        "verify --from verify",
        "sign -v",
        "verify",
        "sign --again two",
        "verify two",
        "report -o",
        "inspect-rekor",
    ] {
        let mut command = world.command(line);
        let run = world.end({
            command.arg(name);
            command
        });
        assert!(
            !forged(&run.raw) && !forged(&run.err),
            "{line}: {:?}",
            run.seen()
        );
        assert!(run.seen().contains('\u{fffd}'), "{line}: {:?}", run.seen());
    }
}
