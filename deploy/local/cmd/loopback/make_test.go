package main

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/fulcio/pkg/ca/fileca"
	"github.com/sigstore/rekor/pkg/signer"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	tsa "github.com/sigstore/timestamp-authority/v2/pkg/signer"
	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"

	"workshop.local/servers/internal/cli"
)

// suffixes are the files of each kind, in the order in which they are written.
var suffixes = map[string][]string{
	"ca":        {".key", ".pem"},
	"timestamp": {".key", ".pem"},
	"tls":       {".key", ".pem"},
	"ed25519":   {".key", ".pub"},
	"ecdsa":     {".key", ".pub"},
	"ctlog":     {".key", ".pub"},
	"users":     {".yml"},
}

func mustMake(t *testing.T, args ...string) {
	t.Helper()
	if err := runMake(t.Context(), args); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustWrite(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// refuses says whether make fails, names the file and leaves it as it is.
func refuses(t *testing.T, kind, prefix, path string) {
	t.Helper()
	before, _ := os.ReadFile(path)
	err := runMake(t.Context(), []string{kind, prefix})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("make %s: got error %v, want one that names %s", kind, err, path)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Errorf("make %s wrote to %s", kind, path)
	}
}

func TestMake(t *testing.T) {
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "new", "keys")
			prefix := filepath.Join(dir, kind)
			mustMake(t, kind, prefix)

			made := map[string][]byte{}
			for _, suffix := range suffixes[kind] {
				want := os.FileMode(0o644)
				if suffix == ".key" || suffix == ".yml" {
					want = 0o600
				}
				info, err := os.Stat(prefix + suffix)
				if err != nil {
					t.Fatal(err)
				}
				if info.Mode() != want {
					t.Errorf("%s has mode %v, want %v", info.Name(), info.Mode(), want)
				}
				made[suffix] = mustRead(t, prefix+suffix)
			}
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the directory has mode %v, %v", info.Mode(), err)
			}
			files := len(made)
			if kind == "tls" {
				files += 2 // its CA
			}
			if entries, _ := os.ReadDir(dir); len(entries) != files {
				t.Errorf("the directory holds %v", entries)
			}

			mustMake(t, kind, prefix)
			for suffix, data := range made {
				if !bytes.Equal(mustRead(t, prefix+suffix), data) {
					t.Errorf("the second run changed %s", suffix)
				}
			}

			for suffix, data := range made {
				for _, corrupt := range [][]byte{nil, []byte("junk\n"), data[:len(data)/2], append(bytes.Clone(data), "junk"...)} {
					mustWrite(t, prefix+suffix, corrupt)
					refuses(t, kind, prefix, prefix+suffix)
				}
				mustWrite(t, prefix+suffix, data)
			}
		})
	}
}

func TestMakePairs(t *testing.T) {
	for kind, files := range suffixes {
		if len(files) < 2 {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			prefix, other := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "other")
			mustMake(t, kind, prefix, kind, other)
			key, public := prefix+files[0], prefix+files[1]

			mine := mustRead(t, public)
			mustWrite(t, public, mustRead(t, other+files[1]))
			refuses(t, kind, prefix, public)
			mustWrite(t, public, mine)

			// Cut short between the two files, make goes on with the key.
			data := mustRead(t, key)
			os.Remove(public)
			mustMake(t, kind, prefix)
			mustMake(t, kind, prefix)
			if !bytes.Equal(mustRead(t, key), data) {
				t.Error("the key has changed")
			}

			os.Remove(key)
			refuses(t, kind, prefix, key)
			if _, err := os.Stat(key); err == nil {
				t.Error("a new key was made beside an old public part")
			}
		})
	}
}

func TestMakeRefusesKeysOfAnotherKind(t *testing.T) {
	dir := t.TempDir()
	mustMake(t, "ed25519", dir+"/a", "ecdsa", dir+"/b", "ctlog", dir+"/c")
	refuses(t, "ecdsa", dir+"/a", dir+"/a.key")
	refuses(t, "ed25519", dir+"/b", dir+"/b.key")
	refuses(t, "ecdsa", dir+"/c", dir+"/c.key")
	refuses(t, "ctlog", dir+"/b", dir+"/b.key")
}

func TestMakeUsage(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{nil, {"ca"}, {"ecdsa", dir + "/a", "nope", dir + "/b"}} {
		if err := runMake(t.Context(), args); !errors.As(err, new(cli.UsageError)) {
			t.Errorf("make %q: got error %v, want one about its usage", args, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("made %v for a command line that is wrong", entries)
	}
}

// TestServersReadTheKeys loads the files the way the servers do.
func TestServersReadTheKeys(t *testing.T) {
	dir := t.TempDir()
	mustMake(t, "ca", dir+"/ca", "ctlog", dir+"/ct", "ecdsa", dir+"/shard", "ed25519", dir+"/log", "timestamp", dir+"/tsa", "tls", dir+"/tls")
	if _, err := fileca.NewFileCA(dir+"/ca.pem", dir+"/ca.key", "", false); err != nil {
		t.Error(err)
	}
	// As TesseraCT does it.
	block, _ := pem.Decode(mustRead(t, dir+"/ct.key"))
	if _, err := x509.ParseECPrivateKey(block.Bytes); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"shard", "log"} {
		if _, err := signer.NewFile(dir+"/"+name+".key", ""); err != nil {
			t.Error(err)
		}
	}
	if _, err := tsa.NewFileSigner(dir+"/tsa.key", "", crypto.SHA256); err != nil {
		t.Error(err)
	}

	cert, err := tls.LoadX509KeyPair(dir+"/tls.pem", dir+"/tls.key")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(mustRead(t, dir+"/tls.pem"))
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	// Whoever trusts the certificates of before trusts what takes their place.
	mustMake(t, "tls", dir+"/tls-2")
	if cert, err = tls.LoadX509KeyPair(dir+"/tls-2.pem", dir+"/tls-2.key"); err != nil {
		t.Fatal(err)
	}
	if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost"}); err != nil {
		t.Error(err)
	}
}

func TestTLSIsRenewed(t *testing.T) {
	for _, left := range []time.Duration{29 * day, -day} {
		prefix := filepath.Join(t.TempDir(), "tls")
		mustMake(t, "tls", prefix)
		key, err := plainP256.read(prefix + ".key")
		if err != nil {
			t.Fatal(err)
		}
		old, err := issue(&x509.Certificate{Subject: subject("localhost")}, nil, key.Public(), key, left)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, prefix+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: old.Raw}))
		mustMake(t, "tls", prefix)
		certs, err := cryptoutils.UnmarshalCertificatesFromPEM(mustRead(t, prefix+".pem"))
		if err != nil {
			t.Fatal(err)
		}
		if lifetime := time.Until(certs[0].NotAfter); lifetime < 396*day || lifetime > 397*day {
			t.Errorf("with %v left, the certificate is now good for %v", left, lifetime)
		}
		if err := cryptoutils.EqualKeys(certs[0].PublicKey, key.Public()); err != nil {
			t.Error(err)
		}
	}
}

func TestUsers(t *testing.T) {
	text, err := newUsers("alice", "bob")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Users []map[string]string }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Users) != 2 || file.Users[0]["password"] == file.Users[1]["password"] || file.Users[0]["id"] == file.Users[1]["id"] {
		t.Fatalf("users are not two or not apart: %v", file.Users)
	}
	alice := file.Users[0]
	if alice["name"] != "alice" || alice["email"] != "alice@example.com" || len(alice["password"]) != 20 || len(alice) != 5 {
		t.Errorf("alice is %v", alice)
	}
	if cost, err := bcrypt.Cost([]byte(alice["hash"])); cost != 10 || err != nil {
		t.Errorf("the hash has cost %d, %v", cost, err)
	}
	swapped := bytes.ReplaceAll(text, []byte(alice["password"]), []byte(file.Users[1]["password"]))
	if err := checkUsers(swapped); err == nil {
		t.Error("a password that is not the hash's was let through")
	}
}

// TestOfflineRoot makes CAs below a root whose key is elsewhere.
func TestOfflineRoot(t *testing.T) {
	dir, away := t.TempDir(), filepath.Join(t.TempDir(), "away")
	mustMake(t, "--offline-root", away, "ca", dir+"/ca-1")
	mustMake(t, "--offline-root", away, "ca", dir+"/ca-1", "ca", dir+"/ca-2")
	for name, want := range map[string]os.FileMode{"": 0o700, "fulcio-root.key": 0o600, "fulcio-root.pem": 0o644} {
		info, err := os.Stat(filepath.Join(away, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", info.Name(), info.Mode(), want)
		}
	}
	for _, name := range []string{"/ca-1", "/ca-2"} {
		if _, err := fileca.NewFileCA(dir+name+".pem", dir+name+".key", "", false); err != nil {
			t.Error(err)
		}
		certs, err := cryptoutils.UnmarshalCertificatesFromPEM(mustRead(t, dir+name+".pem"))
		if err != nil || len(certs) != 2 {
			t.Fatalf("%s: %d certificates, %v", name, len(certs), err)
		}
		if err := certs[0].CheckSignatureFrom(certs[1]); err != nil {
			t.Error(err)
		}
	}

	key := mustRead(t, away+"/fulcio-root.key")
	os.Remove(away + "/fulcio-root.key")
	// What is there needs no root.
	mustMake(t, "--offline-root", away, "ca", dir+"/ca-1")
	if err := runMake(t.Context(), []string{"--offline-root", away, "ca", dir + "/ca-3"}); err == nil {
		t.Error("a CA was made without the key of its root")
	}
	if _, err := os.Stat(away + "/fulcio-root.key"); err == nil {
		t.Error("a root got another key")
	}
	mustWrite(t, away+"/fulcio-root.key", key)
	mustMake(t, "--offline-root", away, "ca", dir+"/ca-3")
}
