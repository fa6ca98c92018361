// Command loopback makes the workshop's keys and runs those of its servers
// that cannot be kept to the loopback interface otherwise: Fulcio, Rekor v1
// and the timestamp authority each open a metrics port on every interface, and
// Trillian needs a database. It drives the servers' own packages, so what they
// answer and log is what the real ones do. Keys, certificates and password
// hashes come from here too, so that no openssl has to be on the PATH.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
)

const usage = `usage:
  loopback make KIND PREFIX [KIND PREFIX ...]
      KIND: ca, ctlog, ecdsa, ed25519, timestamp, tls, users
  loopback trillian  --listen IP:PORT [--sequencer-interval 50ms]
  loopback fulcio    --listen IP:PORT --config FILE --ca-cert FILE --ca-key FILE --ct-log-url URL
  loopback rekor-v1  --listen IP:PORT --config FILE
  loopback timestamp --listen IP:PORT --key FILE --chain FILE
  loopback tiles     --listen IP:PORT --dir DIR
  loopback tuf       --listen IP:PORT --dir DIR
  loopback publish   --dir DIR --anchor FILE --root-key FILE --key FILE [--check] [--at TIME] NAME=FILE [NAME=FILE ...]
  loopback sample    --ca-cert FILE [--text STRING] REGISTRY/REPOSITORY:TAG
`

var commands = map[string]func(ctx context.Context, args []string) error{
	"make":      runMake,
	"trillian":  runTrillian,
	"fulcio":    runFulcio,
	"rekor-v1":  runRekor,
	"timestamp": runTimestamp,
	"tiles":     runTiles,
	"tuf":       runTUF,
	"publish":   runPublish,
	"sample":    runSample,
}

// A usageError is the caller's mistake rather than a failure, which the exit
// status tells apart.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The packages that set a server up do not look at the context.
	context.AfterFunc(ctx, func() {
		time.Sleep(900 * time.Millisecond)
		fmt.Fprintln(os.Stderr, "loopback: interrupted")
		os.Exit(1)
	})
	err := dispatch(ctx, os.Args[1:])
	stop()
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "loopback:", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
		if errors.As(err, new(usageError)) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return flag.ErrHelp
	}
	run, ok := commands[args[0]]
	if !ok {
		return usagef("no subcommand %q; run loopback alone for the list", args[0])
	}
	return run(ctx, args[1:])
}

// newFlags keeps package flag from printing, because main prints every error.
func newFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parse insists on every flag that has no default and on the number of
// positional arguments.
func parse(fs *flag.FlagSet, args []string, positional int) error {
	if err := fs.Parse(args); err != nil {
		return usageError{fmt.Errorf("%s: %w", fs.Name(), err)}
	}
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		if f.Value.String() == "" {
			err = usagef("%s: --%s is missing", fs.Name(), f.Name)
		}
	})
	if err == nil && fs.NArg() != positional {
		err = usagef("%s: got %d arguments after the flags, want %d", fs.Name(), fs.NArg(), positional)
	}
	return err
}

// An address is an IP and port on the loopback interface. Host names are
// refused, because what they resolve to is not ours to promise.
type address string

func listenFlag(fs *flag.FlagSet) *address {
	a := new(address)
	fs.Var(a, "listen", "loopback IP and port")
	return a
}

func (a *address) String() string { return string(*a) }

func (a *address) Set(s string) error {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return err
	}
	if !ap.Addr().IsLoopback() {
		return errors.New("not a loopback address")
	}
	*a = address(s)
	return nil
}

func (a *address) listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", string(*a))
	if err == nil {
		log.Printf("listening on %s", ln.Addr())
	}
	return ln, err
}

// serve answers HTTP on the address until the context ends, then gives the
// requests in flight half a second.
func (a *address) serve(ctx context.Context, handler http.Handler) error {
	ln, err := a.listen()
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 500*time.Millisecond)
	defer cancel()
	if server.Shutdown(grace) != nil {
		return server.Close()
	}
	return nil
}

// setUp turns into an error the panic by which the servers' packages report
// that they cannot be configured.
func setUp(configure func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	configure()
	return nil
}

// newLogger is the development logger of Sigstore's servers, less the colors
// and the stack traces, so that in a file every event is a line.
func newLogger() (*zap.Logger, error) {
	return zap.NewDevelopment(zap.AddStacktrace(zap.FatalLevel))
}
