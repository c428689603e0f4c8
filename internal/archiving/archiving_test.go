package archiving_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/archiving"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/postgrestest"
	"orderprocessor/internal/redistest"
)

// server is the PostgreSQL of all tests.
var server struct {
	sync.Once
	*postgrestest.Server
	err   error
	names atomic.Int64
}

// TestMain checks that no test leaves a goroutine behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if server.Server != nil {
		_ = server.Close()
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// bundle is what each test gets: books in a Redis of its own and an archive.
type bundle struct {
	t       *testing.T
	rdb     *redis.Client
	books   *ledger.Ledger // never broken
	broken  *ledger.Ledger
	breaker *redistest.Breaker
	archive *archive.Archive
	log     *slog.Logger
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(b *bundle)) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(open(t, sqlite(t)))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(open(t, postgres(t)))
	})
}

func sqlite(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "archive.db") }

func postgres(t *testing.T) string {
	t.Helper()
	server.Do(func() { server.Server, server.err = postgrestest.Start("fsync=off") })
	if errors.Is(server.err, postgrestest.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skipf("not tested with PostgreSQL: %v", server.err)
	}
	must(t, server.err)
	address, err := server.Database(fmt.Sprintf("test%d", server.names.Add(1)))
	must(t, err)
	return address
}

func open(t *testing.T, address string) *bundle {
	t.Helper()
	r := redistest.Start(t)
	b := &bundle{t: t, rdb: r.Client(), breaker: &redistest.Breaker{}, log: slog.New(slog.DiscardHandler)}
	b.openArchive(address)
	client := r.Client()
	client.AddHook(b.breaker)
	b.books, b.broken = ledger.NewWith(b.rdb, ledger.Config{Archive: b.archive}), ledger.NewWith(client, ledger.Config{Archive: b.archive})
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	return b
}

func (b *bundle) openArchive(address string) {
	b.t.Helper()
	a, err := archive.Open(b.t.Context(), address)
	must(b.t, err)
	b.archive = a
	b.t.Cleanup(func() { _ = a.Close() })
}

func (b *bundle) archiver(a archiving.Archive) *archiving.Archiver {
	return archiving.New(archiving.Config{Leads: func() bool { return true }, Log: b.log}, b.broken, a)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// change makes one random change to an order, or accepts it.
func (b *bundle) change(r *rand.Rand, id string) {
	b.t.Helper()
	ctx, c := b.t.Context(), order.Claim{ID: id, Token: strconv.FormatUint(r.Uint64(), 36), Worker: "w", Handling: order.HandlingStandard}
	_, err := b.books.Get(ctx, id)
	if errors.Is(err, order.ErrNotFound) {
		_, _, err = ledgertest.Accept(ctx, b.books, ordertest.Order(b.t, ordertest.Full, ordertest.WithID(id)), order.QueueDefault)
		must(b.t, err)
		return
	}
	must(b.t, err)
	_, err = b.books.Begin(ctx, c)
	outcomes := []order.Status{order.StatusCompleted, order.StatusFailed, order.StatusRejected}
	switch n := r.IntN(6); {
	case errors.Is(err, order.ErrSettled):
		_, _ = b.books.Retry(ctx, id, c.Token, order.Intervention{})
	case n < 2:
		_ = b.books.Fail(ctx, c, order.Failure{Error: "busy", RetryIn: time.Minute})
	case n == 2:
		_, _ = b.books.Cancel(ctx, id, order.Intervention{Actor: "ops", Reason: "changed my mind"})
	case n < 5:
		_ = b.books.Settle(ctx, c, order.Outcome{Status: outcomes[r.IntN(3)], Error: "no"})
	}
}

// makeDue makes all marked orders due.
func (b *bundle) makeDue() {
	b.t.Helper()
	for _, id := range b.rdb.ZRange(b.t.Context(), ledgertest.MarksKey, 0, -1).Val() {
		b.rdb.ZAdd(b.t.Context(), ledgertest.MarksKey, redis.Z{Score: 1, Member: id})
	}
}

// drain archives all orders, due or not.
func (b *bundle) drain(a *archiving.Archiver) {
	b.t.Helper()
	for b.rdb.ZCard(b.t.Context(), ledgertest.MarksKey).Val() > 0 {
		b.makeDue()
		_, err := a.Step(b.t.Context())
		must(b.t, err)
	}
}

// compare checks that the archive has the order as the ledger has it.
func (b *bundle) compare(id string) {
	b.t.Helper()
	want, err := b.books.Get(b.t.Context(), id)
	must(b.t, err)
	wantEvents, err := b.books.Events(b.t.Context(), id)
	must(b.t, err)
	got, events, err := b.archive.Get(b.t.Context(), id)
	if err != nil {
		b.t.Errorf("order %s, %s: %v", id, want.Status, err)
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()) + cmp.Diff(wantEvents, events); diff != "" {
		b.t.Errorf("order %s (-ledger +archive):\n%s", id, diff)
	}
}

// TestAsInTheLedger changes orders at random while two processes believe that they lead. At
// the end the archive has every order as the ledger has it, and the ledger may forget all.
func TestAsInTheLedger(t *testing.T) {
	onBoth(t, func(b *bundle) {
		const orders, changes = 60, 600
		seed := rand.Uint64()
		b.t.Logf("the seed is %d", seed)
		ctx, stop := context.WithCancel(b.t.Context())
		var leaders sync.WaitGroup
		for range 2 {
			a := b.archiver(b.archive)
			leaders.Go(func() {
				for ctx.Err() == nil {
					if _, err := a.Step(ctx); err != nil && ctx.Err() == nil {
						b.t.Errorf("a step: %v", err)
					}
				}
			})
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for range changes {
			b.change(r, fmt.Sprint("o", r.IntN(orders)))
		}
		stop()
		leaders.Wait()
		b.drain(b.archiver(b.archive))
		settled := 0
		for i := range orders {
			id := fmt.Sprint("o", i)
			if rec, err := b.books.Get(b.t.Context(), id); err == nil {
				b.compare(id)
				if rec.Status.Settled() {
					settled++
				}
			}
		}
		if n, err := b.books.Books()[0].Forget(b.t.Context(), time.Now().Add(time.Hour), 1000); n != settled || err != nil {
			b.t.Errorf("forgot %d orders, %v, want %d", n, err, settled)
		}
	})
}

// failing is an archive whose nth call fails, applied or not.
type failing struct {
	*archive.Archive
	calls, n int
	applied  bool
}

var errLost = fmt.Errorf("connection lost: %w", order.ErrUnavailable)

func (f *failing) fails() bool {
	f.calls++
	return f.calls == f.n
}

func (f *failing) Put(ctx context.Context, histories []order.History) error {
	fails := f.fails()
	if fails && !f.applied {
		return errLost
	}
	err := f.Archive.Put(ctx, histories)
	if fails {
		return errLost
	}
	return err
}

func (f *failing) State(ctx context.Context) (order.ArchiveState, error) {
	if f.fails() {
		return order.ArchiveState{}, errLost
	}
	return f.Archive.State(ctx)
}

// TestBrokenAtEveryStep breaks each command to Redis and each call of the archive, once
// before and once after it was applied. Nothing is missing in the archive afterwards.
func TestBrokenAtEveryStep(t *testing.T) {
	onBoth(t, func(b *bundle) {
		r := rand.New(rand.NewPCG(1, 2))
		round := 0
		try := func(n int, fault redistest.Fault, ofRedis bool) (broken bool) {
			round++
			store := &failing{Archive: b.archive, applied: fault == redistest.ReplyLost}
			a, fired := b.archiver(store), b.breaker.Fired()
			ids := []string{fmt.Sprint("a", round), fmt.Sprint("b", round)}
			for _, id := range ids {
				for range 1 + r.IntN(4) {
					b.change(r, id)
				}
			}
			b.makeDue()
			if ofRedis {
				b.breaker.BreakNth(n, fault, func(redis.Cmder) bool { return true })
			} else {
				store.n = n
			}
			_, err := a.Step(b.t.Context())
			broken = store.calls >= n && !ofRedis || b.breaker.Fired() > fired
			if broken != errors.Is(err, order.ErrUnavailable) {
				b.t.Errorf("broken: %t, the step ended with %v", broken, err)
			}
			b.breaker.Break(fault, func(redis.Cmder) bool { return false })
			b.drain(b.archiver(b.archive))
			for _, id := range ids {
				b.compare(id)
			}
			return broken
		}
		for _, ofRedis := range []bool{true, false} {
			for _, fault := range redistest.Faults() {
				n := 1
				for try(n, fault, ofRedis) {
					n++
				}
				if n < 3 {
					b.t.Errorf("only %d steps were broken", n-1)
				}
			}
		}
	})
}

// TestRestored puts an older copy of the archive, and then an empty one, in its place. It
// catches up by itself.
func TestRestored(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "archive.db")
	b := open(t, "sqlite://"+file)
	r := rand.New(rand.NewPCG(3, 4))
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			for range 4 {
				b.change(r, fmt.Sprint("o", i))
			}
		}
		b.drain(b.archiver(b.archive))
	}
	replace := func(content []byte) {
		must(t, b.archive.Close())
		for _, name := range []string{file, file + "-wal", file + "-shm"} {
			must(t, os.RemoveAll(name))
		}
		if content != nil {
			must(t, os.WriteFile(file, content, 0o600))
		}
		b.openArchive("sqlite://" + file)
	}
	fill(0, 10)
	must(t, b.archive.Close())
	backup, err := os.ReadFile(file)
	must(t, err)
	b.openArchive("sqlite://" + file)
	fill(5, 1200)
	for _, content := range [][]byte{backup, nil} {
		replace(content)
		a := b.archiver(b.archive)
		for more := true; more; {
			more, err = a.Step(t.Context())
			must(t, err)
		}
		b.drain(a)
		for _, i := range []int{0, 7, 9, 10, 600, 1199} {
			b.compare(fmt.Sprint("o", i))
		}
	}
}

// refusing is an archive that refuses an order.
type refusing struct {
	*archive.Archive
	id string
}

func (r refusing) Put(ctx context.Context, histories []order.History) error {
	if slices.ContainsFunc(histories, func(h order.History) bool { return h.Record.ID == r.id }) {
		return errors.New("the order is too large")
	}
	return r.Archive.Put(ctx, histories)
}

// TestRefusedOrder holds that an order which the archive refuses keeps no other one out, and
// stays in the ledger.
func TestRefusedOrder(t *testing.T) {
	t.Parallel()
	b := open(t, sqlite(t))
	for _, id := range []string{"o1", "bad", "o2"} {
		_, _, err := ledgertest.Accept(t.Context(), b.books, ordertest.Order(t, ordertest.WithID(id)), order.QueueDefault)
		must(t, err)
		_, err = b.books.Cancel(t.Context(), id, order.Intervention{})
		must(t, err)
	}
	a := b.archiver(refusing{b.archive, "bad"})
	for range 2 {
		_, err := a.Step(t.Context())
		must(t, err)
	}
	b.compare("o1")
	b.compare("o2")
	if n, err := b.books.Books()[0].Forget(t.Context(), time.Now().Add(time.Hour), 10); n != 2 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	if due, err := b.books.Due(t.Context(), 10); len(due) != 0 || err != nil {
		t.Errorf("%v are due at once, %v", due, b.rdb.ZRangeWithScores(t.Context(), ledgertest.MarksKey, 0, -1).Val())
	}
	b.drain(b.archiver(b.archive))
	b.compare("bad")
}

// TestRetention forgets in the archive what was settled before its retention.
func TestRetention(t *testing.T) {
	t.Parallel()
	b := open(t, sqlite(t))
	old := order.Record{Order: ordertest.Order(t, ordertest.WithID("old")), Status: order.StatusCompleted, CreatedAt: time.Now().Add(-3 * time.Hour)}
	old.ProcessedAt = old.CreatedAt
	young := old
	young.ID, young.ProcessedAt = "young", time.Now()
	must(t, b.archive.Put(t.Context(), []order.History{{Record: old}, {Record: young}}))
	a := archiving.New(archiving.Config{Retention: time.Hour}, b.books, b.archive)
	if more, err := a.Forget(t.Context()); more || err != nil {
		t.Errorf("more: %t, %v", more, err)
	}
	if _, _, err := b.archive.Get(t.Context(), "old"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("the old order is there: %v", err)
	}
	if _, _, err := b.archive.Get(t.Context(), "young"); err != nil {
		t.Errorf("the young order: %v", err)
	}
}
