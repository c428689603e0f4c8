package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"orderprocessor/internal/programtest"
)

// line is how the API is told of a key.
func line(name, scopes, key string) string {
	digest := sha256.Sum256([]byte(key))
	return name + ":" + scopes + ":" + hex.EncodeToString(digest[:])
}

// TestKeys lets each key do what it is for, and no more.
func TestKeys(t *testing.T) {
	s := start(t)
	guarded := s.spawn("api",
		"ORDERS_API_KEYS="+line("shop", "submit", "ok_shop")+","+line("operator", "read+admin", "ok_operator"))
	url := "http://" + guarded.Await(programtest.Listening)
	s.until("it serves", func() bool {
		return s.send("GET", url+"/stats", "", "Authorization", "Bearer ok_operator").code == http.StatusOK
	})
	rows := []struct {
		method, path, body, key string
		want                    int
	}{
		{"POST", "/orders", sample("a").json(), "ok_shop", http.StatusCreated},
		{"POST", "/orders", sample("b").json(), "", http.StatusUnauthorized},
		{"POST", "/orders", sample("b").json(), "ok_other", http.StatusUnauthorized},
		{"POST", "/orders", sample("b").json(), "ok_operator", http.StatusForbidden},
		{"GET", "/orders/a", "", "ok_shop", http.StatusForbidden},
		{"GET", "/orders/a", "", "ok_operator", http.StatusOK},
		{"POST", "/queues/low/pause", "", "ok_shop", http.StatusForbidden},
		{"POST", "/queues/low/pause", "", "ok_operator", http.StatusOK},
	}
	for _, row := range rows {
		var headers []string
		if row.key != "" {
			headers = []string{"Authorization", "Bearer " + row.key}
		}
		if got := s.send(row.method, url+row.path, row.body, headers...); got.code != row.want {
			t.Errorf("%s %s with the key %q answered %d, want %d: %s", row.method, row.path, row.key, got.code, row.want, got.body)
		}
	}
	if n := s.stats().Ledger.Accepted; n != 1 {
		t.Errorf("%d orders were accepted, want 1", n)
	}
}

// TestRateLimit holds two APIs to one limit, which they keep in Redis.
func TestRateLimit(t *testing.T) {
	s := start(t)
	var urls []string
	for range 2 {
		p := s.spawn("api", "ORDERS_RATE_LIMIT=1", "ORDERS_RATE_BURST=20")
		urls = append(urls, "http://"+p.Await(programtest.Listening))
	}
	taken, starting, refused := 0, 0, 0
	s.until("the limit is reached", func() bool {
		got := s.send("POST", urls[(taken+starting+refused)%2]+"/orders", sample("").json())
		switch got.code {
		case http.StatusCreated:
			taken++
		case http.StatusTooManyRequests:
			refused++
			if got.header.Get("Retry-After") == "" {
				t.Errorf("429 without Retry-After: %s", got.body)
			}
		case http.StatusServiceUnavailable: // it has just been started; the request counts all the same
			starting++
		default:
			t.Fatalf("answered %d: %s", got.code, got.body)
		}
		return refused > 0
	})
	if n := s.stats().Ledger.Accepted; int(n) != taken || taken+starting < 20 {
		t.Errorf("%d orders were accepted and %d requests came too early, want at least 20 together; the books have %d orders", taken, starting, n)
	}
}
