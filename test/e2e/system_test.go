// Package e2e_test runs the whole machine as its users do: the real programs as
// processes of their own, a real Redis, a shop over HTTP, and orders that arrive over
// HTTP only.
package e2e_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/client"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/spectest"
	"orderprocessor/test/kit"
)

// binaries is the folder of the programs under test.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(programtest.Main(m, &binaries, "orderprocessor/cmd/api", "orderprocessor/cmd/worker", "orderprocessor/cmd/orderctl"))
}

// system is a Redis with the programs around it. Every exchange with its API is checked
// against the specification.
type system struct {
	*kit.API
	t     *testing.T
	redis *redistest.Server
	admin *redis.Client // may do everything
	api   *programtest.TestProcess
	// workerEnv are settings of all workers.
	workerEnv []string
}

// bothWays runs a test with prefetching workers and with workers on plain Asynq servers. It
// is for tests of the hand-over, retries, shutdown and priorities.
func bothWays(t *testing.T, test func(t *testing.T, s *system)) {
	t.Helper()
	t.Parallel()
	for name, prefetch := range map[string]string{"prefetching": "true", "plain": "false"} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.workerEnv = []string{"ORDERS_WORKER_PREFETCH=" + prefetch}
			test(t, s)
		})
	}
}

// start runs a Redis and one API. When the test ends, the books must balance, and Redis
// must have refused nothing to the programs.
func start(t *testing.T) *system {
	t.Helper()
	t.Parallel()
	s := &system{t: t, redis: redistest.Start(t, "--appendonly", "yes", "--appendfsync", "everysec", "--include", users(t))}
	s.admin = clientOf(t, s.redis, "admin")
	t.Cleanup(func() {
		ledgertest.CheckBooks(t, s.admin)
		for _, denied := range deniedTo(t, s.admin) {
			t.Errorf("Redis refused %s", denied)
		}
	})
	s.api = s.spawn("api")
	s.API = kit.NewAPI(t, "http://"+s.api.Await(programtest.Listening), spectest.Transport)
	s.AwaitServing()
	return s
}

// books is over how many books the orders of all tests are spread.
func books() int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("ORDERS_BOOKS"), "1"))
	if err != nil {
		panic(err)
	}
	return n
}

// taskQueue is the name of Asynq's queue that has the tasks of one of ours in a book.
func taskQueue(q order.Queue, book int) string {
	if books() == 1 {
		return string(q)
	}
	return fmt.Sprintf("%s-%02d", q, book)
}

// spawn starts a program, which is killed when the test ends if it still runs.
func (s *system) spawn(name string, env ...string) *programtest.TestProcess {
	s.t.Helper()
	env = append([]string{"REDIS_URL=" + asUser(s.redis.URL(), "orders"), "ORDERS_BOOKS=" + strconv.Itoa(books())}, env...)
	return programtest.Start(s.t, programtest.Config{Path: filepath.Join(binaries, name), Env: programtest.Settings(env...)})
}

// anotherAPI starts an API and returns a client of it.
func (s *system) anotherAPI(env ...string) *kit.API {
	s.t.Helper()
	return s.At("http://" + s.spawn("api", env...).Await(programtest.Listening))
}

// worker starts a worker that retries fast, and waits until it is alive.
func (s *system) worker(env ...string) *programtest.TestProcess {
	s.t.Helper()
	p := s.spawn("worker", slices.Concat([]string{"ORDERS_RETRY_BASE=10ms", "ORDERS_RETRY_MAX=100ms"}, s.workerEnv, env)...)
	p.Await(`"msg":"worker is starting"`)
	s.until("a worker is alive", func() bool { return s.Stats().ActiveWorkers > 0 })
	return p
}

// until polls a condition.
func (s *system) until(what string, ok func() bool) {
	s.t.Helper()
	programtest.Until(s.t, what, ok)
}

// submit sends an order, which must be accepted. The answer is 200 if the API repeated the
// write because Redis, on a busy machine, replied late.
func (s *system) submit(o submission) kit.Answer {
	s.t.Helper()
	got := s.Send("POST", "/orders", o.json())
	if got.Code != http.StatusCreated && got.Code != http.StatusOK {
		s.t.Errorf("POST %s answered %d: %s", o.ID, got.Code, got.Body)
	}
	return got
}

// untilProcessed waits until so many orders are completed, rejected or failed.
func (s *system) untilProcessed(orders int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%d orders are processed", orders), func() bool { return s.Stats().TotalProcessed >= int64(orders) })
}

// settled waits for the order's outcome.
func (s *system) settled(id string) (o client.Order) {
	s.t.Helper()
	s.until("order "+id+" is settled", func() bool {
		o = s.Order(id)
		return o.Result != ""
	})
	return o
}

// submission is an order as a client sends it.
type submission struct {
	ID        string   `json:"id,omitempty"`
	Amount    float64  `json:"amount"`
	Items     []string `json:"items"`
	Customer  string   `json:"customer"`
	Address   string   `json:"address"`
	Priority  int      `json:"priority,omitempty"`
	Notes     string   `json:"notes,omitempty"`
	ProcessAt string   `json:"process_at,omitempty"`
}

func sample(id string) submission {
	return submission{
		ID: id, Amount: 99.99, Items: []string{"tea", "cups"}, Customer: "ada@example.com", Address: "12 Main Street",
	}
}

func (s submission) json() string {
	text, _ := json.Marshal(s)
	return string(text)
}

func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return v
}

// shop is the fulfilment stub. It counts the calls for each order.
type shop struct {
	url   string
	mu    sync.Mutex
	calls map[string]int
}

// openShop starts a shop that answers by order id and the number of the call.
func openShop(t *testing.T, answer func(id string, call int) int) *shop {
	t.Helper()
	s := &shop{calls: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("Idempotency-Key")
		s.mu.Lock()
		s.calls[id]++
		call := s.calls[id]
		s.mu.Unlock()
		w.WriteHeader(answer(id, call))
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	s.url = server.URL + "/fulfil"
	return s
}

func (s *shop) called(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}
