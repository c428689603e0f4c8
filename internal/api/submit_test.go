package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestSubmit compares the answer to a new order with the contract, member by member.
func TestSubmit(t *testing.T) {
	b := open(t)
	type members = map[string]any
	for _, row := range []struct {
		body   string
		amount string // as it is written
		want   members
	}{
		{body("priority", `1`), "12.50", members{
			"id": "ord_1", "items": []any{"tea", "cups"}, "customer": "ada@example.com",
			"address": "12 Main Street\nLondon", "priority": 1.0, "notes": "ring twice", "queue": "critical",
		}},
		{`{"amount":1,"items":["a"],"customer":"Ada","address":"x"}`, "1.00", members{
			"items": []any{"a"}, "customer": "Ada", "address": "x", "priority": 2.0, "queue": "default",
		}},
		{`{"id":"a.B-9_","amount":125e-1,"items":["a"],"customer":"<b>&","address":"a\r\n\tb","priority":3,"notes":" "}`, "12.50", members{
			"id": "a.B-9_", "items": []any{"a"}, "customer": "<b>&", "address": "a\r\n\tb", "priority": 3.0, "queue": "low",
		}},
		{`{"id":"high","amount":1000.01,"items":["a"],"customer":"Ada","address":"x","priority":3}`, "1000.01", members{
			"id": "high", "items": []any{"a"}, "customer": "Ada", "address": "x", "priority": 3.0, "queue": "critical",
		}},
	} {
		a := b.ask(t, "POST", "/orders", row.body)
		got := a.object(t, 201)
		if row.want["id"] == nil {
			row.want["id"] = got["id"]
			if id, err := uuid.Parse(fmt.Sprint(got["id"])); err != nil || id.Version() != 7 || id.String() != got["id"] {
				t.Errorf("id %v is not a UUIDv7: %v", got["id"], err)
			}
		}
		if !strings.Contains(string(a.body), `"amount":`+row.amount+`,`) {
			t.Errorf("the amount is not written as %s: %s", row.amount, a.body)
		}
		removeTime(t, got, "created_at")
		delete(got, "amount")
		row.want["status"], row.want["attempts"] = "pending", []any{}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Error(diff)
		}
		for name, want := range map[string]string{
			"Location": fmt.Sprint("/orders/", got["id"]), "Content-Type": "application/json", "Idempotency-Replayed": "",
		} {
			if a.header.Get(name) != want {
				t.Errorf("%s is %q; want %q", name, a.header.Get(name), want)
			}
		}
		if again := b.ask(t, "GET", a.header.Get("Location"), ""); string(again.body) != string(a.body) {
			t.Errorf("read again, the order is %s; it was %s", again.body, a.body)
		}
	}
}

// TestSubmitKeepsEveryField submits an order with every field and reads the same fields. A
// batch keeps them as well.
func TestSubmitKeepsEveryField(t *testing.T) {
	b := open(t)
	full := ordertest.Order(t, ordertest.Full)
	text, err := json.Marshal(full.View())
	must(t, err)
	b.ask(t, "POST", "/orders", string(text)).object(t, 201)
	if diff := cmp.Diff(full, decode[order.Order](t, b.ask(t, "GET", "/orders/full", ""), 200)); diff != "" {
		t.Error(diff)
	}
	if v := b.batch(t, string(text))[0]; v.Status != 200 {
		t.Errorf("sent again in a batch, its verdict is %+v", v)
	}
}

// TestMetadata shows what was sent, an empty object too.
func TestMetadata(t *testing.T) {
	b := open(t)
	for sent, shown := range map[string]string{`{}`: `"metadata":{},`, `{"b":"","a":"1"}`: `"metadata":{"a":"1","b":""},`} {
		id := fmt.Sprint("o", len(sent))
		a := b.ask(t, "POST", "/orders", withID(id, "metadata", sent, "country", `"DE"`))
		if a.code != 201 || !strings.Contains(string(a.body), shown) || !strings.Contains(string(a.body), `"country":"DE",`) {
			t.Errorf("%s: %d %s", sent, a.code, a.body)
		}
		b.ask(t, "POST", "/orders", withID(id, "metadata", sent, "country", `"DE"`)).object(t, 200)
		b.ask(t, "POST", "/orders", withID(id, "country", `"DE"`)).problem(t, 409)
	}
	for sent, problem := range map[string]string{
		`null`: "metadata wrong_type", `[]`: "metadata wrong_type", `"a"`: "metadata wrong_type", `{"a":1}`: "metadata.a wrong_type",
		`{"a":null}`: "metadata.a wrong_type", `{"a b":"1"}`: "metadata.a b invalid", `{"":"1"}`: "metadata. invalid",
	} {
		p := b.ask(t, "POST", "/orders", withID("bad", "metadata", sent)).problem(t, 400)
		if diff := cmp.Diff([]string{problem}, p.fields()); diff != "" {
			t.Errorf("%s: %s", sent, diff)
		}
	}
	b.ask(t, "POST", "/orders", withID("bad", "metadata", `{"a":"1","a":"2"}`)).problem(t, 400)
}

// TestItems shows items as they were sent, and refuses what an item is not.
func TestItems(t *testing.T) {
	b := open(t)
	sent := `["tea",{"name":"cups"},{"quantity":6,"name":"cups","unit_price":2.5,"sku":"c-1"},{"name":"gift","quantity":1,"unit_price":0}]`
	want := `"items":["tea",{"name":"cups"},{"name":"cups","sku":"c-1","quantity":6,"unit_price":2.50},{"name":"gift","quantity":1,"unit_price":0.00}],`
	for range 2 {
		if a := b.ask(t, "POST", "/orders", withID("o", "items", sent)); a.code/100 != 2 || !strings.Contains(string(a.body), want) {
			t.Errorf("%d %s", a.code, a.body)
		}
	}
	if a := b.ask(t, "GET", "/orders/o", ""); !strings.Contains(string(a.body), want) {
		t.Errorf("it is read as %s", a.body)
	}
	b.ask(t, "POST", "/orders", withID("o", "items", strings.Replace(sent, `{"name":"cups"}`, `"cups"`, 1))).problem(t, 409)
	for sent, problem := range map[string]string{
		`[1]`: "items[0] wrong_type", `[null]`: "items[0] wrong_type", `[["a"]]`: "items[0] wrong_type", `[{}]`: "items[0].name required",
		`["a",{"name":1}]`: "items[1].name wrong_type", `[{"name":""}]`: "items[0].name required", `[{"name":"a","sku":""}]`: "items[0].sku invalid",
		`[{"name":"a","quantity":"1"}]`: "items[0].quantity wrong_type", `[{"name":"a","quantity":1.5}]`: "items[0].quantity invalid",
		`[{"name":"a","unit_price":0.005}]`: "items[0].unit_price too_precise", `[{"name":"a","colour":1}]`: "items[0].colour unknown_field",
	} {
		p := b.ask(t, "POST", "/orders", withID("bad", "items", sent)).problem(t, 400)
		if diff := cmp.Diff([]string{problem}, p.fields()); diff != "" {
			t.Errorf("%s: %s", sent, diff)
		}
	}
}

// TestFreeWithoutAddress accepts an order of nothing to nowhere where that is allowed, and
// shows no address.
func TestFreeWithoutAddress(t *testing.T) {
	b := open(t, func(p *parts) {
		p.cfg.Terms = order.DefaultTerms()
		p.cfg.Terms.AllowFree, p.cfg.Terms.AddressRequired = true, false
	})
	for range 2 {
		a := b.ask(t, "POST", "/orders", `{"id":"o","amount":0,"items":["e-book"],"customer":"ada"}`)
		if a.code/100 != 2 || !strings.Contains(string(a.body), `"amount":0.00,`) || strings.Contains(string(a.body), "address") {
			t.Errorf("%d %s", a.code, a.body)
		}
	}
	b.ask(t, "POST", "/orders", withID("o", "amount", "0")).problem(t, 409)
}

// TestCurrencies accepts what the installation accepts, and shows amounts with the decimals
// of their currency and the currency only if it was sent.
func TestCurrencies(t *testing.T) {
	b := open(t, func(p *parts) {
		p.cfg.Terms = order.Terms{Currency: "USD", Currencies: []order.Currency{"USD", "JPY", "KWD"}}
	})
	for id, row := range map[string]struct{ amount, currency, want string }{
		"usd": {"12.5", `"USD"`, `"amount":12.50,"currency":"USD",`},
		"jpy": {"1250.0", `"JPY"`, `"amount":1250,"currency":"JPY",`},
		"kwd": {"12.505", `"KWD"`, `"amount":12.505,"currency":"KWD",`},
	} {
		a := b.ask(t, "POST", "/orders", withID(id, "amount", row.amount, "currency", row.currency))
		read := b.ask(t, "GET", "/orders/"+id, "")
		if a.code != 201 || !strings.Contains(string(a.body), row.want) || !strings.Contains(string(read.body), row.want) {
			t.Errorf("%s: %d %s, then %s", id, a.code, a.body, read.body)
		}
		b.ask(t, "POST", "/orders", withID(id, "amount", row.amount, "currency", row.currency)).object(t, 200)
		b.ask(t, "POST", "/orders", withID(id, "amount", "12", "currency", row.currency)).problem(t, 409)
	}
	if a := b.ask(t, "POST", "/orders", withID("none")); a.code != 201 || strings.Contains(string(a.body), "currency") {
		t.Errorf("without a currency: %d %s", a.code, a.body)
	}
	b.ask(t, "POST", "/orders", withID("none", "currency", `"USD"`)).problem(t, 409)
	for _, row := range []struct{ amount, currency, problem string }{
		{"1", `"EUR"`, "currency invalid"},
		{"1", `"usd"`, "currency invalid"},
		{"1", `""`, "currency invalid"},
		{"1", "7", "currency wrong_type"},
		{"1", "null", "currency wrong_type"},
		{"0.5", `"JPY"`, "amount too_precise"},
		{"0.0001", `"KWD"`, "amount too_precise"},
	} {
		p := b.ask(t, "POST", "/orders", withID("bad", "amount", row.amount, "currency", row.currency)).problem(t, 400)
		if diff := cmp.Diff([]string{row.problem}, p.fields()); diff != "" {
			t.Errorf("%s %s: %s", row.amount, row.currency, diff)
		}
	}
}

// checkReplay checks that an answer repeats the first one.
func checkReplay(t *testing.T, first, again answer) {
	t.Helper()
	again.object(t, 200)
	if diff := cmp.Diff(string(first.body), string(again.body)); diff != "" {
		t.Errorf("body: %s", diff)
	}
	if again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("headers are %v, they were %v", again.header, first.header)
	}
}

// TestSubmitAgain answers a repeated order with its record, and refuses its id for other
// content.
func TestSubmitAgain(t *testing.T) {
	b := open(t)
	first := b.ask(t, "POST", "/orders", body())
	first.object(t, 201)
	for _, same := range []string{body(), body("amount", `1.25e1`, "priority", "", "status", "", "items", ` [ "\u0074ea" , "cups" ] `)} {
		checkReplay(t, first, b.ask(t, "POST", "/orders", same))
	}
	for _, other := range []string{body("amount", `12.51`), body("items", `["cups","tea"]`), body("notes", "")} {
		if p := b.ask(t, "POST", "/orders", other).problem(t, 409); p.Type != typeConflict {
			t.Errorf("type is %q", p.Type)
		}
	}
	b.checkTasks(t, "pending", 1)
}

// TestSubmitBoundaries accepts what only a business rule refuses, and the longest texts.
func TestSubmitBoundaries(t *testing.T) {
	b := open(t)
	for i, change := range [][]string{
		{"amount", "10000.01"},
		{"amount", "999999999999.99"},
		{"items", list(1000, `"a"`)},
		{"customer", quoted(254, "😀")},
		{"address", quoted(1000, `\ud83d\ude00`)},
		{"notes", quoted(2000, "é")},
	} {
		b.ask(t, "POST", "/orders", " \r\n\t"+withID(fmt.Sprint("o", i), change...)+" \n").object(t, 201)
	}
}

// TestSubmitRefuses sends bad bodies. Each is answered by a problem that lists everything
// that is wrong, and nothing is stored.
func TestSubmitRefuses(t *testing.T) {
	b := open(t)
	for _, row := range badBodies() {
		p := b.ask(t, "POST", "/orders", row.body).problem(t, 400)
		if diff := cmp.Diff(row.fields, p.fields()); diff != "" {
			t.Errorf("%.100q: %s", row.body, diff)
		}
		typ := typeInvalid
		if row.fields == nil {
			typ = typeMalformed
		}
		if p.Type != typ || p.Instance != "/orders" || row.detail != "" && p.Detail != row.detail {
			t.Errorf("%.100q: type %q, instance %q, detail %q", row.body, p.Type, p.Instance, p.Detail)
		}
	}
	b.checkEmpty(t)
	if strings.Contains(b.log.String(), `"status":5`) {
		t.Error("a bad body was logged as a fault of the server")
	}
}

// TestProblemsAreBounded checks that an answer stays short however much is wrong.
func TestProblemsAreBounded(t *testing.T) {
	b := open(t)
	var unknown strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&unknown, `"field%d":1,`, i)
	}
	for _, row := range []struct {
		path, body string
		listed     int
		detail     string
	}{
		{"/orders", body("items", list(50, `""`)), 50, "50 problems were found; errors lists them."},
		{"/orders", body("items", list(51, `""`)), 50, "51 problems were found; errors lists the first 50."},
		{"/orders", body("items", list(100_000, `1`)), 50, "100001 problems were found; errors lists the first 50."},
		{"/orders", "{" + unknown.String() + body()[1:], 50, "10000 problems were found; errors lists the first 50."},
		{"/orders/batch", body("items", list(5, `""`)), 5, "5 problems were found; errors lists them."},
		{"/orders/batch", body("items", list(60, `""`)), 5, "60 problems were found; errors lists the first 5."},
	} {
		var p problem
		if row.path == "/orders" {
			a := b.ask(t, "POST", row.path, row.body)
			if p = a.problem(t, 400); len(a.body) > 16<<10 {
				t.Errorf("the answer has %d bytes", len(a.body))
			}
		} else {
			p = *b.batch(t, row.body)[0].Problem
		}
		if len(p.Errors) != row.listed || p.Detail != row.detail {
			t.Errorf("%d problems are listed, %q; want %d, %q", len(p.Errors), p.Detail, row.listed, row.detail)
		}
	}
	b.checkEmpty(t)
}

// TestSubmitToFullQueues refuses an order while too many wait, and stores nothing of it.
func TestSubmitToFullQueues(t *testing.T) {
	b := open(t, maxQueueLength(2))
	b.batch(t, lines("o", 2))
	stored := b.rdb.DBSize(t.Context()).Val()
	a := b.ask(t, "POST", "/orders", withID("one-too-many"))
	if p := a.problem(t, 503); p.Type != typeNoRoom || a.header.Get("Retry-After") != "10" {
		t.Errorf("type is %q, headers %v", p.Type, a.header)
	}
	if now := b.rdb.DBSize(t.Context()).Val(); now != stored {
		t.Errorf("Redis has %d keys, it had %d", now, stored)
	}
	b.ask(t, "GET", "/orders/one-too-many", "").problem(t, 404)
}

// jsonTime writes a time from now as JSON.
func jsonTime(d time.Duration) string {
	return `"` + time.Now().Add(d).Format(time.RFC3339Nano) + `"`
}

// TestSchedule accepts an order for a later time, and an order for a time that has passed
// at once.
func TestSchedule(t *testing.T) {
	b := open(t)
	now := time.Now()
	zone := func(hours int) *time.Location { return time.FixedZone("", hours*3600+1800) }
	for i, row := range []struct {
		at     time.Time
		status string
	}{
		{now.Add(time.Hour).UTC(), "scheduled"},
		{now.Add(time.Hour).In(zone(-9)), "scheduled"},
		{now.Add(30*24*time.Hour - time.Minute).In(zone(13)), "scheduled"},
		{now.Add(-time.Hour).UTC(), "pending"},
		{time.Unix(0, 0).UTC(), "pending"},
	} {
		id := fmt.Sprint("o", i)
		first := b.ask(t, "POST", "/orders", withID(id, "process_at", `"`+row.at.Format(time.RFC3339Nano)+`"`))
		got := first.object(t, 201)
		if got["status"] != row.status || got["process_at"] != order.FormatTime(row.at) {
			t.Errorf("order is %s; want it %s at %s", first.body, row.status, row.at)
		}
		checkReplay(t, first, b.ask(t, "POST", "/orders", withID(id, "process_at", fmt.Sprintf("%q", got["process_at"]))))
		if p := b.ask(t, "POST", "/orders", withID(id)).problem(t, 409); p.Type != typeConflict {
			t.Errorf("without a time, the type is %q", p.Type)
		}
	}
	b.checkTasks(t, "scheduled", 3)
	b.checkTasks(t, "pending", 2)
	b.ask(t, "POST", "/orders", body("process_at", jsonTime(30*24*time.Hour+time.Minute))).problem(t, 400)
}
