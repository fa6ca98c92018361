package main

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	tlog "github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	tserver "github.com/google/trillian/server"
	"github.com/google/trillian/server/admin"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/memory"
	"github.com/google/trillian/util/clock"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"k8s.io/klog/v2"

	"workshop.local/servers/internal/cli"
)

// runTrillian is Trillian's log server and sequencer in one process, over
// Trillian's own memory storage: the trees live as long as the process. It
// needs no quota and, as the only sequencer, no election either.
func runTrillian(ctx context.Context, args []string) error {
	fs := cli.NewFlags("trillian")
	addr := cli.ListenFlag(fs)
	interval := fs.Duration("sequencer-interval", 50*time.Millisecond, "time between sequencing passes")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	if *interval <= 0 {
		return cli.Usagef("trillian: --sequencer-interval must be positive")
	}

	// The memory storage warns on every pass that finds nothing to sequence,
	// so only errors, which klog copies to stderr, are kept.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)

	trees := memory.NewTreeStorage()
	metrics := monitoring.InertMetricFactory{}
	registry := extension.Registry{
		AdminStorage:  memory.NewAdminStorage(trees),
		LogStorage:    &uniqueLeaves{LogStorage: memory.NewLogStorage(trees, metrics), seen: map[leafID]*trillian.LogLeaf{}},
		QuotaManager:  quota.Noop(),
		MetricFactory: metrics,
	}

	guard := interceptor.New(registry.AdminStorage, registry.QuotaManager, false, metrics)
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(interceptor.ErrorWrapper, guard.UnaryInterceptor))
	trillian.RegisterTrillianAdminServer(server, admin.New(registry, []trillian.TreeType{trillian.TreeType_LOG}))
	trillian.RegisterTrillianLogServer(server, tserver.NewTrillianLogRPCServer(registry, clock.System))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())

	sequencer := tlog.NewOperationManager(tlog.OperationInfo{
		Registry:    registry,
		BatchSize:   1000,
		NumWorkers:  2,
		RunInterval: *interval,
		TimeSource:  clock.System,
	}, tlog.NewSequencerManager(registry, 0))

	ln, err := addr.Listen()
	if err != nil {
		return err
	}
	// What is in flight would be lost with the memory anyway, so the end is
	// immediate rather than graceful.
	defer context.AfterFunc(ctx, server.Stop)()
	go sequencer.OperationLoop(ctx)
	return server.Serve(ln)
}

// uniqueLeaves adds to the memory storage what it lacks and Rekor relies on: a
// leaf is queued once. Rekor cannot prove an entry that its log has twice, so
// whoever sent one again would spoil it for everybody.
type uniqueLeaves struct {
	storage.LogStorage
	mu   sync.Mutex
	seen map[leafID]*trillian.LogLeaf
}

type leafID struct {
	tree     int64
	identity string
}

func (u *uniqueLeaves) QueueLeaves(ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time) ([]*trillian.QueuedLogLeaf, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	result := make([]*trillian.QueuedLogLeaf, len(leaves))
	for i, leaf := range leaves {
		id := leafID{tree.TreeId, string(leaf.LeafIdentityHash)}
		if first, ok := u.seen[id]; ok {
			exists := status.New(codes.AlreadyExists, "leaf already exists")
			result[i] = &trillian.QueuedLogLeaf{Leaf: first, Status: exists.Proto()}
			continue
		}
		// The sequencer writes to the leaf that it is given while this one is
		// on its way to the client.
		own := proto.Clone(leaf).(*trillian.LogLeaf)
		if _, err := u.LogStorage.QueueLeaves(ctx, tree, []*trillian.LogLeaf{own}, at); err != nil {
			return nil, err
		}
		u.seen[id] = leaf
		result[i] = &trillian.QueuedLogLeaf{Leaf: leaf}
	}
	return result, nil
}
