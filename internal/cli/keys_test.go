package cli_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// made is what keys new writes as JSON.
type made struct {
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
	Key    string   `json:"key"`
	Line   string   `json:"line"`
}

// newKey makes a key of 256 random bits.
func newKey(tb testing.TB, args ...string) made {
	tb.Helper()
	c := orderctl(tb, append([]string{"keys", "new", "-o", "json"}, args...)...)
	c.mustExit(tb, 0)
	var m made
	if err := json.Unmarshal([]byte(c.stdout.String()), &m); err != nil {
		tb.Fatalf("%s: %v", c.stdout.String(), err)
	}
	text, marked := strings.CutPrefix(m.Key, "ok_")
	if random, err := base64.RawURLEncoding.DecodeString(text); !marked || err != nil || len(random) != 32 {
		tb.Fatalf("%q is not ok_ and 32 bytes: %v", m.Key, err)
	}
	return m
}

func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func TestKeysNew(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, tt := range []struct {
		name   string
		args   []string
		scopes []string
	}{
		{"one scope", []string{"--scope", "submit"}, []string{"submit"}},
		{"several flags", []string{"--scope", "read", "--scope", "submit"}, []string{"submit", "read"}},
		{"joined", []string{"--scope", "admin+submit+read"}, []string{"submit", "read", "admin"}},
		{"named twice", []string{"--scope", "read+read", "--scope", "read"}, []string{"read"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newKey(t, append(tt.args, "--name", "a.B_9-z")...)
			want := made{
				Name: "a.B_9-z", Scopes: tt.scopes, Key: got.Key,
				Line: "a.B_9-z:" + strings.Join(tt.scopes, "+") + ":" + digest(got.Key),
			}
			if diff := cmp.Diff(want, got); diff != "" || seen[got.Key] {
				t.Errorf("the same key again: %v (-want +got):\n%s", seen[got.Key], diff)
			}
			seen[got.Key] = true
		})
	}
}

// TestKeysNewForPeople checks that the secret is distinguished from the line.
func TestKeysNewForPeople(t *testing.T) {
	t.Parallel()
	c := orderctl(t, "keys", "new", "--name", "shop", "--scope", "submit")
	c.mustExit(t, 0, `is the secret`, `is no secret`, `ORDERS_API_KEYS`, `ORDERS_API_KEYS_FILE`)
	out := c.stdout.String()
	keys := regexp.MustCompile(`(?m)^  (ok_\S+)$`).FindAllStringSubmatch(out, -1)
	if len(keys) != 1 || strings.Count(out, "ok_") != 1 {
		t.Fatalf("want the key once: %s", out)
	}
	if line := "\n  shop:submit:" + digest(keys[0][1]) + "\n"; !strings.Contains(out, line) {
		t.Errorf("the line is missing: %s", out)
	}
	if text := c.stderr.String(); text != "" {
		t.Errorf("standard error has %q", text)
	}
}

func keyFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
