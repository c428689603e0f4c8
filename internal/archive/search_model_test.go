package archive_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
)

// TestSearchAgainstModel puts any histories in any batches and order, and compares walks
// with what filtering and sorting all orders gives.
func TestSearchAgainstModel(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		rapid.Check(t, func(rt *rapid.T) {
			if err := b.Clear(t.Context()); err != nil {
				rt.Fatal(err)
			}
			all := putAny(t.Context(), rt, b)
			for range 4 { // filters on the same orders
				f := anyFilter(rt)
				var after order.Position
				if rapid.Bool().Draw(rt, "go on") {
					after = order.Position{CreatedAt: anyTime(rt), ID: anyID.Draw(rt, "after")}
				}
				b.compare(t.Context(), rt, all, f, after)
			}
		})
	})
}

// putAny puts histories, and returns those that must be there.
func putAny(ctx context.Context, t *rapid.T, b *bundle) []order.Record {
	newest := map[order.Position]order.History{}
	for range rapid.IntRange(1, 3).Draw(t, "batches") {
		batch := rapid.SliceOfN(rapid.Custom(anySearchable), 0, 12).Draw(t, "batch")
		if err := b.Put(ctx, batch); err != nil {
			t.Fatal(err)
		}
		for _, h := range batch {
			at := order.Position{CreatedAt: h.Record.CreatedAt, ID: h.Record.ID}
			if before, known := newest[at]; !known || h.Sequence > before.Sequence {
				newest[at] = h
			}
		}
	}
	var all []order.Record
	for _, h := range newest {
		all = append(all, h.Record)
	}
	return all
}

func (b *bundle) compare(ctx context.Context, t *rapid.T, all []order.Record, f order.Filter, after order.Position) {
	want := model(all, f, after)
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	var got []order.Record
	for more := true; more; more = !after.IsZero() {
		records, next, err := b.Search(ctx, f, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) > limit || len(records) < limit && !next.IsZero() {
			t.Fatalf("a page has %d orders, want %d", len(records), limit)
		}
		got, after = append(got, records...), next
	}
	if d := diff.Diff(want, got); d != "" {
		t.Fatalf("orders by %+v (-want +got):\n%s", f, d)
	}
	var exported []order.Record
	err := b.Export(ctx, f, func(rec order.Record) error { exported = append(exported, rec); return nil })
	if d := diff.Diff(model(all, f, order.Position{}), exported); d != "" || err != nil {
		t.Fatalf("exported by %+v (-want +got):\n%s%v", f, d, err)
	}
}

// texts are such as break statements that are put together from values, or mean something
// to LIKE. They are few, so that orders and filters share them.
var texts = named(rapid.SampledFrom([]string{
	"ada", "Ada", "ADA", "%", "_", "a%", `\`, "'", `"`, "' OR 1=1 --", `"; DROP TABLE orders; --`, "?", "$1", ":a", "ä", "Ä", "[erased]", " ada", "",
}))

var (
	anyID     = rapid.StringMatching(`[AZ_az~.-]{1,3}`)
	anyStatus = rapid.SampledFrom(order.Statuses())
	anyCode   = rapid.SampledFrom([]string{"", "USD", "JPY"})
	anyLand   = rapid.SampledFrom([]order.Country{"", "DE", "IS"})
	anyPart   = rapid.SampledFrom([]string{"", "standard", "priority"})
	anyKey    = named(rapid.SampledFrom([]string{"k", "K", "tag"}))
	anyMinor  = rapid.SampledFrom([]int64{0, 1, 100, 10_000, 1_000_000})
)

// named has a generator make its name, which it would else do when it is first combined with
// another one, while tests beside that draw from it.
func named[V any](g *rapid.Generator[V]) *rapid.Generator[V] {
	_ = g.String()
	return g
}

func anyTime(t *rapid.T) time.Time {
	return day.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "tick")) * time.Microsecond)
}

func anySearchable(t *rapid.T) order.History {
	h := completed(anyID.Draw(t, "id"), func(rec *order.Record) {
		rec.CreatedAt, rec.Status, rec.Customer = anyTime(t), anyStatus.Draw(t, "status"), texts.Draw(t, "customer")
		rec.ProcessedAt = time.Time{}
		if rec.Status.Settled() {
			rec.ProcessedAt = anyTime(t)
		}
		rec.Queue, rec.Handling = rapid.SampledFrom(order.Queues()).Draw(t, "queue"), order.Handling(anyPart.Draw(t, "handling"))
		rec.Currency, rec.Country = order.Currency(anyCode.Draw(t, "currency")), anyLand.Draw(t, "country")
		rec.Amount = order.Money{Minor: anyMinor.Draw(t, "minor"), Decimals: rapid.IntRange(0, order.MaxDecimals).Draw(t, "decimals")}
		rec.Error = texts.Draw(t, "error") + texts.Draw(t, "more of the error")
		rec.Metadata = rapid.OneOf(rapid.Just(map[string]string(nil)), rapid.MapOfN(anyKey, texts, 0, 2)).Draw(t, "metadata")
	}, tagged(rapid.SliceOfN(texts, 0, 2).Draw(t, "tags")...))
	h.Sequence = rapid.IntRange(1, 1000).Draw(t, "sequence")
	return h
}

func anyFilter(t *rapid.T) order.Filter {
	sometimes := func(name string) bool { return rapid.IntRange(0, 5).Draw(t, name) == 0 }
	f := order.Filter{}
	if sometimes("by status") {
		f.Status = anyStatus.Draw(t, "of status")
	}
	if sometimes("by customer") {
		f.Customer = texts.Draw(t, "of customer")
	}
	if sometimes("by created") {
		f.CreatedFrom, f.CreatedTo = anyTime(t), anyTime(t).Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "ns")))
	}
	if sometimes("by prefix") {
		f.IDPrefix = rapid.OneOf(rapid.StringMatching(`[AZ_az~.-]{0,2}`), texts).Draw(t, "of prefix")
	}
	if sometimes("by queue") {
		f.Queue, f.Handling = rapid.SampledFrom(order.Queues()).Draw(t, "of queue"), order.Handling(anyPart.Draw(t, "of handling"))
	}
	if sometimes("by tag") {
		f.Tag = texts.Draw(t, "of tag")
	}
	if sometimes("by currency") {
		f.Currency, f.OrNoCurrency = order.Currency(anyCode.Draw(t, "of currency")), rapid.Bool().Draw(t, "or none")
	}
	if sometimes("by country") {
		f.Country = anyLand.Draw(t, "of country")
	}
	if sometimes("by amount") {
		f.AmountMin = &order.Money{Minor: anyMinor.Draw(t, "min"), Decimals: rapid.IntRange(0, order.MaxDecimals).Draw(t, "min decimals")}
	}
	if sometimes("by amount to") {
		f.AmountMax = &order.Money{Minor: anyMinor.Draw(t, "max"), Decimals: rapid.IntRange(0, order.MaxDecimals).Draw(t, "max decimals")}
	}
	if sometimes("by error") {
		f.ErrorContains = texts.Draw(t, "of error")
	}
	if sometimes("by fingerprint") {
		f.ErrorFingerprint = order.ErrorFingerprint(texts.Draw(t, "of fingerprint"))
	}
	if sometimes("by settled") {
		f.SettledFrom, f.SettledTo = anyTime(t), anyTime(t)
	}
	if sometimes("by metadata") {
		f.Metadata = rapid.MapOfN(anyKey, texts, 0, 2).Draw(t, "of metadata")
	}
	return f
}

// model returns the orders that a walk must meet.
func model(all []order.Record, f order.Filter, after order.Position) []order.Record {
	newestFirst := func(a, b order.Record) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	}
	var want []order.Record
	for _, rec := range all {
		position := order.Record{Order: order.Order{ID: after.ID}, CreatedAt: after.CreatedAt}
		if matches(rec, f) && (after.IsZero() || newestFirst(position, rec) < 0) {
			want = append(want, rec)
		}
	}
	slices.SortFunc(want, newestFirst)
	return want
}

func matches(rec order.Record, f order.Filter) bool {
	within := func(t, from, to time.Time) bool {
		return !t.Before(from) && (to.IsZero() || t.Before(to)) && (!t.IsZero() || from.IsZero() && to.IsZero())
	}
	settled := rec.ProcessedAt
	if rec.Status.Settled() && settled.Before(rec.CreatedAt) {
		settled = rec.CreatedAt // a clock went back
	}
	for key, value := range f.Metadata {
		if had, ok := rec.Metadata[key]; !ok || had != value {
			return false
		}
	}
	return (f.Status == "" || f.Status == rec.Status) &&
		(f.Customer == "" || f.Customer == rec.Customer) &&
		(f.Queue == "" || f.Queue == rec.Queue) &&
		(f.Handling == "" || f.Handling == rec.Handling) &&
		(f.Country == "" || f.Country == rec.Country) &&
		(f.Currency == "" || f.Currency == rec.Currency || f.OrNoCurrency && rec.Currency == "") &&
		(f.ErrorFingerprint == "" || rec.Status == order.StatusFailed && order.ErrorFingerprint(rec.Error) == f.ErrorFingerprint) &&
		(f.Tag == "" || slices.Contains(rec.Decision.Tags, f.Tag)) &&
		(f.AmountMin == nil || rec.Amount.Compare(*f.AmountMin) >= 0) &&
		(f.AmountMax == nil || rec.Amount.Compare(*f.AmountMax) <= 0) &&
		strings.HasPrefix(rec.ID, f.IDPrefix) && strings.Contains(rec.Error, f.ErrorContains) &&
		within(rec.CreatedAt, f.CreatedFrom, f.CreatedTo) && within(settled, f.SettledFrom, f.SettledTo)
}

// TestSearchManyInARange walks ranges of more orders than a search sorts, and of fewer.
func TestSearchManyInARange(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("puts 20,500 orders")
	}
	onBoth(t, func(t *testing.T, b *bundle) {
		made := generator{at: day}
		for made.n < 20_500 {
			b.put(t, made.next(500)...)
		}
		last := made.at
		for _, f := range []order.Filter{
			{Further: order.Further{IDPrefix: "o"}},
			{Further: order.Further{IDPrefix: made.ids[40]}},
			{Further: order.Further{SettledTo: last.Add(time.Hour)}},
			{Further: order.Further{SettledFrom: last.Add(time.Second - 20*gap)}},
		} {
			ids := b.found(t, f, 1000)
			want := map[bool]int{true: 20_500, false: 21}[f.IDPrefix == "o" || !f.SettledTo.IsZero()]
			if f.IDPrefix != "" && f.IDPrefix != "o" {
				want = 1
			}
			if len(ids) != want {
				t.Errorf("%d orders by %+v, want %d", len(ids), f, want)
			}
		}
	})
}

// TestExportEnds holds that an export ends with the first error of whoever reads it.
func TestExportEnds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		b.put(t, completed("o1"), completed("o2"))
		enough, read := errors.New("enough"), 0
		err := b.Export(t.Context(), order.Filter{}, func(order.Record) error { read++; return enough })
		if !errors.Is(err, enough) || read != 1 {
			t.Errorf("read %d orders, then %v", read, err)
		}
	})
}

// TestUnreadable holds that a record that cannot be read hides no other.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		b.put(t, completed("o1"), completed("o2"), completed("o3"))
		if err := b.Exec(t.Context(), "UPDATE orders SET record = '{' WHERE id = 'o2'"); err != nil {
			t.Fatal(err)
		}
		records, next, err := b.Search(t.Context(), order.Filter{}, order.Position{}, 2)
		if len(records) != 1 || records[0].ID != "o3" || next.ID != "o2" || !errors.Is(err, order.ErrUnreadable) {
			t.Errorf("page of %d, then %v: %v", len(records), next, err)
		}
		if _, _, err := b.Get(t.Context(), "o2"); !errors.Is(err, order.ErrUnreadable) {
			t.Errorf("Get: %v", err)
		}
	})
}

// TestNoValueIsPartOfAStatement searches for texts that would change a statement.
func TestNoValueIsPartOfAStatement(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		b.put(t, completed("o1"))
		const evil = `'"); DROP TABLE orders; -- ? $1 %`
		money := order.Cents(1250)
		for name, f := range map[string]order.Further{
			"id_prefix": {IDPrefix: evil}, "queue": {Queue: evil}, "handling": {Handling: evil}, "tag": {Tag: evil}, "currency": {Currency: evil},
			"currency or none": {Currency: evil, OrNoCurrency: true, AmountMin: &money, AmountMax: &money, Tag: "x"}, "country": {Country: evil},
			"error_contains": {ErrorContains: evil}, "error_fingerprint": {ErrorFingerprint: evil}, "metadata key": {Metadata: map[string]string{evil: "v"}}, "metadata value": {Metadata: map[string]string{"k": evil}},
			"NUL": {ErrorContains: "\x00", Tag: "\x00"}, "not UTF-8": {ErrorContains: "\xff", Tag: "\xff"},
		} {
			if ids := b.found(t, order.Filter{Further: f}, 10); ids != nil {
				t.Errorf("%s: found %v", name, ids)
			}
		}
		for _, f := range []order.Filter{{Status: evil}, {Customer: evil}} {
			if ids := b.found(t, f, 10); ids != nil {
				t.Errorf("%+v: found %v", f, ids)
			}
		}
		if len(b.found(t, order.Filter{}, 10)) != 1 {
			t.Error("the order is gone")
		}
	})
}
