package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/programtest"
)

// page is one page of the list.
type page struct {
	ids  []string
	next string // the cursor, empty on the last page
	link string // the target of the Link header, likewise
}

// list requests a page, and checks that the cursor and the Link header are there together.
func (s *site) list(t *testing.T, target string) page {
	t.Helper()
	var a answer
	programtest.Until(t, "the page is read in time", func() bool {
		a = s.ask(t, "GET", target, "")
		return a.code != 503
	})
	v := decode[struct {
		Orders     []struct{ ID string }
		NextCursor string `json:"next_cursor"`
	}](t, a, 200)
	p := page{ids: []string{}, next: v.NextCursor}
	for _, o := range v.Orders {
		p.ids = append(p.ids, o.ID)
	}
	link := a.header.Get("Link")
	if m := regexp.MustCompile(`^<(/orders\?[!-;=?-~]+)>; rel="next"$`).FindStringSubmatch(link); m != nil {
		p.link = m[1]
	}
	if (p.link == "") != (p.next == "") || (p.link == "") != (link == "") {
		t.Errorf("%s: Link is %q, next_cursor %q", target, link, p.next)
	}
	return p
}

// listTarget is the target of a list with parameters, which alternate names and values.
func listTarget(parameters ...string) string {
	query := url.Values{}
	for pair := range slices.Chunk(parameters, 2) {
		query.Set(pair[0], pair[1])
	}
	return "/orders?" + query.Encode()
}

// TestListFilters shows the orders that match all parameters, the newest first. The ledger
// has tests of each filter.
func TestListFilters(t *testing.T) {
	b := open(t)
	const ada, zoe = "Ada", "Zoë <z&y>"
	stock := []struct {
		customer string
		status   order.Status
	}{
		{ada, order.StatusPending},
		{ada, order.StatusFailed},
		{zoe, order.StatusPending},
		{zoe, order.StatusCompleted},
		{ada, order.StatusProcessing},
		{zoe, order.StatusFailed},
	}
	at := make([]time.Time, len(stock))
	for i, s := range stock {
		at[i] = b.reach(t, fmt.Sprint("o", i), s.status, ordertest.WithCustomer(s.customer)).CreatedAt
	}
	in := func(t time.Time, hours int) string {
		return t.In(time.FixedZone("", hours*3600)).Format(time.RFC3339Nano)
	}
	for _, row := range []struct {
		parameters []string
		want       string
	}{
		{nil, "543210"},
		{[]string{"status", "pending"}, "20"},
		{[]string{"status", "expedited"}, ""},
		{[]string{"customer", ada}, "410"},
		{[]string{"customer", zoe}, "532"},
		{[]string{"customer", strings.Repeat("é", 254)}, ""},
		{[]string{"created_from", in(at[3], 0)}, "543"},
		{[]string{"created_from", in(at[3].Add(time.Microsecond), 0)}, "54"},
		{[]string{"created_from", in(at[3], 9)}, "543"},
		{[]string{"created_to", in(at[3], 0)}, "210"},
		{[]string{"created_to", in(at[3], -5)}, "210"},
		{[]string{"created_from", "1970-01-01T00:00:00Z"}, "543210"},
		{[]string{"created_to", "1970-01-01T00:00:00Z"}, ""},
		{[]string{"created_from", "9999-12-31T23:59:59Z"}, ""},
		{[]string{"created_to", "9999-12-31T23:59:59.999999999Z"}, "543210"},
		{[]string{"created_from", in(at[4], 0), "created_to", in(at[2], 0)}, ""},
		{[]string{"customer", zoe, "status", "failed", "created_from", in(at[4], 9), "created_to", in(at[5].Add(time.Second), 0), "limit", "5"}, "5"},
	} {
		p := b.list(t, listTarget(row.parameters...))
		if got := strings.ReplaceAll(strings.Join(p.ids, ""), "o", ""); got != row.want || p.next != "" {
			t.Errorf("%q: orders %q, then %q; want %q", row.parameters, got, p.next, row.want)
		}
	}
}

// TestListShowsRecords shows each order as it is shown alone, and a list without any.
func TestListShowsRecords(t *testing.T) {
	b := open(t)
	for _, target := range []string{"/orders", "/orders?", "/orders?status=pending", "/orders?customer=Ada", "/orders?limit=1"} {
		a := b.ask(t, "GET", target, "")
		if a.code != 200 || string(a.body) != `{"orders":[]}` || a.header.Get("Link") != "" {
			t.Errorf("%s is answered %d %s, %v", target, a.code, a.body, a.header)
		}
	}
	b.checkEmpty(t)
	for _, status := range order.Statuses() {
		b.reach(t, string(status), status)
	}
	listed := decode[struct{ Orders []json.RawMessage }](t, b.ask(t, "GET", "/orders", ""), 200).Orders
	slices.Reverse(listed)
	for i, status := range order.Statuses() {
		alone := b.ask(t, "GET", "/orders/"+string(status), "")
		if diff := cmp.Diff(string(alone.body), string(listed[i])); diff != "" {
			t.Errorf("%s: %s", status, diff)
		}
	}
}

// TestListWithoutUnreadable leaves out a record that cannot be decoded, and logs it.
func TestListWithoutUnreadable(t *testing.T) {
	b := open(t)
	for _, id := range []string{"old", "broken", "new"} {
		b.reach(t, id, order.StatusPending)
	}
	must(t, b.rdb.HSet(t.Context(), "orders:{b0}:o:broken", "d", "{").Err())
	if diff := cmp.Diff([]string{"new", "old"}, b.list(t, "/orders").ids); diff != "" {
		t.Error(diff)
	}
	if log := b.log.String(); !strings.Contains(log, "orders cannot be listed") || !strings.Contains(log, "order broken") {
		t.Errorf("the log is %s", log)
	}
}

// fill accepts n orders and returns their ids, the newest first.
func (b *bundle) fill(t *testing.T, n int, opts ...ordertest.Option) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("o%03d", i)
		b.reach(t, ids[i], order.StatusPending, opts...)
	}
	slices.Reverse(ids)
	return ids
}

// TestListLimits shows as many orders as the limit allows, 50 without one.
func TestListLimits(t *testing.T) {
	b := open(t)
	ids := b.fill(t, 201)
	for query, want := range map[string]int{"": 50, "?limit=1": 1, "?limit=51": 51, "?limit=200": 200} {
		p := b.list(t, "/orders"+query)
		if diff := cmp.Diff(ids[:want], p.ids); diff != "" {
			t.Errorf("%q: %s", query, diff)
		}
		rest := b.list(t, "/orders?limit=200&cursor="+p.next)
		if diff := cmp.Diff(ids[want:], rest.ids); diff != "" {
			t.Errorf("after %q: %s", query, diff)
		}
	}
}

// TestListWalks meets every order once, by the cursor and by the Link header.
func TestListWalks(t *testing.T) {
	b := open(t)
	const customer = `Ada & "Zoë" <a@b>; rel="next"`
	ids := b.fill(t, 7, ordertest.WithCustomer(customer))
	b.reach(t, "other", order.StatusPending)
	from := time.Now().Add(-time.Hour).In(time.FixedZone("", 2*3600+1800)).Format(time.RFC3339)
	for limit, pages := range map[string]int{"1": 7, "3": 3, "6": 2, "7": 1} {
		parameters := []string{"customer", customer, "status", "pending", "created_from", from, "limit", limit}
		p := b.list(t, listTarget(parameters...))
		got := [][]string{p.ids}
		for p.next != "" && len(got) <= len(ids) {
			linked := b.list(t, p.link)
			p = b.list(t, listTarget(append(parameters, "cursor", p.next)...))
			if diff := cmp.Diff(p, linked, cmp.AllowUnexported(page{})); diff != "" {
				t.Fatalf("the Link header leads elsewhere than next_cursor: %s", diff)
			}
			got = append(got, p.ids)
		}
		if diff := cmp.Diff(ids, slices.Concat(got...)); diff != "" || len(got) != pages {
			t.Errorf("limit %s: %d pages; want %d: %s", limit, len(got), pages, diff)
		}
	}
}

// TestListRefuses lists every parameter that is wrong.
func TestListRefuses(t *testing.T) {
	b := open(t)
	for query, want := range map[string][]string{
		"limit=0":                    {"limit out_of_range"},
		"limit=201":                  {"limit out_of_range"},
		"limit=x":                    {"limit out_of_range"},
		"limit=%2B5":                 {"limit out_of_range"},
		"limit=99999999999999999999": {"limit out_of_range"},
		"limit=":                     {"limit invalid"},
		"limit=1&limit=1":            {"limit too_many"},
		"status=done":                {"status invalid"},
		"status=pending,failed":      {"status invalid"},
		"customer=":                  {"customer invalid"},
		"customer=" + strings.Repeat("%C3%A9", 255): {"customer too_long"},
		"customer=%FF":                           {"customer invalid"},
		"created_from=2026-11-23T12:00:00":       {"created_from invalid"},
		"created_from=2026-11-23T12:00:00+01:00": {"created_from invalid"}, // the plus is a space
		"created_to=1969-12-31T23:59:59.999999Z": {"created_to invalid"},
		"colour=red":                             {"colour unknown_field"},
		"=5":                                     {`"" unknown_field`},
		"%3Cscript%3Ealert(1)%3C/script%3E=1":    {"<script>alert(1)</script> unknown_field"},
		"a%00%0D%0A%1Bb=1":                       {"a    b unknown_field"},
		"%FF=1":                                  {"\ufffd unknown_field"},
		strings.Repeat("%C3%A9", 50) + "=1":      {strings.Repeat("é", 32) + "… unknown_field"},
		"customer=a%2":                           {"query invalid"},
		"limit=5;status=pending":                 {"query invalid"},
		"status=x&colour=1&limit=0&created_from=x&created_to=x&customer=%FF&cursor=x&limit=1&b=1&=&a=%zz": {
			"query invalid", `"" unknown_field`, "b unknown_field", "colour unknown_field", "limit too_many", "status invalid",
			"customer invalid", "created_from invalid", "created_to invalid", "limit out_of_range", "cursor invalid",
		},
	} {
		p := b.checkRefused(t, "GET", "/orders?"+query, "", want...)
		if len(want) == 1 && !strings.HasPrefix(p.Detail, p.Errors[0].Field+" ") {
			t.Errorf("detail is %q", p.Detail)
		}
	}
	b.checkEmpty(t)
}

// forged is a cursor of the list of all orders, made by somebody who knows the format.
func forged(position string) string {
	sum := sha256.Sum256([]byte(position + "\x00list\x00\x00\x00\x00"))
	return base64.RawURLEncoding.EncodeToString([]byte(position + string(sum[:8])))
}

// TestCursors refuses what is not a cursor of this list.
func TestCursors(t *testing.T) {
	b := open(t)
	b.fill(t, 3)
	b.reach(t, "f1", order.StatusFailed)
	b.reach(t, "f2", order.StatusFailed)
	cursor := b.list(t, "/orders?limit=1").next
	for _, text := range []string{
		"", "garbage",
		b.list(t, "/orders?limit=1&status=pending").next,
		b.list(t, "/orders?limit=1&customer=Ada+Lovelace").next,
		b.list(t, "/orders?limit=1&created_from=2026-01-01T00:00:00Z").next,
		b.list(t, "/orders?limit=1&created_to=9999-01-01T00:00:00Z").next,
		b.retry(t, `{"status":"failed","limit":1,"dry_run":true}`).NextCursor,
		cursor + "=", cursor + "A", cursor + cursor, cursor + strings.Repeat("A", 10_000),
		" " + cursor, cursor + "\n", cursor[:9] + "\r\n" + cursor[9:], cursor[1:], "_" + cursor[1:], strings.Repeat("+/", 20), forged(""), forged("1234567"), forged("12345678"),
	} {
		b.checkRefused(t, "GET", listTarget("cursor", text), "", "cursor invalid")
	}
	b.list(t, "/orders?cursor="+cursor)
	b.list(t, "/orders?cursor="+forged("12345678o000"))
	b.ask(t, "GET", "/orders?status=pending&cursor="+cursor, "").problem(t, 400)
	b.ask(t, "GET", "/orders?cursor="+cursor+"&cursor="+cursor, "").problem(t, 400)
}
