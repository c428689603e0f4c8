package peers

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

// checkDurability asks whichever server the peer runs how it keeps jobs. The
// channel has none.
func checkDurability(ctx context.Context, t *testing.T, h *home, d Durability) {
	t.Helper()
	for _, socket := range []string{"redis", "faktory/redis.sock"} {
		if path := filepath.Join(h.near, socket); isSocket(path) {
			checkRedisDurability(ctx, t, path, d)
		}
	}
	if isSocket(filepath.Join(h.near, ".s.PGSQL."+postgresPort)) {
		checkPostgresDurability(ctx, t, h, d)
	}
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Type() == fs.ModeSocket
}

func checkRedisDurability(ctx context.Context, t *testing.T, socket string, d Durability) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	defer func() { _ = c.Close() }()
	got := map[string]string{}
	for _, setting := range []string{"appendonly", "appendfsync", "save"} {
		values, err := c.ConfigGet(ctx, setting).Result()
		if err != nil {
			t.Fatal(err)
		}
		got[setting] = values[setting]
	}
	want := map[string]string{"appendonly": "yes", "appendfsync": string(d), "save": ""}
	if d == Off {
		want["appendonly"], want["appendfsync"] = "no", "everysec" // the default of a file that is not written
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("durability %s of Redis (-want +got):\n%s", d, diff)
	}
}

func checkPostgresDurability(ctx context.Context, t *testing.T, h *home, d Durability) {
	t.Helper()
	conn, err := pgx.Connect(ctx, "host="+h.near+" port="+postgresPort+" user="+postgresUser+" dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var fsync, commit string
	err = conn.QueryRow(ctx, "SELECT current_setting('fsync'), current_setting('synchronous_commit')").Scan(&fsync, &commit)
	if err != nil {
		t.Fatal(err)
	}
	want := map[Durability][2]string{Off: {"off", "off"}, Everysec: {"on", "off"}, Always: {"on", "on"}}[d]
	if diff := cmp.Diff(want, [2]string{fsync, commit}); diff != "" {
		t.Errorf("durability %s of PostgreSQL (-want +got):\n%s", d, diff)
	}
}
