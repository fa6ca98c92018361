// Command rekor-v1 runs Rekor v1 and the Trillian behind it: Rekor v1 opens a
// metrics port on every interface, and Trillian needs a database. It drives their
// own packages, so what they answer and log is what the real ones do.
package main

import "workshop.local/servers/internal/cli"

const usage = `usage:
  rekor-v1 trillian --listen IP:PORT --dir DIR [--tree ID] [--sequencer-interval 50ms]
  rekor-v1 serve    --listen IP:PORT --config FILE
`

var commands = cli.Commands{
	"trillian": runTrillian,
	"serve":    runRekor,
}

func main() { cli.Main("rekor-v1", usage, commands.Run) }
