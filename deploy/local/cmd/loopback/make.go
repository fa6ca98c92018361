package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sigstore/fulcio/pkg/ca"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"workshop.local/servers/internal/cli"
	"workshop.local/servers/internal/files"
)

// kinds are what make can make, each from the prefix of its files' names.
var kinds = map[string]func(prefix string) error{
	"ca":        pair{plainP256, ".pem", newCA, chain(ca.VerifyCertChain)}.make,
	"timestamp": pair{plainP256, ".pem", newTimestampChain, chain(checkTimestampChain)}.make,
	"tls":       makeServerCertificate,
	"ed25519":   pair{plainEd25519, ".pub", newPublicKey, checkPublicKey}.make,
	"ecdsa":     pair{plainP256, ".pub", newPublicKey, checkPublicKey}.make,
	"ctlog":     pair{sec1P256, ".pub", newPublicKey, checkPublicKey}.make,
	"users":     makeUsers,
}

// runMake makes what is missing and leaves alone what is there, having checked
// that it is sound: a file that is not is for a person to look at, because
// signatures that are still around may hang on it.
func runMake(_ context.Context, args []string) error {
	flags := cli.NewFlags("make")
	offline := flags.String("offline-root", "", "directory of the root below which a new CA is made")
	if err := flags.Parse(args); err != nil {
		return cli.Usagef("make: %w", err)
	}
	args = flags.Args()
	if len(args) == 0 || len(args)%2 != 0 {
		return cli.Usagef("make: want pairs of KIND and PREFIX")
	}
	for i := 0; i < len(args); i += 2 {
		if kinds[args[i]] == nil {
			return cli.Usagef("make: no kind %q", args[i])
		}
	}
	for i := 0; i < len(args); i += 2 {
		make := kinds[args[i]]
		if args[i] == "ca" && *offline != "" {
			make = pair{plainP256, ".pem", newCABelow(*offline), chain(ca.VerifyCertChain)}.make
		}
		if err := make(args[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// A pair is a private key in one file and its public part in another.
type pair struct {
	format  keyFormat
	suffix  string // of the public part's file
	publish func(crypto.Signer) ([]byte, error)
	check   func(public []byte, key crypto.Signer) error
}

// errStale is how check asks for the public part to be made again.
var errStale = errors.New("expires soon")

func (p pair) make(prefix string) error {
	path := prefix + p.suffix
	public, err := os.ReadFile(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return err
	}
	// The key is always written first, so that only a hand can have left a
	// public part without one.
	key, err := p.format.read(prefix + ".key")
	if missing && errors.Is(err, fs.ErrNotExist) {
		key, err = p.format.create(prefix + ".key")
	}
	if err != nil {
		return err
	}
	if !missing {
		err := p.check(public, key)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errStale) {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if public, err = p.publish(key); err != nil {
		return err
	}
	return files.Write(path, public, 0o644)
}

// A keyFormat is an algorithm and how its private keys are written.
type keyFormat struct {
	generate func() (crypto.Signer, error)
	encode   func(crypto.Signer) (*pem.Block, error)
	decode   func(*pem.Block) (crypto.Signer, error)
}

var (
	plainP256    = keyFormat{newP256, encodePKCS8, decodePKCS8[*ecdsa.PrivateKey]}
	plainEd25519 = keyFormat{newEd25519, encodePKCS8, decodePKCS8[ed25519.PrivateKey]}
	sec1P256     = keyFormat{newP256, encodeSEC1, decodeSEC1}
)

func (f keyFormat) create(path string) (crypto.Signer, error) {
	key, err := f.generate()
	if err != nil {
		return nil, err
	}
	block, err := f.encode(key)
	if err != nil {
		return nil, err
	}
	return key, files.Write(path, pem.EncodeToMemory(block), 0o600)
}

func (f keyFormat) read(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s: not one PEM block", path)
	}
	key, err := f.decode(block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func newP256() (crypto.Signer, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func newEd25519() (crypto.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

func encodePKCS8(key crypto.Signer) (*pem.Block, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, err
}

func decodePKCS8[K crypto.Signer](block *pem.Block) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(K)
	if !ok {
		return nil, fmt.Errorf("holds a %T, want a %T", key, signer)
	}
	return signer, nil
}

// TesseraCT reads private keys in no form but this one (RFC 5915).
func encodeSEC1(key crypto.Signer) (*pem.Block, error) {
	der, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	return &pem.Block{Type: "EC PRIVATE KEY", Bytes: der}, err
}

func decodeSEC1(block *pem.Block) (crypto.Signer, error) {
	return x509.ParseECPrivateKey(block.Bytes)
}

func newPublicKey(key crypto.Signer) ([]byte, error) {
	return cryptoutils.MarshalPublicKeyToPEM(key.Public())
}

func checkPublicKey(public []byte, key crypto.Signer) error {
	want, err := newPublicKey(key)
	if err == nil && !bytes.Equal(public, want) {
		err = errors.New("not the public part of its key")
	}
	return err
}
