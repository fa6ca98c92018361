package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	tlog "github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	tserver "github.com/google/trillian/server"
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
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/klog/v2"

	"workshop.local/servers/internal/cli"
)

// batchSize is how many leaves are integrated at once.
const batchSize = 1000

// runTrillian is Trillian's log server and sequencer in one process, over
// Trillian's own memory storage, for one tree. A journal on disk keeps what the
// tree holds, and is read back at the start. It needs no quota and, as the only
// sequencer, no election either.
func runTrillian(ctx context.Context, args []string) error {
	fs := cli.NewFlags("trillian")
	addr := cli.ListenFlag(fs)
	dir := fs.String("dir", "", "directory of the journal")
	id := fs.Int64("tree", 1, "id of the tree")
	interval := fs.Duration("sequencer-interval", 50*time.Millisecond, "time between sequencing passes")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	if *interval <= 0 || *id <= 0 {
		return cli.Usagef("trillian: --sequencer-interval and --tree must be positive")
	}

	// The memory storage warns on every pass that finds nothing to sequence,
	// so only errors, which klog copies to stderr, are kept.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)

	registry, err := openTree(ctx, *dir, *id)
	if err != nil {
		return err
	}
	guard := interceptor.New(registry.AdminStorage, registry.QuotaManager, false, registry.MetricFactory)
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(interceptor.ErrorWrapper, guard.UnaryInterceptor))
	trillian.RegisterTrillianLogServer(server, tserver.NewTrillianLogRPCServer(*registry, clock.System))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())

	sequencer := tlog.NewOperationManager(tlog.OperationInfo{
		Registry:    *registry,
		BatchSize:   batchSize,
		NumWorkers:  2,
		RunInterval: *interval,
		TimeSource:  clock.System,
	}, tlog.NewSequencerManager(*registry, 0))

	ln, err := addr.Listen()
	if err != nil {
		return err
	}
	// What is in flight was promised to nobody, so the end is immediate rather
	// than graceful.
	defer context.AfterFunc(ctx, server.Stop)()
	go sequencer.OperationLoop(ctx)
	return server.Serve(ln)
}

// openTree makes the tree of the journal in a directory.
func openTree(ctx context.Context, dir string, id int64) (*extension.Registry, error) {
	file, leaves, last, err := openJournal(dir)
	if err != nil {
		return nil, err
	}
	trees := memory.NewTreeStorage()
	metrics := monitoring.InertMetricFactory{}
	tree, err := storage.CreateTree(ctx, memory.NewAdminStorage(trees), &trillian.Tree{
		TreeState:       trillian.TreeState_ACTIVE,
		TreeType:        trillian.TreeType_LOG,
		MaxRootDuration: durationpb.New(0),
	})
	if err != nil {
		return nil, err
	}
	kept := &journal{LogStorage: memory.NewLogStorage(trees, metrics), id: id, memory: tree, dir: dir, file: file, back: []*trillian.LogLeaf{}}
	named := proto.Clone(tree).(*trillian.Tree)
	named.TreeId = id
	unique := &uniqueLeaves{LogStorage: kept, seen: map[string]*trillian.LogLeaf{}}
	registry := &extension.Registry{
		AdminStorage:  oneTree{named},
		LogStorage:    unique,
		QuotaManager:  quota.Noop(),
		MetricFactory: metrics,
	}
	tlog.InitMetrics(metrics)
	begun := tserver.NewTrillianLogRPCServer(*registry, clock.System)
	begin, err := begun.InitLog(ctx, &trillian.InitLogRequest{LogId: id})
	if err != nil {
		return nil, err
	}
	root := begin.Created
	if last != nil {
		if root, err = readBack(ctx, unique, kept, named, leaves); err == nil {
			err = is(root, last)
		}
		if err != nil {
			return nil, err
		}
	}
	kept.back = nil
	// Before anything is taken, what is not there yet can be written.
	if last == nil {
		return registry, kept.write(nil, root)
	}
	return registry, nil
}

// readBack integrates the leaves of a journal once more, and returns the root.
func readBack(ctx context.Context, unique *uniqueLeaves, kept *journal, tree *trillian.Tree, leaves []*trillian.LogLeaf) (*trillian.SignedLogRoot, error) {
	kept.back = append(kept.back, leaves...)
	for begin := 0; begin < len(leaves); begin += batchSize {
		batch := leaves[begin:min(begin+batchSize, len(leaves))]
		if _, err := unique.QueueLeaves(ctx, tree, batch, time.Now()); err != nil {
			return nil, err
		}
		done, err := tlog.IntegrateBatch(ctx, tree, batchSize, 0, 0, clock.System, unique, quota.Noop())
		if err == nil && done != len(batch) {
			err = fmt.Errorf("of %d entries of the journal %d were integrated", len(batch), done)
		}
		if err != nil {
			return nil, err
		}
	}
	tx, err := kept.SnapshotForTree(ctx, tree)
	if err != nil {
		return nil, err
	}
	defer tx.Close()
	return tx.LatestSignedLogRoot(ctx)
}

// oneTree is an administration that knows one tree and makes no other.
type oneTree struct{ tree *trillian.Tree }

func (o oneTree) Snapshot(context.Context) (storage.ReadOnlyAdminTX, error) { return o, nil }

func (o oneTree) ReadWriteTransaction(context.Context, storage.AdminTXFunc) error {
	return status.Error(codes.Unimplemented, "there is one tree, and it stays as it is")
}

func (o oneTree) CheckDatabaseAccessible(context.Context) error { return nil }

func (o oneTree) GetTree(_ context.Context, id int64) (*trillian.Tree, error) {
	if id != o.tree.TreeId {
		return nil, status.Errorf(codes.NotFound, "there is no tree %d", id)
	}
	return proto.Clone(o.tree).(*trillian.Tree), nil
}

func (o oneTree) ListTrees(context.Context, bool) ([]*trillian.Tree, error) {
	return []*trillian.Tree{proto.Clone(o.tree).(*trillian.Tree)}, nil
}

func (o oneTree) Commit() error { return nil }

func (o oneTree) Close() error { return nil }

// uniqueLeaves adds to the memory storage what it lacks and Rekor relies on: a
// leaf is queued once. Rekor cannot prove an entry that its log has twice, so
// whoever sent one again would spoil it for everybody.
type uniqueLeaves struct {
	storage.LogStorage
	mu   sync.Mutex
	seen map[string]*trillian.LogLeaf
}

func (u *uniqueLeaves) QueueLeaves(ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time) ([]*trillian.QueuedLogLeaf, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	result := make([]*trillian.QueuedLogLeaf, len(leaves))
	for i, leaf := range leaves {
		id := string(leaf.LeafIdentityHash)
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
