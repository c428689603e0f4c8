package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"orderprocessor/internal/order"
)

// unavailableError is an error that a later attempt may not meet.
type unavailableError struct {
	operation string
	err       error
}

// Error implements error.
func (e *unavailableError) Error() string {
	return e.operation + ": the archive is unavailable: " + e.err.Error()
}

// Is makes it order.ErrUnavailable.
func (e *unavailableError) Is(target error) bool { return target == order.ErrUnavailable }

// Unwrap returns the cause.
func (e *unavailableError) Unwrap() error { return e.err }

// wrap adds the operation and its subject to an error, and makes it
// order.ErrUnavailable unless the database refused what it would refuse again.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	operation := fmt.Sprintf(format, args...)
	if unavailable(err) {
		return &unavailableError{operation, err}
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// lasting returns the errors that every attempt would meet, or that are the caller's.
func lasting() []error {
	return []error{ErrNewer, errAddress, order.ErrUnreadable, context.Canceled}
}

// unavailable goes by the codes that the databases give to their errors. Errors without
// one that are not ours come from the connection.
func unavailable(err error) bool {
	var postgres *pgconn.PgError
	if errors.As(err, &postgres) {
		return postgresUnavailable(postgres.Code)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return sqliteUnavailable(lite.Code())
	}
	var address *pgconn.ParseConfigError
	is := func(known error) bool { return errors.Is(err, known) }
	return !errors.As(err, &address) && !slices.ContainsFunc(lasting(), is)
}

// postgresUnavailable reports whether a SQLSTATE is of the connection (08), a conflict of
// transactions (40), of resources (53), of the operator (57), of the system (58), of a
// lock (55), of access (28, 3D, 42501), or of a server that is a replica (25006).
func postgresUnavailable(code string) bool {
	return slices.Contains([]string{"08", "28", "3D", "40", "53", "55", "57", "58"}, code[:min(2, len(code))]) ||
		code == "25006" || code == "42501"
}

// sqliteUnavailable reports whether a result code is of a lock, the disk or the rights on
// the file.
func sqliteUnavailable(code int) bool {
	const primary = 0xff // the other bits are details
	return slices.Contains([]int{
		sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
	}, code&primary)
}
