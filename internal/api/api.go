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
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// Intake takes orders in; see intake.Intake.Take.
type Intake interface {
	Take(ctx context.Context, o order.Order) (rec order.Record, isNew bool, err error)
}

// Records reads orders; see ledger.Ledger.Get.
type Records interface {
	Get(ctx context.Context, id string) (order.Record, error)
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
	// Ready returns an error while orders cannot be served, with the reason.
	Ready func() error
	// Log receives a line for each request.
	Log *slog.Logger
}

// Server is the HTTP server for clients and operators.
type Server struct {
	cfg     Config
	intake  Intake
	records Records
	stats   Stats
	app     *fiber.App
}

// New returns a server. asynqRedis is the Redis client that Asynqmon reads the
// queues through; it stays the caller's to close.
func New(cfg Config, in Intake, r Records, s Stats, asynqRedis any) *Server {
	srv := &Server{cfg: cfg, intake: in, records: r, stats: s}
	srv.app = fiber.New(fiber.Config{
		DisableStartupMessage: true,
		CaseSensitive:         true,
		UnescapePath:          true, // %5F in an order's id is an underscore
		// Forms are none of ours: they are answered 415, however broken.
		DisablePreParseMultipartForm: true,
		BodyLimit:                    maxBodyBytes,
		ReadBufferSize:               maxHeaderBytes,
		Concurrency:                  maxConnections,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		JSONEncoder:                  json.Marshal,
		ErrorHandler:                 srv.refuse,
	})
	srv.routes(asynqRedis)
	srv.refuseUnknownMethods()
	return srv
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
	err := s.app.ShutdownWithTimeout(grace)
	_ = l.Close() // Shutdown knows no listener yet when ctx ends at once
	<-served      //nolint:errcheck // a closed listener is what was asked for
	if errors.Is(err, context.DeadlineExceeded) {
		s.cfg.Log.Warn("requests were still running when the API stopped", "waited", grace)
		return nil
	}
	return err
}
