package chaos_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// reply is how the shop treats one call.
type reply struct {
	// Status is answered; 0 breaks the connection instead.
	Status int
	// RetryAfter is the header of that name, empty for none.
	RetryAfter string
	// Mute has the shop accept the order and break the connection.
	Mute bool
	// After is how long the shop works before it answers.
	After time.Duration
	// Until delays the answer until the channel is closed, if there is one.
	Until <-chan struct{}
}

// shop is the fulfilment stub. As a good shop does, it keeps the keys it has
// seen, so that an order takes effect once; and it journals every call.
type shop struct {
	url     string
	journal *journal[call]
	// respond decides on the n-th call for an order, from 1 on. The scenario sets
	// it before the first order.
	respond func(id string, call int) reply

	mu    sync.Mutex
	keys  map[string]bool
	calls map[string]int
	all   int
}

// acceptAll accepts every order after a few milliseconds of work.
func acceptAll(string, int) reply { return reply{Status: http.StatusOK, After: 3 * time.Millisecond} }

func openShop(t *testing.T) *shop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{
		url: "http://" + l.Addr().String() + "/fulfil", journal: openJournal[call](t, "shop"), respond: acceptAll,
		keys: map[string]bool{}, calls: map[string]int{},
	}
	server := &http.Server{Handler: http.HandlerFunc(s.serve)}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// called returns how many calls the shop has had: for one order, or for all.
func (s *shop) called(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		return s.all
	}
	return s.calls[id]
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	came := time.Now()
	var body struct {
		Data struct {
			Order struct {
				ID     string      `json:"id"`
				Amount json.Number `json:"amount"`
			} `json:"order"`
			Attempt int `json:"attempt"`
		} `json:"data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	how := s.respond(key, s.count(key))
	time.Sleep(how.After) // the shop's own work
	if how.Until != nil {
		<-how.Until
	}
	effect := s.accept(key, how)
	if how.Mute {
		how.Status = 0
	}
	s.journal.add(call{
		At: came, Key: key, ID: body.Data.Order.ID, Attempt: body.Data.Attempt,
		Cents: cents(body.Data.Order.Amount), Status: how.Status, Effect: effect,
	})
	if how.Status == 0 {
		panic(http.ErrAbortHandler) // net/http's way to break the connection
	}
	if how.RetryAfter != "" {
		w.Header().Set("Retry-After", how.RetryAfter)
	}
	w.WriteHeader(how.Status)
	_, _ = fmt.Fprintf(w, "order %s", key)
}

func (s *shop) count(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all++
	s.calls[key]++
	return s.calls[key]
}

// accept returns what the call has done: nothing, the order's one effect, or nothing
// more because the key is known.
func (s *shop) accept(key string, how reply) string {
	if how.Status != http.StatusOK {
		return "nothing"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys[key] {
		return "known"
	}
	s.keys[key] = true
	return "effect"
}
