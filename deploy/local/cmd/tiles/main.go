// Command tiles serves for reading the log that a server writes to a directory:
// Rekor v2 and TesseraCT take entries, and leave it to others to hand them out.
package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"workshop.local/servers/internal/cli"
	"workshop.local/servers/internal/files"
)

const usage = `usage:
  tiles --listen IP:PORT --dir DIR --below /PATH [--shards]
`

func main() { cli.Main("tiles", usage, run) }

// tilePath is what C2SP tlog-tiles and static-ct-api call a tile or a bundle of
// entries: the level, "entries" or "data", the index in groups of three digits,
// and for a partial one its width. Nothing else that Tessera keeps in its
// directory has such a name.
var tilePath = regexp.MustCompile(`^(entries|data|[0-9]|[1-5][0-9]|6[0-3])(/x[0-9]{3})*/[0-9]{3}(\.p/[1-9][0-9]{0,2})?$`)

// issuerPath is the SHA-256 of a certificate that issued others (static-ct-api).
var issuerPath = regexp.MustCompile(`^[0-9a-f]{64}$`)

func run(ctx context.Context, args []string) error {
	fs := cli.NewFlags("tiles")
	addr := cli.ListenFlag(fs)
	dir := fs.String("dir", "", "Tessera's storage directory")
	below := fs.String("below", "", "path below which the log is served")
	shards := fs.Bool("shards", false, "serve the logs beside DIR too whose names differ in a number, each below /NAME/PATH")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	if !strings.HasPrefix(*below, "/") {
		return cli.Usagef("tiles: --below must begin with a slash")
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		return err
	}
	defer root.Close()
	served := handler(root, *below)
	if *shards {
		beside, err := os.OpenRoot(filepath.Dir(filepath.Clean(*dir)))
		if err != nil {
			return err
		}
		defer beside.Close()
		served = withShards(served, beside, filepath.Base(*dir), *below)
	}
	return addr.Serve(ctx, served)
}

// number is what the name of a log ends in that took the place of another.
var number = regexp.MustCompile(`-[1-9][0-9]*$`)

// withShards serves each log in the directory that has the name, or the name with
// another number, below that name, and leaves all else to next. A log that has ended
// is read as long as something is to be proved that it holds.
func withShards(next http.Handler, dir *os.Root, name, below string) http.Handler {
	shard := regexp.MustCompile("^" + regexp.QuoteMeta(number.ReplaceAllString(name, "")) + "(-[1-9][0-9]*)?$")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		named, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if !shard.MatchString(named) {
			next.ServeHTTP(w, r)
			return
		}
		root, err := dir.OpenRoot(named)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer root.Close()
		http.StripPrefix("/"+named, handler(root, below)).ServeHTTP(w, r)
	})
}

// handler answers GET and HEAD for the checkpoint, the tiles and the issuers only.
func handler(root *os.Root, below string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET "+below+"/checkpoint", func(w http.ResponseWriter, r *http.Request) {
		files.Serve(w, r, root, "checkpoint", "text/plain; charset=utf-8", "no-cache")
	})
	// What does not change may be kept: a partial tile has its width in its name, an
	// issuer its hash.
	unchanging := func(in string, names *regexp.Regexp, contentType string) {
		mux.HandleFunc("GET "+below+"/"+in+"/{path...}", func(w http.ResponseWriter, r *http.Request) {
			path := r.PathValue("path")
			if !names.MatchString(path) {
				http.NotFound(w, r)
				return
			}
			files.Serve(w, r, root, in+"/"+path, contentType, "max-age=31536000, immutable")
		})
	}
	unchanging("tile", tilePath, "application/octet-stream")
	unchanging("issuer", issuerPath, "application/pkix-cert")
	return mux
}
