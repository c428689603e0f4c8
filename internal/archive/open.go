package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	// readers is how many reads run at once. More wait for their turn.
	readers = 8
	// postgresWriters is how many transactions run at once on PostgreSQL: the leader's,
	// and those of jobs.
	postgresWriters = 4
)

// Open opens the archive at an address and brings its schema up to date; several
// processes may do so at once. The address is sqlite:///path/file.db, with an absolute
// path whose folder exists, or one of PostgreSQL, postgres://user@host/database. A new file
// is for its owner only (mode 0600). Open returns ErrNewer, and order.ErrUnavailable
// when the database does not answer. Errors do not show the password in an address.
func Open(ctx context.Context, address string) (*Archive, error) {
	a, err := connect(ctx, address)
	if err != nil {
		return nil, wrap(err, "open the archive")
	}
	if err := a.migrate(ctx, migrations); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if err := a.identify(ctx); err != nil {
		return nil, errors.Join(wrap(err, "open the archive"), a.Close())
	}
	return a, nil
}

// errAddress is returned for an address of neither form.
var errAddress = errors.New("its address must be sqlite:///path/file.db or postgres://user@host/database")

func connect(ctx context.Context, address string) (*Archive, error) {
	scheme, _, _ := strings.Cut(address, "://")
	switch scheme {
	case "sqlite":
		return connectSQLite(ctx, address)
	case "postgres", "postgresql":
		return connectPostgres(address)
	default:
		return nil, errAddress
	}
}

func connectSQLite(ctx context.Context, address string) (*Archive, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || !filepath.IsAbs(u.Path) {
		return nil, errAddress
	}
	if err := create(ctx, u.Path); err != nil {
		return nil, err
	}
	a := &Archive{dialect: sqliteDialect()}
	if a.write, err = sql.Open("sqlite", sqliteName(u.Path, writerSettings())); err != nil {
		return nil, err
	}
	a.write.SetMaxOpenConns(1)
	a.read, err = sql.Open("sqlite", sqliteName(u.Path, readerSettings()))
	a.pool()
	return a, err
}

// create makes an empty database for its owner only, unless there is a file. It appears
// under its name in the mode WAL, as SQLite lets no two connections at once change to that
// mode. And it is never opened under its name but by SQLite: to close it would drop the
// locks on it that this process holds, as POSIX has it.
func create(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	empty, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(empty.Name()) }()
	if err := empty.Close(); err != nil {
		return err
	}
	if err := initialise(ctx, empty.Name()); err != nil {
		return err
	}
	if err := os.Link(empty.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// initialise sets what a file keeps of the settings of its first writer.
func initialise(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", sqliteName(path, writerSettings()))
	if err != nil {
		return err
	}
	return errors.Join(db.PingContext(ctx), db.Close())
}

// pool keeps the connections of the readers, as opening one takes longer than a read.
func (a *Archive) pool() {
	a.read.SetMaxOpenConns(readers)
	a.read.SetMaxIdleConns(readers)
}

// sqliteName is how the driver wants a file with its settings.
func sqliteName(path string, settings url.Values) string {
	name := url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}
	return name.String()
}

// readerSettings are those of every connection. Readers wait for a lock only while
// another process recovers the file after a crash.
func readerSettings() url.Values {
	return url.Values{
		"_busy_timeout": {"5000"}, // ms
		"_query_only":   {"true"},
		"_dqs":          {"false"},              // "x" is never a text
		"_pragma":       {"cache_size(-16384)"}, // KiB
	}
}

// writerSettings make a commit durable (synchronous FULL), as the ledger forgets what was
// committed. With NORMAL, a loss of power would take what was written since the last
// checkpoint. It costs one sync for each transaction, which has up to MaxPut orders.
// Readers never wait for the writer, nor it for them, in the mode WAL.
func writerSettings() url.Values {
	return url.Values{
		"_busy_timeout": {"5000"}, // ms, for another process's transaction
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"true"},
		"_txlock":       {"immediate"}, // so that no transaction meets a lock in its middle
		"_dqs":          {"false"},
		"_pragma": {
			"cache_size(-65536)",           // KiB; the indexes are written all over
			"journal_size_limit(67108864)", // bytes that the file -wal keeps after a large transaction
		},
	}
}

func connectPostgres(address string) (*Archive, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("read its address: %w", err)
	}
	a := &Archive{dialect: postgresDialect(), write: stdlib.OpenDB(*cfg.Copy())}
	a.write.SetMaxOpenConns(postgresWriters)
	a.write.SetMaxIdleConns(postgresWriters)
	// A plan for any value is a bad one for ranges: some have two orders, some millions.
	cfg.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	a.read = stdlib.OpenDB(*cfg)
	a.pool()
	return a, nil
}
