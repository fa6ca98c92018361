// Package files writes files that others read at the same time, and serves them.
package files

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

// Write replaces or makes the file in one step, so that nobody ever reads
// half of it, and a run that is cut short leaves none.
func Write(path string, data []byte, mode fs.FileMode) error {
	dir, base := filepath.Split(path)
	if err := os.MkdirAll(filepath.Clean(dir), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Clean(dir), "."+base+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails once the file has been renamed
	_, err = file.Write(data)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// Serve leaves ranges and conditions to http.ServeContent. The caching
// header is set only once there is a file to cache.
func Serve(w http.ResponseWriter, r *http.Request, root *os.Root, name, contentType, caching string) {
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
