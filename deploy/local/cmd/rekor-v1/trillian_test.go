package main

import (
	"context"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"
)

// A queue only counts what is put into it.
type queue struct {
	storage.LogStorage
	length int
}

func (q *queue) QueueLeaves(_ context.Context, _ *trillian.Tree, leaves []*trillian.LogLeaf, _ time.Time) ([]*trillian.QueuedLogLeaf, error) {
	q.length += len(leaves)
	return make([]*trillian.QueuedLogLeaf, len(leaves)), nil
}

func TestLeavesAreUnique(t *testing.T) {
	q := &queue{}
	unique := &uniqueLeaves{LogStorage: q, seen: map[string]*trillian.LogLeaf{}}
	leaf := func(id, value string) *trillian.LogLeaf {
		return &trillian.LogLeaf{LeafIdentityHash: []byte(id), LeafValue: []byte(value)}
	}
	for i, c := range []struct {
		tree      int64
		leaf      *trillian.LogLeaf
		want      string
		code      codes.Code
		inStorage int
	}{
		{1, leaf("a", "first"), "first", codes.OK, 1},
		{1, leaf("b", "other"), "other", codes.OK, 2},
		{1, leaf("a", "second"), "first", codes.AlreadyExists, 2},
	} {
		got, err := unique.QueueLeaves(t.Context(), &trillian.Tree{TreeId: c.tree}, []*trillian.LogLeaf{c.leaf}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if value := string(got[0].Leaf.LeafValue); value != c.want || codes.Code(got[0].Status.GetCode()) != c.code || q.length != c.inStorage {
			t.Errorf("%d: got %q and %v with %d in storage, want %q, %v and %d", i, value, got[0].Status, q.length, c.want, c.code, c.inStorage)
		}
	}
}
