package cli

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

// scope is what a key lets its holder do.
type scope string

const (
	scopeSubmit scope = "submit" // submit orders, and cancel them
	scopeRead   scope = "read"   // see orders, queues and statistics
	scopeAdmin  scope = "admin"  // retry orders, pause and resume queues
)

// scopes lists them all, in the order in which a line names them.
func scopes() []scope { return []scope{scopeSubmit, scopeRead, scopeAdmin} }

const (
	// keyMark begins every key, so that people and scanners for leaked secrets
	// know one when they see it.
	keyMark = "ok_"
	// keyBytes is how much of a key is random.
	keyBytes = 32
	// maxKeyNameChars bounds the name of a key.
	maxKeyNameChars = 64
)

const keysNewHelp = `new makes a key for one client of the API, and the line by which the API knows
it. Nobody is asked and nothing is stored: the key is shown this once. Who has it
may do what its scopes say:

  submit   submit orders, and cancel them
  read     see orders, queues and statistics
  admin    retry orders, pause and resume queues

The line holds no more than a digest of the key. It goes to every API, into the
variable ORDERS_API_KEYS (lines parted by commas) or the file that
ORDERS_API_KEYS_FILE names (one a line), and counts from the API's next start on.
To change a key, add the line of a second one under the same name, let the client
change over, and remove the first.`

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
	suggest(cmd, "scope", scopes())
	addOutputFlag(cmd, &k.output)
	return cmd
}

// run writes the key to standard output, and nowhere else.
func (k *keysNew) run() error {
	if !validKeyName(k.name) {
		return usagef("--name must be 1 to %d characters of A-Z a-z 0-9 . _ -, not %q", maxKeyNameChars, order.Printable(k.name))
	}
	granted, err := parseScopes(k.scopes)
	if err != nil {
		return err
	}
	made := makeKey(k.name, granted)
	if k.output == formatJSON {
		text, err := json.Marshal(made)
		if err != nil {
			return err
		}
		return k.printJSON(text)
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
	Name   string  `json:"name"`
	Scopes []scope `json:"scopes"`
	// Key is the secret.
	Key string `json:"key"`
	// Line is what the API is given: name:scopes:digest.
	Line string `json:"line"`
}

// makeKey cannot fail: without random numbers the process ends.
func makeKey(name string, granted []scope) madeKey {
	random := make([]byte, keyBytes)
	_, _ = rand.Read(random)
	key := keyMark + base64.RawURLEncoding.EncodeToString(random)
	digest := sha256.Sum256([]byte(key))
	line := name + ":" + strings.Join(texts(granted), "+") + ":" + hex.EncodeToString(digest[:])
	return madeKey{Name: name, Scopes: granted, Key: key, Line: line}
}

func validKeyName(name string) bool {
	stranger := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	}
	return name != "" && len(name) <= maxKeyNameChars && !strings.ContainsFunc(name, stranger)
}

// parseScopes reads the values of --scope, and returns each scope once.
func parseScopes(given []string) ([]scope, error) {
	if len(given) == 0 {
		return nil, usagef("--scope must say what the key is for: %s", strings.Join(texts(scopes()), ", "))
	}
	words := strings.Split(strings.Join(given, "+"), "+")
	for _, word := range words {
		if !slices.Contains(scopes(), scope(word)) {
			return nil, usagef("there is no scope %q; the scopes are %s", order.Printable(word), strings.Join(texts(scopes()), ", "))
		}
	}
	return slices.DeleteFunc(scopes(), func(s scope) bool { return !slices.Contains(words, string(s)) }), nil
}
