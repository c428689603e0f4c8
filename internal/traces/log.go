package traces

import (
	"log/slog"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// LogThrough makes OpenTelemetry write its remarks to the log, instead of standard
// error: what it reads wrong from its variables as errors, and what goes wrong with
// single spans for those who debug. It sets what is global to the process, as
// OpenTelemetry has no other way, so only a program's start may call it.
func LogThrough(log *slog.Logger) {
	log = log.With("source", "opentelemetry")
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Debug("OpenTelemetry reports an error", "error", err)
	}))
}
