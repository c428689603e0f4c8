package archive_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/order"
)

// TestEveryFieldComesBack puts a history in which no field is zero.
func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	set(t, "history", reflect.ValueOf(full(t)))
	onBoth(t, func(t *testing.T, b *bundle) {
		h := full(t)
		b.put(t, h)
		b.wants(t, h)
	})
}

// set fails for every field that is zero, so that a new field is set in full. Only the
// first element of a list must have all.
func set(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch {
	case path == "history.Record.Decision.Shadow":
		return // a decision without a shadow and facts of its own
	case v.IsZero():
		t.Errorf("%s is zero", path)
	case v.Kind() == reflect.Pointer:
		set(t, path, v.Elem())
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct && v.Type() != reflect.TypeFor[[]order.Item]():
		set(t, path+"[0]", v.Index(0))
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			set(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	}
}

// TestAnyHistoryComesBack puts histories of any values that the ledger could give.
func TestAnyHistoryComesBack(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		rapid.Check(t, func(rt *rapid.T) {
			h := anyHistory(rt)
			if err := errors.Join(b.Clear(t.Context()), b.Put(t.Context(), []order.History{h})); err != nil {
				rt.Fatal(err)
			}
			rec, events, err := b.Get(t.Context(), h.Record.ID)
			if err != nil {
				rt.Fatal(err)
			}
			if d := diff.Diff(h, order.History{Record: rec, Events: events, Sequence: h.Sequence}); d != "" {
				rt.Fatalf("history (-want +got):\n%s", d)
			}
		})
	})
}

func anyHistory(t *rapid.T) order.History {
	text, number := rapid.String(), rapid.IntRange(0, 1000)
	micros := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.UnixMicro(rapid.Int64Range(1, 4e15).Draw(t, "micros")).UTC()
	})
	rec := order.Record{
		Order: order.Order{ID: rapid.StringMatching(`[A-Za-z0-9._~:/#=@+-]{1,128}`).Draw(t, "id"), Content: order.Content{
			Amount: anyMoney(t), Currency: order.Currency(rapid.SampledFrom([]string{"", "USD", "JPY"}).Draw(t, "currency")),
			Items: rapid.SliceOf(rapid.Custom(anyItem)).Draw(t, "items"), Customer: text.Draw(t, "customer"), Address: text.Draw(t, "address"),
			Country: order.Country(rapid.SampledFrom([]string{"", "DE"}).Draw(t, "country")), Priority: order.Priority(rapid.IntRange(1, 3).Draw(t, "priority")),
			Notes: text.Draw(t, "notes"), ProcessAt: micros.Draw(t, "process at"),
		}},
		Status: rapid.SampledFrom(order.Statuses()).Draw(t, "status"), Queue: rapid.SampledFrom(order.Queues()).Draw(t, "queue"),
		Handling: order.Handling(rapid.SampledFrom([]string{"", "standard", "priority"}).Draw(t, "handling")),
		TraceID:  rapid.StringN(0, 32, 32).Draw(t, "trace id"), Released: rapid.Bool().Draw(t, "released"), HeldAt: micros.Draw(t, "held at"), HeldUntil: micros.Draw(t, "held until"), CreatedAt: micros.Draw(t, "created at"),
		NextAttemptAt: micros.Draw(t, "next"), ProcessedAt: micros.Draw(t, "processed"), Error: text.Draw(t, "error"),
		CancelReason: text.Draw(t, "reason"), WorkersLost: number.Draw(t, "lost"),
	}
	if rapid.Bool().Draw(t, "has metadata") {
		rec.Metadata = rapid.MapOf(rapid.StringMatching(`[A-Za-z0-9_.-]{1,40}`), text).Draw(t, "metadata")
	}
	for range rapid.IntRange(0, 3).Draw(t, "attempts") {
		rec.Attempts = append(rec.Attempts, order.Attempt{
			Number: number.Draw(t, "n"), Worker: text.Draw(t, "w"), StartedAt: micros.Draw(t, "s"), EndedAt: micros.Draw(t, "e"), Error: text.Draw(t, "x"), Note: text.Draw(t, "note"),
		})
	}
	if rapid.Bool().Draw(t, "decided") {
		rec.Decision = anyDecision(t)
		if rapid.Bool().Draw(t, "with shadow") {
			rec.Decision.Shadow = anyDecision(t)
		}
	}
	return history(rec, number.Draw(t, "sequence")%20)
}

func anyMoney(t *rapid.T) order.Money {
	decimals := rapid.IntRange(0, order.MaxDecimals).Draw(t, "decimals")
	return order.Money{Minor: rapid.Int64Range(0, order.MaxMoney(decimals).Minor).Draw(t, "minor"), Decimals: decimals}
}

func anyItem(t *rapid.T) order.Item {
	item := order.Item{Name: rapid.String().Draw(t, "name"), Detailed: rapid.Bool().Draw(t, "detailed")}
	if item.Detailed {
		item.SKU, item.Quantity = rapid.String().Draw(t, "sku"), rapid.IntRange(0, order.MaxQuantity).Draw(t, "quantity")
		if rapid.Bool().Draw(t, "priced") {
			price := anyMoney(t)
			item.UnitPrice = &price
		}
	}
	return item
}

func anyDecision(t *rapid.T) *order.Decision {
	d := &order.Decision{
		Version: rapid.String().Draw(t, "version"), Action: rapid.SampledFrom([]order.Action{order.ActionApprove, order.ActionHold, order.ActionReject}).Draw(t, "action"),
		Handling: order.Handling(rapid.SampledFrom([]string{"", "standard"}).Draw(t, "handling")), Rule: rapid.String().Draw(t, "rule"), Reason: rapid.String().Draw(t, "reason"),
		Failed: rapid.Bool().Draw(t, "failed"), Hold: order.HoldTerm{Expires: time.Duration(rapid.Int64Min(0).Draw(t, "expires")), Release: rapid.Bool().Draw(t, "release")},
	}
	if rapid.Bool().Draw(t, "has lists") {
		d.Tags, d.Matched = rapid.SliceOf(rapid.String()).Draw(t, "tags"), rapid.SliceOf(rapid.Bool()).Draw(t, "matched")
	}
	if rapid.Bool().Draw(t, "has facts") {
		d.Customer = &order.CustomerFacts{Orders24h: rapid.Int64().Draw(t, "orders"), Amount24h: rapid.Int64().Draw(t, "amounts")}
	}
	return d
}

// TestPut tells what stays of several histories.
func TestPut(t *testing.T) {
	t.Parallel()
	first := completed("o1", unsettled, tagged("old"))
	first.Sequence = 1
	newest := completed("o1", tagged("new", "vip"))
	later := completed("o1", acceptedAt(day.Add(time.Hour)))
	nul, broken := completed("o2", of("a\x00b"), tagged("\x00")), completed("o3", of("a\xffb"))
	for _, row := range []struct {
		name           string
		batches        [][]order.History
		want           order.History
		orders, labels int
	}{
		{"the newer one replaces the older one", [][]order.History{{first}, {newest}}, newest, 1, 2},
		{"the older one comes late", [][]order.History{{newest}, {first}}, newest, 1, 2},
		{"both come at once", [][]order.History{{first, newest, first}}, newest, 1, 2},
		{"it comes twice", [][]order.History{{newest}, {newest}, {newest, newest}}, newest, 1, 2},
		{"an id is used again", [][]order.History{{newest, later}}, later, 2, 2},
		{"the earlier use comes late", [][]order.History{{later}, {newest}}, later, 2, 2},
		{"nothing", [][]order.History{{newest}, {}, nil}, newest, 1, 2},
		{"texts that PostgreSQL refuses", [][]order.History{{nul, broken, newest}}, newest, 3, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, b *bundle) {
				for _, batch := range row.batches {
					b.put(t, batch...)
				}
				b.wants(t, row.want)
				b.count(t, row.orders, row.labels)
				if got := b.found(t, order.Filter{Further: order.Further{Tag: "old"}}, 10); got != nil {
					t.Errorf("found %v by a tag of an older decision", got)
				}
			})
		})
	}
}

// TestBatches puts batches of every size, as they are split.
func TestBatches(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		total := 0
		for _, size := range []int{1, 9, 10, 11, 99, 100, 213, archive.MaxPut} {
			batch := make([]order.History, size)
			for i := range batch {
				batch[i] = completed(string(rune('a'+i%26))+time.Duration(total).String(), acceptedAt(day.Add(time.Duration(total/7)*time.Microsecond)), tagged("t"))
				total++
			}
			rand.Shuffle(size, func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			b.put(t, batch...)
			b.wants(t, batch[size/2])
		}
		b.count(t, total, total)
		if err := b.Put(t.Context(), slices.Repeat([]order.History{completed("x")}, archive.MaxPut+1)); !errors.Is(err, archive.ErrTooMany) {
			t.Errorf("too many orders: %v", err)
		}
	})
}

func TestGetUnknown(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		b.put(t, completed("o1"))
		for _, id := range []string{"", "o", "O1", "o1 ", "o%", "o_", "' OR 1=1 --", "o1\x00"} {
			if _, _, err := b.Get(t.Context(), id); !errors.Is(err, order.ErrNotFound) {
				t.Errorf("Get(%q): %v", id, err)
			}
		}
	})
}
