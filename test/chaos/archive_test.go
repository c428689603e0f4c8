package chaos_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/order"
	"orderprocessor/internal/postgrestest"
)

// TestKilledArchive kills workers, the PostgreSQL of the archive and Redis at random moments
// while orders go through them and leave Redis after seconds. At the end every order is in
// the archive, with its outcome, and none in Redis.
func TestKilledArchive(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	total, kills := shortOrLong(2000, 100_000), shortOrLong(2, 30)
	db, err := postgrestest.Start()
	if errors.Is(err, postgrestest.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skipf("not tested with PostgreSQL: %v", err)
	}
	must(err)
	t.Cleanup(func() { _ = db.Close() })
	address, err := db.Database("orders")
	must(err)
	s := open(t, "v the archive is killed", "--appendfsync", "always")
	s.more = []string{"ORDERS_ARCHIVE_URL=" + address, "ORDERS_RETENTION=3s", "ORDERS_RETRY_FOR=1m"}
	s.shop.respond = flaky
	s.addAPIs(1)
	s.addWorkers(2)
	var sending sync.WaitGroup
	sending.Go(func() { s.client.submitAll(total, 12, flakyOrder) })
	s.hitWorkers(s.moments(kills, total), func(n int, hit *instance) {
		db.Kill()
		wait(time.Duration(rand.IntN(500)) * time.Millisecond)
		hit.kill()
		if n%3 == 1 {
			s.redisDown(200 * time.Millisecond)
		}
		must(db.Restart())
	})
	sending.Wait()
	a := s.concludeByTotals()
	kept, err := archive.Open(t.Context(), address)
	must(err)
	defer func() { _ = kept.Close() }()
	found := map[string]order.Status{}
	must(kept.Export(context.Background(), order.Filter{}, func(rec order.Record) error {
		found[rec.ID] = rec.Status
		return nil
	}))
	missing := 0
	for id, sent := range a.sent {
		if got := found[id]; got != sent.ends && (sent.acked || got != "") {
			missing++
			t.Errorf("order %s should have ended %s and is archived as %q", id, sent.ends, got)
		}
	}
	t.Logf("%d orders are archived, %d are missing", len(found), missing)
}
