//! `prefetch --pack` and `--unpack`: the servers go to a machine that has no Go and no
//! network, and nothing else does.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::world::World;

/// A machine with tar.
fn world() -> World {
    // Whether the machine has what is needed depends on its ports, too.
    let world = World::on_free_ports();
    for tool in ["tar", "gzip"] {
        symlink(which::which(tool).unwrap(), world.path("bin").join(tool)).unwrap();
    }
    world
}

/// A machine with tar, on which no Go could build anything.
fn without_go() -> World {
    let world = world();
    fs::remove_file(world.path("bin/go")).unwrap();
    world
}

/// A pack that was made where the servers are built, with its digest.
fn packed(at: &World) -> (PathBuf, String) {
    let events = at.run("--json prefetch --pack servers.tgz").ok().events();
    let pack = &events.last().unwrap()["pack"];
    let digest = pack["digest"].as_str().unwrap().to_owned();
    assert_eq!(pack["file"], "[TEMP]/work/servers.tgz");
    (at.path("work/servers.tgz"), digest)
}

fn tar(words: &[&str], dir: &Path) {
    let ended = Command::new("tar").args(words).current_dir(dir).status();
    assert!(ended.unwrap().success(), "tar {words:?}");
}

/// What is left of a pack where it was unpacked.
fn left(world: &World) -> Vec<String> {
    let all = fs::read_dir(world.path("cache/servers"));
    let names = all.into_iter().flatten().map(|entry| entry.unwrap());
    let names = names.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| !name.ends_with(".lock")).collect()
}

#[test]
fn a_machine_without_go_takes_what_another_one_built() {
    let first = world().installed("v2");
    let (file, digest) = packed(&first);
    assert_eq!(
        left(&first).len(),
        1,
        "what is in between goes: {:?}",
        left(&first)
    );
    let second = without_go();
    let line = format!("prefetch --unpack {} --digest {digest}", file.display());
    let events = second.run(&format!("--json {line}")).ok().events();
    assert_eq!(events.last().unwrap()["steps"]["unpack"], "done");
    for entry in fs::read_dir(first.servers()).unwrap() {
        let name = entry.unwrap().file_name();
        let of = |world: &World| fs::read(world.servers().join(&name)).unwrap();
        assert_eq!(of(&first), of(&second), "{}", name.display());
    }
    assert_eq!(left(&second).len(), 1, "{:?}", left(&second));
    // Nothing is left to build, and nothing is unpacked twice.
    let again = second.run("prefetch").ok();
    assert!(again.out.starts_with("nothing to do"), "{}", again.out);
    second.run(&line).ok();
    second.run("check tools").ok();
}

#[test]
fn a_pack_that_is_not_what_was_packed_is_refused() {
    let first = world().installed("v2");
    let (file, digest) = packed(&first);
    let text = file.display().to_string();
    let changed = |change: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        tar(&["-xzf", &text], dir.path());
        change(dir.path());
        let other = first.path("work/other.tgz");
        tar(&["-czf", other.to_str().unwrap(), "."], dir.path());
        other
    };
    let build = first.servers().file_name().unwrap().to_owned();
    let list = |change: &dyn Fn(&mut Value)| {
        changed(&|dir| {
            let file = dir.join("pack.json");
            let mut list: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            change(&mut list);
            fs::write(&file, list.to_string()).unwrap();
        })
    };
    let refused = |archive: &Path, why: &str| {
        let second = without_go();
        let run = second.run(&format!("prefetch --unpack {}", archive.display()));
        assert_eq!(run.exit, 2, "{why}: {}", run.seen());
        assert!(run.err.contains(why), "{why}: {}", run.err);
        assert!(run.err.contains("hint: "), "{why}: {}", run.err);
        assert_eq!(left(&second), [""; 0], "{why}");
    };
    let cosign = |dir: &Path| dir.join(&build).join("cosign");
    let cut = changed(&|_| {});
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    refused(&cut, "or it is cut off or damaged");
    let other = first.path("work/no-archive");
    fs::write(&other, "no archive").unwrap();
    refused(&other, "that is no archive of `prefetch --pack`");
    // One bit of what is compressed.
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() - 5;
    bytes[at] ^= 1;
    fs::write(&other, &bytes).unwrap();
    refused(&other, "or it is cut off or damaged");
    refused(
        &changed(&|dir| fs::write(cosign(dir), "another one").unwrap()),
        "the pack is damaged: cosign is not what was packed",
    );
    refused(
        &changed(&|dir| fs::remove_file(cosign(dir)).unwrap()),
        "the pack is damaged: cosign is not there",
    );
    refused(
        &changed(&|dir| {
            fs::remove_file(cosign(dir)).unwrap();
            symlink("/bin/sh", cosign(dir)).unwrap();
        }),
        "the pack is damaged: cosign is not there",
    );
    refused(
        &changed(&|dir| fs::write(dir.join(&build).join("more"), "").unwrap()),
        "its pack.json does not name \"more\"",
    );
    refused(
        &changed(&|dir| fs::write(dir.join("more"), "").unwrap()),
        "its pack.json does not name \"more\"",
    );
    refused(
        &changed(&|dir| fs::remove_file(dir.join("pack.json")).unwrap()),
        "it holds no pack.json",
    );
    refused(
        &changed(&|dir| fs::write(dir.join("pack.json"), "{").unwrap()),
        "the pack is damaged: its pack.json: ",
    );
    refused(
        &list(&|list| list["platform"] = "plan9-mips".into()),
        "the pack is for plan9-mips, and this machine is ",
    );
    refused(
        &list(&|list| list["build"] = "0123456789abcdef".into()),
        "other sources than those of this checkout",
    );
    refused(
        &list(&|list| list["format"] = 2.into()),
        "packs of the format 2 are not read",
    );
    refused(
        &list(&|list| drop(list["files"].as_object_mut().unwrap().remove("cosign"))),
        "the pack lacks cosign",
    );
    // What is whole, and still not the one that was meant.
    let second = without_go();
    let other = digest.replace(|c: char| c.is_ascii_digit(), "0");
    let run = second.run(&format!("prefetch --unpack {text} --digest {other}"));
    assert_eq!(run.exit, 2, "{}", run.seen());
    assert!(
        run.err.contains(&format!("has the digest {digest}")),
        "{}",
        run.err
    );
    assert_eq!(left(&second), [""; 0]);
}

#[test]
fn an_archive_that_cannot_be_written_or_is_not_there() {
    let world = world().installed("v2");
    for (line, why) in [
        (
            "prefetch --pack nowhere/servers.tgz",
            "no archive can be written to ",
        ),
        ("prefetch --pack .", "no archive can be written to "),
        ("prefetch --unpack nowhere.tgz", "there is no archive at "),
        ("prefetch --unpack .", "there is no archive at "),
        ("prefetch --pack a --unpack b", "REFUSED"),
        ("prefetch --pack a --charts DIR", "are for a cluster"),
    ] {
        let run = world.run(line);
        assert_eq!(run.exit, 2, "{line}: {}", run.seen());
        assert!(run.err.contains(why), "{line}: {}", run.err);
    }
    let cluster = Cluster::new();
    let run = cluster.run("prefetch --pack servers.tgz");
    assert_eq!(run.exit, 2);
    assert!(run.err.contains("--on local"), "{}", run.err);
    assert_eq!(cluster.changes(), "");
    let shown = world.run("prefetch --pack servers.tgz --dry-run").ok().out;
    assert!(shown.contains("tar -chzf "), "{shown}");
    assert!(!world.path("work/servers.tgz").exists());
}
