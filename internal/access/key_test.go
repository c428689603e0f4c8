package access_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"orderprocessor/internal/access"
)

// TestFind accepts a key in both forms of the header, and nothing else.
func TestFind(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", 256)
	var keys access.Keys
	for _, text := range []string{"read-key", "all-key", longest, longest + "x", "a:b c é", ""} {
		keys = append(keys, access.Key{Name: text, Hash: sha256.Sum256([]byte(text))})
	}
	encoded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for value, want := range map[string]string{
		"Bearer read-key":                    "read-key",
		"BEARER   read-key  ":                "read-key",
		"Bearer " + longest:                  longest,
		"Basic " + encoded("me:read-key"):    "read-key",
		"Basic " + encoded(":read-key"):      "read-key",
		"Basic " + encoded("me:a:b c é"):     "a:b c é",
		"":                                   "",
		"read-key":                           "",
		"Bearer":                             "",
		"Bearer ":                            "",
		"Bearer " + longest + "x":            "",
		"Bearer read-keys":                   "",
		"Bearer read-ke":                     "",
		"Bearer Read-Key":                    "",
		"Bearer read-key, x":                 "",
		"Digest read-key":                    "",
		"Bearer " + encoded("read-key"):      "",
		"Basic read-key":                     "",
		"Basic " + encoded("read-key"):       "",
		"Basic " + encoded("read-key:"):      "",
		"Basic " + encoded("read-key:wrong"): "",
	} {
		key, ok := keys.Find([][]byte{[]byte(value)})
		if key.Name != want || ok != (want != "") {
			t.Errorf("%q presents the key %q, %t; want %q", value, key.Name, ok, want)
		}
	}
	value := []byte("Bearer read-key")
	for _, values := range [][][]byte{nil, {value, value}} {
		if key, ok := keys.Find(values); ok {
			t.Errorf("%d values present the key %q", len(values), key.Name)
		}
	}
}

// TestAllows checks that no scope includes another.
func TestAllows(t *testing.T) {
	t.Parallel()
	for _, has := range access.Scopes() {
		key := access.Key{Scopes: []access.Scope{has}}
		for _, needed := range access.Scopes() {
			if key.Allows(needed) != (has == needed) {
				t.Errorf("a key for %s allows %s: %t", has, needed, key.Allows(needed))
			}
		}
	}
}

// TestLocalHost accepts addresses and localhost, which no site can make its own.
func TestLocalHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8080": true, "127.0.0.1": true, "127.0.0.1:8080": true, "[::1]": true, "[::1]:8080": true,
		"192.168.0.1:80": true, "": false, "evil.example": false, "evil.example:80": false, "127.0.0.1.evil.example": false, "localhost.evil": false,
	} {
		if got := access.LocalHost(host); got != want {
			t.Errorf("LocalHost(%q) is %t", host, got)
		}
	}
}
