package fulfilment

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

const (
	// shortTimeout is the time a call gets that is meant to run out of it.
	shortTimeout = 150 * time.Millisecond
	// soon is when such a call must be over even on a busy machine.
	soon = 5 * time.Second
)

func TestHungShopCostsOneTimeout(t *testing.T) {
	t.Parallel()
	hang := func(r *http.Request) { <-r.Context().Done() }
	tests := map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   ending
	}{
		"never answers": {
			func(_ http.ResponseWriter, r *http.Request) { hang(r) },
			ending{"retry", 0, "", "fulfilment did not answer within 150ms"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, func(w http.ResponseWriter, r *http.Request, _ []byte) { tt.answer(w, r) })
			shop.Start()
			c := newClient(t, Config{URL: shop.URL, Timeout: shortTimeout})
			started := time.Now()
			got := endingOf(fulfil(c))
			checkTook(t, started)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func checkTook(t *testing.T, started time.Time) {
	t.Helper()
	if took := time.Since(started); took < shortTimeout/2 || took > soon {
		t.Errorf("the call took %v, its timeout is %v", took, shortTimeout)
	}
}

// A listener that nobody accepts from lets clients connect, and nothing more.
func TestHungHandshakeCostsOneTimeout(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // the test is over
	c := newClient(t, Config{URL: "https://" + listener.Addr().String(), Timeout: shortTimeout})
	started := time.Now()
	got := endingOf(fulfil(c))
	checkTook(t, started)
	if got.Kind != "retry" {
		t.Errorf("got %+v, want a retry", got)
	}
}

// After 101 the connection has no end that any timeout would reach.
func TestHungUpgradeIsNotRead(t *testing.T) {
	t.Parallel()
	shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer hangUp(t, conn)
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n") //nolint:errcheck // the client's side tells
		io.Copy(io.Discard, conn)                                                                             //nolint:errcheck // it ends when the client hangs up
	})
	shop.Start()
	want := ending{Kind: "permanent", Error: "fulfilment answered 101 Switching Protocols"}
	if diff := cmp.Diff(want, endingOf(fulfil(newClient(t, Config{URL: shop.URL, MaxConns: 1})))); diff != "" {
		t.Error(diff)
	}
}

func TestEndOfContextIsTransient(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]bool{"before the call": false, "during the call": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			shop := newShop(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) {
				cancel()
				<-r.Context().Done()
			})
			shop.Start()
			if !during {
				cancel()
			}
			c := newClient(t, Config{URL: shop.URL})
			note, err := c.Fulfil(ctx, order.Approval{Order: testOrder(), Handling: order.HandlingStandard, Attempt: 1})
			want := ending{Kind: "retry", Error: "call to fulfilment stopped: context canceled"}
			if diff := cmp.Diff(want, endingOf(note, err)); diff != "" {
				t.Error(diff)
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the context's error is lost: %v", err)
			}
		})
	}
}

func TestCallersDeadlineIsTransient(t *testing.T) {
	t.Parallel()
	shop := newShop(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
	shop.Start()
	ctx, cancel := context.WithTimeout(context.Background(), shortTimeout)
	defer cancel()
	_, err := newClient(t, Config{URL: shop.URL}).Fulfil(ctx, order.Approval{Order: testOrder(), Handling: order.HandlingStandard, Attempt: 1})
	var retry *order.RetryError
	if !errors.As(err, &retry) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a retry that wraps the context's error", err)
	}
}

func TestNoteIsBoundedAndPrintable(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, want string }{
		"empty":               {"", ""},
		"as long as it may":   {strings.Repeat("a", 1024), strings.Repeat("a", 1024)},
		"longer":              {strings.Repeat("a", 1025), strings.Repeat("a", 1024)},
		"cut in a character":  {strings.Repeat("a", 1023) + "éé", strings.Repeat("a", 1023)},
		"cut in a wide one":   {"ab" + strings.Repeat("€", 400), "ab" + strings.Repeat("€", 340)},
		"control characters":  {"a\r\nb\x00c\x1b[31md\te", "a  b c [31md e"},
		"not UTF-8":           {"a\xffb", "a\uFFFDb"},
		"longer than is read": {strings.Repeat("0123456789abcdef", 2*maxBodyBytes/16), strings.Repeat("0123456789abcdef", 64)},
	}
	for name, tt := range tests {
		for _, code := range []int{http.StatusOK, http.StatusBadRequest, http.StatusBadGateway} {
			t.Run(name+" "+http.StatusText(code), func(t *testing.T) {
				t.Parallel()
				shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
					w.WriteHeader(code)
					io.WriteString(w, tt.body) //nolint:errcheck // the client may hang up early
				})
				shop.Start()
				note, err := fulfil(newClient(t, Config{URL: shop.URL}))
				if diff := cmp.Diff(tt.want, note); diff != "" {
					t.Error(diff)
				}
				if (err == nil) != (code == http.StatusOK) {
					t.Errorf("error: %v", err)
				}
			})
		}
	}
}

// An answer without an end is cut at the bound, long before the timeout.
func TestEndlessBodyIsNotReadOn(t *testing.T) {
	t.Parallel()
	chunk := strings.Repeat("x", 4<<10)
	var sent atomic.Int64
	gone := make(chan struct{})
	shop := newShop(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		defer close(gone)
		for r.Context().Err() == nil {
			n, err := io.WriteString(w, chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	shop.Start()
	c := newClient(t, Config{URL: shop.URL})
	started := time.Now()
	if note, err := fulfil(c); err != nil || len(note) != order.MaxNoteBytes {
		t.Errorf("got %d bytes, %v", len(note), err)
	}
	<-gone
	if took := time.Since(started); took > longTimeout/2 {
		t.Errorf("the call took %v", took)
	}
	if sent.Load() < maxBodyBytes {
		t.Errorf("only %d bytes were sent: the bound was not met", sent.Load())
	}
}

// Many calls share few connections: as many as allowed are in use at once,
// never more, and every one is used again.
func TestPoolIsBounded(t *testing.T) {
	t.Parallel()
	const maxConns, calls = 3, 60
	var opened, running, peak atomic.Int64
	var fill sync.Once
	full := make(chan struct{})
	shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		n := running.Add(1)
		defer running.Add(-1)
		for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
		}
		if n == maxConns {
			fill.Do(func() { close(full) })
		}
		<-full                                                 // nobody is answered before all connections are in use
		io.WriteString(w, strings.Repeat("x", maxBodyBytes/2)) //nolint:errcheck // the client's side tells
	})
	shop.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	shop.Start()
	c := newClient(t, Config{URL: shop.URL, MaxConns: maxConns})
	for range 2 { // the second round finds all connections idle
		var callers sync.WaitGroup
		for range calls {
			callers.Go(func() {
				if _, err := fulfil(c); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	if diff := cmp.Diff([]int64{maxConns, maxConns}, []int64{peak.Load(), opened.Load()}); diff != "" {
		t.Errorf("most calls at once, connections opened: %s", diff)
	}
}
