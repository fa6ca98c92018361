//! `status` on the local target.

use snapbox::{assert_data_eq, str};

use crate::support::world::World;

#[test]
fn nothing_runs() {
    let world = World::new().installed("both");
    assert_data_eq!(
        world.show(&["status -q"]),
        str![[r#"
$ cargo xtask status -q
component  state    address
dex        stopped  127.0.0.1:17800
ctlog      stopped  127.0.0.1:17802
ct-tiles   stopped  127.0.0.1:17811
fulcio     stopped  127.0.0.1:17801
timestamp  stopped  127.0.0.1:17804
rekor-v2   stopped  127.0.0.1:17805
tiles      stopped  127.0.0.1:17808
trillian   stopped  127.0.0.1:17803
rekor-v1   stopped  127.0.0.1:17809
registry   stopped  127.0.0.1:17810
tuf        stopped  127.0.0.1:17812

trusted root: generation 1

key        in use since          before it
users      2026-01-02T03:04:05Z  0
ctlog      2026-01-02T03:04:05Z  0
fulcio     2026-01-02T03:04:05Z  0
timestamp  2026-01-02T03:04:05Z  0
rekor-v2   2026-01-02T03:04:05Z  0
rekor-v1   2026-01-02T03:04:05Z  0
registry   2026-01-02T03:04:05Z  0
tuf        2026-01-02T03:04:05Z  0
error: not up: dex, ctlog, ct-tiles, fulcio, timestamp, rekor-v2, tiles, trillian, rekor-v1, registry, tuf
hint: cargo xtask --state [STATE] start
exit 1

"#]]
    );
}
