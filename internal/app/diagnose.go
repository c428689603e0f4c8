package app

import (
	"net/http"
	"net/http/pprof"
)

// addDiagnosis adds what shows the inside of the process: Go's profiles, and
// metrics for Prometheus. Neither belongs on an address that clients reach.
func addDiagnosis(mux *http.ServeMux, metrics http.Handler) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /metrics", metrics)
}
