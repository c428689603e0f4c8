package archive_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/order"
)

// TestOpenAtOnce opens an empty database by many at the same time, within this process and
// in others.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(testing.TB) string{"SQLite": sqliteAddress, "PostgreSQL": postgresAddress} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := address(t)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					if err := putOne(at); err != nil {
						t.Error(err)
					}
				})
				all.Go(func() {
					other := exec.Command(os.Args[0])
					other.Env = append(os.Environ(), openAndPut+"="+at)
					if out, err := other.CombinedOutput(); err != nil {
						t.Errorf("%v: %s", err, out)
					}
				})
			}
			all.Wait()
			open(t, at).count(t, 1, 0)
		})
	}
}

// TestOpenAgain holds that what was put is there after the archive was opened again.
func TestOpenAgain(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		b.put(t, full(t))
		open(t, b.address).wants(t, full(t))
	})
}

func TestNewerVersion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		b.put(t, completed("o1"))
		if err := b.Exec(t.Context(), "INSERT INTO schema_version (version) VALUES (7)"); err != nil {
			t.Fatal(err)
		}
		_, err := archive.Open(t.Context(), b.address)
		if !errors.Is(err, archive.ErrNewer) || errors.Is(err, order.ErrUnavailable) || !strings.Contains(err.Error(), "version 7") {
			t.Errorf("opened an archive of a newer version: %v", err)
		}
	})
}

// TestMigrations adds steps to the schema, one of which fails in its middle.
func TestMigrations(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		b.put(t, completed("o1"))
		steps := fstest.MapFS{
			"migrations/0003_extra.sql":  {Data: []byte("CREATE TABLE extra (id {text}); INSERT INTO extra (id) VALUES ('a')")},
			"migrations/0004_broken.sql": {Data: []byte("INSERT INTO extra (id) VALUES ('b'); INSERT INTO missing (id) VALUES ('c')")},
		}
		for _, name := range []string{"migrations/0001_orders.sql", "migrations/0002_state.sql"} {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			steps[name] = &fstest.MapFile{Data: text}
		}
		for range 2 {
			if err := b.Migrate(t.Context(), steps); err == nil || !strings.Contains(err.Error(), "0004_broken.sql") {
				t.Errorf("applied a step that cannot be: %v", err)
			}
			if n, err := b.Count(t.Context(), "extra"); n != 1 || err != nil {
				t.Errorf("%d rows, want those of version 3 only (%v)", n, err)
			}
		}
		b.count(t, 1, 0)
	})
}

// TestAddresses refuses what is no address, and shows no password.
func TestAddresses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "archive.db")
	for _, address := range []string{
		"", "archive.db", file, "sqlite:archive.db", "sqlite://archive.db", "sqlite://host" + file, "sqlite://" + file + "?mode=memory",
		"sqlite://" + file + "#x", "mysql://user:hunter2@host/db", "redis://user:hunter2@host", "postgres://user:hunter2@host:port/db",
		"sqlite:///no/such/folder/archive.db", "postgres://user:hunter2@/db?host=/no/such/folder",
	} {
		a, err := archive.Open(t.Context(), address)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q) = %v, %v", address, a, err)
		}
	}
}

// TestFile holds that a new file is for its owner, whatever characters are in its path.
func TestFile(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a b & c=d;e")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	b := open(t, "sqlite://"+folder+"/archive.db")
	b.put(t, completed("o1"))
	files, err := os.ReadDir(folder)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(f.Name(), "archive.db") {
			t.Errorf("%s has mode %v (%v)", f.Name(), info.Mode(), err)
		}
	}
}

// TestSettings holds the settings that guarantees and plans depend on.
func TestSettings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		settings := []struct{ ask, writer, reader string }{
			{"SHOW plan_cache_mode", "auto", "force_custom_plan"},
			{"SHOW synchronous_commit", "on", "on"},
		}
		if b.sqlite {
			settings = []struct{ ask, writer, reader string }{
				{"PRAGMA synchronous", "2", "2"}, // FULL
				{"PRAGMA journal_mode", "wal", "wal"},
				{"PRAGMA foreign_keys", "1", "0"},
				{"PRAGMA busy_timeout", "5000", "5000"},
				{"PRAGMA query_only", "0", "1"},
			}
		}
		for _, want := range settings {
			if writer, reader, err := b.Settings(t.Context(), want.ask); writer != want.writer || reader != want.reader || err != nil {
				t.Errorf("%s: %s and %s, want %s and %s (%v)", want.ask, writer, reader, want.writer, want.reader, err)
			}
		}
	})
}
