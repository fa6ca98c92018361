package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
)

// tufPath is what a TUF repository with consistent snapshots holds: the roles, all but
// the timestamp with their version before the name, and the targets with their hash
// before it (TUF specification, section 6.2).
var tufPath = regexp.MustCompile(`^(timestamp\.json|[1-9][0-9]{0,9}\.(root|targets|snapshot)\.json|targets/[0-9a-f]{64}\.[a-z0-9_.]+)$`)

// runTUF serves for reading the TUF repository that publish keeps in a directory.
func runTUF(ctx context.Context, args []string) error {
	fs := newFlags("tuf")
	addr := listenFlag(fs)
	dir := fs.String("dir", "", "directory of the repository")
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return addr.serve(ctx, tufHandler(root))
}

// tufHandler answers GET and HEAD for the files of a repository only.
func tufHandler(root *os.Root) http.Handler {
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
		serveFile(w, r, root, path, "application/octet-stream", caching)
	})
	return mux
}
