package queue

import (
	"fmt"
	"log/slog"
	"strings"
)

// logger passes on the log lines of Asynq. It implements asynq.Logger.
type logger struct{ log *slog.Logger }

func newLogger(log *slog.Logger) logger { return logger{log.With("source", "asynq")} }

// Debug passes a line on.
func (l logger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }

// Info passes a line on.
func (l logger) Info(args ...any) { l.log.Info(fmt.Sprint(args...)) }

// Warn passes a line on.
func (l logger) Warn(args ...any) {
	text := fmt.Sprint(args...)
	if isExpected(text) {
		l.log.Debug(text)
		return
	}
	l.log.Warn(text)
}

// isExpected reports whether a warning of Asynq needs no attention. Asynq writes for every
// archived task that its retries are exhausted; the worker has logged why the order
// failed. And when several servers recover an order whose lease expired, all but the first
// report that it is gone.
func isExpected(text string) bool {
	return strings.HasPrefix(text, "Retry exhausted for task") ||
		strings.HasPrefix(text, "recoverer:") && strings.HasSuffix(text, "NOT FOUND")
}

// Error passes a line on.
func (l logger) Error(args ...any) { l.log.Error(fmt.Sprint(args...)) }

// Fatal passes a line on as an error: only main ends the process.
func (l logger) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }
