package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

const (
	// apiVariable is the environment variable with the address of the API.
	apiVariable = "ORDERCTL_API"
	// keyVariable is the one with the key. There is no flag for the key itself,
	// because every user of a machine sees the arguments of its processes.
	keyVariable = "ORDERCTL_API_KEY"
	// maxKeyChars bounds a key: what the API accepts.
	maxKeyChars = 256
	// maxKeyFileBytes bounds what is read of a key file: a key and white space.
	maxKeyFileBytes = 4 << 10
)

// target is the API's address and the key to it.
type target struct {
	address string
	keyFile string
	key     string // of the environment; a file has precedence
}

func addAPIFlags(cmd *cobra.Command, w *World, t *target) {
	address := w.env(apiVariable)
	if address == "" {
		address = client.DefaultAddress
	}
	t.key = w.env(keyVariable)
	cmd.Flags().StringVar(&t.address, "api", address, "address of the API; "+apiVariable+" sets the default")
	cmd.Flags().StringVar(&t.keyFile, "key-file", "", "file with the key to the API, instead of "+keyVariable)
	_ = cmd.RegisterFlagCompletionFunc("key-file", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)) // any file
}

// open returns a client of the target with a bound for each request; 0 means the
// default. The caller closes the client.
func (t target) open(timeout time.Duration) (*client.Client, error) {
	return t.openWith(client.Options{Timeout: timeout})
}

// openWith is open with further options; those without a hint get the usual one.
func (t target) openWith(options client.Options) (*client.Client, error) {
	key, from := t.key, keyVariable
	if t.keyFile != "" {
		var err error
		if key, err = readKey(t.keyFile); err != nil {
			return nil, err
		}
		from = t.keyFile
	}
	// A key that does not fit a header must not reach package http, whose error quotes it.
	if len(key) > maxKeyChars || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, usagef("%s holds no key: one word of at most %d characters is expected", from, maxKeyChars)
	}
	options.Key = key
	if options.Hint == nil {
		options.Hint = hint
	}
	api, err := client.New(t.address, options)
	if err != nil {
		return nil, &usageError{err.Error()}
	}
	return api, nil
}

// readKey returns the content of the file, without white space around it and
// without a byte order mark.
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

// hint is the advice for an answer that would be the same for every order.
func hint(e *client.ResponseError) string {
	switch {
	case e.RedisUnavailable():
		return "run orderctl doctor for details"
	case e.Status == http.StatusUnauthorized && e.KeySent:
		return "the API does not know this key: is " + keyVariable + " or --key-file right?"
	case e.Status == http.StatusUnauthorized:
		return "the API requires a key: set " + keyVariable + ", or name a file that holds it with --key-file"
	case e.Status == http.StatusForbidden && e.KeySent:
		return "this key may not do that: orderctl keys new makes one with other scopes"
	case e.Status == http.StatusTooManyRequests && e.RetryAfter > 0:
		return fmt.Sprintf("the API accepts no more requests with this key for %v", e.RetryAfter)
	default:
		return ""
	}
}

// addChoice adds a flag with one of some values, and completes it.
func addChoice[T ~string](cmd *cobra.Command, value *T, flag, shorthand string, from []T, usage string) {
	cmd.Flags().FuncP(flag, shorthand, usage, func(text string) error {
		if !slices.Contains(from, T(text)) {
			return usagef("must be one of %s", list(from))
		}
		*value = T(text)
		return nil
	})
	suggest(cmd, flag, from)
}

// checkNames rejects names that are not in a list.
func checkNames[T ~string](kind, kinds string, names []string, known []T) error {
	for _, name := range names {
		if !slices.Contains(known, T(name)) {
			return usagef("there is no %s %q; the %s are %s", kind, order.Printable(name), kinds, list(known))
		}
	}
	return nil
}

// checkRange rejects a value of a flag that is out of its bounds.
func checkRange[T cmp.Ordered](flag string, value, least, most T) error {
	if value < least || value > most {
		return usagef("--%s must be %v to %v", flag, least, most)
	}
	return nil
}

// addOutputFlag adds --output, which is a table unless it is given.
func addOutputFlag(cmd *cobra.Command, output *format) {
	*output = formatTable
	addChoice(cmd, output, "output", "o", []format{formatTable, formatJSON}, "table for people, or json for programs (default table)")
}

// timeFlag stores a point in time as it is written.
func timeFlag(value *string) func(text string) error {
	return func(text string) error {
		if _, err := order.ParseTime(text); err != nil {
			return usagef("must be a time with its zone, such as 2026-11-23T12:00:00Z")
		}
		*value = text
		return nil
	}
}

// ageFlag stores an age or a point in time as it is written.
func ageFlag(value *string) func(text string) error {
	return func(text string) error {
		age, notAge := time.ParseDuration(text)
		_, notTime := order.ParseTime(text)
		if notTime != nil && (notAge != nil || age < 0) {
			return usagef("must be an age such as 90s or 2h30m, or a time such as 2026-11-23T12:00:00Z")
		}
		*value = text
		return nil
	}
}

// texts turns named strings into plain ones.
func texts[T ~string](values []T) []string {
	plain := make([]string, len(values))
	for i, v := range values {
		plain[i] = string(v)
	}
	return plain
}

// list writes values for a sentence.
func list[T ~string](values []T) string { return strings.Join(texts(values), ", ") }

// validIDs rejects arguments that cannot be ids of orders. It is a cobra.PositionalArgs.
func validIDs(_ *cobra.Command, ids []string) error {
	for _, id := range ids {
		if !order.ValidID(id) {
			return usagef("%q cannot be an order's id: %s", order.Printable(id), order.IDForm)
		}
	}
	return nil
}

// suggest completes the values of a flag, in their order.
func suggest[T ~string](cmd *cobra.Command, flag string, values []T) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(
		texts(values), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder))
}
