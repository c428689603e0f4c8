package api_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/httpserver"
)

// TestBatchOfTenThousand accepts as many orders as a batch may have.
func TestBatchOfTenThousand(t *testing.T) {
	b := open(t, maxQueueLength(api.MaxBatchOrders))
	all := b.batch(t, "\n"+strings.ReplaceAll(lines("o", api.MaxBatchOrders), "\n", "\r\n")+"\n\n")
	for i, v := range all {
		if v.Status != 201 || v.Line != i+2 || v.ID != fmt.Sprint("o", i) {
			t.Fatalf("verdict %d is %+v", i, v)
		}
	}
	b.checkTasks(t, "pending", api.MaxBatchOrders)
}

// TestBatchOfSixteenMebibytes accepts a batch of as many bytes as it may have, and refuses
// one with a byte more.
func TestBatchOfSixteenMebibytes(t *testing.T) {
	b := open(t)
	order := withID("big")
	full := order + "\n" + strings.Repeat(strings.Repeat(" ", 1023)+"\n", 16<<10)[:api.MaxBatchBytes-len(order)-1]
	for _, text := range []string{full + " ", full} {
		for kind, body := range map[string]io.Reader{
			"with a length": strings.NewReader(text), "in chunks": io.MultiReader(strings.NewReader(text)),
		} {
			req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+b.addr+"/orders/batch", body)
			must(t, err)
			req.Header.Set("Content-Type", ndjson)
			a := send(t, b.client, req)
			if text == full {
				if all := a.verdicts(t, ndjson); len(all) != 1 || all[0].ID != "big" {
					t.Errorf("%s: verdicts are %v", kind, all)
				}
				continue
			}
			if p := a.problem(t, 413); p.Detail != "The body must have at most 16777216 bytes." {
				t.Errorf("%s: detail is %q", kind, p.Detail)
			}
			b.checkEmpty(t)
		}
	}
}

// TestBatchOfLongLines refuses an order that is too large, and no other.
func TestBatchOfLongLines(t *testing.T) {
	b := open(t)
	padded := func(id string, n int) string {
		text := withID(id)
		return strings.Replace(text, ",", ","+strings.Repeat(" ", n-len(text)), 1)
	}
	text := []string{
		withID("first"), padded("most", httpserver.MaxBodyBytes), padded("more", httpserver.MaxBodyBytes+1), withID("between"),
		padded("much", 3*httpserver.MaxBodyBytes), withID("last"),
	}
	all := b.batch(t, strings.Join(text, "\n"))
	if diff := cmp.Diff([]string{"1 201", "2 201", "3 413", "4 201", "5 413", "6 201"}, brief(all)); diff != "" {
		t.Fatal(diff)
	}
	if p := all[2].Problem; p.Type != typeBlank || p.Detail != "The body must have at most 262144 bytes." {
		t.Errorf("problem is %+v", p)
	}
	array := b.ask(t, "POST", "/orders/batch", "["+strings.Join(text, ",")+"]").verdicts(t, jsonMedia)
	if diff := cmp.Diff([]string{"1 200", "2 200", "3 413", "4 200", "5 413", "6 200"}, brief(array)); diff != "" {
		t.Errorf("as an array: %s", diff)
	}
}

// TestBatchOfMistakes bounds the memory that a batch of nothing but mistakes takes. No
// other test runs at the same time.
func TestBatchOfMistakes(t *testing.T) {
	s := serve(t, withIntake(noIntake(t)))
	const orders = 1000
	batch := strings.Repeat(`{"items":[`+strings.Repeat("1,", 999)+`1]}`+"\n", orders)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before := heap()
	var most atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				most.Store(max(most.Load(), heap()))
			}
		}
	}()
	a := s.ask(t, "POST", "/orders/batch", batch, "Content-Type", ndjson)
	close(stop)
	<-stopped
	if all := a.verdicts(t, ndjson); len(all) != orders || all[orders-1].Status != 400 || len(all[0].Problem.Errors) != 5 {
		t.Errorf("%d verdicts, the last is %+v", len(all), all[len(all)-1])
	}
	// Kept until the end, the million mistakes would take more than twice that.
	if grown := int64(most.Load()) - int64(before); grown > 60<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}
