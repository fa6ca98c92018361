package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/types"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/protobuf/proto"
)

// A journal keeps a log whose tree Trillian holds in memory: every leaf that was
// integrated, with its times, and after those of a batch the root, which are on
// disk before anybody is told of them. To Trillian it is the storage of one tree,
// whose id is chosen here, while the memory storage calls it by an id of its own.
type journal struct {
	storage.LogStorage
	id     int64
	memory *trillian.Tree
	dir    string
	file   *os.File
	// While the log is read back, what is integrated stands in the file already,
	// and keeps the times that it has there.
	back []*trillian.LogLeaf
}

const (
	leafRecord = 'L'
	rootRecord = 'R'
	// Rekor takes no entries of this size.
	largestRecord = 64 << 20
)

// openJournal reads the leaves of all whole batches, and the root of the last one.
// What a crash left of another batch goes: nobody was told of it.
func openJournal(dir string) (*os.File, []*trillian.LogLeaf, *types.LogRootV1, error) {
	file, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, nil, err
	}
	leaves, root, whole := readBatches(bufio.NewReaderSize(file, 1<<20))
	err = checkHead(dir, root)
	if err == nil {
		err = file.Truncate(whole)
	}
	if err == nil {
		_, err = file.Seek(whole, io.SeekStart)
	}
	// The file itself must be found again, too.
	if folder, opened := os.Open(dir); err == nil && opened == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		file.Close()
		return nil, nil, nil, err
	}
	return file, leaves, root, nil
}

// readBatches stops at the end, or where something is not as it was written, and
// says where the last whole batch ends. Whether that is the end of what the log has
// signed, the head tells.
func readBatches(from *bufio.Reader) (leaves []*trillian.LogLeaf, root *types.LogRootV1, whole int64) {
	var batch []*trillian.LogLeaf
	at := int64(0)
	for {
		kind, data, length, ok := readRecord(from)
		if !ok {
			return leaves, root, whole
		}
		at += length
		count := len(leaves) + len(batch)
		switch kind {
		case leafRecord:
			leaf := &trillian.LogLeaf{}
			if proto.Unmarshal(data, leaf) != nil || leaf.LeafIndex != int64(count) ||
				!bytes.Equal(leaf.MerkleLeafHash, rfc6962.DefaultHasher.HashLeaf(leaf.LeafValue)) {
				return leaves, root, whole
			}
			batch = append(batch, leaf)
		case rootRecord:
			next := &types.LogRootV1{}
			if next.UnmarshalBinary(data) != nil || next.TreeSize != uint64(count) {
				return leaves, root, whole
			}
			leaves, root, batch, whole = append(leaves, batch...), next, nil, at
		default:
			return leaves, root, whole
		}
	}
}

func readRecord(from *bufio.Reader) (kind byte, data []byte, length int64, ok bool) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, nil, 0, false
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > largestRecord {
		return 0, nil, 0, false
	}
	data = make([]byte, size)
	if _, err := io.ReadFull(from, data); err != nil {
		return 0, nil, 0, false
	}
	return head[0], data, int64(len(head)) + int64(size), true
}

func appendRecord(to []byte, kind byte, data []byte) []byte {
	to = binary.BigEndian.AppendUint32(append(to, kind), uint32(len(data)))
	return append(to, data...)
}

// write appends a batch. A log that cannot remember must not go on.
func (j *journal) write(leaves []*trillian.LogLeaf, root *trillian.SignedLogRoot) error {
	if root == nil || j.back != nil {
		return nil
	}
	var batch []byte
	for _, leaf := range leaves {
		data, err := proto.Marshal(leaf)
		if err != nil {
			return err
		}
		batch = appendRecord(batch, leafRecord, data)
	}
	batch = appendRecord(batch, rootRecord, root.LogRoot)
	_, err := j.file.Write(batch)
	if err == nil {
		err = j.file.Sync()
	}
	if err == nil {
		err = writeHead(j.dir, root.LogRoot)
	}
	if err != nil {
		log.Fatalf("the journal cannot be written: %v", err)
	}
	return nil
}

// The head is the last root, beside the journal: what is cut off or put back as an
// older copy is shorter than it says. It is never ahead of the journal.
func writeHead(dir string, root []byte) error {
	partial := filepath.Join(dir, "head.partial")
	if err := os.WriteFile(partial, root, 0o600); err != nil {
		return err
	}
	return os.Rename(partial, filepath.Join(dir, "head"))
}

func checkHead(dir string, last *types.LogRootV1) error {
	data, err := os.ReadFile(filepath.Join(dir, "head"))
	if errors.Is(err, fs.ErrNotExist) || len(data) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	var head types.LogRootV1
	if err := head.UnmarshalBinary(data); err != nil {
		return err
	}
	switch {
	case last == nil || last.TreeSize < head.TreeSize:
		return fmt.Errorf("the journal is damaged: the log has signed the root of %d entries, and fewer are on disk", head.TreeSize)
	case last.TreeSize == head.TreeSize && !bytes.Equal(last.RootHash, head.RootHash):
		return fmt.Errorf("the journal is damaged: the log has signed another root of %d entries", head.TreeSize)
	}
	return nil
}

// is says whether a root is the one that was written last.
func is(root *trillian.SignedLogRoot, last *types.LogRootV1) error {
	var now types.LogRootV1
	if err := now.UnmarshalBinary(root.LogRoot); err != nil {
		return err
	}
	if now.TreeSize != last.TreeSize || !bytes.Equal(now.RootHash, last.RootHash) {
		return fmt.Errorf("the entries on disk come to the root %x of %d, and %x of %d was signed last",
			now.RootHash, now.TreeSize, last.RootHash, last.TreeSize)
	}
	return nil
}

func (j *journal) GetActiveLogIDs(context.Context) ([]int64, error) {
	return []int64{j.id}, nil
}

func (j *journal) SnapshotForTree(ctx context.Context, _ *trillian.Tree) (storage.ReadOnlyLogTreeTX, error) {
	return j.LogStorage.SnapshotForTree(ctx, j.memory)
}

func (j *journal) QueueLeaves(ctx context.Context, _ *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time) ([]*trillian.QueuedLogLeaf, error) {
	return j.LogStorage.QueueLeaves(ctx, j.memory, leaves, at)
}

func (j *journal) ReadWriteTransaction(ctx context.Context, _ *trillian.Tree, f storage.LogTXFunc) error {
	return j.LogStorage.ReadWriteTransaction(ctx, j.memory, func(ctx context.Context, tx storage.LogTreeTX) error {
		noted := &notedTX{LogTreeTX: tx, journal: j}
		if err := f(ctx, noted); err != nil {
			return err
		}
		return j.write(noted.leaves, noted.root)
	})
}

// A notedTX notes what a transaction integrates.
type notedTX struct {
	storage.LogTreeTX
	journal *journal
	leaves  []*trillian.LogLeaf
	root    *trillian.SignedLogRoot
}

func (t *notedTX) UpdateSequencedLeaves(ctx context.Context, leaves []*trillian.LogLeaf) error {
	for _, leaf := range leaves {
		if back := t.journal.back; back != nil {
			leaf.QueueTimestamp = back[leaf.LeafIndex].QueueTimestamp
			leaf.IntegrateTimestamp = back[leaf.LeafIndex].IntegrateTimestamp
		}
	}
	t.leaves = append(t.leaves, leaves...)
	return t.LogTreeTX.UpdateSequencedLeaves(ctx, leaves)
}

func (t *notedTX) StoreSignedLogRoot(ctx context.Context, root *trillian.SignedLogRoot) error {
	t.root = root
	return t.LogTreeTX.StoreSignedLogRoot(ctx, root)
}
