package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/errgroup"

	"workshop.local/servers/internal/files"
)

// A user is one of the people of the workshop. The file has both the password,
// for whoever plays them, and its hash, for the identity provider.
type user struct {
	Name     string
	Email    string
	Password string
	Hash     string
	ID       string
}

type userFile struct{ Users []user }

func makeUsers(prefix string) error {
	path := prefix + ".yml"
	text, err := os.ReadFile(path)
	if err == nil {
		if err := checkUsers(text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if text, err = newUsers("alice", "bob", "mallory"); err != nil {
		return err
	}
	return files.Write(path, text, 0o600)
}

// newUsers takes the hashes side by side, because each is slow by design.
func newUsers(names ...string) ([]byte, error) {
	file := userFile{make([]user, len(names))}
	var hashing errgroup.Group
	for i, name := range names {
		hashing.Go(func() error {
			password := rand.Text()[:20] // 100 bits
			hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
			file.Users[i] = user{name, name + "@example.com", password, string(hash), rand.Text()}
			return err
		})
	}
	if err := hashing.Wait(); err != nil {
		return nil, err
	}
	return yaml.Marshal(file)
}

func checkUsers(text []byte) error {
	var file userFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return err
	}
	if len(file.Users) == 0 {
		return errors.New("no users in it")
	}
	var checking errgroup.Group
	for _, u := range file.Users {
		checking.Go(func() error {
			if u.Name == "" || u.Email == "" || u.ID == "" {
				return fmt.Errorf("user %q lacks a name, an email or an id", u.Name)
			}
			if err := bcrypt.CompareHashAndPassword([]byte(u.Hash), []byte(u.Password)); err != nil {
				return fmt.Errorf("user %q: %w", u.Name, err)
			}
			return nil
		})
	}
	return checking.Wait()
}
