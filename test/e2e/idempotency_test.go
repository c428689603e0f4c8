package e2e_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"orderprocessor/internal/programtest"
)

// TestKeysThroughTwoAPIs sends 500 orders with idempotency keys from 200 clients
// at once, each of which sends all of them, to two API processes: 500 orders are
// made, and every client is told of the same ones.
func TestKeysThroughTwoAPIs(t *testing.T) {
	const keys, clients = 500, 200
	s := start(t)
	other := s.spawn("api")
	urls := []string{s.url, "http://" + other.Await(programtest.Listening)}
	s.until("the other API serves", func() bool {
		return s.send("GET", urls[1]+"/stats", "").code == http.StatusOK
	})
	s.worker()

	var mu sync.Mutex
	first := make([][]byte, keys)
	created := 0
	take := func(key int, got answer) {
		mu.Lock()
		defer mu.Unlock()
		if got.code == http.StatusCreated {
			created++
		}
		replayed := got.header.Get("Idempotency-Replayed") == "true"
		if got.code/100 != 2 || replayed != (got.code == http.StatusOK) {
			t.Errorf("key %d: answered %d: %s", key, got.code, got.body)
		}
		if first[key] == nil {
			first[key] = got.body
		}
		if !bytes.Equal(first[key], got.body) {
			t.Errorf("key %d: answered %s, and before that %s", key, got.body, first[key])
		}
	}
	var sending sync.WaitGroup
	for n := range clients {
		sending.Go(func() {
			for _, key := range rand.Perm(keys) {
				o := sample("")
				o.Amount = float64(1 + key)
				take(key, s.send("POST", urls[(n+key)%2]+"/orders", o.json(), "Idempotency-Key", fmt.Sprint("key-", key)))
			}
		})
	}
	sending.Wait()
	if created != keys {
		t.Errorf("%d answers were 201, want %d", created, keys)
	}
	s.until("all orders are settled", func() bool { return s.stats().TotalProcessed == keys })
	if st := s.stats(); st.Ledger.Accepted != keys || st.Ledger.Drift != 0 {
		t.Errorf("%d orders were accepted, want %d: %+v", st.Ledger.Accepted, keys, st)
	}
	changed := sample("")
	changed.Amount = 4711
	if got := s.send("POST", urls[1]+"/orders", changed.json(), "Idempotency-Key", "key-0"); got.code != http.StatusUnprocessableEntity {
		t.Errorf("the same key with other content answered %d: %s", got.code, got.body)
	}
}
