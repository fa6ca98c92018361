//! The clients that are libraries, each in a program below `tests/clients` that reads what
//! `env` prints.

use std::path::Path;

use super::desk::Desk;
use crate::support::clients::{go_client, java_libraries, node_modules, rust_client, sources};
use crate::support::run::Run;

/// A program that signs and verifies a file, with the trusted root from a file or by TUF.
fn tried(desk: &Desk, program: &str, signs: bool, signs_by_tuf: bool) {
    let does = |what: &'static str, tuf: &'static str| {
        move |file: &str, other: &[(&str, String)]| -> Run {
            let line = format!("{program} {what} '{file}' {tuf}");
            desk.types(&line, &[], other)
        }
    };
    let (sign, verify, by_tuf) = (does("sign", ""), does("verify", ""), does("verify", "tuf"));
    desk.both_ways(signs.then_some(&sign), &verify);
    if signs_by_tuf {
        desk.file("by-tuf");
        does("sign", "tuf")("by-tuf", &[]).ok();
    } else {
        desk.cosign_signs("by-tuf", &[]);
    }
    verify("by-tuf", &[]).ok();
    desk.refuses("by-tuf", &by_tuf);
    desk.outlives_rotations(&by_tuf);
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

#[test]
fn sigstore_js() {
    let Some(modules) = node_modules() else {
        return;
    };
    let (node, client) = (modules.join(".bin/node"), sources("js").join("client.js"));
    let program = format!(
        "NODE_PATH={} {} {}",
        quoted(&modules),
        quoted(&node),
        quoted(&client)
    );
    tried(&Desk::open(), &program, true, false);
}

#[test]
fn sigstore_go() {
    let Some(client) = go_client() else { return };
    tried(&Desk::open(), &quoted(&client), true, true);
}

#[test]
fn sigstore_rust() {
    let Some(client) = rust_client() else { return };
    tried(&Desk::open(), &quoted(&client), true, true);
}

/// It asks Fulcio over gRPC with TLS, so it does not sign here.
#[test]
fn sigstore_java() {
    let Some(libraries) = java_libraries() else {
        return;
    };
    let client = sources("java").join("Client.java");
    let program = format!(
        "java -cp {} {}",
        quoted(&libraries.join("*")),
        quoted(&client)
    );
    tried(&Desk::open(), &program, false, false);
}
