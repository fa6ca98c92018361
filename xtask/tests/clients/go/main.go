// Command client signs or verifies a file with sigstore-go, against the Sigstore that
// `cargo xtask env` names: client sign|verify FILE [tuf]. With tuf it takes the trusted root
// and the signing config by TUF, or else from files. The identity token is in the file TOKEN.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("client sign|verify FILE [tuf]")
	}
	var client *tuf.Client
	if len(args) > 2 {
		first, err := os.ReadFile(os.Getenv("WORKSHOP_TUF_ANCHOR"))
		if err != nil {
			return err
		}
		options := tuf.DefaultOptions().WithRoot(first).WithCachePath("tuf-of-go")
		client, err = tuf.New(options.WithRepositoryBaseURL(os.Getenv("WORKSHOP_TUF")))
		if err != nil {
			return err
		}
	}
	switch args[0] {
	case "sign":
		return signFile(args[1], client)
	case "verify":
		return verifyFile(args[1], client)
	}
	return errors.New("there is no " + args[0])
}

func trustedRoot(client *tuf.Client) (*root.TrustedRoot, error) {
	if client != nil {
		return root.GetTrustedRoot(client)
	}
	return root.NewTrustedRootFromPath(os.Getenv("WORKSHOP_TRUSTED_ROOT"))
}

func signingConfig(client *tuf.Client) (*root.SigningConfig, error) {
	if client != nil {
		return root.GetSigningConfig(client)
	}
	return root.NewSigningConfigFromPath(os.Getenv("WORKSHOP_SIGNING_CONFIG"))
}

func signFile(file string, client *tuf.Client) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	token, err := os.ReadFile("TOKEN")
	if err != nil {
		return err
	}
	config, err := signingConfig(client)
	if err != nil {
		return err
	}
	key, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		return err
	}
	now := time.Now()
	fulcio, err := root.SelectService(config.FulcioCertificateAuthorityURLs(), sign.FulcioAPIVersions, now)
	if err != nil {
		return err
	}
	stamps, err := root.SelectServices(config.TimestampAuthorityURLs(), config.TimestampAuthorityURLsConfig(), sign.TimestampAuthorityAPIVersions, now)
	if err != nil {
		return err
	}
	logs, err := root.SelectServices(config.RekorLogURLs(), config.RekorLogURLsConfig(), sign.RekorAPIVersions, now)
	if err != nil {
		return err
	}
	options := sign.BundleOptions{
		CertificateProvider:        sign.NewFulcio(&sign.FulcioOptions{BaseURL: fulcio.URL}),
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: strings.TrimSpace(string(token))},
	}
	if options.TrustedRoot, err = trustedRoot(client); err != nil {
		return err
	}
	for _, tsa := range stamps {
		authority := sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{URL: tsa.URL})
		options.TimestampAuthorities = append(options.TimestampAuthorities, authority)
	}
	for _, rekor := range logs {
		log := sign.NewRekor(&sign.RekorOptions{BaseURL: rekor.URL, Version: rekor.MajorAPIVersion})
		options.TransparencyLogs = append(options.TransparencyLogs, log)
	}
	made, err := sign.Bundle(&sign.PlainData{Data: data}, key, options)
	if err != nil {
		return err
	}
	text, err := protojson.Marshal(made)
	if err != nil {
		return err
	}
	return os.WriteFile(file+".sigstore.json", text, 0o600)
}

func verifyFile(file string, client *tuf.Client) error {
	trusted, err := trustedRoot(client)
	if err != nil {
		return err
	}
	made, err := bundle.LoadJSONFromPath(file + ".sigstore.json")
	if err != nil {
		return err
	}
	artifact, err := os.Open(file)
	if err != nil {
		return err
	}
	defer artifact.Close()
	verifier, err := verify.NewVerifier(trusted, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
	if err != nil {
		return err
	}
	expected, err := verify.NewShortCertificateIdentity(os.Getenv("WORKSHOP_ISSUER"), "", os.Getenv("WORKSHOP_IDENTITY"), "")
	if err != nil {
		return err
	}
	_, err = verifier.Verify(made, verify.NewPolicy(verify.WithArtifact(artifact), verify.WithCertificateIdentity(expected)))
	return err
}
