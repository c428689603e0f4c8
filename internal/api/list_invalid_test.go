package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"orderprocessor/internal/order"
)

// TestListRefuses names every parameter that is wrong, all at once.
func TestListRefuses(t *testing.T) {
	b := open(t)
	long := strings.Repeat("%C3%A9", 50)
	rows := []struct {
		name, query string
		want        []string
	}{
		{"limit 0", "limit=0", []string{"limit out_of_range"}},
		{"limit 201", "limit=201", []string{"limit out_of_range"}},
		{"limit in words", "limit=x", []string{"limit out_of_range"}},
		{"limit with a sign", "limit=%2B5", []string{"limit out_of_range"}},
		{"huge limit", "limit=99999999999999999999", []string{"limit out_of_range"}},
		{"empty limit", "limit=", []string{"limit invalid"}},
		{"limit twice", "limit=1&limit=1", []string{"limit too_many"}},
		{"unknown status", "status=done", []string{"status invalid"}},
		{"two statuses", "status=pending,failed", []string{"status invalid"}},
		{"empty status", "status=", []string{"status invalid"}},
		{"status twice", "status=pending&status=failed", []string{"status too_many"}},
		{"empty customer", "customer=", []string{"customer invalid"}},
		{"customer of 255 characters", "customer=" + strings.Repeat("%C3%A9", 255), []string{"customer too_long"}},
		{"customer that is not UTF-8", "customer=%FF", []string{"customer invalid"}},
		{"time without a zone", "created_from=2026-11-23T12:00:00", []string{"created_from invalid"}},
		{"before 1970", "created_to=1969-12-31T23:59:59.999999Z", []string{"created_to invalid"}},
		{"plus that is a space", "created_from=2026-11-23T12:00:00+01:00", []string{"created_from invalid"}},
		{"empty time", "created_from=", []string{"created_from invalid"}},
		{"unknown", "colour=red", []string{"colour unknown_field"}},
		{"no name", "=5", []string{`"" unknown_field`}},
		{"markup", "%3Cscript%3Ealert(1)%3C/script%3E=1", []string{"<script>alert(1)</script> unknown_field"}},
		{"control characters", "a%00%0D%0A%1Bb=1", []string{"a    b unknown_field"}},
		{"name that is not UTF-8", "%FF=1", []string{"\ufffd unknown_field"}},
		{"long name", long + "=1", []string{strings.Repeat("é", 32) + "… unknown_field"}},
		{"cut escape", "customer=a%2", []string{"query invalid"}},
		{"semicolon", "limit=5;status=pending", []string{"query invalid"}},
		{"empty cursor", "cursor=", []string{"cursor invalid"}},
		{
			"everything", "status=x&colour=1&limit=0&created_from=x&created_to=x&customer=%FF&cursor=x&limit=1&b=1&=&a=%zz",
			[]string{
				"query invalid", `"" unknown_field`, "b unknown_field", "colour unknown_field", "limit too_many", "status invalid",
				"customer invalid", "created_from invalid", "created_to invalid", "limit out_of_range", "cursor invalid",
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := b.wantRefusal(t, "GET", "/orders?"+row.query, "", row.want...)
			if len(row.want) == 1 && !strings.HasPrefix(p.Detail, p.Errors[0].Field+" ") {
				t.Errorf("detail is %q", p.Detail)
			}
		})
	}
	b.empty(t)
}

// forged is a cursor of the list of all orders, made by somebody who knows how.
func forged(place string) string {
	sum := sha256.Sum256([]byte(place + "\x00list\x00\x00\x00\x00"))
	return base64.RawURLEncoding.EncodeToString([]byte(place + string(sum[:8])))
}

// TestCursors refuses what is no cursor of this list.
func TestCursors(t *testing.T) {
	b := open(t)
	b.fill(t, 3)
	b.reach(t, "f1", order.StatusFailed)
	b.reach(t, "f2", order.StatusFailed)
	cursor := b.list(t, "/orders?limit=1").next
	var retry struct {
		NextCursor string `json:"next_cursor"`
	}
	a := b.ask(t, "POST", "/orders/retry", `{"status":"failed","limit":1,"dry_run":true}`)
	if err := json.Unmarshal(a.body, &retry); err != nil || retry.NextCursor == "" {
		t.Fatalf("answer is %s, %v", a.body, err)
	}
	rows := map[string]string{
		"garbage":                    "garbage",
		"of another status":          b.list(t, "/orders?limit=1&status=pending").next,
		"of a customer":              b.list(t, "/orders?limit=1&customer=Ada+Lovelace").next,
		"of a time":                  b.list(t, "/orders?limit=1&created_from=2026-01-01T00:00:00Z").next,
		"of another time":            b.list(t, "/orders?limit=1&created_to=9999-01-01T00:00:00Z").next,
		"of the retries":             retry.NextCursor,
		"padding":                    cursor + "=",
		"more padding":               cursor + "==",
		"longer":                     cursor + "A",
		"twice":                      cursor + cursor,
		"too long":                   cursor + strings.Repeat("A", 10_000),
		"space in front":             " " + cursor,
		"line break behind":          cursor + "\n",
		"line break in the middle":   cursor[:9] + "\r\n" + cursor[9:],
		"zero byte":                  cursor + "\x00",
		"only a checksum":            "AAAAAAAAAAA",
		"time and checksum, no id":   "AAAAAAAAAAAAAAAAAAAAAA",
		"the alphabet with + and /":  strings.Repeat("+/", 20),
		"an id instead of a cursor":  "o000",
		"a position that is written": "1795435200000000:o000",
	}
	for _, short := range []string{"", "1234567", "12345678"} {
		rows["forged with "+short] = forged(short)
	}
	rows["cut"], rows["changed"] = cursor[1:], "_"+cursor[1:]
	for name, text := range rows {
		t.Run(name, func(t *testing.T) {
			b.wantRefusal(t, "GET", of(url.Values{"cursor": {text}}), "", "cursor invalid")
		})
	}
	b.list(t, "/orders?cursor="+cursor)
	b.list(t, "/orders?cursor="+forged("12345678o000"))
	b.ask(t, "GET", "/orders?status=pending&cursor="+cursor, "").problem(t, 400)
	b.ask(t, "GET", "/orders?cursor="+cursor+"&cursor="+cursor, "").problem(t, 400)
}
