package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"orderprocessor/test/kit"
)

// The answers in the client's journal that are not a status.
const (
	// refused is a connection that was not accepted: nothing was sent.
	refused = "refused"
	// closedIdle is a kept connection that the server had closed, with no byte of
	// an answer. The repeat shows whether the request was applied.
	closedIdle = "closed idle"
	// broken is any other end without an answer.
	broken = "broken"
)

// answer is what came of one try to send an order.
type answer struct {
	kind   string // a status, or one of the above
	header http.Header
	body   []byte
}

// final reports whether the order need not be sent again.
func (a answer) final() bool { return len(a.kind) == 3 && a.kind < "500" }

// sender sends orders and journals every try with its answer. It is safe for
// concurrent use.
type sender struct {
	*kit.API
	s       *system
	journal *journal[sending]
	turn    atomic.Int64
}

func newClient(t *testing.T, s *system) *sender {
	t.Helper()
	return &sender{API: kit.NewAPI(t, "", nil), s: s, journal: openJournal[sending](t, "client")}
}

// submit sends an order until it is answered for good, going on to the next API
// when one refuses the connection. It returns the last answer.
func (c *sender) submit(o submission) answer {
	deadline := time.Now().Add(patience)
	at := int(c.turn.Add(1))
	for try := 1; ; try++ {
		a := c.try(c.s.apis[at%len(c.s.apis)], o, try)
		if a.final() {
			return a
		}
		if time.Now().After(deadline) {
			c.s.t.Errorf("order %s was not accepted within %v, at last: %s", o.ID, patience, a.kind)
			return a
		}
		at++
		if try >= len(c.s.apis) {
			wait(10 * time.Millisecond)
		}
	}
}

// try sends an order once.
func (c *sender) try(l *instance, o submission, number int) answer {
	begun := time.Now()
	a, detail := c.exchange(l.current.Load().url, o)
	c.note(o, begun, number, a.kind, detail)
	return a
}

// note adds a try that has ended to the journal.
func (c *sender) note(o submission, begun time.Time, number int, kind, detail string) {
	c.journal.add(sending{
		At: begun, Took: time.Since(begun), ID: o.ID, Cents: cents(o.Amount), Ends: o.Ends, Number: number, Kind: kind, Detail: detail,
	})
}

func (c *sender) exchange(url string, o submission) (a answer, detail string) {
	var reused, answered atomic.Bool
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		GotConn:              func(info httptrace.GotConnInfo) { reused.Store(info.Reused) },
		GotFirstResponseByte: func() { answered.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/orders", strings.NewReader(o.json()))
	if err != nil {
		return answer{kind: broken}, err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return answer{kind: kindOf(err, reused.Load() && !answered.Load())}, fmt.Sprintf("%q", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{kind: broken}, fmt.Sprintf("%q", err)
	}
	return answer{strconv.Itoa(resp.StatusCode), resp.Header, text}, ""
}

func kindOf(err error, keptAndSilent bool) string {
	var network *net.OpError
	switch {
	case errors.As(err, &network) && network.Op == "dial":
		return refused
	case keptAndSilent && !errors.Is(err, context.DeadlineExceeded):
		return closedIdle
	default:
		return broken
	}
}

// submitAll sends the orders numbered from 0 on from so many clients at once,
// each of which waits for its answer, and returns when all have theirs.
func (c *sender) submitAll(total, clients int, nth func(n int) submission) {
	var next atomic.Int64
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for n := int(next.Add(1)) - 1; n < total; n = int(next.Add(1)) - 1 {
				c.submit(nth(n))
			}
		})
	}
	running.Wait()
}

// submitSteadily sends so many orders a second until ctx ends, whatever the answers are,
// and returns how many it sent once all have theirs.
func (c *sender) submitSteadily(ctx context.Context, perSecond int, nth func(n int) submission) int {
	return steadily(perSecond, func() bool { return ctx.Err() == nil }, func(n int) { c.submit(nth(n)) })
}

// steadily calls send so many times a second, concurrently, while more reports true, and
// returns how many calls there were once all have ended.
func steadily(perSecond int, more func() bool, send func(n int)) (sent int) {
	const outstanding = 2048 // more have hung: they are four seconds of the highest rate
	running := errgroup.Group{}
	running.SetLimit(outstanding)
	for begun := time.Now(); more(); wait(2 * time.Millisecond) {
		for due := int(time.Since(begun).Seconds() * float64(perSecond)); sent < due; sent++ {
			n := sent
			running.Go(func() error {
				send(n)
				return nil
			})
		}
	}
	_ = running.Wait()
	return sent
}
