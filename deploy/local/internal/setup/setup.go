// Package setup is how the workshop's own programs drive the packages of
// Sigstore's servers.
package setup

import (
	"fmt"

	"go.uber.org/zap"
)

// Configure turns into an error the panic by which the servers' packages report
// that they cannot be configured.
func Configure(configure func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	configure()
	return nil
}

// NewLogger is the development logger of Sigstore's servers, less the colors
// and the stack traces, so that in a file every event is a line.
func NewLogger() (*zap.Logger, error) {
	return zap.NewDevelopment(zap.AddStacktrace(zap.FatalLevel))
}
