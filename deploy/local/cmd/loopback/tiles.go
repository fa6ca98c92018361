package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
)

// tilePath is what C2SP tlog-tiles calls a tile or an entry bundle: the level
// or "entries", the index in groups of three digits, and for a partial one its
// width. Nothing else that Tessera keeps in its directory has such a name.
var tilePath = regexp.MustCompile(`^(entries|[0-9]|[1-5][0-9]|6[0-3])(/x[0-9]{3})*/[0-9]{3}(\.p/[1-9][0-9]{0,2})?$`)

// runTiles serves for reading the log that a Rekor v2 writes to a directory.
func runTiles(ctx context.Context, args []string) error {
	fs := newFlags("tiles")
	addr := listenFlag(fs)
	dir := fs.String("dir", "", "Tessera's storage directory")
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return addr.serve(ctx, tilesHandler(root))
}

// tilesHandler answers GET and HEAD for the checkpoint and the tiles only.
func tilesHandler(root *os.Root) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /api/v2/checkpoint", func(w http.ResponseWriter, r *http.Request) {
		serveFile(w, r, root, "checkpoint", "text/plain; charset=utf-8", "no-cache")
	})
	mux.HandleFunc("GET /api/v2/tile/{path...}", func(w http.ResponseWriter, r *http.Request) {
		path := r.PathValue("path")
		if !tilePath.MatchString(path) {
			http.NotFound(w, r)
			return
		}
		// A partial tile does not change either: its width is in its name.
		serveFile(w, r, root, "tile/"+path, "application/octet-stream", "max-age=31536000, immutable")
	})
	return mux
}

// serveFile leaves ranges and conditions to http.ServeContent. The caching
// header is set only once there is a file to cache.
func serveFile(w http.ResponseWriter, r *http.Request, root *os.Root, name, contentType, caching string) {
	file, err := root.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", caching)
	http.ServeContent(w, r, "", info.ModTime(), file)
}
