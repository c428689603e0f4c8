package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/order"
	"orderprocessor/internal/postgrestest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/spectest"
	"orderprocessor/test/kit"
)

// site is a Redis with its data in a folder, an archive and the programs, for the commands
// of docs/BACKUP.md.
type site struct {
	*kit.API
	t        *testing.T
	home     string
	port     string
	archive  string
	programs []*programtest.TestProcess
}

// TestBackup runs the commands of docs/BACKUP.md, with either archive: what was there when
// the copies were made is there after they were restored, and what only Redis still had is
// archived again.
func TestBackup(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", redistest.Program(), "redis-cli", "sqlite3", "pg_dump", "pg_restore"} {
		programtest.Need(t, program)
	}
	text, err := os.ReadFile(filepath.Join(repository, "docs/BACKUP.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := kit.Blocks(t, filepath.Join(repository, "docs/BACKUP.md"))
	backups := len(kit.BlocksOf(strings.Split(string(text), "\n## Restore")[0]))
	if backups != 3 || len(blocks) != 6 {
		t.Fatalf("there are %d commands, %d of them to back up", len(blocks), backups)
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		s := openSite(t)
		s.archive = "sqlite://" + s.path("/var/lib/orders/archive.db")
		s.backUpAndRestore(blocks, backups, "pg_")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		db, err := postgrestest.Start("fsync=off")
		if errors.Is(err, postgrestest.ErrMissing) && os.Getenv("CI") != "true" {
			t.Skipf("not tested with PostgreSQL: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		s := openSite(t)
		if s.archive, err = db.Database("orders"); err != nil {
			t.Fatal(err)
		}
		s.backUpAndRestore(blocks, backups, "archive.db")
	})
}

func openSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, home: t.TempDir(), port: programtest.FreePorts(t, 1)[0]}
	for _, folder := range []string{"redis", "lib/orders", "backups/orders"} {
		if err := os.MkdirAll(s.path("/var/"+folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(s.path("/var/lib/redis"), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

// path is where this site has a path of the document.
func (s *site) path(path string) string { return filepath.Join(s.home, path) }

// run runs a command of the document.
func (s *site) run(block string) {
	s.t.Helper()
	command := strings.NewReplacer("/var/", s.home+"/var/", "6379", s.port, "redis-server ", redistest.Program()+" ").Replace(block)
	if err := kit.Bash(s.t, s.home, command, "ORDERS_ARCHIVE_URL="+s.archive); err != nil {
		s.t.Fatalf("%s\n%v", block, err)
	}
}

// start starts Redis with its usual settings, and the programs.
func (s *site) start() {
	s.t.Helper()
	args := []string{"--port", s.port, "--dir", s.path("/var/lib/redis"), "--appendonly", "yes", "--save", ""}
	redis := programtest.Start(s.t, programtest.Config{Path: redistest.Program(), Args: args})
	redis.Await("eady to accept connections")
	env := programtest.Settings("REDIS_URL=redis://127.0.0.1:"+s.port, "ORDERS_ARCHIVE_URL="+s.archive)
	api := programtest.Start(s.t, programtest.Config{Path: filepath.Join(binaries, "api"), Env: env})
	worker := programtest.Start(s.t, programtest.Config{Path: filepath.Join(binaries, "worker"), Env: env})
	s.programs = []*programtest.TestProcess{api, worker}
	s.API = kit.NewAPI(s.t, "http://"+api.Await(programtest.Listening), spectest.Transport)
	s.AwaitServing()
}

// submit submits orders and waits until the archive has them settled.
func (s *site) submit(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		if got := s.Send("POST", "/orders", sample(id).json()); got.Code != 201 {
			s.t.Fatalf("order %s: %d %s", id, got.Code, got.Body)
		}
	}
	s.untilArchived(ids...)
}

func (s *site) untilArchived(ids ...string) {
	s.t.Helper()
	a, err := archive.Open(s.t.Context(), s.archive)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	for _, id := range ids {
		programtest.Until(s.t, fmt.Sprintf("order %s is archived", id), func() bool {
			rec, _, err := a.Get(s.t.Context(), id)
			return err == nil && rec.Status == order.StatusCompleted
		})
	}
}

// backUpAndRestore runs all commands but those with the text in them, which are for the
// other archive.
func (s *site) backUpAndRestore(blocks []string, backups int, others string) {
	s.t.Helper()
	s.start()
	s.submit("o1", "o2")
	for _, block := range blocks[:backups] {
		if !strings.Contains(block, others) {
			s.run(block)
		}
	}
	s.submit("late")
	for _, p := range s.programs {
		p.Stop()
	}
	for _, block := range blocks[backups:] {
		if !strings.Contains(block, others) {
			s.run(block)
		}
	}
	s.start()
	for id, want := range map[string]int{"o1": 200, "o2": 200, "late": 404} {
		programtest.Until(s.t, fmt.Sprintf("order %s answers %d", id, want), func() bool { // 503 until the archive is open
			return s.Send("GET", "/orders/"+id, "").Code == want
		})
	}
	s.submit("late", "new")

	// The archive alone is restored.
	for _, p := range s.programs {
		p.Stop()
	}
	s.run("redis-cli -p 6379 shutdown")
	for _, block := range blocks[backups+1:] {
		if !strings.Contains(block, others) {
			s.run(block)
		}
	}
	s.start()
	s.untilArchived("o1", "late", "new")
}
