package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"workshop.local/servers/internal/cli"
	"workshop.local/servers/internal/files"
)

// How long a role is valid. A client that has not seen a new timestamp for a week may be
// shown an old repository; the root key is kept apart and rarely at hand.
var periods = map[string]time.Duration{
	metadata.ROOT:      365 * 24 * time.Hour,
	metadata.TARGETS:   90 * 24 * time.Hour,
	metadata.SNAPSHOT:  90 * 24 * time.Hour,
	metadata.TIMESTAMP: 7 * 24 * time.Hour,
}

// onlineRoles are signed with the key that stays on the machine.
var onlineRoles = []string{metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP}

// errNotPublished is what --check ends with where there is something to publish.
var errNotPublished = errors.New("the repository is not up to date")

// runPublish makes a TUF repository of files, or brings it up to date: what changed, and
// what has less than half of its time left, gets a new version. What is as it should be
// stays. With --check nothing is written, and what would be is an error.
func runPublish(_ context.Context, args []string) error {
	flags := cli.NewFlags("publish")
	dir := flags.String("dir", "", "directory of the repository")
	anchor := flags.String("anchor", "", "where the first root is kept, which clients are given")
	rootKey := flags.String("root-key", "", "private key of the root role, which a new repository makes; it may be away while the root needs no new version")
	key := flags.String("key", "", "private key of the other roles")
	check := flags.Bool("check", false, "say whether there is something to publish, and write nothing")
	at := flags.String("at", "now", "the time that counts as now, RFC 3339")
	if err := flags.Parse(args); err != nil {
		return cli.Usagef("publish: %w", err)
	}
	named := flags.Args()
	if len(named) == 0 {
		return cli.Usagef("publish: no file to publish")
	}
	if err := cli.Parse(flags, append(slices.Clone(args[:len(args)-len(named)]), "--"), 0); err != nil {
		return err
	}
	now := time.Now().UTC()
	if *at != "now" {
		var err error
		if now, err = time.Parse(time.RFC3339, *at); err != nil {
			return cli.Usagef("publish: --at: %w", err)
		}
	}
	r := repository{dir: *dir, anchor: *anchor, rootKey: *rootKey, now: now.Truncate(time.Second), writeFile: files.Write}
	if *check {
		r.writeFile = func(string, []byte, fs.FileMode) error { return errNotPublished }
	}
	var err error
	if r.online, err = readTUFKey(*key); err != nil {
		return err
	}
	if r.offline, err = readTUFKey(*rootKey); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	contents := map[string][]byte{}
	for _, file := range named {
		name, path, ok := strings.Cut(file, "=")
		if !ok {
			return cli.Usagef("publish: %q: want NAME=FILE", file)
		}
		if contents[name], err = os.ReadFile(path); err != nil {
			return err
		}
	}
	return r.publish(contents)
}

// A tufKey is a private key as TUF knows it.
type tufKey struct {
	signer signature.Signer
	public *metadata.Key
	id     string
}

func readTUFKey(path string) (*tufKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	private, err := cryptoutils.UnmarshalPEMToPrivateKey(text, cryptoutils.SkipPassword)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: holds a %T, want a key for ECDSA", path, private)
	}
	public, err := metadata.KeyFromPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	id, err := public.ID()
	if err != nil {
		return nil, err
	}
	signer, err := signature.LoadSigner(key, crypto.SHA256)
	return &tufKey{signer, public, id}, err
}

// A repository is a TUF repository with consistent snapshots, in files.
type repository struct {
	dir, anchor, rootKey string
	now                  time.Time
	writeFile            func(path string, data []byte, mode fs.FileMode) error
	// handedOut is whether clients were given the first root.
	handedOut bool
	// offline is nil while the key of the root role is kept elsewhere.
	offline, online *tufKey

	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]
}

// publish leaves at each moment a repository that every client can follow: a new key is
// listed before it signs, and the old one is dropped after it has signed.
func (r *repository) publish(contents map[string][]byte) error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.list(r.online); err != nil {
		return err
	}
	if err := r.read(); err != nil {
		return err
	}
	if err := r.renew(contents); err != nil {
		return err
	}
	if err := r.dropOthers(); err != nil {
		return err
	}
	return r.handOut()
}

// handOut gives clients the first root, once there is all that it leads to. So where they
// have it, nothing of the repository is missing because it has not been made yet.
func (r *repository) handOut() error {
	if r.handedOut {
		return nil
	}
	oldest, err := os.ReadFile(r.rootPath(1))
	if err != nil {
		return err
	}
	return r.writeFile(r.anchor, oldest, 0o644)
}

// open reads the newest root, or makes the first one.
func (r *repository) open() error {
	version := 0
	for {
		_, err := os.Stat(r.rootPath(version + 1))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		version++
	}
	first, err := os.ReadFile(r.anchor)
	r.handedOut = err == nil
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case r.handedOut && version == 0:
		// A second first root would be refused by everybody who has the other one.
		return fmt.Errorf("%s: no root there, but clients were given %s: put the directory back", r.dir, r.anchor)
	case version == 0:
		return r.create()
	}
	if r.root, err = new(metadata.Metadata[metadata.RootType]).FromFile(r.rootPath(version)); err != nil {
		return fmt.Errorf("%s: %w", r.rootPath(version), err)
	}
	if err := r.root.VerifyDelegate(metadata.ROOT, r.root); err != nil {
		return fmt.Errorf("%s: %w", r.rootPath(version), err)
	}
	oldest, err := os.ReadFile(r.rootPath(1))
	if err != nil {
		return err
	}
	if r.handedOut && !bytes.Equal(first, oldest) {
		return fmt.Errorf("%s is not the first root of %s", r.anchor, r.dir)
	}
	if r.offline != nil && !slices.Contains(r.root.Signed.Roles[metadata.ROOT].KeyIDs, r.offline.id) {
		return errors.New("the key of the root role is not the one that the root names: put back the one that made it")
	}
	return nil
}

func (r *repository) rootPath(version int) string {
	return filepath.Join(r.dir, strconv.Itoa(version)+".root.json")
}

func (r *repository) create() error {
	if r.offline == nil {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		text, err := cryptoutils.MarshalPrivateKeyToPEM(private)
		if err != nil {
			return err
		}
		if err := r.writeFile(r.rootKey, text, 0o600); err != nil {
			return err
		}
		if r.offline, err = readTUFKey(r.rootKey); err != nil {
			return err
		}
	}
	r.root = metadata.Root(r.end(metadata.ROOT))
	if err := r.root.Signed.AddKey(r.offline.public, metadata.ROOT); err != nil {
		return err
	}
	for _, role := range onlineRoles {
		if err := r.root.Signed.AddKey(r.online.public, role); err != nil {
			return err
		}
	}
	return r.writeRoot()
}

// list makes a new root where the key is not in it, or where its time runs out.
func (r *repository) list(key *tufKey) error {
	listed := slices.Contains(r.root.Signed.Roles[metadata.TIMESTAMP].KeyIDs, key.id)
	due := r.due(metadata.ROOT, r.root.Signed.Expires)
	if listed && !due {
		return nil
	}
	if r.offline == nil {
		if listed && r.now.Before(r.root.Signed.Expires) {
			return r.note("the root ends on %s and its key is not here: put it back before", r.root.Signed.Expires)
		}
		return errors.New("the root needs a new version, and its key is not here: put it back")
	}
	for _, role := range onlineRoles {
		if err := r.root.Signed.AddKey(key.public, role); err != nil {
			return err
		}
	}
	return r.nextRoot()
}

// dropOthers makes a new root without the keys that no role is signed with any more.
func (r *repository) dropOthers() error {
	others := map[string]bool{}
	for _, role := range onlineRoles {
		for _, id := range slices.Clone(r.root.Signed.Roles[role].KeyIDs) {
			if id == r.online.id {
				continue
			}
			if others[id] = true; r.offline == nil {
				return errors.New("the root names a key that was replaced, and its own key is not here: put it back")
			}
			if err := r.root.Signed.RevokeKey(id, role); err != nil {
				return err
			}
		}
	}
	if len(others) == 0 {
		return nil
	}
	return r.nextRoot()
}

func (r *repository) nextRoot() error {
	r.root.Signed.Version++
	r.root.Signed.Expires = r.end(metadata.ROOT)
	return r.writeRoot()
}

func (r *repository) writeRoot() error {
	r.root.ClearSignatures()
	return write(r, metadata.ROOT, r.root, r.offline)
}

// read follows the timestamp to what it names. All of it may be missing: then it has not
// been made yet. A part that is missing or is not as it was signed is refused.
func (r *repository) read() error {
	r.timestamp = metadata.Timestamp(r.now)
	r.snapshot = metadata.Snapshot(r.now)
	r.targets = metadata.Targets(r.now)
	path := filepath.Join(r.dir, "timestamp.json")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		// Some role was signed once, but nobody was told.
		entries, err := filepath.Glob(filepath.Join(r.dir, "*.snapshot.json"))
		if err != nil || len(entries) > 1 || r.handedOut {
			return errors.Join(err, fmt.Errorf("%s is missing: put it back", path))
		}
		r.timestamp.Signed.Version, r.snapshot.Signed.Version, r.targets.Signed.Version = 0, 0, 0
		return nil
	}
	if err := load(r, "timestamp.json", metadata.TIMESTAMP, &r.timestamp); err != nil {
		return err
	}
	snapshot := r.timestamp.Signed.Meta["snapshot.json"]
	if snapshot == nil {
		return fmt.Errorf("%s names no snapshot", path)
	}
	name := fmt.Sprintf("%d.snapshot.json", snapshot.Version)
	if err := load(r, name, metadata.SNAPSHOT, &r.snapshot); err != nil {
		return err
	}
	targets := r.snapshot.Signed.Meta["targets.json"]
	if targets == nil {
		return fmt.Errorf("%s names no targets", name)
	}
	return load(r, fmt.Sprintf("%d.targets.json", targets.Version), metadata.TARGETS, &r.targets)
}

func load[T metadata.Roles](r *repository, name, role string, into **metadata.Metadata[T]) error {
	read, err := new(metadata.Metadata[T]).FromFile(filepath.Join(r.dir, name))
	if err == nil {
		err = r.root.VerifyDelegate(role, read)
	}
	if err != nil {
		return fmt.Errorf("%s: put it back from a copy: %w", filepath.Join(r.dir, name), err)
	}
	*into = read
	return nil
}

// renew writes what has changed, the timestamp last: until then no client sees any of it.
func (r *repository) renew(contents map[string][]byte) error {
	wanted := map[string]*metadata.TargetFiles{}
	for name, content := range contents {
		file, err := metadata.TargetFile().FromBytes(name, content, "sha256")
		if err != nil {
			return err
		}
		wanted[name] = file
		hash := sha256.Sum256(content)
		path := filepath.Join(r.dir, "targets", hex.EncodeToString(hash[:])+"."+name)
		if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, content) {
			continue
		}
		if err := r.writeFile(path, content, 0o644); err != nil {
			return err
		}
	}
	targets := &r.targets.Signed
	same := maps.EqualFunc(targets.Targets, wanted, func(a, b *metadata.TargetFiles) bool { return a.Equal(*b) })
	changed := !same || r.due(metadata.TARGETS, targets.Expires) || !signed(r.targets.Signatures, r.online)
	if changed {
		targets.Version, targets.Expires, targets.Targets = targets.Version+1, r.end(metadata.TARGETS), wanted
		r.targets.ClearSignatures()
		if err := write(r, metadata.TARGETS, r.targets, r.online); err != nil {
			return err
		}
	}
	snapshot := &r.snapshot.Signed
	changed = changed || r.due(metadata.SNAPSHOT, snapshot.Expires) || !signed(r.snapshot.Signatures, r.online)
	if changed {
		snapshot.Version, snapshot.Expires = snapshot.Version+1, r.end(metadata.SNAPSHOT)
		snapshot.Meta["targets.json"] = metadata.MetaFile(targets.Version)
		r.snapshot.ClearSignatures()
		if err := write(r, metadata.SNAPSHOT, r.snapshot, r.online); err != nil {
			return err
		}
	}
	timestamp := &r.timestamp.Signed
	if !changed && !r.due(metadata.TIMESTAMP, timestamp.Expires) && signed(r.timestamp.Signatures, r.online) {
		return nil
	}
	timestamp.Version, timestamp.Expires = timestamp.Version+1, r.end(metadata.TIMESTAMP)
	timestamp.Meta["snapshot.json"] = metadata.MetaFile(snapshot.Version)
	r.timestamp.ClearSignatures()
	return write(r, metadata.TIMESTAMP, r.timestamp, r.online)
}

func signed(signatures []metadata.Signature, key *tufKey) bool {
	return slices.ContainsFunc(signatures, func(s metadata.Signature) bool { return s.KeyID == key.id })
}

func (r *repository) end(role string) time.Time { return r.now.Add(periods[role]) }

func (r *repository) due(role string, end time.Time) bool {
	return r.now.Add(periods[role] / 2).After(end)
}

func (r *repository) note(format string, args ...any) error {
	_, err := fmt.Fprintln(os.Stderr, "tuf: "+fmt.Sprintf(format, args...))
	return err
}

// write signs a role and replaces its file in one step.
func write[T metadata.Roles](r *repository, role string, meta *metadata.Metadata[T], key *tufKey) error {
	if _, err := meta.Sign(key.signer); err != nil {
		return err
	}
	text, err := meta.ToBytes(true)
	if err != nil {
		return err
	}
	name, version := role+".json", int64(0)
	switch signed := any(meta.Signed).(type) {
	case metadata.RootType:
		version = signed.Version
	case metadata.TargetsType:
		version = signed.Version
	case metadata.SnapshotType:
		version = signed.Version
	}
	if version > 0 {
		name = strconv.FormatInt(version, 10) + "." + name
	}
	if err := r.writeFile(filepath.Join(r.dir, name), text, 0o644); err != nil {
		return err
	}
	fmt.Println(strings.TrimSuffix(name, ".json"))
	return nil
}
