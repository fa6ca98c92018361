package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	tlog "github.com/google/trillian/log"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/util/clock"
	"google.golang.org/protobuf/proto"
)

const treeID = 7

// A kept is a tree that is open.
type kept struct {
	t        *testing.T
	dir      string
	registry *extension.Registry
	tree     *trillian.Tree
}

func open(t *testing.T, dir string) *kept {
	t.Helper()
	registry, err := openTree(t.Context(), dir, treeID)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := registry.AdminStorage.(oneTree).GetTree(t.Context(), treeID)
	if err != nil {
		t.Fatal(err)
	}
	return &kept{t, dir, registry, tree}
}

func (k *kept) add(from, to int) {
	k.t.Helper()
	var leaves []*trillian.LogLeaf
	for i := from; i < to; i++ {
		value := fmt.Appendf(nil, "entry %d", i)
		id := sha256.Sum256(value)
		hash := sha256.Sum256(append([]byte{0}, value...))
		leaves = append(leaves, &trillian.LogLeaf{LeafIdentityHash: id[:], MerkleLeafHash: hash[:], LeafValue: value})
	}
	if _, err := k.registry.LogStorage.QueueLeaves(k.t.Context(), k.tree, leaves, time.Now()); err != nil {
		k.t.Fatal(err)
	}
	done, err := tlog.IntegrateBatch(k.t.Context(), k.tree, len(leaves), 0, 0, clock.System, k.registry.LogStorage, quota.Noop())
	if err != nil || done != len(leaves) {
		k.t.Fatalf("integrated %d, %v", done, err)
	}
}

// holds is the root and the leaves.
func (k *kept) holds(count int) ([]byte, []*trillian.LogLeaf) {
	k.t.Helper()
	tx, err := k.registry.LogStorage.SnapshotForTree(k.t.Context(), k.tree)
	if err != nil {
		k.t.Fatal(err)
	}
	defer tx.Close()
	root, err := tx.LatestSignedLogRoot(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	leaves, err := tx.GetLeavesByRange(k.t.Context(), 0, int64(count)+1)
	if err != nil || len(leaves) != count {
		k.t.Fatalf("got %d leaves, want %d; %v", len(leaves), count, err)
	}
	// The time of the root, which stands behind size and hash, is that of the start.
	return root.LogRoot[:2+8+1+32], leaves
}

func TestLogOutlivesItsProcess(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	first.add(0, 1)
	first.add(1, 300)
	root, leaves := first.holds(300)

	second := open(t, dir)
	again, same := second.holds(300)
	if string(again) != string(root) {
		t.Errorf("the root is %x, and was %x", again, root)
	}
	for i := range leaves {
		if !proto.Equal(leaves[i], same[i]) {
			t.Fatalf("entry %d is %v, and was %v", i, same[i], leaves[i])
		}
	}
	// What is there is not taken twice.
	queued, err := second.registry.LogStorage.QueueLeaves(context.Background(), second.tree, leaves[:1], time.Now())
	if err != nil || queued[0].Status.GetCode() == 0 {
		t.Errorf("an entry was taken twice: %v, %v", queued, err)
	}
	second.add(300, 301)
	third := open(t, dir)
	third.holds(301)
}

// What a crash cuts off was promised to nobody.
func TestJournalThatWasCutOff(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	log.add(0, 3)
	whole, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	log.add(3, 6)
	all, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	head, err := os.ReadFile(filepath.Join(dir, "head"))
	if err != nil {
		t.Fatal(err)
	}
	// The last bytes of a batch are zeros, as those are that a file may end in.
	for _, end := range []int{len(whole), len(whole) + 1, len(whole) + 60, len(all) - 12} {
		for _, zeros := range []int{0, 9} {
			cut := t.TempDir()
			data := append(all[:end:end], make([]byte, zeros)...)
			if err := os.WriteFile(filepath.Join(cut, "journal"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			again := open(t, cut)
			again.holds(3)
			again.add(3, 4)
			open(t, cut).holds(4)
		}
		// With the head of six entries it is no crash.
		older := t.TempDir()
		for name, data := range map[string][]byte{"journal": all[:end], "head": head} {
			if err := os.WriteFile(filepath.Join(older, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := openTree(t.Context(), older, treeID); err == nil || !strings.Contains(err.Error(), "fewer are on disk") {
			t.Errorf("got error %v, want one about the head", err)
		}
	}
}

func TestDamagedJournalIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).add(0, 3)
	path := filepath.Join(dir, "journal")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(data), "entry 1")
	data[at+6] = '9'
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openTree(t.Context(), dir, treeID); err == nil {
		t.Error("a changed entry was taken")
	}
}

func TestManyEntriesAreReadBackSoon(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	log := open(t, dir)
	const many = 100_000
	for i := 0; i < many; i += 1000 {
		log.add(i, i+1000)
	}
	begin := time.Now()
	open(t, dir).holds(many)
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("it took %v", took)
	} else {
		t.Logf("it took %v", took)
	}
}
