// Package cli is what the workshop's own programs share: subcommands with flags,
// an exit status that tells a caller's mistake from a failure, and HTTP on the
// loopback interface and nowhere else.
package cli

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
)

// A UsageError is the caller's mistake rather than a failure, which the exit
// status tells apart.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

// Usagef is the error of a caller's mistake.
func Usagef(format string, args ...any) error {
	return UsageError{fmt.Errorf(format, args...)}
}

// Main runs a program and exits with its status: 0, 1 where it failed, 2 where it
// was called wrongly.
func Main(name, usage string, run func(ctx context.Context, args []string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The packages that set a server up do not look at the context.
	context.AfterFunc(ctx, func() {
		time.Sleep(900 * time.Millisecond)
		fmt.Fprintln(os.Stderr, name+": interrupted")
		os.Exit(1)
	})
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, name+":", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
		if errors.As(err, new(UsageError)) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// Commands are the subcommands of a program, by name.
type Commands map[string]func(ctx context.Context, args []string) error

// Run runs the subcommand that the first argument names.
func (c Commands) Run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return flag.ErrHelp
	}
	run, ok := c[args[0]]
	if !ok {
		return Usagef("no subcommand %q; run the program alone for the list", args[0])
	}
	return run(ctx, args[1:])
}

// NewFlags keeps package flag from printing, because main prints every error.
func NewFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// Parse insists on every flag that has no default and on the number of
// positional arguments.
func Parse(fs *flag.FlagSet, args []string, positional int) error {
	if err := fs.Parse(args); err != nil {
		return UsageError{fmt.Errorf("%s: %w", fs.Name(), err)}
	}
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		if f.Value.String() == "" {
			err = Usagef("%s: --%s is missing", fs.Name(), f.Name)
		}
	})
	if err == nil && fs.NArg() != positional {
		err = Usagef("%s: got %d arguments after the flags, want %d", fs.Name(), fs.NArg(), positional)
	}
	return err
}

// An Address is an IP and port on the loopback interface. Host names are
// refused, because what they resolve to is not ours to promise.
type Address string

// ListenFlag adds the flag --listen.
func ListenFlag(fs *flag.FlagSet) *Address {
	a := new(Address)
	fs.Var(a, "listen", "loopback IP and port")
	return a
}

func (a *Address) String() string { return string(*a) }

func (a *Address) Set(s string) error {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return err
	}
	if !ap.Addr().IsLoopback() {
		return errors.New("not a loopback address")
	}
	*a = Address(s)
	return nil
}

// Listen opens the port.
func (a *Address) Listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", string(*a))
	if err == nil {
		log.Printf("listening on %s", ln.Addr())
	}
	return ln, err
}

// Serve answers HTTP on the address until the context ends, then gives the
// requests in flight half a second.
func (a *Address) Serve(ctx context.Context, handler http.Handler) error {
	ln, err := a.Listen()
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
