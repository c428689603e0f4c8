package archive

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// migrations are the steps from an empty database to the schema, in the order of their
// names. The first is version 1.
//
//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewer means that a newer version of this program has changed the schema of the
// archive. An older one must not write into it.
var ErrNewer = errors.New("the archive belongs to a newer version of this program")

// migrate brings the schema up to date, each version in a transaction of its own. A
// process that comes second waits for the first one.
func (a *Archive) migrate(ctx context.Context, steps fs.FS) error {
	files, err := fs.Glob(steps, "migrations/*.sql")
	if err != nil {
		return err
	}
	for at := -1; at < len(files); {
		if at, err = a.migrateOnce(ctx, steps, files); err != nil {
			return wrap(err, "migrate the archive")
		}
	}
	return nil
}

// migrateOnce applies the next migration, if there is one. It returns the version that
// the schema has then, and one more than the newest once that was reached before.
func (a *Archive) migrateOnce(ctx context.Context, steps fs.FS, files []string) (version int, err error) {
	err = a.transact(ctx, func(tx *sql.Tx) error {
		if version, err = a.version(ctx, tx); err != nil {
			return err
		}
		if version > len(files) {
			return fmt.Errorf("%w: its schema has version %d, and %d is the newest known here", ErrNewer, version, len(files))
		}
		version++
		if version > len(files) {
			return nil
		}
		text, err := fs.ReadFile(steps, files[version-1])
		if err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, a.dialect.types.Replace(string(text))); err != nil {
			return fmt.Errorf("%s: %w", files[version-1], err)
		}
		_, err = tx.ExecContext(ctx, a.dialect.sql("INSERT INTO schema_version (version) VALUES (?)"), version)
		return err
	})
	return version, err
}

// version returns the version of the schema, 0 for an empty database, and keeps other
// processes from changing it until the transaction ends.
func (a *Archive) version(ctx context.Context, tx *sql.Tx) (version int, err error) {
	if a.dialect.lock != "" {
		if _, err := tx.ExecContext(ctx, a.dialect.lock); err != nil {
			return 0, err
		}
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY)"); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM schema_version").Scan(&version)
	return version, err
}

// transact runs a transaction. All of it is durable when transact returns nil. After an
// error nothing is, unless only the answer to the commit was lost.
func (a *Archive) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := a.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // the database rolls back by itself if this cannot reach it
		return err
	}
	return tx.Commit()
}
