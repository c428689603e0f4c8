package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
)

// shop is the fulfilment stub. It answers by order id, and remembers every
// call.
type shop struct {
	url    string
	answer func(id string, call int) int

	mu    sync.Mutex
	calls map[string]int
}

// openShop starts a shop; without an answer it takes every order.
func openShop(t *testing.T, answer func(id string, call int) int) *shop {
	t.Helper()
	if answer == nil {
		answer = func(string, int) int { return http.StatusOK }
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{url: "http://" + l.Addr().String() + "/fulfil", answer: answer, calls: map[string]int{}}
	server := &http.Server{Handler: http.HandlerFunc(s.serve)}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("Idempotency-Key")
	s.mu.Lock()
	s.calls[id]++
	call := s.calls[id]
	s.mu.Unlock()
	w.WriteHeader(s.answer(id, call))
	_, _ = fmt.Fprintf(w, "call %d for %s", call, id)
}

func (s *shop) called(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}
