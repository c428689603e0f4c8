package traces

import (
	"log/slog"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// LogThrough makes OpenTelemetry log to log instead of standard error: malformed
// variables as errors, and failures of single spans for debugging. The setting is global
// to the process, so only the start of a program may call it.
func LogThrough(log *slog.Logger) {
	log = log.With("source", "opentelemetry")
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Debug("OpenTelemetry reports an error", "error", err)
	}))
}
