// Package archive keeps orders for good, in SQLite or PostgreSQL, and finds them again.
//
// It receives the history of an order, as often as anybody likes to send it, and hands
// back the record equal to what it received, pages of orders by any filter, and groups of
// alike failures. It owns one database: a table of orders with the record as JSON beside
// the columns to search by, and a table of their tags and metadata.
//
// What Put has confirmed is on the disk, with SQLite as with a PostgreSQL of default
// settings, so the ledger may forget it. Every write is one transaction and may be
// repeated: all of it happens or nothing. The order of writes does not matter, as the
// history with the higher sequence wins.
//
// Errors that a later attempt may not meet are order.ErrUnavailable: the database is away,
// restarts, is full, locked or read-only. Nothing here waits and tries again.
package archive

import (
	"context"
	"database/sql"
	"errors"
)

// The bounds of one call.
const (
	// MaxPut is how many orders one Put may have: about 100 ms of work.
	MaxPut = 1000
	// MaxPage is how many orders one page of Search may have.
	MaxPage = 1000
	// MaxGroups is how many groups Failures returns at most; each costs two reads.
	MaxGroups = 1000
	// MaxErased is how many orders one Erase or Forget changes at most, so that no other
	// write waits for long.
	MaxErased = 1000
)

// Archive is a store of orders. It is safe for concurrent use, also by several processes
// on the same database.
type Archive struct {
	dialect dialect
	// write has all transactions; with SQLite it is one connection, so that they queue up
	// here and not at the lock of the file.
	write *sql.DB
	// read has single statements, which see what was committed before them.
	read *sql.DB
}

// Ping asks the database for an answer. It returns order.ErrUnavailable.
func (a *Archive) Ping(ctx context.Context) error {
	return wrap(a.read.PingContext(ctx), "reach the archive")
}

// Close closes all connections. Calls that run end with an error.
func (a *Archive) Close() error { return errors.Join(a.read.Close(), a.write.Close()) }
