package cli

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/access"
	"orderprocessor/internal/order"
)

const (
	// keyMark begins every key, so that people and scanners for leaked secrets
	// recognise one.
	keyMark = "ok_"
	// keyBytes is how much of a key is random.
	keyBytes = 32
	// maxKeyNameChars bounds the name of a key.
	maxKeyNameChars = 64
)

const keysNewHelp = `new makes a key for one client of the API, and the line by which the API knows
it. It contacts nothing and stores nothing: the key is shown this once. Its holder may
do what its scopes allow:

  submit   submit orders, and cancel them
  read     see orders, queues and statistics
  admin    retry, release and reject orders, pause and resume queues, change rules

The line holds only a digest of the key. Give it to every API, in the variable
ORDERS_API_KEYS (lines separated by commas) or in the file that ORDERS_API_KEYS_FILE
names (one a line); an API reads it at its next start. To replace a key, add the line
of a second one under the same name, let the client change over, and remove the first.`

func newKeys(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Make keys for clients of the API",
		Example: `  orderctl keys new --name shop --scope submit`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysNew(w))
	return cmd
}

// keysNew makes one key.
type keysNew struct {
	*World
	name   string
	scopes []string
	output format
}

func newKeysNew(w *World) *cobra.Command {
	k := &keysNew{World: w}
	cmd := &cobra.Command{
		Use: "new", Short: "Make a key, and the line by which the API knows it", Long: keysNewHelp,
		Example: `  orderctl keys new --name shop --scope submit --scope read
  orderctl keys new --name operator --scope read+admin
  orderctl keys new --name shop --scope submit -o json > key.json   # for programs`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return k.run() },
	}
	cmd.Flags().StringVar(&k.name, "name", "", "who will use it: 1 to 64 characters of A-Z a-z 0-9 . _ -")
	cmd.Flags().StringArrayVar(&k.scopes, "scope", nil, "what it is for: submit, read or admin; several joined by +, or the flag several times")
	suggest(cmd, "scope", access.Scopes())
	addOutputFlag(cmd, &k.output)
	return cmd
}

// run writes the key to standard output, and nowhere else.
func (k *keysNew) run() error {
	if !regexp.MustCompile(fmt.Sprintf(`^[A-Za-z0-9._-]{1,%d}$`, maxKeyNameChars)).MatchString(k.name) {
		return usagef("--name must be 1 to %d characters of A-Z a-z 0-9 . _ -, not %q", maxKeyNameChars, order.Printable(k.name))
	}
	granted, err := parseScopes(k.scopes)
	if err != nil {
		return err
	}
	made := makeKey(k.name, granted)
	if k.output == formatJSON {
		return k.printJSON(made)
	}
	if _, err := fmt.Fprintf(k.Stdout, madeText, made.Name, made.Key, made.Line); err != nil {
		return fmt.Errorf("show the key: %w", err)
	}
	return nil
}

const madeText = `The key is the secret. It is shown this once; give it to %s and to nobody else:

  %s

The line is no secret. Put it into ORDERS_API_KEYS, or into the file that
ORDERS_API_KEYS_FILE names, of every API, and start the API again:

  %s
`

// madeKey is a key with its line.
type madeKey struct {
	Name   string         `json:"name"`
	Scopes []access.Scope `json:"scopes"`
	// Key is the secret.
	Key string `json:"key"`
	// Line is what the API is given: name:scopes:digest.
	Line string `json:"line"`
}

// makeKey cannot fail: without random numbers the process ends.
func makeKey(name string, granted []access.Scope) madeKey {
	random := make([]byte, keyBytes)
	_, _ = rand.Read(random)
	key := keyMark + base64.RawURLEncoding.EncodeToString(random)
	digest := sha256.Sum256([]byte(key))
	line := name + ":" + strings.Join(texts(granted), "+") + ":" + hex.EncodeToString(digest[:])
	return madeKey{Name: name, Scopes: granted, Key: key, Line: line}
}

// parseScopes reads the values of --scope, and returns each scope once.
func parseScopes(given []string) ([]access.Scope, error) {
	if len(given) == 0 {
		return nil, usagef("--scope must name what the key is for: %s", list(access.Scopes()))
	}
	words := strings.Split(strings.Join(given, "+"), "+")
	if err := checkNames("scope", "scopes", words, access.Scopes()); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(access.Scopes(), func(s access.Scope) bool { return !slices.Contains(words, string(s)) }), nil
}
