package main

import (
	"context"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-openapi/loads"
	"github.com/sigstore/rekor/pkg/api"
	"github.com/sigstore/rekor/pkg/generated/restapi"
	"github.com/sigstore/rekor/pkg/generated/restapi/operations"
	"github.com/sigstore/rekor/pkg/log"
	"github.com/sigstore/rekor/pkg/types"
	"github.com/spf13/viper"

	// Each of these registers its kind of entry.
	_ "github.com/sigstore/rekor/pkg/types/alpine/v0.0.1"
	cose "github.com/sigstore/rekor/pkg/types/cose/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/dsse/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/hashedrekord/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/helm/v0.0.1"
	intoto1 "github.com/sigstore/rekor/pkg/types/intoto/v0.0.1"
	intoto2 "github.com/sigstore/rekor/pkg/types/intoto/v0.0.2"
	_ "github.com/sigstore/rekor/pkg/types/jar/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/rekord/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/rfc3161/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/rpm/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/tuf/v0.0.1"

	"workshop.local/servers/internal/cli"
	"workshop.local/servers/internal/setup"
)

// runRekor is rekor-server under its own configuration file, whose address and
// port give way to --listen.
func runRekor(ctx context.Context, args []string) error {
	fs := cli.NewFlags("rekor-v1")
	addr := cli.ListenFlag(fs)
	configPath := fs.String("config", "", "rekor-server's configuration")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}

	logger, err := setup.NewLogger()
	if err != nil {
		return err
	}
	log.Logger = logger.Sugar()

	// The defaults of rekor-server's flags that its packages rely on, but for
	// the search index: it wants a database, so it is off unless the file asks.
	for key, value := range map[string]any{
		"trillian_log_server.address": "127.0.0.1",
		"trillian_log_server.port":    8090,
		"rekor_server.hostname":       "localhost",
		"rekor_server.signer":         "memory",
		"max_attestation_size":        100 * 1024,
		"http-request-id-header-name": middleware.RequestIDHeader,
		"enabled_entry_types":         types.ListSupportedKinds(),
		"enabled_api_endpoints": []string{
			"getLogInfo", "getPublicKey", "getLogProof", "createLogEntry",
			"getLogEntryByIndex", "getLogEntryByUUID", "searchLogQuery",
		},
	} {
		viper.SetDefault(key, value)
	}
	viper.SetConfigFile(*configPath)
	if err := viper.ReadInConfig(); err != nil {
		return err
	}
	for _, limit := range []func(int){cose.SetMaxAttestationSize, intoto1.SetMaxAttestationSize, intoto2.SetMaxAttestationSize} {
		limit(viper.GetInt("max_attestation_size"))
	}
	types.SetAllowedKindsForSubmission(viper.GetStringSlice("enabled_entry_types"))
	middleware.RequestIDHeader = viper.GetString("http-request-id-header-name")

	spec, err := loads.Embedded(restapi.SwaggerJSON, restapi.FlatSwaggerJSON)
	if err != nil {
		return err
	}
	server := restapi.NewServer(operations.NewRekorServerAPI(spec))
	err = setup.Configure(func() {
		api.ConfigureAPI(viper.GetInt64("trillian_log_server.tlog_id"))
		server.ConfigureAPI()
	})
	if err != nil {
		return err
	}
	defer api.StopAPI()
	return addr.Serve(ctx, server.GetHandler())
}
