package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"

	"workshop.local/servers/internal/files"
)

const tufTarget = "trusted_root.json"

// A tufWorld is a repository with its keys, and what is served of it.
type tufWorld struct {
	t   *testing.T
	dir string
	url string
	now time.Time
}

func newTUFWorld(t *testing.T) *tufWorld {
	t.Helper()
	w := &tufWorld{t: t, dir: t.TempDir(), now: time.Now().UTC().Truncate(time.Second)}
	w.newKey()
	if err := os.MkdirAll(filepath.Join(w.dir, "tuf"), 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(w.dir, "tuf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	server := httptest.NewServer(handler(root))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

var errCut = errors.New("cut short")

// publish writes at most this many files, as if it was killed then.
func (w *tufWorld) publish(content string, writes int) error {
	w.t.Helper()
	r := repository{dir: filepath.Join(w.dir, "tuf"), anchor: filepath.Join(w.dir, "root.json"), now: w.now}
	r.rootKey = filepath.Join(w.dir, "root.key")
	r.writeFile = func(path string, data []byte, mode fs.FileMode) error {
		if writes == 0 {
			return errCut
		}
		writes--
		return files.Write(path, data, mode)
	}
	var err error
	if r.online, err = readTUFKey(filepath.Join(w.dir, "online.key")); err != nil {
		w.t.Fatal(err)
	}
	if r.offline, err = readTUFKey(r.rootKey); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	return r.publish(map[string][]byte{tufTarget: []byte(content)})
}

// rotate makes a new key for all roles but the root.
func (w *tufWorld) rotate() {
	w.t.Helper()
	w.newKey()
}

func (w *tufWorld) newKey() {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := cryptoutils.MarshalPrivateKeyToPEM(key)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := files.Write(filepath.Join(w.dir, "online.key"), text, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// A tufClient keeps what it has seen, as clients do.
type tufClient struct {
	w   *tufWorld
	dir string
}

func (w *tufWorld) client() tufClient { return tufClient{w, w.t.TempDir()} }

// target is what the client takes for the target at the world's time.
func (c tufClient) target() (string, error) {
	c.w.t.Helper()
	anchor, err := os.ReadFile(filepath.Join(c.w.dir, "root.json"))
	if err != nil {
		return "", err
	}
	if known, err := os.ReadFile(filepath.Join(c.dir, "root.json")); err == nil {
		anchor = known
	}
	cfg, err := config.New(c.w.url, anchor)
	if err != nil {
		return "", err
	}
	cfg.LocalMetadataDir, cfg.LocalTargetsDir = c.dir, filepath.Join(c.dir, "targets")
	cfg.RemoteTargetsURL = c.w.url + "/targets"
	up, err := updater.New(cfg)
	if err != nil {
		return "", err
	}
	up.UnsafeSetRefTime(c.w.now)
	if err := up.Refresh(); err != nil {
		return "", err
	}
	info, err := up.GetTargetInfo(tufTarget)
	if err != nil {
		return "", err
	}
	_, content, err := up.DownloadTarget(info, "", "")
	return string(content), err
}

func (c tufClient) sees(want string) {
	c.w.t.Helper()
	if got, err := c.target(); err != nil || got != want {
		c.w.t.Errorf("the client sees %q, want %q: %v", got, want, err)
	}
}

func TestPublishedTargetsReachEveryClient(t *testing.T) {
	w := newTUFWorld(t)
	first := w.client()
	for _, content := range []string{"one", "two", "one"} {
		if err := w.publish(content, -1); err != nil {
			t.Fatal(err)
		}
		first.sees(content)
		w.client().sees(content)
		// What is as it should be is not written again.
		if err := w.publish(content, 0); err != nil {
			t.Error(err)
		}
	}
	// The key turns, and every client follows.
	w.rotate()
	if err := w.publish("three", -1); err != nil {
		t.Fatal(err)
	}
	first.sees("three")
	w.client().sees("three")
	if err := w.publish("three", 0); err != nil {
		t.Error(err)
	}
}

// At each file that a run can be cut short after, clients go on with what was published
// before or with what is now, and the next run completes it.
func TestPublishCutShortAnywhere(t *testing.T) {
	for _, turn := range []bool{false, true} {
		for writes := 0; ; writes++ {
			w := newTUFWorld(t)
			old := w.client()
			if err := w.publish("old", -1); err != nil {
				t.Fatal(err)
			}
			old.sees("old")
			if turn {
				w.rotate()
			}
			err := w.publish("new", writes)
			if err != nil && !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			for _, client := range []tufClient{old, w.client()} {
				if seen, err := client.target(); err != nil || seen != "old" && seen != "new" {
					t.Errorf("after %d files: %q, %v", writes, seen, err)
				}
			}
			if err := w.publish("new", -1); err != nil {
				t.Fatalf("after %d files: %v", writes, err)
			}
			old.sees("new")
			w.client().sees("new")
			if err == nil {
				break
			}
		}
	}
}

func TestTheFirstRunCutShortAnywhere(t *testing.T) {
	for writes := 0; ; writes++ {
		w := newTUFWorld(t)
		err := w.publish("first", writes)
		if err != nil && !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		if err := w.publish("first", -1); err != nil {
			t.Fatalf("after %d files: %v", writes, err)
		}
		w.client().sees("first")
		if err == nil {
			return
		}
	}
}

func TestRolesEndAndAreRenewed(t *testing.T) {
	w := newTUFWorld(t)
	client := w.client()
	if err := w.publish("content", -1); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{metadata.TIMESTAMP, metadata.TARGETS, metadata.ROOT} {
		w.now = w.now.Add(periods[role] + time.Minute)
		if _, err := client.target(); !errors.As(err, new(*metadata.ErrExpiredMetadata)) {
			t.Errorf("%s has ended, and the client says %v", role, err)
		}
		if err := w.publish("content", -1); err != nil {
			t.Fatal(err)
		}
		client.sees("content")
	}
}

func TestTheRootKeyIsKeptApart(t *testing.T) {
	w := newTUFWorld(t)
	if err := w.publish("content", -1); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(w.dir, "root.key")
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	if err := w.publish("other content", -1); err != nil {
		t.Error(err)
	}
	w.client().sees("other content")
	w.rotate()
	if err := w.publish("content", -1); err == nil || !strings.Contains(err.Error(), "its key is not here") {
		t.Error(err)
	}
	w.client().sees("other content")
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	if err := w.publish("content", -1); err != nil {
		t.Error(err)
	}
	w.client().sees("content")
}

// What clients hold on to is not made up again.
func TestALostRepositoryIsNotReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		lose func(dir string) error
		says string
	}{
		"everything":     {func(dir string) error { return os.RemoveAll(dir) }, "put the directory back"},
		"the timestamp":  {func(dir string) error { return os.Remove(filepath.Join(dir, "timestamp.json")) }, "put it back"},
		"the snapshot":   {func(dir string) error { return os.Remove(filepath.Join(dir, "2.snapshot.json")) }, "2.snapshot.json"},
		"the targets":    {func(dir string) error { return os.Remove(filepath.Join(dir, "2.targets.json")) }, "2.targets.json"},
		"a foreign root": {func(dir string) error { return flip(filepath.Join(dir, "1.root.json")) }, "1.root.json"},
		"a bit":          {func(dir string) error { return flip(filepath.Join(dir, "timestamp.json")) }, "timestamp.json"},
	} {
		w := newTUFWorld(t)
		for _, content := range []string{"one", "two"} {
			if err := w.publish(content, -1); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.lose(filepath.Join(w.dir, "tuf")); err != nil {
			t.Fatal(err)
		}
		if err := w.publish("three", -1); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The timestamp counts on while there is one snapshot only, so that tells nothing of
// whether clients have seen one.
func TestALostTimestampIsNotCountedAgain(t *testing.T) {
	w := newTUFWorld(t)
	for range 3 {
		if err := w.publish("one", -1); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(4 * 24 * time.Hour)
	}
	if err := os.Remove(filepath.Join(w.dir, "tuf", "timestamp.json")); err != nil {
		t.Fatal(err)
	}
	if err := w.publish("one", -1); err == nil || !strings.Contains(err.Error(), "timestamp.json is missing: put it back") {
		t.Error(err)
	}
}

// flip changes a digit of the first signature.
func flip(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	i := strings.Index(string(text), `"sig": "30`) + len(`"sig": "30`) + 20
	text[i] ^= 1
	return os.WriteFile(path, text, 0o644)
}
