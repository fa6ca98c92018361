#!/bin/sh
# Every fake program is a link to this file. It notes how it was called, one
# line a call, and then does what the test wrote for its name. Only builtins
# are used, because the test decides what is on the PATH.
# Servers see little of the caller's environment; the home directory is there.
FAKES=${HOME%/home}/fakes
call="in $PWD:"
for name in TUF_ROOT CGO_ENABLED GOFLAGS GOWORK OTEL_TRACES_EXPORTER COSIGN_REPOSITORY SIGSTORE_ROOT_FILE; do
  eval "value=\${$name-is unset}"
  [ "$value" = "is unset" ] || call="$call $name='$value'"
done
call="$call $0"
for word in "$@"; do
  call="$call '$word'"
done
# One write, so that the lines of programs that run side by side stay whole.
printf '%s\n' "$call" >>"$FAKES/calls"
# What this test wants some calls to do instead.
[ ! -f "$FAKES/when" ] || . "$FAKES/when"
[ ! -f "$FAKES/${0##*/}.sh" ] || . "$FAKES/${0##*/}.sh"
