package api_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/spectest"
	"orderprocessor/internal/stats"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(
		m,
		// fasthttp keeps the time of day for the Date header in a goroutine that
		// never ends, and the cleaner of its idle workers sleeps for ten seconds
		// before it sees that its server has stopped.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

const (
	patience = programtest.Patience
	// maxTestStreams bounds the subscribers, and the waits for outcomes, in a test.
	maxTestStreams = 3
)

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// parts configures a server under test.
type parts struct {
	api.Parts
	cfg api.Config
	// prompt keeps the API's own bounds on how long Redis may take. Without it, requests
	// wait for a slow machine.
	prompt bool
}

// withIntake is the parts of a server that needs nothing but an intake.
func withIntake(in api.Intake) parts { return parts{Parts: api.Parts{Intake: in}} }

func prompt(p *parts) { p.prompt = true }

func maxQueueLength(n int) func(*parts) {
	return func(p *parts) { p.cfg.MaxQueueLength = n }
}

// site is a server on a free port of this machine.
type site struct {
	server *api.Server
	addr   string
	client *http.Client
	log    *programtest.Log
	stop   context.CancelFunc
	done   chan struct{} // closed when Serve has returned
}

// serve starts a server with only the given parts. It stops with the test.
func serve(t *testing.T, p parts) *site {
	t.Helper()
	s := &site{log: &programtest.Log{}, done: make(chan struct{})}
	p.cfg.Log = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if p.cfg.Terms.Currency == "" {
		p.cfg.Terms = order.DefaultTerms()
	}
	if p.cfg.Ready == nil {
		p.cfg.Ready = func() error { return nil }
	}
	if p.Redis == nil { // Asynqmon wants a client; this one never connects
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
		t.Cleanup(func() { _ = rdb.Close() })
		p.Redis = rdb
	}
	var err error
	s.server, err = api.New(p.cfg, p.Parts)
	must(t, err)
	if !p.prompt {
		s.server.SetRequestTimeout(patience)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.addr = l.Addr().String()
	// The transport compares every exchange with the specification.
	s.client = &http.Client{Transport: spectest.Transport(t, &http.Transport{DisableCompression: true}), Timeout: patience}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	go func() {
		defer close(s.done)
		if err := s.server.Serve(ctx, l, patience); err != nil {
			t.Errorf("Serve returned %v", err)
		}
	}()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		s.stop()
		<-s.done
	})
	return s
}

// bundle is a server with a real ledger and real queues in a Redis of its own, and no
// worker.
type bundle struct {
	*site
	redis  *redistest.Server
	rdb    *redis.Client
	ledger *ledger.Ledger
	hub    *live.Hub
	parts  api.Parts
}

// open starts such a server, in parallel with other tests, with some parts changed.
func open(t *testing.T, change ...func(*parts)) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{redis: redistest.Start(t)}
	b.rdb = b.redis.Client()
	b.ledger = ledger.New(b.rdb)
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	b.hub = runHub(t, b.ledger.Books()[0])
	inspector := queue.NewInspector(b.rdb, 1)
	p := parts{
		Parts: api.Parts{Records: b.ledger, Queues: inspector, Audit: b.ledger, Jobs: b.ledger, Stats: stats.New(b.ledger, inspector), Samples: b.ledger, Processes: inspector, Attempts: b.ledger, Live: b.hub, Redis: b.rdb},
		cfg:   api.Config{MaxQueueLength: 1000},
	}
	for _, c := range change {
		c(&p)
	}
	engine := rules.NewEngine(rules.EngineConfig{
		Limits:   rules.Limits{HighValueAbove: order.Cents(1000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50},
		Currency: order.DefaultCurrency, Log: slog.New(slog.DiscardHandler),
	}, b.ledger)
	in := intake.New(b.ledger, queue.NewProducer(b.rdb, queue.ProducerConfig{AttemptTimeout: patience}),
		engine,
		intake.NewAdmission(inspector, b.ledger, p.cfg.MaxQueueLength), slog.New(slog.DiscardHandler))
	if !p.prompt {
		in.SetTimeout(patience)
	}
	p.Intake, p.Retries, p.Reviews = in, in, in
	p.Rules, p.RuleSets = engine, b.ledger
	b.parts = p.Parts
	b.site = serve(t, p)
	return b
}

// runHub runs a hub until the test ends.
func runHub(t *testing.T, books ...live.Ledger) *live.Hub {
	t.Helper()
	hub := live.New(live.Config{MaxStreams: maxTestStreams, MaxWaits: maxTestStreams, Log: slog.New(slog.DiscardHandler)}, books)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the hub ended with %v", err)
		}
	})
	return hub
}
