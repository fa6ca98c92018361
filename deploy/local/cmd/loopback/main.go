// Command loopback makes the workshop's keys and runs those of its servers
// that cannot be kept to the loopback interface otherwise: Fulcio and the
// timestamp authority each open a metrics port on every interface. It drives the
// servers' own packages, so what they answer and log is what the real ones do. Keys, certificates and password
// hashes come from here too, so that no openssl has to be on the PATH.
package main

import "workshop.local/servers/internal/cli"

const usage = `usage:
  loopback make [--offline-root DIR] KIND PREFIX [KIND PREFIX ...]
      KIND: ca, ctlog, ecdsa, ed25519, timestamp, tls, users
  loopback fulcio    --listen IP:PORT --config FILE --ca-cert FILE --ca-key FILE --ct-log-url URL
  loopback timestamp --listen IP:PORT --key FILE --chain FILE
  loopback sample    --ca-cert FILE [--text STRING] REGISTRY/REPOSITORY:TAG
`

var commands = cli.Commands{
	"make":      runMake,
	"fulcio":    runFulcio,
	"timestamp": runTimestamp,
	"sample":    runSample,
}

func main() { cli.Main("loopback", usage, commands.Run) }
