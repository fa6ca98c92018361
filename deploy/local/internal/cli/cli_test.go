package cli

import (
	"errors"
	"testing"
)

func TestListenRefusesOtherInterfaces(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:1", ":1", "[::]:1", "192.0.2.1:1", "localhost:1", "127.0.0.1", "127.0.0.1:65536", "[::ffff:192.0.2.1]:1"} {
		fs := NewFlags("any")
		ListenFlag(fs)
		if err := Parse(fs, []string{"--listen", addr}, 0); !errors.As(err, new(UsageError)) {
			t.Errorf("--listen %s: got error %v, want one about its usage", addr, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:1", "127.1.2.3:1", "[::1]:1"} {
		if err := new(Address).Set(addr); err != nil {
			t.Error(err)
		}
	}
}

func TestCommands(t *testing.T) {
	if err := (Commands{}).Run(t.Context(), []string{"none"}); !errors.As(err, new(UsageError)) {
		t.Errorf("got error %v, want one about the usage", err)
	}
}
