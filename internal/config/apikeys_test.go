package config_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/config"
)

func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// rawHash reveals the hash, as a Secret that is compared as text would hide what
// differs.
func rawHash(key string) config.Secret {
	sum := sha256.Sum256([]byte(key))
	return config.Secret(sum[:])
}

// keyFile writes a file of keys and returns its path.
func keyFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	must(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600))
	return path
}

func manyKeys(n int, prefix string) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = "shop:read:" + hashOf(fmt.Sprint(prefix, i))
	}
	return lines
}

// TestKeyFiles reads files as people and their editors write them, and checks that the
// number of a wrong line is reported, to the API only.
func TestKeyFiles(t *testing.T) {
	t.Parallel()
	a, b := "shop:submit:"+hashOf("a"), "shop:read:"+hashOf("b")
	rows := []struct {
		name, file, keys string // file is its text, or its path
		want             int    // keys
		problem          string // what the message ends with
	}{
		{"one", a, "", 1, ""},
		{"two of one name", a + "\n" + b + "\n", "", 2, ""},
		{"both variables", a, b, 2, ""},
		{"blank lines, comments, other line ends", "# keys\r\n\r\n  " + a + " \r\n\t# " + b + "\r\n", "", 1, ""},
		{"nothing", "# none yet\n", "", 0, "it holds no key: without one, anybody on this machine could do anything"},
		{"a thousand", strings.Join(manyKeys(1000, "k"), "\n"), "", 1000, ""},
		{"a mistake", "# keys\n" + a + "\nshop:read", "", 0, "line 3 is not of the form name:scopes:hash"},
		{"a hash twice", a + "\n\n" + strings.ToUpper(a[len(a)-64:]), "", 0, "line 3 is not of the form name:scopes:hash"},
		{"a hash twice under other names", a + "\nops:admin:" + strings.ToUpper(hashOf("a")), "", 0, "line 2 repeats a hash"},
		{"a hash of the variable", a, "ops:admin:" + hashOf("a"), 0, "it repeats a hash of ORDERS_API_KEYS"},
		{"one too many", strings.Join(manyKeys(1001, "k"), "\n"), "", 0, "line 1001 is one too many, as there may be 1000 keys"},
		{"one too many with the variable", strings.Join(manyKeys(1000, "k"), "\n"), a, 0, "it brings the keys to more than 1000"},
		{"too large", strings.Repeat("#\n", 1<<19) + "#", "", 0, "it has more than 1048576 bytes"},
		{"as large as may be", strings.Repeat("#\n", 1<<19-64) + a, "", 1, ""},
		{"not text", "\xff\xfe\x00", "", 0, "line 1 is not of the form name:scopes:hash"},
		{"a byte order mark", "\ufeff" + a + "\n" + b, "", 2, ""},
		{"UTF-16, little endian", inUTF16(binary.LittleEndian, a+"\r\n"+b), "", 2, ""},
		{"no such file", "/nowhere/keys", "", 0, "it does not exist"},
		{"a folder", t.TempDir(), "", 0, "it is not a file"},
		{"a device", "/dev/zero", "", 0, "it is not a file"},
		{"UTF-16, big endian", inUTF16(binary.BigEndian, "# keys\n"+a+"\n"+b+"\n"), "", 2, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := row.file
			if !strings.HasPrefix(path, "/") {
				path = keyFile(t, row.file)
			}
			environ := []string{"ORDERS_API_KEYS_FILE=" + path, "ORDERS_API_KEYS=" + row.keys}
			cfg, err := config.LoadAPI(environ)
			if row.problem == "" {
				if err != nil || len(cfg.Keys) != row.want {
					t.Errorf("%d keys, %v; want %d", len(cfg.Keys), err, row.want)
				}
				return
			}
			if got := namesOf(t, err); !slices.Equal(got, []string{"ORDERS_API_KEYS_FILE"}) || !strings.HasSuffix(err.Error(), row.problem) {
				t.Errorf("the problem is %v, want %q", err, row.problem)
			}
			if _, _, all := config.LoadAll(environ); all == nil {
				t.Error("an API and a worker in one process accept it")
			}
			if _, err := config.LoadWorker(environ); err != nil {
				t.Errorf("it stops a worker: %v", err)
			}
		})
	}
}

// inUTF16 encodes a text with a byte order mark.
func inUTF16(order binary.AppendByteOrder, text string) string {
	var encoded []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		encoded = order.AppendUint16(encoded, unit)
	}
	return string(encoded)
}

// TestOpenAPIs lets an API without keys be reached from this machine only, unless
// that is asked for.
func TestOpenAPIs(t *testing.T) {
	t.Parallel()
	near := []string{"127.0.0.1:8080", "127.9.9.9:0", "[::1]:80", "localhost:80", "LocalHost:80", "[::ffff:127.0.0.1]:80"}
	far := []string{":8080", "0.0.0.0:80", "[::]:80", "10.0.0.1:80", "128.0.0.1:80", "[::ffff:10.0.0.1]:80", "shop.example:80", "localhost.shop.example:80", "127.0.0.1.nip.io:80"}
	keys := "ORDERS_API_KEYS=shop:read:" + hashOf("a")
	for _, addr := range append(slices.Clone(near), far...) {
		entry := "ORDERS_HTTP_ADDR=" + addr
		for _, extra := range []string{keys, "ORDERS_INSECURE=true", "ORDERS_API_KEYS_FILE=" + keyFile(t, keys[len("ORDERS_API_KEYS="):])} {
			if _, err := config.LoadAPI([]string{entry, extra}); err != nil {
				t.Errorf("%s with %s: %v", addr, extra, err)
			}
		}
		_, err := config.LoadAPI([]string{entry})
		_, _, both := config.LoadAll([]string{entry, "ORDERS_INSECURE=false"})
		if isNear := slices.Contains(near, addr); (err == nil) != isNear || (both == nil) != isNear {
			t.Errorf("%s without keys: %v, %v", addr, err, both)
		}
		if _, err := config.LoadWorker([]string{entry}); err != nil {
			t.Errorf("%s stops a worker: %v", addr, err)
		}
	}
	_, err := config.LoadAPI([]string{"ORDERS_HTTP_ADDR=:8080"})
	want := "invalid configuration:\n  ORDERS_HTTP_ADDR=\":8080\" can be reached from other machines, and without API keys anybody could use it: " +
		"make a key with `orderctl keys new` and set ORDERS_API_KEYS or ORDERS_API_KEYS_FILE, or set ORDERS_INSECURE=true if others keep strangers out"
	if err == nil || err.Error() != want {
		t.Errorf("the problem is %v, want %s", err, want)
	}
	for _, bad := range []string{"ORDERS_API_KEYS=x", "ORDERS_INSECURE=x"} {
		name, _, _ := strings.Cut(bad, "=")
		_, err := config.LoadAPI([]string{"ORDERS_HTTP_ADDR=:8080", bad})
		if got := namesOf(t, err); !slices.Equal(got, []string{name}) {
			t.Errorf("%s: the problems are with %v", bad, got)
		}
	}
}

// FuzzAPIKeys wants every text to be either keys that can be written down and
// read again, or one problem that shows nothing of it.
func FuzzAPIKeys(f *testing.F) {
	for _, b := range bounds() {
		if b.name == "ORDERS_API_KEYS" {
			for _, seed := range slices.Concat(b.good, b.bad) {
				f.Add(seed)
			}
		}
	}
	f.Add("a:submit+read+admin:" + hashOf("") + ",b:admin:" + hashOf("x"))
	f.Add("\x00:\xff:" + strings.Repeat("é", 32))
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := config.LoadAPI([]string{"ORDERS_API_KEYS=" + text})
		if err != nil {
			if got := namesOf(t, err); !slices.Equal(got, []string{"ORDERS_API_KEYS"}) {
				t.Errorf("%q: the problems are with %v", text, got)
			}
			if len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Errorf("the problem shows %q", text)
			}
			return
		}
		var written []string
		for _, key := range cfg.Keys {
			scopes := make([]string, len(key.Scopes))
			for i, s := range key.Scopes {
				scopes[i] = string(s)
			}
			written = append(written, key.Name+":"+strings.Join(scopes, "+")+":"+hex.EncodeToString([]byte(key.Hash.Reveal())))
		}
		again, err := config.LoadAPI([]string{"ORDERS_API_KEYS=" + strings.Join(written, ",")})
		if err != nil {
			t.Fatalf("%q became %q: %v", text, written, err)
		}
		if diff := cmp.Diff(cfg.Keys, again.Keys); diff != "" {
			t.Error(diff)
		}
	})
}
