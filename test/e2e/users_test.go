package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/redistest"
)

// password is that of all users of these tests.
const password = "no-secret"

// users writes the file of users that deployments use, with a password in it and
// a user for the test's own hands.
func users(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/redis-users.acl")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(password))
	set := strings.Replace(string(text), "\nuser orders on #SHA256_OF_THE_PASSWORD ",
		"\nuser orders on #"+hex.EncodeToString(digest[:])+" ", 1)
	if set == string(text) {
		t.Fatal("the file of users has no place for the password")
	}
	set += "user admin on >" + password + " ~* &* +@all\n"
	path := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(path, []byte(set), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// asUser puts a user and the password into a URL of redistest.
func asUser(url, user string) string {
	return strings.Replace(url, "unix://", "unix://"+user+":"+password+"@", 1)
}

func clientOf(t *testing.T, s *redistest.Server, user string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(asUser(s.URL(), user))
	if err != nil {
		t.Fatal(err)
	}
	opts.DisableIdentity = true
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// deniedTo lists what Redis refused since it was started, one sentence each.
func deniedTo(t *testing.T, admin *redis.Client) []string {
	t.Helper()
	// At the end of a test its own context has ended.
	log, err := admin.ACLLog(context.Background(), 1000).Result()
	if err != nil {
		t.Fatalf("read the log of refusals: %v", err)
	}
	all := make([]string, len(log))
	for i, e := range log {
		all[i] = fmt.Sprintf("%s %q to %s, %d times (%s)", e.Reason, e.Object, e.Username, e.Count, e.Context)
	}
	return all
}

// TestUserMayDoNoMore restricts the user of the programs to its own keys and commands,
// and everybody else to PING.
func TestUserMayDoNoMore(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--include", users(t))
	ours, nobody, admin := clientOf(t, server, "orders"), server.Client(), clientOf(t, server, "admin")
	if err := nobody.Ping(t.Context()).Err(); err != nil {
		t.Errorf("a health check without a password: %v", err)
	}
	if err := ours.Set(t.Context(), "orders:{b0}:lead", "x", 0).Err(); err != nil {
		t.Errorf("a key of ours: %v", err)
	}
	rows := map[string]*redis.Client{
		"GET orders:{b0}:lead": nobody, "INFO": nobody,
		"GET session:1": ours, "SET ordersx 1": ours, "EVAL return(redis.call('get','other')) 0": ours,
		"FLUSHALL": ours, "KEYS *": ours, "CONFIG SET maxmemory-policy allkeys-lru": ours,
		"ACL LIST": ours, "SHUTDOWN NOSAVE": ours, "CLIENT LIST": ours,
		"PUBLISH other x": ours, "SUBSCRIBE other": ours, "REPLICAOF NO ONE": ours, "SAVE": ours, "MONITOR": ours,
	}
	for command, c := range rows {
		var args []any
		for word := range strings.FieldsSeq(command) {
			args = append(args, word)
		}
		if err := c.Do(t.Context(), args...).Err(); err == nil {
			t.Errorf("%s is not refused", command)
		}
	}
	// One entry may count several refusals.
	if n := len(deniedTo(t, admin)); n < len(rows)/2 || n > len(rows) {
		t.Errorf("%d entries are in the log after %d refusals", n, len(rows))
	}
}
