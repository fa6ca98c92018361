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
component  state    address          pid  version  up for  memory  entries  certificate ends
dex        stopped  127.0.0.1:17800  -    -        -       -       -        -
trillian   stopped  127.0.0.1:17803  -    -        -       -       -        -
ctlog      stopped  127.0.0.1:17802  -    -        -       -       -        -
fulcio     stopped  127.0.0.1:17801  -    -        -       -       -        -
timestamp  stopped  127.0.0.1:17804  -    -        -       -       -        -
rekor-v2   stopped  127.0.0.1:17805  -    -        -       -       -        -
tiles      stopped  127.0.0.1:17808  -    -        -       -       -        -
rekor-v1   stopped  127.0.0.1:17809  -    -        -       -       -        -
registry   stopped  127.0.0.1:17810  -    -        -       -       -        -
tuf        stopped  127.0.0.1:17811  -    -        -       -       -        -
error: not up: dex, trillian, ctlog, fulcio, timestamp, rekor-v2, tiles, rekor-v1, registry, tuf
hint: cargo xtask --state [STATE] start
exit 1

"#]]
    );
}
