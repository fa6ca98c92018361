//! The programs that stand in for real ones, in shell.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use xtask::local::manifest::Manifest;

use super::repo::repository;

/// What a fake Dex hands out. It must never be seen anywhere but in its file.
pub const TOKEN: &str = "header.fake-identity-token.signature";

/// Alice's password, which must never be seen at all.
pub const PASSWORD: &str = "password-of-alice";

/// The digest that the fake cosign finds behind every tag.
pub const DIGEST: &str = "sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// Tools of the system that plans and fakes use; all else on the PATH is fake.
pub const TOOLS: [&str; 7] = ["cp", "ln", "ls", "mkdir", "mv", "rm", "sh"];

/// The servers' programs, those that a complete build must have.
pub fn programs() -> Vec<String> {
    let manifest = Manifest::read(repository()).unwrap();
    let names = manifest.programs.into_iter().map(|row| row.name);
    names.collect()
}

/// A Go that is new enough. Its build makes links to the fake programs.
pub const GO: &str = r#"
case "$1 $2" in
"env GOVERSION") echo go1.99.0 ;;
"mod edit") echo '{"Require": [{"Path": "github.com/dexidp/dex", "Version": "v2.99.0"}]}' ;;
"list "*)
  echo "go: downloading example.com/module v1.0.0" >&2
  echo example.com/one
  echo example.com/two
  ;;
"build "*)
  while [ "$1" != -o ]; do shift; done
  case $2 in
  */)
    mkdir -p "$2"
    while read -r program; do
      [ "$program" = tesseract ] || ln -sf "$FAKES/program" "$2$program"
    done <"$FAKES/programs"
    ;;
  *) ln -sf "$FAKES/program" "$2" ;;
  esac
  echo example.com/one >&2
  echo example.com/two >&2
  ;;
esac
"#;

/// A cosign that signs and verifies everything. What it is given as the token
/// is kept for the test to look at.
pub const COSIGN: &str = r#"
case $1 in
triangulate)
  for image in "$@"; do :; done
  case $image in
  *@*) echo "$image" ;;
  *) echo "${image%:*}@sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a" ;;
  esac
  ;;
sign | sign-blob)
  while [ $# -gt 0 ]; do
    case $1 in
    --identity-token)
      ls -l "$2" >"$FAKES/token-mode"
      cp "$2" "$FAKES/token"
      ;;
    --bundle)
      cp "$FAKES/bundle" "$2"
      # No two bundles are the same.
      case $2 in *-1.json) echo >>"$2" ;; esac
      ;;
    esac
    shift
  done
  ;;
esac
"#;

/// A helper that makes every key it is asked for, and servers that wait.
pub const LOOPBACK: &str = r#"
case $1 in
make)
  shift
  while [ $# -gt 0 ]; do
    mkdir -p "${2%/*}"
    if [ "$1" = users ]; then
      cp "$FAKES/users.yml" "$2.yml"
    else
      echo "$1" >"$2.key"
      cp "$FAKES/key.pub" "$2.pub"
      cp "$FAKES/chain.pem" "$2.pem"
    fi
    shift 2
  done
  ;;
sample) mkdir -p data/registry/docker/registry/v2/repositories/sample/_manifests/tags/latest ;;
*) exec /bin/sleep 300 ;;
esac
"#;

/// A repository that is what it was told last, and a server of it that waits.
pub const TUF: &str = r#"
case $1 in
publish)
  now=$(cat trust/trusted_root.json trust/signing_config.json | cksum)
  if [ "$2" = --check ]; then
    [ "$now" = "$(cat data/tuf/published 2>/dev/null)" ]
    exit
  fi
  role() { printf '{"signed":{"expires":"2099-01-01T00:00:00Z","meta":{%s}}}\n' "$2" >"data/tuf/$1.json"; }
  role 1.root ''
  role 1.targets ''
  role 1.snapshot '"targets.json":{"version":1}'
  role timestamp '"snapshot.json":{"version":1}'
  echo "$now" >data/tuf/published
  ;;
*) exec /bin/sleep 300 ;;
esac
"#;

/// A server that does nothing but run.
pub const SERVER: &str = "echo it runs\nexec /bin/sleep 300\n";

pub fn users() -> String {
    let user = |name: &str| {
        format!(
            "- {{name: {name}, email: {name}@example.com, password: password-of-{name}, hash: hash-of-{name}, id: id-of-{name}}}\n"
        )
    };
    format!("users:\n{}", ["alice", "bob", "mallory"].map(user).concat())
}

/// Writes a program. Another process does it: had this one the file open, a
/// thread that forks meanwhile would keep it open and nobody could start it.
pub fn make_program(path: &Path, text: &str) {
    let mut child = Command::new("sh")
        .args(["-c", r#"cat >"$0" && chmod 755 "$0""#])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
