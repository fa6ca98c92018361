package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

func TestTiles(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	for name, text := range map[string]string{
		"log/checkpoint":                  "a checkpoint",
		"log/tile/0/000":                  "a full tile",
		"log/tile/0/x001/x234/067":        "a far tile",
		"log/tile/0/001.p/7":              "a partial tile",
		"log/tile/63/000":                 "a top tile",
		"log/tile/entries/000":            "an entry bundle",
		"log/tile/entries/x001/000.p/255": "a partial bundle",
		"log/tile/data/000.p/2":           "a data tile",
		"log/issuer/abababababababababababababababababababababababababababababababab": "an issuer",
		"log/issuer/not-a-hash": "private",
		"log/tile/0/000.tmp":    "private",
		"log/tile/64/000":       "private",
		"log/.state/treeState":  "private",
		"log/checkpoint.tmp":    "private",
		"secret":                "private",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(log, "tile/0/005")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(log, "tile/0/006"), 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(log)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	server := httptest.NewServer(handler(root, "/api/v2"))
	defer server.Close()

	// do sends the path as it is, which http.NewRequest would tidy up.
	do := func(method, path, byteRange string) (*http.Response, string) {
		t.Helper()
		target, _ := url.Parse(server.URL)
		target.Opaque = path
		request := &http.Request{Method: method, URL: target, Header: http.Header{}}
		if byteRange != "" {
			request.Header.Set("Range", byteRange)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}

	const forever = "max-age=31536000, immutable"
	for _, c := range []struct{ path, body, caching string }{
		{"/healthz", "ok\n", ""},
		{"/api/v2/checkpoint", "a checkpoint", "no-cache"},
		{"/api/v2/tile/0/000", "a full tile", forever},
		{"/api/v2/tile/0/x001/x234/067", "a far tile", forever},
		{"/api/v2/tile/0/001.p/7", "a partial tile", forever},
		{"/api/v2/tile/63/000", "a top tile", forever},
		{"/api/v2/tile/entries/000", "an entry bundle", forever},
		{"/api/v2/tile/entries/x001/000.p/255", "a partial bundle", forever},
		{"/api/v2/tile/data/000.p/2", "a data tile", forever},
		{"/api/v2/issuer/abababababababababababababababababababababababababababababababab", "an issuer", forever},
	} {
		response, body := do("GET", c.path, "")
		if response.StatusCode != 200 || body != c.body || response.Header.Get("Cache-Control") != c.caching {
			t.Errorf("GET %s: %s %q, caching %q", c.path, response.Status, body, response.Header.Get("Cache-Control"))
		}
		if response, body := do("HEAD", c.path, ""); response.StatusCode != 200 || body != "" {
			t.Errorf("HEAD %s: %s %q", c.path, response.Status, body)
		}
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			if response, _ := do(method, c.path, ""); response.StatusCode != 405 {
				t.Errorf("%s %s: %s", method, c.path, response.Status)
			}
		}
	}
	if response, body := do("GET", "/api/v2/tile/0/000", "bytes=2-5"); response.StatusCode != 206 || body != "full" {
		t.Errorf("range: %s %q", response.Status, body)
	}

	for _, path := range []string{
		"/", "/api/v2/", "/api/v2/tile", "/api/v2/tile/", "/api/v2/tile/0", "/api/v2/tile/0/", "/api/v2/tile/entries",
		"/api/v2/issuer", "/api/v2/issuer/", "/api/v2/issuer/not-a-hash", "/api/v2/issuer/../checkpoint",
		"/checkpoint", "/tile/0/000", "/secret", "/.state/treeState",
		"/api/v2/.state/treeState", "/api/v2/checkpoint.tmp", "/api/v2/checkpoint/", "/api/v2/tile/0/000.tmp",
		"/api/v2/tile/64/000", "/api/v2/tile/00/000", "/api/v2/tile/0/0000", "/api/v2/tile/0/x000", "/api/v2/tile/0/000/",
		"/api/v2/tile/0/001.p", "/api/v2/tile/0/001.p/", "/api/v2/tile/0/001.p/0", "/api/v2/tile/0/001.p/8", "/api/v2/tile/0/999",
		"/api/v2/tile/0/005", // a link out of the directory
		"/api/v2/tile/0/006", // a directory
		"/api/v2/../../secret", "/api/v2/tile/../../secret", "/api/v2/tile/0/../../.state/treeState",
		"/api/v2/tile/%2e%2e/.state/treeState", "/api/v2/tile/..%2f.state%2ftreeState", "/api/v2/tile/..%2f..%2fsecret",
		"/api/v2/tile/0/000%00", "/api/v2/tile/0/000%0a", "/api/v2/tile//0/000", "/api/v2//checkpoint",
	} {
		response, body := do("GET", path, "")
		// ServeMux answers a path that is not clean with where it leads.
		if code := response.StatusCode; code != 404 && code != 307 && code != 301 {
			t.Errorf("GET %s: %s %q", path, response.Status, body)
		}
		if response.Header.Get("Cache-Control") != "" {
			t.Errorf("GET %s may be cached", path)
		}
	}
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"rekor-v2/checkpoint":   "the first",
		"rekor-v2/.state/tree":  "private",
		"rekor-v2-2/checkpoint": "the second",
		"rekor-v1-1/checkpoint": "another log",
		"rekor-v2-x/checkpoint": "no log",
		"secret/checkpoint":     "private",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "rekor-v2-3")); err != nil {
		t.Fatal(err)
	}
	beside, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	root, err := os.OpenRoot(filepath.Join(dir, "rekor-v2-2"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	server := httptest.NewServer(withShards(handler(root, "/api/v2"), beside, "rekor-v2-2", "/api/v2"))
	defer server.Close()
	for path, want := range map[string]string{
		"/api/v2/checkpoint":              "the second",
		"/rekor-v2/api/v2/checkpoint":     "the first",
		"/rekor-v2-2/api/v2/checkpoint":   "the second",
		"/rekor-v2-3/api/v2/checkpoint":   "",
		"/rekor-v2-4/api/v2/checkpoint":   "",
		"/rekor-v2-x/api/v2/checkpoint":   "",
		"/rekor-v1-1/api/v2/checkpoint":   "",
		"/secret/api/v2/checkpoint":       "",
		"/rekor-v2/checkpoint":            "",
		"/rekor-v2/api/v2/.state/tree":    "",
		"/rekor-v2/../secret/checkpoint":  "",
		"/rekor-v2%2f..%2fsecret/api/v2/": "",
	} {
		response, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		found := response.StatusCode == http.StatusOK
		if found != (want != "") || found && string(body) != want {
			t.Errorf("GET %s: %s %q", path, response.Status, body)
		}
	}
}
