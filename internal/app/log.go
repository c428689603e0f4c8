package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/redis/go-redis/v9"
	"golang.org/x/term"

	"orderprocessor/internal/config"
	"orderprocessor/internal/traces"
)

// NewLog returns the log of a program: text on a terminal and JSON elsewhere, unless
// the configuration sets a format. It also becomes the log of go-redis and
// OpenTelemetry. A line contains the ids of its request and of its trace.
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
	if format == config.LogText {
		return slog.New(newLimited(contextual{slog.NewTextHandler(w, opts)}))
	}
	return slog.New(newLimited(contextual{slog.NewJSONHandler(w, opts)}))
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
