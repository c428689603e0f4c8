package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"orderprocessor/test/kit"
)

// line is a key as ORDERS_API_KEYS lists it.
func line(name, scopes, key string) string {
	digest := sha256.Sum256([]byte(key))
	return name + ":" + scopes + ":" + hex.EncodeToString(digest[:])
}

// TestKeys lets each key do what it is for, and no more.
func TestKeys(t *testing.T) {
	s := start(t)
	guarded := s.anotherAPI(
		"ORDERS_API_KEYS=" + line("shop", "submit", "ok_shop") + "," + line("operator", "read+admin", "ok_operator"))
	guarded.AwaitServing("Authorization", "Bearer ok_operator")
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
		if got := guarded.Send(row.method, row.path, row.body, headers...); got.Code != row.want {
			t.Errorf("%s %s with the key %q answered %d, want %d: %s", row.method, row.path, row.key, got.Code, row.want, got.Body)
		}
	}
	if n := s.Stats().Ledger.Accepted; n != 1 {
		t.Errorf("%d orders were accepted, want 1", n)
	}
}

// TestRateLimit sends orders to two APIs that share one limit, in Redis.
func TestRateLimit(t *testing.T) {
	s := start(t)
	limits := []string{"ORDERS_RATE_LIMIT=1", "ORDERS_RATE_BURST=20"}
	apis := []*kit.API{s.anotherAPI(limits...), s.anotherAPI(limits...)}
	accepted, starting, refused := 0, 0, 0
	s.until("the limit is reached", func() bool {
		got := apis[(accepted+starting+refused)%2].Send("POST", "/orders", sample("").json())
		switch got.Code {
		case http.StatusCreated:
			accepted++
		case http.StatusTooManyRequests:
			refused++
			if got.Header.Get("Retry-After") == "" {
				t.Errorf("429 without Retry-After: %s", got.Body)
			}
		case http.StatusServiceUnavailable: // the API has just started; the request counts all the same
			starting++
		default:
			t.Fatalf("answered %d: %s", got.Code, got.Body)
		}
		return refused > 0
	})
	if n := s.Stats().Ledger.Accepted; int(n) != accepted || accepted+starting < 20 {
		t.Errorf("%d orders were answered 201 and %d came too early, want at least 20 together, and %d are in the books", accepted, starting, n)
	}
}
