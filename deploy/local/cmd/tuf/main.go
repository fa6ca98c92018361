// Command tuf keeps a TUF repository of a few files, from which clients take the
// trusted root and the signing config, and serves it.
package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"regexp"

	"workshop.local/servers/internal/cli"
	"workshop.local/servers/internal/files"
)

const usage = `usage:
  tuf serve   --listen IP:PORT --dir DIR
  tuf publish --dir DIR --anchor FILE --root-key FILE --key FILE [--check] [--at TIME] NAME=FILE [NAME=FILE ...]
`

var commands = cli.Commands{"serve": runServe, "publish": runPublish}

func main() { cli.Main("tuf", usage, commands.Run) }

// tufPath is what a TUF repository with consistent snapshots holds: the roles, all but
// the timestamp with their version before the name, and the targets with their hash
// before it (TUF specification, section 6.2).
var tufPath = regexp.MustCompile(`^(timestamp\.json|[1-9][0-9]{0,9}\.(root|targets|snapshot)\.json|targets/[0-9a-f]{64}\.[a-z0-9_.]+)$`)

// runServe serves for reading the TUF repository that publish keeps in a directory.
func runServe(ctx context.Context, args []string) error {
	fs := cli.NewFlags("serve")
	addr := cli.ListenFlag(fs)
	dir := fs.String("dir", "", "directory of the repository")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return addr.Serve(ctx, handler(root))
}

// handler answers GET and HEAD for the files of a repository only.
func handler(root *os.Root) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /{path...}", func(w http.ResponseWriter, r *http.Request) {
		path := r.PathValue("path")
		if !tufPath.MatchString(path) {
			http.NotFound(w, r)
			return
		}
		// Of all files the timestamp alone is replaced.
		caching := "max-age=31536000, immutable"
		if path == "timestamp.json" {
			caching = "no-cache"
		}
		files.Serve(w, r, root, path, "application/octet-stream", caching)
	})
	return mux
}
