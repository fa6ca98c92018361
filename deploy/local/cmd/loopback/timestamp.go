package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-openapi/runtime"
	"github.com/sigstore/timestamp-authority/v2/pkg/api"
	ts "github.com/sigstore/timestamp-authority/v2/pkg/generated/restapi/operations/timestamp"
	"github.com/sigstore/timestamp-authority/v2/pkg/log"
	"github.com/spf13/viper"
	"go.uber.org/zap"

	"workshop.local/servers/internal/cli"
	"workshop.local/servers/internal/setup"
)

// runTimestamp is the timestamp authority with its key in a file. Its handlers
// are mounted here rather than by its pkg/server: the server that go-swagger
// generated for it declares the same process-wide flags as Rekor's, and the
// two cannot be linked into one program.
func runTimestamp(ctx context.Context, args []string) error {
	fs := cli.NewFlags("timestamp")
	addr := cli.ListenFlag(fs)
	keyPath := fs.String("key", "", "private key of the first certificate of the chain")
	chainPath := fs.String("chain", "", "certificate chain, the timestamping certificate first")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}

	logger, err := setup.NewLogger()
	if err != nil {
		return err
	}
	log.Logger = logger.Sugar()

	// The rest are timestamp-server's defaults.
	for key, value := range map[string]any{
		"timestamp-signer":         "file",
		"timestamp-signer-hash":    "sha256",
		"file-signer-key-path":     *keyPath,
		"certificate-chain-path":   *chainPath,
		"enforce-intermediate-eku": true,
		"default-policy-oid":       "1.3.6.1.4.1.57264.2",
		"accepted-policy-oids":     []string{"1.3.6.1.4.1.57264.2"},
	} {
		viper.Set(key, value)
	}
	if err := setup.Configure(api.ConfigureAPI); err != nil {
		return fmt.Errorf("%s: %w", *chainPath, err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/timestamp", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/timestamp-reply")
		params := ts.GetTimestampResponseParams{HTTPRequest: r, Request: r.Body}
		api.TimestampResponseHandler(params).WriteResponse(w, runtime.ByteStreamProducer())
	})
	mux.HandleFunc("GET /api/v1/timestamp/certchain", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		params := ts.GetTimestampCertChainParams{HTTPRequest: r}
		api.GetTimestampCertChainHandler(params).WriteResponse(w, runtime.TextProducer())
	})
	handler := http.MaxBytesHandler(middleware.NoCache(mux), 1<<20)
	handler = middleware.Recoverer(middleware.Heartbeat("/ping")(handler))
	handler = middleware.RequestLogger(&middleware.DefaultLogFormatter{
		Logger: zap.NewStdLog(logger), NoColor: true,
	})(handler)
	return addr.Serve(ctx, middleware.RequestID(handler))
}
