package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"workshop.local/servers/internal/cli"
)

// runSample pushes an image to sign, and prints its reference by digest.
func runSample(ctx context.Context, args []string) error {
	fs := cli.NewFlags("sample")
	caPath := fs.String("ca-cert", "", "certificate that vouches for the registry")
	text := fs.String("text", "A sample to sign.", "content of the image's only file")
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	tag, err := name.NewTag(fs.Arg(0), name.StrictValidation)
	if err != nil {
		return cli.Usagef("%w", err)
	}
	pem, err := os.ReadFile(*caPath)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: no certificate in it", *caPath)
	}
	image, err := sampleImage(*text)
	if err != nil {
		return err
	}
	transport := httpsOnly{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	if err := remote.Write(tag, image, remote.WithContext(ctx), remote.WithTransport(transport)); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	fmt.Println(tag.Digest(digest.String()))
	return nil
}

// sampleImage depends on the text alone: there are no times in it and no
// compression, whose output may differ between releases of Go.
func sampleImage(text string) (v1.Image, error) {
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	if err := archive.WriteHeader(&tar.Header{Name: "sample.txt", Mode: 0o644, Size: int64(len(text))}); err != nil {
		return nil, err
	}
	if _, err := archive.Write([]byte(text)); err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config.OS, config.Architecture = "linux", "amd64"
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	return mutate.AppendLayers(image, static.NewLayer(layer.Bytes(), types.OCIUncompressedLayer))
}

// httpsOnly refuses the plain HTTP that the library would try with a registry
// on this machine.
type httpsOnly struct{ http.RoundTripper }

func (t httpsOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, fmt.Errorf("%s: not https", r.URL.Redacted())
	}
	return t.RoundTripper.RoundTrip(r)
}
