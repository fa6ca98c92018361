package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	ctclient "github.com/google/certificate-transparency-go/client"
	"github.com/google/certificate-transparency-go/jsonclient"
	grpczap "github.com/grpc-ecosystem/go-grpc-middleware/logging/zap"
	grpcrecovery "github.com/grpc-ecosystem/go-grpc-middleware/recovery"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/sigstore/fulcio/pkg/ca/fileca"
	"github.com/sigstore/fulcio/pkg/config"
	"github.com/sigstore/fulcio/pkg/generated/protobuf"
	"github.com/sigstore/fulcio/pkg/generated/protobuf/legacy"
	"github.com/sigstore/fulcio/pkg/log"
	"github.com/sigstore/fulcio/pkg/server"
	v1 "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/signature"
	"go.uber.org/zap"
	"goa.design/goa/v3/grpc/middleware"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"workshop.local/servers/internal/cli"
	"workshop.local/servers/internal/setup"
)

// maxRequest is Fulcio's limit for the size of a request.
const maxRequest = 4 << 20

// clientAlgorithms are Fulcio's defaults for --client-signing-algorithms.
var clientAlgorithms = []v1.PublicKeyDetails{
	v1.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256,
	v1.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384,
	v1.PublicKeyDetails_PKIX_ECDSA_P521_SHA_512,
	v1.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256,
	v1.PublicKeyDetails_PKIX_RSA_PKCS1V15_3072_SHA256,
	v1.PublicKeyDetails_PKIX_RSA_PKCS1V15_4096_SHA256,
	v1.PublicKeyDetails_PKIX_ED25519,
}

// runFulcio is Fulcio with a CA in files and its HTTP API alone. The HTTP side
// still goes through Fulcio's gRPC server, over a pipe in memory, because its
// interceptors are what gives every line of the log its request.
func runFulcio(ctx context.Context, args []string) error {
	fs := cli.NewFlags("fulcio")
	addr := cli.ListenFlag(fs)
	configPath := fs.String("config", "", "Fulcio's configuration")
	certPath := fs.String("ca-cert", "", "CA certificate")
	keyPath := fs.String("ca-key", "", "CA private key")
	logURL := fs.String("ct-log-url", "", "URL of the CT log, prefix included")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}

	logger, err := setup.NewLogger()
	if err != nil {
		return err
	}
	log.Logger = logger.Sugar()

	// Fulcio's config.Load would fall back on the public issuers if the file
	// were missing.
	text, err := os.ReadFile(*configPath)
	if err != nil {
		return err
	}
	cfg, err := config.Read(text)
	if err != nil {
		return fmt.Errorf("%s: %w", *configPath, err)
	}
	ca, err := fileca.NewFileCA(*certPath, *keyPath, "", false)
	if err != nil {
		return fmt.Errorf("%s: %w", *certPath, err)
	}
	defer ca.Close()
	algorithms, err := signature.NewAlgorithmRegistryConfig(clientAlgorithms)
	if err != nil {
		return err
	}
	ct, err := ctclient.New(*logURL, &http.Client{Timeout: 30 * time.Second}, jsonclient.Options{Logger: zap.NewStdLog(logger)})
	if err != nil {
		return err
	}

	fulcio := server.NewGRPCCAServer(ct, ca, algorithms, server.NewIssuerPool(cfg))
	inner := newFulcioServer(cfg, fulcio)
	defer inner.Stop()
	pipe := bufconn.Listen(1 << 20)
	go inner.Serve(pipe)

	conn, err := grpc.NewClient("passthrough:///fulcio",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		return err
	}
	defer conn.Close()
	gateway := runtime.NewServeMux(
		runtime.WithMetadata(passToken),
		runtime.WithOutgoingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithForwardResponseOption(passStatus),
		runtime.WithHealthzEndpoint(grpc_health_v1.NewHealthClient(conn)))
	if err := protobuf.RegisterCAHandler(ctx, gateway, conn); err != nil {
		return err
	}
	if err := legacy.RegisterCAHandler(ctx, gateway, conn); err != nil {
		return err
	}
	return addr.Serve(ctx, server.WithMaxBytes(gateway, maxRequest))
}

// newFulcioServer has the interceptors of the real one, less the metrics.
func newFulcioServer(cfg *config.FulcioConfig, fulcio server.GRPCCAServer) *grpc.Server {
	logger, options := log.SetupGRPCLogging()
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxRequest), grpc.ChainUnaryInterceptor(
		grpcrecovery.UnaryServerInterceptor(grpcrecovery.WithRecoveryHandlerContext(func(ctx context.Context, p any) error {
			log.ContextLogger(ctx).Error(p)
			return fmt.Errorf("panic: %v", p)
		})),
		middleware.UnaryRequestID(middleware.UseXRequestIDMetadataOption(true), middleware.XRequestMetadataLimitOption(128)),
		grpczap.UnaryServerInterceptor(logger, options...),
		func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			return handle(config.With(ctx, cfg), request)
		}))
	protobuf.RegisterCAServer(s, fulcio)
	legacy.RegisterCAServer(s, server.NewLegacyGRPCCAServer(fulcio))
	grpc_health_v1.RegisterHealthServer(s, fulcio)
	return s
}

// passToken carries the bearer token to where Fulcio looks for it.
func passToken(_ context.Context, r *http.Request) metadata.MD {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return metadata.Pairs(server.MetadataOIDCTokenKey, token)
}

// passStatus carries back what the v1 API says in HTTP terms: the SCT in a
// header, and 201 for a certificate made.
func passStatus(ctx context.Context, w http.ResponseWriter, _ proto.Message) error {
	md, _ := runtime.ServerMetadataFromContext(ctx)
	if sct := md.HeaderMD.Get(server.SCTMetadataKey); len(sct) > 0 {
		w.Header().Set("SCT", sct[0])
	}
	if code := md.HeaderMD.Get(server.HTTPResponseCodeMetadataKey); len(code) > 0 {
		status, err := strconv.Atoi(code[0])
		if err != nil {
			return err
		}
		w.WriteHeader(status)
	}
	return nil
}
