// Package api is what HTTP means: the routes, what they ask for, and what they answer.
//
// It receives requests that httpserver has found safe, hands submissions that passed
// order.New to intake, and turns records, snapshots and errors into JSON. It owns nothing
// durable: when it answers 201, intake has made the order durable.
package api

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/access"
	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/stats"
	"orderprocessor/internal/traces"
)

// Intake accepts and cancels orders; see the methods of intake.Intake.
type Intake interface {
	Submit(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error)
	SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance
	Cancel(ctx context.Context, id string, by order.Intervention) (order.Record, error)
}

// Retries gives orders another run; see the methods of intake.Intake.
type Retries interface {
	Retry(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	RetryAll(ctx context.Context, f intake.RetryFilter, after order.Position, limit int, dry bool, by order.Intervention) (
		intake.RetryReport, error)
}

// Reviews ends the holds of orders; see the methods of intake.Intake.
type Reviews interface {
	Release(ctx context.Context, id string, by order.Intervention) (order.Record, error)
	Reject(ctx context.Context, id string, by order.Intervention) (order.Record, error)
}

// Rules decides by versions of the rules; see the methods of rules.Engine.
type Rules interface {
	Version(ctx context.Context, version string) (*rules.Set, error)
	Facts(ctx context.Context, rec order.Record, asksCustomer bool) (rules.Facts, error)
	Simulate(ctx context.Context, version string, orders rules.Lister, f order.Filter, limit int, progress func(*rules.Simulation)) (
		*rules.Simulation, error)
}

// Records reads orders; see the methods of ledger.Ledger.
type Records interface {
	Get(ctx context.Context, id string) (order.Record, error)
	List(ctx context.Context, f order.Filter, after order.Position, limit int) (
		records []order.Record, next order.Position, err error)
	Events(ctx context.Context, id string) ([]order.Event, error)
}

// Queues inspects, pauses and resumes queues; see the methods of queue.Inspector.
type Queues interface {
	Depths(ctx context.Context) (map[order.Queue]stats.Depth, error)
	Pause(ctx context.Context, q order.Queue) error
	Resume(ctx context.Context, q order.Queue) error
	CorruptTasks(ctx context.Context, q order.Queue, limit int) ([]recovery.CorruptTask, error)
}

// Audit keeps what people do; see the methods of ledger.Ledger.
type Audit interface {
	Audit(ctx context.Context, e order.AuditEntry, token string) error
	AuditEntries(ctx context.Context, f order.AuditFilter, after string, limit int) (
		entries []order.AuditEntry, next string, err error)
}

// Stats makes snapshots; see stats.Reporter.Snapshot.
type Stats interface {
	Snapshot(ctx context.Context) (stats.Snapshot, error)
	Verdict(f stats.Facts) stats.Verdict
}

// Samples reads the samples of a range and the alerts in it, oldest first; see
// ledger.Ledger.Samples.
type Samples interface {
	Samples(ctx context.Context, r stats.Range) (samples []stats.Sample, alerts []stats.Marker, err error)
}

// Processes lists the worker processes; see queue.Inspector.Processes.
type Processes interface {
	Processes(ctx context.Context) ([]stats.Process, error)
}

// Attempts lists what the workers do, by their names; see the methods of ledger.Ledger.
type Attempts interface {
	Now(ctx context.Context) (time.Time, error)
	Programs(ctx context.Context) ([]ledger.Program, error)
	OpenAttempts(ctx context.Context, limit int) ([]ledger.OpenAttempt, error)
}

// Live delivers events as they happen; see the methods of live.Hub.
type Live interface {
	Open(ctx context.Context, f live.Filter, after order.EventPosition) (*live.Stream, error)
	Await(ctx context.Context, orderID string) (settled <-chan struct{}, stop func(), err error)
}

// Limiter enforces the rate limits of callers; see the methods of access.Limiter.
type Limiter interface {
	Take(ctx context.Context, caller string, n int) access.Grant
	Limit() access.Limit
}

// Config configures a Server.
type Config struct {
	// Terms are what submissions are held to.
	Terms order.Terms
	// Books is how many books there are; zero counts as one.
	Books int
	// MaxQueueLength is how many orders may wait before the API is unhealthy; see
	// stats.Facts.
	MaxQueueLength int
	// MonitoringWritable lets Asynqmon change queues and tasks.
	MonitoringWritable bool
	// TraceURL returns where a person sees a trace; nil for nowhere.
	TraceURL func(traceID string) string
	// Keys are the accepted API keys. Without any, every request is allowed.
	Keys access.Keys
	// Ready returns an error, which is the reason, while orders cannot be served.
	Ready func() error
	// Away reports whether Redis is known to be unavailable, so that one slow answer does
	// not make the API unhealthy. With nil, every failure counts.
	Away func() bool
	// LocalOnly is set when there are no keys because only this machine can connect: then
	// a browser must not act for a page of another site.
	LocalOnly bool
	// Log receives a line for each request.
	Log *slog.Logger
	// Observe is called after each answer; see httpserver.Config.
	Observe func(route, method string, status int, took time.Duration)
	// Traces makes the spans of requests; nil makes none.
	Traces trace.TracerProvider
}

// Parts do the work of the API.
type Parts struct {
	Intake    Intake
	Retries   Retries
	Reviews   Reviews
	Rules     Rules
	RuleSets  RuleSets
	Records   Records
	Queues    Queues
	Audit     Audit
	Jobs      Jobs
	Stats     Stats
	Samples   Samples
	Processes Processes
	Attempts  Attempts
	Live      Live
	// Archive has the orders that have left the ledger. Nil means that there is none.
	Archive Archive
	// Archived is needed with an Archive.
	Archived Archived
	// Limiter limits what callers may ask for; nil limits nothing.
	Limiter Limiter
	// Redis is the client that Asynqmon reads the queues through. The caller closes it.
	Redis any
}

// Server answers the requests of clients and operators.
type Server struct {
	Parts
	cfg         Config
	http        *httpserver.Server
	tracer      trace.Tracer // nil while traces are off
	batches     *slots
	exports     *slots
	simulations chan struct{}             // has an element for each that runs
	searches    chan struct{}             // likewise
	seen        atomic.Pointer[seenFacts] // of the last snapshot that could be read
	// requestTimeout is the constant of that name; tests replace it.
	requestTimeout time.Duration
}

// New returns a server. It returns an error when the compiled-in specification or page
// cannot be read.
func New(cfg Config, p Parts) (*Server, error) {
	cfg.Books = max(1, cfg.Books)
	s := &Server{
		Parts: p, cfg: cfg, tracer: traces.Tracer(cfg.Traces), requestTimeout: requestTimeout, batches: newSlots(maxBatches, maxBatchesOfKey), exports: newSlots(maxExports, maxExportsOfKey),
		simulations: make(chan struct{}, maxSimulations), searches: make(chan struct{}, maxSearches),
	}
	s.http = httpserver.New(httpserver.Config{
		Answer: answerError, LocalOnly: cfg.LocalOnly, Log: cfg.Log, Observe: cfg.Observe,
		Large: httpserver.LargeBodies{Path: batchPath, MaxBytes: maxBatchBytes, ReadTimeout: batchReadTimeout},
	})
	routes, err := s.routes()
	if err != nil {
		return nil, err
	}
	s.register(routes)
	return s, nil
}

// Serve answers requests on the listener until ctx ends; see httpserver.Server.Serve.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	return s.http.Serve(ctx, l, grace)
}
