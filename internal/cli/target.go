package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/config"
)

const (
	// apiVariable is the environment variable with the address of the API.
	apiVariable = "ORDERCTL_API"
	// keyVariable is the one with the key to it. There is no flag for the key
	// itself, as every user of a machine sees the arguments of its processes.
	keyVariable = "ORDERCTL_API_KEY"
	// defaultScheme begins the address of an API whose scheme was left out.
	defaultScheme = "http://"
	// defaultAPI is where the API listens unless configured otherwise.
	defaultAPI = "http://127.0.0.1:8080"
)

// target is where the API is, and the key to it.
type target struct {
	address string
	keyFile string
	key     string // of the environment; a file goes before it
}

// addAPIFlags adds the flags that say where the API is and where its key is
// kept.
func addAPIFlags(cmd *cobra.Command, w *World, t *target) {
	from := w.env(apiVariable)
	if from == "" {
		from = defaultAPI
	}
	t.key = w.env(keyVariable)
	cmd.Flags().StringVar(&t.address, "api", from, "address of the API; "+apiVariable+" sets the default")
	cmd.Flags().StringVar(&t.keyFile, "key-file", "", "file with the key to the API, instead of "+keyVariable)
	_ = cmd.RegisterFlagCompletionFunc("key-file",
		cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)) // any file
}

// open returns a client that keeps up to so many connections open.
func (t target) open(conns int) (*Client, error) {
	key, from := t.key, keyVariable
	if t.keyFile != "" {
		var err error
		if key, err = readKey(t.keyFile); err != nil {
			return nil, err
		}
		from = t.keyFile
	}
	if !sendable(key) {
		return nil, usagef("%s holds no key: one word of at most %d characters is expected", from, maxKeyChars)
	}
	return NewClient(t.address, key, conns)
}

// readKey returns what the file holds, without white space around it and without a
// byte order mark. An empty file is a mistake.
func readKey(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the caller names the file
	if err != nil {
		return "", fmt.Errorf("read the key: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFileBytes))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read the key: %w", err)
	}
	key := config.Trimmed(string(config.DecodeMarked(text)))
	if key == "" {
		return "", usagef("%s is empty; it should hold the key to the API", path)
	}
	return key, nil
}

// sendable says whether a key fits a header, as every key does. The error must
// not be left to package http, which would quote it.
func sendable(key string) bool {
	return len(key) <= maxKeyChars && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}
