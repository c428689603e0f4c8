package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"orderprocessor/internal/order"
)

// fakeAPI is an API without a network. Within a synctest bubble its clock is exact.
type fakeAPI struct {
	began  time.Time
	answer func(n int, r *http.Request) (status int, body string, err error)
	mu     sync.Mutex
	at     []time.Duration // when each request arrived
	bodies [][]byte
	kinds  map[string]int // by path, content type and key
}

func (f *fakeAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.at = append(f.at, time.Since(f.began))
	f.bodies = append(f.bodies, body)
	f.kinds[r.URL.String()+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Authorization")]++
	n := len(f.at)
	f.mu.Unlock()
	status, text, err := f.answer(n, r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}, Request: r}, nil
}

func created(int, *http.Request) (int, string, error) { return http.StatusCreated, "", nil }

// run sends a load to a fake API.
func run(ctx context.Context, p Plan, answer func(n int, r *http.Request) (int, string, error)) (*fakeAPI, *Result) {
	f := &fakeAPI{began: time.Now(), answer: answer, kinds: map[string]int{}}
	p.URL, p.transport, p.Orders = "http://api", f, NewOrders(Mix{order.QueueDefault: 1})
	return f, Constant(ctx, p)
}

// TestConstant checks that each request goes out when it is due, once, whether or
// not earlier requests were answered.
func TestConstant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		progress := 0
		p := Plan{Rate: 100, Duration: time.Second, Key: "ok_secret", OnAnswer: func(orders int) { progress += orders }}
		f, r := run(t.Context(), p, func(int, *http.Request) (int, string, error) {
			time.Sleep(2 * time.Second) // longer than the load
			return created(0, nil)
		})
		for n, at := range f.at {
			if want := time.Duration(n) * 10 * time.Millisecond; at != want {
				t.Errorf("request %d arrived at %v, want %v", n, at, want)
			}
		}
		want := &Result{
			Sent: 100, SentPerSecond: 100, RateKept: true, Accepted: 100, Refused: []Refusal{},
			LatencyMS: Latency{P50: 2000, P90: 2000, P95: 2000, P99: 2000, Max: 2000},
		}
		if diff := cmp.Diff(want, r); diff != "" || progress != 100 {
			t.Errorf("progress %d (-want +got):\n%s", progress, diff)
		}
		if diff := cmp.Diff(map[string]int{"http://api/orders application/json Bearer ok_secret": 100}, f.kinds); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// TestInterrupted checks that an interrupted load ends at once, gives answers that
// are under way their time, and reports the rest as lost.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		plan Plan
		sent int64
	}{
		{"many are due", Plan{Rate: 100, Duration: time.Hour}, 151},
		{"the next is due in an hour", Plan{Rate: 1, Batch: 3600, Duration: 24 * time.Hour}, 3600},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 1505*time.Millisecond)
				defer cancel()
				began := time.Now()
				_, r := run(ctx, tt.plan, func(n int, r *http.Request) (int, string, error) {
					if n == 1 {
						<-r.Context().Done()
						return 0, "", context.Cause(r.Context())
					}
					return created(n, r)
				})
				lost := int64(tt.plan.size())
				if took := time.Since(began); took != 1505*time.Millisecond+Grace || r.Sent != tt.sent ||
					r.NoAnswer != lost || r.NoAnswerReason != "interrupted" || r.Accepted != r.Sent-lost || !r.RateKept {
					t.Errorf("after %v: %+v", took, r)
				}
			})
		})
	}
}

// TestAnswers checks that every kind of answer is counted separately, orders of a
// batch by their own verdicts, and that the kinds are bounded.
func TestAnswers(t *testing.T) {
	t.Parallel()
	problem := func(name string) string { return `{"type":"tag:orderprocessor,2026:` + name + `"}` }
	noRoom, limited := problem("no-room"), problem("rate-limited")
	accepted := strings.Repeat(`{"line":1,"status":201,"id":"a"}`+"\n", 4)
	for _, tt := range []struct {
		name    string
		batch   int
		answers []string // a status and a body, or 0 and an error
		want    Result
	}{
		{"single orders", 0, []string{
			"201 ", "503 " + noRoom, "503 " + noRoom, "503 " + problem("redis-unavailable"), "429 " + limited,
			`404 {"type":"about:blank"}`, "502 <html>", "302 ", "0 connection refused", "0 EOF",
		}, Result{Sent: 10, Accepted: 1, NoAnswer: 2, NoAnswerReason: "connection refused", Refused: []Refusal{
			{503, "no-room", 2},
			{302, "found", 1},
			{404, "not found", 1},
			{429, "rate-limited", 1},
			{502, "bad gateway", 1},
			{503, "redis-unavailable", 1},
		}}},
		{"batches", 4, []string{
			"200 " + accepted, "200 " + accepted + accepted, // more verdicts than orders
			`200 {"status":429,"problem":` + limited + "}\n" + accepted, "503 " + noRoom, "200 <html>",
			`200 {"status":201}` + "\n{}\n{}\n{}\n",
		}, Result{
			Sent: 24, Accepted: 12, NoAnswer: 7, NoAnswerReason: "the answer to a batch lacks verdicts",
			Refused: []Refusal{{503, "no-room", 4}, {429, "rate-limited", 1}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := Plan{Rate: len(tt.answers) * max(1, tt.batch), Duration: time.Second, Batch: tt.batch}
				f, r := run(t.Context(), p, func(n int, _ *http.Request) (int, string, error) {
					code, text, _ := strings.Cut(tt.answers[n-1], " ")
					status, _ := strconv.Atoi(code)
					if status == 0 {
						return 0, "", errors.New(text)
					}
					return status, text, nil
				})
				tt.want.RateKept, tt.want.SentPerSecond = true, float64(p.Rate)
				if diff := cmp.Diff(&tt.want, r); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				for _, body := range f.bodies {
					if n := bytes.Count(body, []byte{'\n'}); n != p.size() {
						t.Errorf("a request has %d orders", n)
					}
				}
			})
		})
	}
	t.Run("too many kinds", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			_, r := run(t.Context(), Plan{Rate: 60, Duration: time.Second}, func(n int, _ *http.Request) (int, string, error) {
				return 400, problem(fmt.Sprintf("%d%s", n, strings.Repeat("x", 100))), nil
			})
			if len(r.Refused) != maxReasons+1 || r.Refused[0] != (Refusal{0, "other reasons", 40}) || len(r.Refused[1].Reason) != maxReasonChars {
				t.Errorf("the result is %+v", r)
			}
		})
	})
}

// TestLatencyCountsTheWait checks that latency counts from when a request was due,
// and that late requests lower the rate.
func TestLatencyCountsTheWait(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		seq     uint64
		sent    time.Duration // after the first request was due
		latency float64
	}{
		{"on time", 10, 100 * time.Millisecond, 5},
		{"late", 10, 130 * time.Millisecond, 35},
		{"early, out of order", 10, 90 * time.Millisecond, 5},
	} {
		p := Plan{Rate: 100, Duration: time.Second}
		c := newCounter(p, newPace(p, nil))
		c.pace.began = time.Now()
		c.add(&vegeta.Result{Seq: tt.seq, Code: http.StatusCreated, Timestamp: c.pace.began.Add(tt.sent), Latency: 5 * time.Millisecond})
		if got := c.result().LatencyMS.Max; got != tt.latency {
			t.Errorf("%s: %v ms, want %v", tt.name, got, tt.latency)
		}
	}
	for _, tt := range []struct {
		requests int64
		ran      time.Duration
		want     float64
		kept     bool
	}{
		{100, 990 * time.Millisecond, 100, true},
		{100, 1250 * time.Millisecond, 80, true},
		{50, 500 * time.Millisecond, 100, true},
		{50, 1250 * time.Millisecond, 40, false},
		{0, 0, 0, false},
	} {
		p := Plan{Rate: 100, Duration: time.Second}
		c := newCounter(p, newPace(p, nil))
		c.requests, c.pace.ran = tt.requests, tt.ran
		if r := c.result(); r.SentPerSecond != tt.want || r.RateKept != tt.kept {
			t.Errorf("%d requests in %v: %v per second, kept %v", tt.requests, tt.ran, r.SentPerSecond, r.RateKept)
		}
	}
}

// TestPace checks that a late request goes out at once, and none once the time is
// up or all have gone out.
func TestPace(t *testing.T) {
	t.Parallel()
	const notAtAll = time.Duration(-1)
	for _, tt := range []struct {
		name    string
		elapsed time.Duration
		sent    uint64
		waits   time.Duration
		stops   bool
	}{
		{"on time", 200 * time.Millisecond, 30, 100 * time.Millisecond, false},
		{"late", 400 * time.Millisecond, 30, -100 * time.Millisecond, false},
		{"late at the end", 1100 * time.Millisecond, 90, 0, false},
		{"too late", 1101 * time.Millisecond, 90, notAtAll, true},
		{"all have gone out", 990 * time.Millisecond, 100, notAtAll, true},
	} {
		waited := notAtAll
		pace := newPace(Plan{Rate: 100, Duration: time.Second}, func(d time.Duration) error {
			waited = d
			return nil
		})
		if wait, stop := pace.Pace(tt.elapsed, tt.sent); wait != 0 || stop != tt.stops || waited != tt.waits {
			t.Errorf("%s: waits %v and then %v, stops: %v", tt.name, waited, wait, stop)
		}
	}
	for batch, want := range map[int]uint64{0: maxPending, 100: 6710, 10_000: 67} {
		if got := (Plan{Batch: batch}).pending(); got != want {
			t.Errorf("%d batches of %d may be under way, want %d", got, batch, want)
		}
	}
}
