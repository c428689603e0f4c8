package api_test

import (
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
)

// page is one answer of the list.
type page struct {
	ids  []string
	next string // the cursor, empty on the last page
	link string // what the Link header leads to, likewise
}

// list asks for a page, and holds its two ways to the next one together.
func (s *site) list(t *testing.T, target string) page {
	t.Helper()
	a := s.ask(t, "GET", target, "")
	a.object(t, 200)
	var v struct {
		Orders     []struct{ ID string }
		NextCursor string `json:"next_cursor"`
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatal(err)
	}
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

// of spells the target of a list.
func of(query url.Values) string { return "/orders?" + query.Encode() }

// when writes a time as the API does.
func when(t time.Time) string { return t.Format(time.RFC3339Nano) }

// TestListFilters shows the orders that match all that is asked, newest first.
func TestListFilters(t *testing.T) {
	b := open(t)
	stock := []struct {
		customer string
		status   order.Status
	}{
		{"Ada", order.StatusPending},
		{"Ada", order.StatusFailed},
		{"Zoë <z&y>", order.StatusPending},
		{"Zoë <z&y>", order.StatusCompleted},
		{"Ada", order.StatusProcessing},
		{"Ada", order.StatusCancelled},
		{"Zoë <z&y>", order.StatusFailed},
		{"Ada", order.StatusRetrying},
		{"Ada", order.StatusScheduled},
		{"Zoë <z&y>", order.StatusRejected},
	}
	at := make([]time.Time, len(stock))
	for i, s := range stock {
		at[i] = b.reach(t, fmt.Sprint("o", i), s.status, ordertest.WithCustomer(s.customer)).CreatedAt
	}
	tokyo, newYork := time.FixedZone("", 9*3600), time.FixedZone("", -5*3600)
	rows := []struct {
		name  string
		query []string
		want  string
	}{
		{"all", nil, "9876543210"},
		{"pending", []string{"status", "pending"}, "20"},
		{"failed", []string{"status", "failed"}, "61"},
		{"cancelled", []string{"status", "cancelled"}, "5"},
		{"scheduled", []string{"status", "scheduled"}, "8"},
		{"none expedited", []string{"status", "expedited"}, ""},
		{"customer", []string{"customer", "Ada"}, "875410"},
		{"customer, other signs", []string{"customer", "Zoë <z&y>"}, "9632"},
		{"customer, other case", []string{"customer", "ada"}, ""},
		{"customer, part of it", []string{"customer", "Ad"}, ""},
		{"unknown customer of 254 signs", []string{"customer", strings.Repeat("é", 254)}, ""},
		{"from", []string{"created_from", when(at[4])}, "987654"},
		{"from just after", []string{"created_from", when(at[4].Add(time.Microsecond))}, "98765"},
		{"to", []string{"created_to", when(at[4])}, "3210"},
		{"to just after", []string{"created_to", when(at[4].Add(time.Microsecond))}, "43210"},
		{"between", []string{"created_from", when(at[2]), "created_to", when(at[7])}, "65432"},
		{"at one time", []string{"created_from", when(at[2]), "created_to", when(at[2])}, ""},
		{"the wrong way round", []string{"created_from", when(at[7]), "created_to", when(at[2])}, ""},
		{"in Tokyo", []string{"created_from", when(at[4].In(tokyo))}, "987654"},
		{"in New York", []string{"created_to", when(at[4].In(newYork))}, "3210"},
		{"from the first second", []string{"created_from", "1970-01-01T00:00:00Z"}, "9876543210"},
		{"to the first second", []string{"created_to", "1970-01-01T00:00:00Z"}, ""},
		{"from the last second", []string{"created_from", "9999-12-31T23:59:59Z"}, ""},
		{"to the last second", []string{"created_to", "9999-12-31T23:59:59.999999999Z"}, "9876543210"},
		{"customer and status", []string{"customer", "Ada", "status", "failed"}, "1"},
		{"customer and from", []string{"customer", "Ada", "created_from", when(at[5])}, "875"},
		{"status and to", []string{"status", "failed", "created_to", when(at[6])}, "1"},
		{
			"everything",
			[]string{"customer", "Zoë <z&y>", "status", "failed", "created_from", when(at[6].In(tokyo)), "created_to", when(at[9]), "limit", "5"},
			"6",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			query := url.Values{}
			for i := 0; i+1 < len(row.query); i += 2 {
				query.Set(row.query[i], row.query[i+1])
			}
			p := b.list(t, of(query))
			if got := strings.ReplaceAll(strings.Join(p.ids, ""), "o", ""); got != row.want {
				t.Errorf("orders %q; want %q", got, row.want)
			}
			if p.next != "" {
				t.Errorf("there is more, after %q", p.next)
			}
		})
	}
}

// TestListShowsRecords shows each order as it is shown alone, and a list without any.
func TestListShowsRecords(t *testing.T) {
	b := open(t)
	for _, target := range []string{"/orders", "/orders?", "/orders?status=pending", "/orders?customer=Ada", "/orders?limit=1"} {
		a := b.ask(t, "GET", target, "")
		if a.code != 200 || string(a.body) != `{"orders":[]}` || a.header.Get("Link") != "" {
			t.Errorf("%s is %d %s, %v", target, a.code, a.body, a.header)
		}
	}
	b.empty(t)
	for _, status := range order.Statuses() {
		b.reach(t, string(status), status)
	}
	var listed struct{ Orders []json.RawMessage }
	if err := json.Unmarshal(b.ask(t, "GET", "/orders", "").body, &listed); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(listed.Orders)
	for i, status := range order.Statuses() {
		alone := b.ask(t, "GET", "/orders/"+string(status), "")
		if diff := cmp.Diff(string(alone.body), string(listed.Orders[i])); diff != "" {
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
	if err := b.rdb.HSet(t.Context(), "orders:{b0}:o:broken", "d", "{").Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"new", "old"}, b.list(t, "/orders").ids); diff != "" {
		t.Error(diff)
	}
	if log := b.log.String(); !strings.Contains(log, "orders cannot be listed") || !strings.Contains(log, "order broken") {
		t.Errorf("the log says %s", log)
	}
}
