// Package api is HTTP in and out: it decodes, answers and serves the pages.
//
// It receives requests, hands submissions that passed order.New to intake, and
// turns records, snapshots and errors into JSON. It owns the listening socket
// and nothing else: when it answers 201, intake has made the order durable.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/access"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
	"orderprocessor/internal/traces"
)

// Intake takes orders in, and withdraws them; see the methods of intake.Intake.
type Intake interface {
	Take(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error)
	TakeAll(ctx context.Context, orders []order.Order) []order.Acceptance
	Cancel(ctx context.Context, id, reason string) (order.Record, error)
}

// Retries gives orders another run; see the methods of intake.Intake.
type Retries interface {
	Retry(ctx context.Context, id string) (order.Record, error)
	RetryAll(ctx context.Context, f intake.RetryFilter, after order.Position, limit int, dry bool) (
		intake.RetryReport, error)
}

// Records reads orders; see the methods of ledger.Ledger.
type Records interface {
	Get(ctx context.Context, id string) (order.Record, error)
	List(ctx context.Context, f order.Filter, after order.Position, limit int) (
		records []order.Record, next order.Position, err error)
	Events(ctx context.Context, id string) ([]order.Event, error)
}

// Queues looks at the queues and holds their brakes; see the methods of
// queue.Inspector.
type Queues interface {
	Depths(ctx context.Context) (map[order.Queue]stats.Depth, error)
	Pause(ctx context.Context, q order.Queue) error
	Resume(ctx context.Context, q order.Queue) error
	Damaged(ctx context.Context, q order.Queue, limit int) ([]order.Damaged, error)
}

// Stats takes snapshots; see stats.Reporter.Snapshot.
type Stats interface {
	Snapshot(ctx context.Context) (stats.Snapshot, error)
}

// Config is what the API needs to know.
type Config struct {
	// MaxQueueLength is how many orders may wait before the API is unhealthy.
	MaxQueueLength int
	// MonitoringWritable lets Asynqmon change queues and tasks.
	MonitoringWritable bool
	// Keys are the API keys that are let in. Without any, everybody is.
	Keys access.Keys
	// Ready returns an error while orders cannot be served, with the reason.
	Ready func() error
	// Away says whether it is sure that Redis is away, so that one slow answer does not
	// turn the health red. Nil takes every failure for sure.
	Away func() bool
	// LocalOnly says that there are no keys because nobody but this machine can
	// connect: a browser on it must not do so for a page from elsewhere.
	LocalOnly bool
	// Log receives a line for each request.
	Log *slog.Logger
	// Observe is told of each request that was answered: the pattern of its route,
	// which is "none" if it reached none, its method, the status and how long the
	// answer took. The method is good until it returns. Nil is told nothing.
	Observe func(route, method string, status int, took time.Duration)
	// Traces makes the spans of requests; nil makes none.
	Traces trace.TracerProvider
}

// Parts are what the API asks to do the work.
type Parts struct {
	Intake  Intake
	Retries Retries
	Records Records
	Queues  Queues
	Stats   Stats
	Live    Live
	// Limits counts what callers ask for; nil limits nothing.
	Limits Limits
	// Redis is the client that Asynqmon reads the queues through; it stays the
	// caller's to close.
	Redis any
}

// Server is the HTTP server for clients and operators.
type Server struct {
	Parts
	cfg        Config
	tracer     trace.Tracer // nil while traces are off
	app        *fiber.App
	batches    batchPlaces
	seen       atomic.Pointer[seenFacts] // by the last look at the health that succeeded
	protection *http.CrossOriginProtection
	// requestTimeout is the constant of that name, or that of a test.
	requestTimeout time.Duration
	// serving ends when the server stops: streams of events end with it, and nobody
	// waits for outcomes any more.
	serving context.Context
	drain   context.CancelFunc
}

// New returns a server, or an error when the specification that it is built with
// cannot be read.
func New(cfg Config, p Parts) (*Server, error) {
	srv := &Server{
		Parts: p, cfg: cfg, tracer: traces.Tracer(cfg.Traces), requestTimeout: requestTimeout,
		batches: batchPlaces{byCaller: map[string]int{}}, protection: http.NewCrossOriginProtection(),
	}
	srv.serving, srv.drain = context.WithCancel(context.Background())
	srv.app = fiber.New(fiber.Config{
		DisableStartupMessage: true,
		CaseSensitive:         true,
		StrictRouting:         true,
		// Forms are none of ours: they are answered 415, however broken.
		DisablePreParseMultipartForm: true,
		StreamRequestBody:            true, // each route bounds its own bodies, see readBody
		BodyLimit:                    maxBodyBytes,
		ReadBufferSize:               maxHeaderBytes,
		Concurrency:                  maxConnections,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		JSONEncoder:                  json.Marshal,
		ErrorHandler:                 srv.refuse,
	})
	routes, err := srv.routes()
	if err != nil {
		return nil, err
	}
	srv.register(routes)
	srv.treatBatchesApart()
	srv.refuseOddRequests()
	return srv, nil
}

// Serve answers requests on the listener until ctx ends. Then it takes no new
// connections, lets running requests finish for at most the grace period, and
// returns with the listener closed.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- s.app.Listener(newLingering(l)) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.drain()
	err := s.app.ShutdownWithTimeout(grace)
	_ = l.Close() // Shutdown knows no listener yet when ctx ends at once
	<-served      //nolint:errcheck // a closed listener is what was asked for
	if errors.Is(err, context.DeadlineExceeded) {
		s.cfg.Log.Warn("requests were still running when the API stopped", "waited", grace)
		return nil
	}
	return err
}
