package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// TestSlowUpload accepts an order whose body needs longer to arrive than a request may wait
// for Redis.
func TestSlowUpload(t *testing.T) {
	b := open(t, prompt)
	text := body("items", list(60, quoted(190, "y")))
	conn := b.dial(t)
	_, err := fmt.Fprintf(conn, "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		len(text), text[:9000])
	<-time.After(2 * time.Second) // the client's own time
	_, err2 := io.WriteString(conn, text[9000:])
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if all := answers(t, conn); len(all) != 1 || all[0].code != http.StatusCreated {
		t.Errorf("it is answered %+v", all)
	}
}

// TestBatchOfMistakes holds a batch that is nothing but mistakes to a bounded
// amount of memory. It has the process for itself.
func TestBatchOfMistakes(t *testing.T) {
	s := serve(t, taking(noIntake(t)))
	const orders = 1000
	batch := strings.Repeat(`{"items":[`+strings.Repeat("1,", 999)+`1]}`+"\n", orders)
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

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestBatchStopsTrying does not try the rest of a batch once Redis is unavailable, and logs
// the reason once.
func TestBatchStopsTrying(t *testing.T) {
	t.Parallel()
	var tried atomic.Int64
	s := serve(t, taking(takes(func(context.Context, order.Order) (order.Record, bool, error) {
		tried.Add(1)
		return order.Record{}, false, errors.Join(order.ErrUnavailable, errors.New("refused"))
	})))
	const orders = 5000
	if all := s.batch(t, lines("o", orders)); count(all)[503] != orders {
		t.Errorf("statuses are %v", count(all))
	}
	// Each of the four shards may have begun a chunk or two.
	if n := tried.Load(); n == 0 || n > orders/2 {
		t.Errorf("%d of %d orders were tried", n, orders)
	}
	log := s.log.String()
	if strings.Count(log, "5000 of 5000 orders were not accepted, the first because: ") != 1 || !strings.Contains(log, "refused") {
		t.Errorf("the log says %s", log)
	}
}
