package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/order"
)

// TestUnavailable tells which errors a later attempt may not meet.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	state := func(code string) error { return fmt.Errorf("insert: %w", &pgconn.PgError{Code: code}) }
	for _, row := range []struct {
		name string
		err  error
		want bool
	}{
		{"connection failure", state("08006"), true},
		{"deadlock", state("40P01"), true},
		{"disk full", state("53100"), true},
		{"too many connections", state("53300"), true},
		{"administrator's shutdown", state("57P01"), true},
		{"starts", state("57P03"), true},
		{"wrong password", state("28P01"), true},
		{"no such database", state("3D000"), true},
		{"no right to write", state("42501"), true},
		{"a replica", state("25006"), true},
		{"syntax", state("42601"), false},
		{"corrupt data", state("XX001"), false},
		{"unique violation", state("23505"), false},
		{"no code", state(""), false},
		{"connection lost", io.ErrUnexpectedEOF, true},
		{"deadline", context.DeadlineExceeded, true},
		{"the caller has gone", context.Canceled, false},
		{"a newer version", archive.ErrNewer, false},
		{"unreadable", fmt.Errorf("read: %w", order.ErrUnreadable), false},
	} {
		err := archive.Wrap(row.err, "put %d orders", 3)
		if errors.Is(err, order.ErrUnavailable) != row.want || !errors.Is(err, row.err) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if archive.Wrap(nil, "put") != nil {
		t.Error("no error became one")
	}
}
