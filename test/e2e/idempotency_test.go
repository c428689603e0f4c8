package e2e_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"orderprocessor/test/kit"
)

// TestKeysThroughTwoAPIs sends 500 orders with idempotency keys from 200 clients
// (with -short 20) at once, each of which sends all of them, to two API processes: 500 orders are
// made, and every client gets the same ones.
func TestKeysThroughTwoAPIs(t *testing.T) {
	const keys = 500
	clients := 200
	if testing.Short() {
		clients = 20
	}
	s := start(t)
	apis := []*kit.API{s.API, s.anotherAPI()}
	apis[1].AwaitServing()
	s.worker()

	var mu sync.Mutex
	first := make([][]byte, keys)
	created, repeated := 0, 0
	compare := func(key int, got kit.Answer) {
		mu.Lock()
		defer mu.Unlock()
		replayed := got.Header.Get("Idempotency-Replayed") == "true"
		switch {
		case got.Repeated:
			repeated++
		case !replayed:
			created++
		}
		if got.Code/100 != 2 || !got.Repeated && replayed != (got.Code == http.StatusOK) {
			t.Errorf("key %d: answered %d: %s", key, got.Code, got.Body)
		}
		if first[key] == nil {
			first[key] = got.Body
		}
		if !bytes.Equal(first[key], got.Body) {
			t.Errorf("key %d: answered %s, and before that %s", key, got.Body, first[key])
		}
	}
	var sending sync.WaitGroup
	for n := range clients {
		sending.Go(func() {
			for _, key := range rand.Perm(keys) {
				o := sample("")
				o.Amount = float64(1 + key)
				compare(key, apis[(n+key)%2].Send("POST", "/orders", o.json(), "Idempotency-Key", fmt.Sprint("key-", key)))
			}
		})
	}
	sending.Wait()
	if created > keys || created+repeated < keys {
		t.Errorf("%d answers were 201 and %d requests were repeated, want %d new orders", created, repeated, keys)
	}
	s.untilProcessed(keys)
	if st := s.Stats(); st.Ledger.Accepted != keys || st.Ledger.Drift != 0 {
		t.Errorf("%d orders were accepted, want %d: %+v", st.Ledger.Accepted, keys, st)
	}
	changed := sample("")
	changed.Amount = 4711
	if got := apis[1].Send("POST", "/orders", changed.json(), "Idempotency-Key", "key-0"); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("the same key with other content answered %d: %s", got.Code, got.Body)
	}
}
