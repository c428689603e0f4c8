package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"orderprocessor/internal/access"
)

const (
	maxAPIKeys      = 1000    // each request is compared with all of them
	maxKeyNameChars = 64      // every line of the access log contains it
	maxKeyFileBytes = 1 << 20 // a thousand keys with long comments
)

// APIKey is a known key, without the key itself. Its text is name:scopes:hash, with +
// between the scopes.
type APIKey struct {
	// Name identifies the owner: 1 to 64 of A-Za-z0-9._-. Several keys may share a name,
	// so that a key can be replaced.
	Name string
	// Scopes has at least one element, each once.
	Scopes []access.Scope
	// Hash is the SHA-256 of the key, 32 bytes. Its text is hexadecimal.
	Hash Secret
}

// parseKeys reads keys that are separated by commas.
func parseKeys(text string) ([]APIKey, error) {
	return gatherKeys("entry", strings.Split(text, ","))
}

// parseKeyLines reads a file with one key per line. Blank lines and those that begin
// with # are ignored.
func parseKeyLines(text string) ([]APIKey, error) {
	return gatherKeys("line", strings.Split(text, "\n"))
}

// gatherKeys reads one key from each text. An error gives only the number of the text,
// because somebody may have put the key itself there.
func gatherKeys(unit string, texts []string) ([]APIKey, error) {
	var keys []APIKey
	for i, text := range texts {
		text = strings.TrimSpace(text)
		if unit == "line" && (text == "" || text[0] == '#') {
			continue
		}
		key, err := parseKey(text)
		switch {
		case err != nil:
		case contained(keys, key):
			err = refusal("repeats a hash")
		case len(keys) == maxAPIKeys:
			err = refusal(fmt.Sprintf("is one too many, as there may be %d keys", maxAPIKeys))
		}
		if err != nil {
			return nil, refusal(fmt.Sprintf("has a mistake: %s %d %v", unit, i+1, err))
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func contained(keys []APIKey, key APIKey) bool {
	return slices.ContainsFunc(keys, func(known APIKey) bool { return known.Hash == key.Hash })
}

func parseKey(text string) (APIKey, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return APIKey{}, refusal("is not of the form name:scopes:hash")
	}
	if !goodKeyName(parts[0]) {
		return APIKey{}, refusal(fmt.Sprintf("has a name that is not 1 to %d of A-Z a-z 0-9 . _ -", maxKeyNameChars))
	}
	scopes, err := parseScopes(parts[1])
	if err != nil {
		return APIKey{}, err
	}
	hash, err := hex.DecodeString(parts[2])
	if err != nil || len(hash) != sha256.Size {
		return APIKey{}, refusal(fmt.Sprintf("has a hash that is not %d hex digits, the SHA-256 of the key", 2*sha256.Size))
	}
	return APIKey{Name: parts[0], Scopes: scopes, Hash: Secret(hash)}, nil
}

func goodKeyName(name string) bool {
	return name != "" && len(name) <= maxKeyNameChars && strings.IndexFunc(name, notInHost) < 0
}

func parseScopes(text string) ([]access.Scope, error) {
	var scopes []access.Scope
	for name := range strings.SplitSeq(text, "+") {
		scope := access.Scope(name)
		if !slices.Contains(access.Scopes(), scope) {
			return nil, refusal("has a scope that is not submit, read or admin")
		}
		if slices.Contains(scopes, scope) {
			return nil, refusal("has a scope twice")
		}
		scopes = append(scopes, scope)
	}
	return scopes, nil
}

// DecodeMarked returns a text in UTF-8 without its byte order mark. Some editors and
// shells write such a mark, in UTF-8 or UTF-16. A text without a mark is not changed.
func DecodeMarked(text []byte) []byte {
	decoded, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), text)
	if err != nil {
		return text
	}
	return decoded
}

// readKeyFile reads the keys of a file.
func readKeyFile(path string) ([]APIKey, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeyLines(string(bytes.ToValidUTF8(DecodeMarked(text), []byte("?"))))
	if err == nil && len(keys) == 0 {
		return nil, refusal("holds no key: without one, anybody on this machine could do anything")
	}
	return keys, err
}

// readSmall reads a regular file of limited size.
func readSmall(path string) ([]byte, error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refusal("does not exist")
	case errors.Is(err, fs.ErrPermission):
		return nil, refusal("may not be read by this user")
	case err != nil || !info.Mode().IsRegular():
		return nil, refusal("is not a file")
	}
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, refusal("may not be read by this user")
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFileBytes+1))
	if err != nil {
		return nil, refusal("could not be read")
	}
	if len(text) > maxKeyFileBytes {
		return nil, refusal(fmt.Sprintf("has more than %d bytes", maxKeyFileBytes))
	}
	return text, nil
}
