package queue

import (
	"fmt"
	"log/slog"
	"strings"
)

// logger passes Asynq's log lines on. It implements asynq.Logger.
type logger struct{ log *slog.Logger }

func (l logger) pass(write func(msg string, args ...any), args []any) {
	write(fmt.Sprint(args...), "source", "asynq")
}

// Debug passes a line on.
func (l logger) Debug(args ...any) { l.pass(l.log.Debug, args) }

// Info passes a line on.
func (l logger) Info(args ...any) { l.pass(l.log.Info, args) }

// Warn passes a line on.
func (l logger) Warn(args ...any) {
	write := l.log.Warn
	if expected(fmt.Sprint(args...)) {
		write = l.log.Debug
	}
	l.pass(write, args)
}

// expected tells the warnings that nobody need hear of. Asynq says of every
// archived task that its retries are exhausted; the worker has said why the
// order failed. And when several lanes recover the order of a lost worker, all
// but the first complain that it is gone.
func expected(text string) bool {
	return strings.HasPrefix(text, "Retry exhausted for task") ||
		strings.HasPrefix(text, "recoverer:") && strings.HasSuffix(text, "NOT FOUND")
}

// Error passes a line on.
func (l logger) Error(args ...any) { l.pass(l.log.Error, args) }

// Fatal passes a line on as an error: only main ends the process.
func (l logger) Fatal(args ...any) { l.pass(l.log.Error, args) }
