package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/archive"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

const (
	typeNeedsArchive = "tag:orderprocessor,2026:archive-required"
	typeArchiveAway  = "tag:orderprocessor,2026:archive-unavailable"
)

// until is up to when the archive of a test has every outcome.
type until struct{ time.Time }

func (u until) ArchivedUntil(context.Context) (time.Time, error) { return u.Time, nil }

var asOf = until{time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)}

// archived is a bundle with an archive.
type archived struct {
	*bundle
	archive *archive.Archive
}

func openArchived(t *testing.T, change ...func(*parts)) *archived {
	t.Helper()
	store, err := archive.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "archive.db"))
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return &archived{open(t, append([]func(*parts){func(p *parts) { p.Archive, p.Archived = store, asOf }}, change...)...), store}
}

// keep writes an order as it is into the archive.
func (b *archived) keep(t *testing.T, id string) {
	t.Helper()
	rec, err := b.ledger.Get(t.Context(), id)
	must(t, err)
	events, err := b.ledger.Events(t.Context(), id)
	must(t, err)
	must(t, b.archive.Put(t.Context(), []order.History{{Record: rec, Events: events, Sequence: events[len(events)-1].Sequence}}))
}

// forget removes all settled orders from the ledger.
func (b *archived) forget(t *testing.T) {
	t.Helper()
	_, err := b.ledger.Books()[0].Forget(t.Context(), time.Now().Add(time.Minute), 1000)
	must(t, err)
}

// TestBothPlaces reads orders before and after they left Redis, and sees no difference but
// that they are archived.
func TestBothPlaces(t *testing.T) {
	b := openArchived(t)
	full := func(id string) ordertest.Option {
		return func(s *order.Submission) { ordertest.Full(s); s.ID = id }
	}
	_, _, err := ledgertest.Accept(t.Context(), b.ledger, ordertest.Order(t, full("done")), order.QueueLow)
	must(t, err)
	c := claim("done", "a", order.HandlingStandard)
	c.Decision = &order.Decision{
		Version: "builtin", Action: order.ActionApprove, Handling: order.HandlingStandard, Tags: []string{"vip"}, Matched: []bool{false, true},
		Customer: &order.CustomerFacts{},
	}
	_, err = b.ledger.Begin(t.Context(), c)
	must(t, err)
	must(t, b.ledger.Settle(t.Context(), c, order.Outcome{Status: order.StatusCompleted, Note: "thanks"}))
	ids := []string{"done"}
	for _, status := range order.Statuses() {
		if status.Settled() {
			b.reach(t, string(status), status)
			ids = append(ids, string(status))
		}
	}
	var paths []string
	before := map[string]answer{}
	for _, id := range ids {
		for _, path := range []string{"/orders/" + id, "/orders/" + id + "/events", "/orders/" + id + "/decision"} {
			paths = append(paths, path)
			before[path] = b.ask(t, "GET", path, "")
		}
		b.keep(t, id)
	}
	list := string(b.ask(t, "GET", "/orders", "").body)
	b.forget(t)
	if n := b.rdb.Exists(t.Context(), "orders:{b0}:o:done").Val(); n != 0 {
		t.Fatal("the orders have not left")
	}
	for _, path := range paths {
		after := b.ask(t, "GET", path, "")
		want := string(before[path].body)
		if before[path].code == 200 {
			want = strings.TrimSuffix(want, "}") + `,"archived":true}`
		} else {
			after.body, want = nil, "" // with another request id
		}
		if diff := cmp.Diff(want, string(after.body)); diff != "" || after.code != before[path].code {
			t.Errorf("%s is answered %d, before %d: %s", path, after.code, before[path].code, diff)
		}
	}
	listed := string(b.ask(t, "GET", "/orders", "").body)
	if diff := cmp.Diff(list, strings.ReplaceAll(listed, `,"archived":true`, "")); diff != "" || strings.Count(listed, "archived") != len(ids) {
		t.Errorf("the list: %s", diff)
	}
	b.ask(t, "GET", "/orders/nowhere", "").problem(t, 404)
}

// TestFilters finds orders by each field of the archive, and nothing that means something
// to a database.
func TestFilters(t *testing.T) {
	b := openArchived(t, func(p *parts) {
		p.cfg.Terms = order.Terms{Currency: "USD", Currencies: []order.Currency{"USD", "JPY"}}
	})
	settled := map[string]time.Time{}
	add := func(id string, status order.Status, opts ...ordertest.Option) {
		b.reach(t, id, status, opts...)
		rec, err := b.ledger.Get(t.Context(), id)
		must(t, err)
		settled[id] = rec.ProcessedAt
		rec.Decision = &order.Decision{Version: "builtin", Action: order.ActionApprove, Tags: []string{"vip" + id, "50%_off"}}
		if id == "a2" {
			rec.Queue, rec.Handling, rec.Error = order.QueueLow, order.HandlingPriority, "shop 7: answered 500, 100% _lost_"
		}
		must(t, b.archive.Put(t.Context(), []order.History{{Record: rec, Sequence: 10}}))
	}
	full := func(s *order.Submission) { id := s.ID; ordertest.Full(s); s.ID, s.Currency = id, "" }
	withID := func(id string) ordertest.Option { return func(s *order.Submission) { s.ID = id } }
	add("a1", order.StatusCompleted, withID("a1"), full)
	add("a2", order.StatusFailed, ordertest.WithAmount("20"))
	add("b1", order.StatusCompleted, ordertest.WithCurrency("JPY"), ordertest.WithAmount("30"), ordertest.WithCustomer("Zoë"))
	b.forget(t)
	at := func(id string) string { return settled[id].Format(time.RFC3339Nano) }
	for _, row := range []struct {
		parameters []string
		want       string
	}{
		{[]string{"id_prefix", "a"}, "a2 a1"},
		{[]string{"id_prefix", "_"}, ""},
		{[]string{"id_prefix", "."}, ""},
		{[]string{"queue", "low"}, "a2"},
		{[]string{"handling", "priority"}, "a2"},
		{[]string{"tag", "vipb1"}, "b1"},
		{[]string{"tag", "50%_off"}, "b1 a2 a1"},
		{[]string{"tag", "%"}, ""},
		{[]string{"tag", "' OR 1=1 --"}, ""},
		{[]string{"currency", "JPY"}, "b1"},
		{[]string{"currency", "USD"}, "a2 a1"},
		{[]string{"country", "US"}, "a1"},
		{[]string{"amount_min", "20", "amount_max", "20.0000"}, "a2"},
		{[]string{"amount_min", "2e1"}, "b1 a2 a1"},
		{[]string{"amount_max", "29.9999"}, "a2"},
		{[]string{"error_contains", "100% _lost_"}, "a2"},
		{[]string{"error_contains", "%"}, "a2"},
		{[]string{"error_contains", "_ost"}, ""},
		{[]string{"error_contains", `\`}, ""},
		{[]string{"error_contains", "\x00"}, ""},
		{[]string{"error_contains", `"; DROP TABLE orders; --`}, ""},
		{[]string{"error_fingerprint", "shop #: answered 500, #% _lost_"}, "a2"},
		{[]string{"error_fingerprint", "%"}, ""},
		{[]string{"settled_from", at("a2")}, "b1 a2"},
		{[]string{"settled_to", at("a2")}, "a1"},
		{[]string{"metadata.basket", "77"}, "a1"},
		{[]string{"metadata.basket", "%"}, ""},
		{[]string{"metadata.Basket", "77"}, ""},
		{[]string{"customer", "Zoë", "status", "completed", "tag", "vipb1", "created_to", "9999-01-01T00:00:00Z"}, "b1"},
		{[]string{"status", "failed", "id_prefix", "a"}, "a2"},
	} {
		target := listTarget(row.parameters...)
		a := b.ask(t, "GET", target, "")
		v := decode[struct {
			Orders []struct {
				ID       string
				Archived bool
			}
			AsOf time.Time `json:"as_of"`
		}](t, a, 200)
		var ids []string
		for _, o := range v.Orders {
			ids = append(ids, o.ID)
			if !o.Archived {
				t.Errorf("%s: %s is not archived", target, o.ID)
			}
		}
		if got := strings.Join(ids, " "); got != row.want || !v.AsOf.Equal(asOf.Time) {
			t.Errorf("%s: orders %q as of %v, want %q", target, got, v.AsOf, row.want)
		}
		export := b.ask(t, "GET", strings.Replace(target, "/orders?", "/orders/export?", 1), "")
		if got := strings.Count(string(export.body), "\n"); export.code != 200 || got != len(ids) {
			t.Errorf("%s exports %d orders, not %d", target, got, len(ids))
		}
	}
	first := b.list(t, "/orders?limit=1&amount_min=20")
	second := b.list(t, first.link)
	if got := fmt.Sprint(first.ids, second.ids); got != "[b1] [a2]" {
		t.Errorf("two pages have %s", got)
	}
	for _, other := range []string{"amount_min=20.0&limit=1", "amount_max=20", "amount_min=20&tag=x", "status=failed", "amount_min=20&metadata.k=v", ""} {
		b.checkRefused(t, "GET", "/orders?"+other+"&cursor="+first.next, "", "cursor invalid")
	}
}

// TestPagesAreBounded ends a page of long orders early, and misses none.
func TestPagesAreBounded(t *testing.T) {
	b := openArchived(t)
	var all []order.History
	for i := range 30 {
		rec := order.Record{
			Order:  ordertest.Order(t, ordertest.WithID(fmt.Sprintf("o%02d", i))),
			Status: order.StatusCompleted, Queue: order.QueueLow, CreatedAt: time.UnixMicro(int64(1e15 + i)).UTC(),
		}
		rec.Notes = strings.Repeat("x", 250_000)
		all = append(all, order.History{Record: rec, Sequence: 1})
	}
	must(t, b.archive.Put(t.Context(), all))
	for _, target := range []string{"/orders?limit=200", "/orders?limit=200&queue=low"} {
		first := b.list(t, target)
		second := b.list(t, target+"&cursor="+first.next)
		ids := slices.Concat(first.ids, second.ids)
		if len(first.ids) != 17 || len(ids) != 30 || ids[0] != "o29" || ids[29] != "o00" || second.next != "" {
			t.Errorf("%s: pages of %v and %v, then %q", target, first.ids, second.ids, second.next)
		}
	}
}

// TestFiltersRefused lists what is wrong with a filter, and what needs an archive.
func TestFiltersRefused(t *testing.T) {
	b := openArchived(t)
	keys := "metadata.a=v&metadata.b=v&metadata.c=v&metadata.d=v&metadata.e=v&metadata.f=v&metadata.g=v&metadata.h=v&metadata.i=v&metadata.j=v&metadata.k=v"
	for query, want := range map[string]string{
		"id_prefix=a%20b": "id_prefix invalid", "id_prefix=%27": "id_prefix invalid", "id_prefix=": "id_prefix invalid",
		"id_prefix=" + strings.Repeat("x", 129): "id_prefix invalid", "queue=fast": "queue invalid", "handling=held": "handling invalid",
		"tag=" + strings.Repeat("x", 41): "tag too_long", "tag=%FF": "tag invalid", "currency=usd": "currency invalid", "currency=XYZ": "currency invalid",
		"country=Germany": "country invalid", "country=ZZ": "country invalid", "amount_min=-1": "amount_min out_of_range", "amount_min=1,5": "amount_min invalid",
		"amount_min=NaN": "amount_min invalid", "amount_max=1e99999999999": "amount_max invalid", "amount_max=0.00001": "amount_max invalid",
		"amount_min=2&amount_max=1": "amount_max out_of_range", "error_contains=" + strings.Repeat("x", 201): "error_contains too_long",
		"error_fingerprint=" + strings.Repeat("x", 1025): "error_fingerprint too_long", "settled_from=today": "settled_from invalid",
		"tag=a&tag=b": "tag too_many", "metadata.a=1&metadata.a=2": "metadata.a too_many", "metadata.=1": "metadata. invalid", "metadata.a%20b=1": "metadata.a b invalid",
		"metadata.a=": "metadata.a invalid", "metadata." + strings.Repeat("x", 41) + "=1": "metadata." + strings.Repeat("x", 40) + "… invalid",
		"metadata.a=" + strings.Repeat("x", 501): "metadata.a too_long", keys: "metadata too_many", "metadata=1": "metadata unknown_field", "metadatas.a=1": "metadatas.a unknown_field",
		"format=xml": "format invalid", "limit=1": "limit unknown_field",
	} {
		if !strings.HasPrefix(query, "format") && !strings.HasPrefix(query, "limit") {
			b.checkRefused(t, "GET", "/orders?"+query, "", want)
		}
		b.checkRefused(t, "GET", "/orders/export?"+query, "", want)
	}
	without := serve(t, parts{Parts: api.Parts{Records: b.ledger}})
	for _, path := range []string{"/orders?", "/orders/export?"} {
		p := without.ask(t, "GET", path+"status=failed&tag=a&metadata.k=v&settled_to=2026-01-01T00:00:00Z", "").problem(t, 400)
		if diff := cmp.Diff([]string{"metadata.k invalid", "settled_to invalid", "tag invalid"}, p.fields()); diff != "" || p.Type != typeNeedsArchive {
			t.Errorf("without an archive the type is %q: %s", p.Type, diff)
		}
		without.checkRefused(t, "GET", path+"tag=", "", "tag invalid") // what is wrong comes first
	}
}

// TestArchiveAway answers from the ledger what it can, and says what is missing.
func TestArchiveAway(t *testing.T) {
	b := openArchived(t)
	b.reach(t, "failed", order.StatusFailed)
	b.reach(t, "pending", order.StatusPending)
	must(t, b.archive.Close())
	b.ask(t, "GET", "/orders/failed", "").object(t, 200)
	for _, path := range []string{
		"/orders/gone", "/orders/gone/events", "/orders/gone/decision", "/orders?queue=low", "/orders/export", "/orders/export?queue=low", "/orders/export?format=csv",
	} {
		a := b.ask(t, "GET", path, "")
		if p := a.problem(t, 503); p.Type != typeArchiveAway || a.header.Get("Retry-After") != "1" {
			t.Errorf("%s: type %q, headers %v", path, p.Type, a.header)
		}
	}
	v := decode[struct {
		Orders     []struct{ ID string }
		Incomplete bool
	}](t, b.ask(t, "GET", "/orders", ""), 200)
	if len(v.Orders) != 2 || !v.Incomplete {
		t.Errorf("the list is %+v", v)
	}
	if log := b.log.String(); !strings.Contains(log, "archive is unavailable") {
		t.Errorf("the log does not say why: %s", log)
	}
	if v := b.failures(t, "/failures"); !v.Incomplete || len(v.Groups) != 1 {
		t.Errorf("the failures are %+v", v)
	}
}

// TestExportPath reads the order whose id is the name of the export.
func TestExportPath(t *testing.T) {
	b := open(t)
	a := b.ask(t, "POST", "/orders", body("id", quoted(1, "export")))
	a.object(t, 201)
	got := b.askRaw(t, "GET "+a.header.Get("Location")+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").object(t, 200)["id"]
	if got != "export" {
		t.Errorf("%s is the order %v", a.header.Get("Location"), got)
	}
}

// groups are the groups of failures.
type groups struct {
	Groups []struct {
		Fingerprint, Error, Note string
		Orders                   int
		FirstSeen                time.Time `json:"first_seen"`
		LastSeen                 time.Time `json:"last_seen"`
		Queue                    order.Queue
		ExampleIDs               []string `json:"example_ids"`
	}
	AsOf       time.Time `json:"as_of"`
	Incomplete bool
}

func (s *site) failures(t *testing.T, target string) groups {
	t.Helper()
	return decode[groups](t, s.ask(t, "GET", target, ""), 200)
}

// TestFailures groups the failed orders of both places alike.
func TestFailures(t *testing.T) {
	b := openArchived(t)
	if got := string(b.ask(t, "GET", "/failures", "").body); got != `{"groups":[],"as_of":"2026-11-23T12:00:00.123456Z"}` {
		t.Errorf("without failures: %s", got)
	}
	var third time.Time
	for i := range 9 {
		id, reason := fmt.Sprint("o", i), fmt.Sprintf("no stock of item-%d", i)
		if i > 6 {
			reason = "shop answered 503"
		}
		b.reach(t, id, order.StatusProcessing)
		b.settle(t, id, "a", order.Outcome{Status: order.StatusFailed, Error: reason, Note: fmt.Sprint("note ", i)})
		rec, err := b.ledger.Get(t.Context(), id)
		must(t, err)
		if i == 2 {
			third = rec.ProcessedAt
		}
		b.keep(t, id)
	}
	b.reach(t, "rejected", order.StatusRejected)
	b.keep(t, "rejected")
	without := serve(t, parts{Parts: api.Parts{Records: b.ledger}})
	since := "since=" + url.QueryEscape(third.Format(time.RFC3339Nano))
	for _, query := range []string{"", "?limit=1", "?limit=2&since=1970-01-01T00:00:00Z", "?" + since, "?since=9999-01-01T00:00:00Z"} {
		got, kept := b.failures(t, "/failures"+query), without.failures(t, "/failures"+query)
		if !got.AsOf.Equal(asOf.Time) || !kept.AsOf.IsZero() || got.Incomplete || kept.Incomplete {
			t.Errorf("%q: as of %v, %v", query, got.AsOf, kept.AsOf)
		}
		got.AsOf = time.Time{}
		if diff := cmp.Diff(got, kept); diff != "" {
			t.Errorf("%q: the archive and the ledger differ: %s", query, diff)
		}
	}
	all := b.failures(t, "/failures").Groups
	if len(all) != 2 || all[0].Fingerprint != "no stock of #" || all[0].Error != "no stock of item-6" || all[0].Note != "note 6" || all[0].Orders != 7 ||
		fmt.Sprint(all[0].ExampleIDs) != "[o6 o5 o4 o3 o2]" || all[1].Fingerprint != "shop answered 503" || all[1].Orders != 2 {
		t.Errorf("the groups are %+v", all)
	}
	if one := b.failures(t, "/failures?"+since).Groups; one[0].Orders != 5 || !one[0].FirstSeen.Equal(third) {
		t.Errorf("since the third the groups are %+v", one)
	}
	if got := b.list(t, listTarget("error_fingerprint", all[0].Fingerprint)).ids; len(got) != 7 {
		t.Errorf("the orders of a group are %v", got)
	}
	for query, want := range map[string]string{
		"limit=0": "limit out_of_range", "limit=1001": "limit out_of_range", "since=now": "since invalid", "status=failed": "status unknown_field",
	} {
		b.checkRefused(t, "GET", "/failures?"+query, "", want)
	}
}

// TestUntilUnknown does not hide an error of the ledger behind an answer of the archive.
func TestUntilUnknown(t *testing.T) {
	b := openArchived(t, func(p *parts) { p.Archived = noUntil{} })
	if p := b.ask(t, "GET", "/orders?queue=low", "").problem(t, 503); p.Type != typeUnavailable {
		t.Errorf("type is %q", p.Type)
	}
}

type noUntil struct{}

func (noUntil) ArchivedUntil(context.Context) (time.Time, error) {
	return time.Time{}, errors.Join(order.ErrUnavailable)
}
