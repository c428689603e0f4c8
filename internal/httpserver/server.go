// Package httpserver makes Fiber safe on the open net: it bounds what a client may
// send and how slowly, refuses requests that another server could read differently,
// keeps browsers from acting for other sites, and ends connections without losing
// answers.
//
// It receives connections and hands requests to the handlers of the API, which decide
// what an error means over HTTP. It gives each request an id, a parent in its trace and
// one line in the log. It owns the listening socket while it serves; nothing is durable
// after it.
package httpserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Config configures a Server.
type Config struct {
	// Answer writes the answer to a request that ended with err, and returns the
	// sentence that explains it to the client.
	Answer func(c *fiber.Ctx, err error) (detail string)
	// Large is the one route that accepts larger and slower bodies than the others.
	Large LargeBodies
	// LocalOnly refuses browsers that address this machine by a name. It is for servers
	// without keys, which only this machine can reach.
	LocalOnly bool
	// Log receives a line for each request.
	Log *slog.Logger
	// Observe is called after each answer with the pattern of the route ("none" if no
	// route matched), the method, the status code and the duration. The method is valid
	// only during the call. Nil means that nobody observes.
	Observe func(route, method string, status int, took time.Duration)
}

// LargeBodies is a route for large request bodies.
type LargeBodies struct {
	// Path is the exact path of the route.
	Path string
	// MaxBytes bounds a body.
	MaxBytes int
	// ReadTimeout bounds how long a body may take to arrive.
	ReadTimeout time.Duration
}

// Server is a Fiber application with everything that each request passes.
type Server struct {
	cfg        Config
	app        *fiber.App
	protection *http.CrossOriginProtection
	// serving ends when the server stops.
	serving context.Context
	drain   context.CancelFunc
}

// New returns a server without routes. It starts nothing.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, protection: http.NewCrossOriginProtection()}
	s.serving, s.drain = context.WithCancel(context.Background())
	s.app = fiber.New(fiber.Config{
		DisableStartupMessage: true,
		CaseSensitive:         true,
		StrictRouting:         true,
		// No route accepts forms: they are answered 415 even when they are malformed.
		DisablePreParseMultipartForm: true,
		StreamRequestBody:            true, // each route bounds its own bodies, see ReadBody
		BodyLimit:                    MaxBodyBytes,
		ReadBufferSize:               MaxHeaderBytes,
		Concurrency:                  maxConnections,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		JSONEncoder:                  json.Marshal,
		ErrorHandler:                 s.refuse,
	})
	s.app.Use(s.identify, s.trace, s.logRequest, s.recoverPanic, s.knownHost, s.sameSite)
	s.allowLargeBodies()
	s.refuseOddRequests()
	return s
}

// App returns the Fiber application, for adding routes before Serve is called.
func (s *Server) App() *fiber.App { return s.app }

// recoverPanic turns a panic of a handler into an error.
func (s *Server) recoverPanic(c *fiber.Ctx) (err error) {
	defer Recover(&err)
	return c.Next()
}

// Recover turns a panic into an error with its stack. It must be deferred directly.
func Recover(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

// Serving returns a context that ends when the server begins to stop.
func (s *Server) Serving() context.Context { return s.serving }

// Serve answers requests on the listener until ctx ends. Then it accepts no further
// connections, waits at most the grace period for running requests, and returns with
// the listener closed. It may be called once.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- s.app.Listener(newLingerListener(l)) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.drain()
	err := s.app.ShutdownWithTimeout(grace)
	_ = l.Close() // when ctx ends at once, Shutdown does not know the listener yet
	<-served      //nolint:errcheck // the listener is closed on purpose
	if errors.Is(err, context.DeadlineExceeded) {
		s.cfg.Log.Warn("requests were still running when the API stopped", "waited", grace)
		return nil
	}
	return err
}
