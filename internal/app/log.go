package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/term"

	"orderprocessor/internal/config"
	"orderprocessor/internal/requestid"
	"orderprocessor/internal/traces"
)

// NewLog returns the log of a program: text on a terminal and JSON elsewhere, unless
// the configuration sets a format. It also becomes the log of go-redis and
// OpenTelemetry. A line contains the ids of its request and of its trace. Some warnings
// and errors are held back for up to ten seconds: call FlushLog before the program ends.
func NewLog(w *os.File, cfg config.Common) *slog.Logger {
	format := cfg.LogFormat
	if format == "" && term.IsTerminal(int(w.Fd())) {
		format = config.LogText
	}
	log := newLogger(w, format, cfg.LogLevel)
	redis.SetLogger(redisLogger{log})
	traces.LogThrough(log)
	return log
}

func newLogger(w io.Writer, format config.LogFormat, level slog.Level) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: readableDurations}
	var handler slog.Handler = slog.NewJSONHandler(w, opts)
	if format == config.LogText {
		handler = slog.NewTextHandler(w, opts)
	}
	return slog.New(contextual{newLimited(handler)}) // a line that is held back outlives its context
}

// FlushLog writes the lines that a log of NewLog holds back. It does nothing for any
// other log, and may be called at any time.
func FlushLog(log *slog.Logger) {
	outer, _ := log.Handler().(contextual)
	if inner, ok := outer.Handler.(limited); ok {
		inner.window.flush()
	}
}

// readableDurations writes durations such as 35s, which JSON would have in nanoseconds.
func readableDurations(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// redisLogger passes the log lines of go-redis on. They repeat errors that the callers
// of the commands report, so they are for debugging only.
type redisLogger struct{ log *slog.Logger }

// Printf implements the logger of go-redis.
func (l redisLogger) Printf(ctx context.Context, format string, v ...any) {
	l.log.DebugContext(ctx, fmt.Sprintf(format, v...), "source", "go-redis")
}

// The keys of the ids in a context.
const (
	keyRequestID = "request_id"
	keyTraceID   = "trace_id"
	keySpanID    = "span_id"
)

// contextual is a log handler that adds the ids of the request and of the trace in the
// context. A trace that a client began is added even if traces are off.
type contextual struct{ slog.Handler }

// Handle implements slog.Handler.
func (h contextual) Handle(ctx context.Context, r slog.Record) error {
	id, span := requestid.Of(ctx), trace.SpanContextFromContext(ctx)
	if id == "" && !span.IsValid() {
		return h.Handler.Handle(ctx, r)
	}
	r = r.Clone()
	if id != "" && !has(r, keyRequestID) {
		r.AddAttrs(slog.String(keyRequestID, id))
	}
	if span.IsValid() {
		r.AddAttrs(slog.String(keyTraceID, span.TraceID().String()), slog.String(keySpanID, span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// has reports whether the line has the key already.
func has(r slog.Record, key string) (found bool) {
	r.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}

// WithAttrs implements slog.Handler.
func (h contextual) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextual{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h contextual) WithGroup(name string) slog.Handler { return contextual{h.Handler.WithGroup(name)} }
