package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"orderprocessor/internal/access"
)

// The limits of the admin server.
const (
	adminReadTimeout    = 5 * time.Second
	adminWriteTimeout   = 30 * time.Second // a profile takes this long by default
	adminIdleTimeout    = 75 * time.Second
	adminMaxHeaderBytes = 16 << 10
	adminStopTimeout    = time.Second
)

// serveAdmin answers on the admin address until the returned function is called.
func serveAdmin(l net.Listener, r *readiness, metrics http.Handler, log *slog.Logger) (stop func()) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answerProbe(w, nil, nil) })
	ready := func(w http.ResponseWriter, req *http.Request) {
		answerProbe(w, r.probe(req.Context()), r.findings())
	}
	mux.HandleFunc("GET /readyz", ready)
	mux.HandleFunc("OPTIONS /{$}", ready) // the default check of HAProxy
	mux.Handle("GET /metrics", metrics)
	// The profiles of Go must not be reachable by clients.
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{
		Handler: knownHost(l, mux), ReadTimeout: adminReadTimeout, WriteTimeout: adminWriteTimeout,
		IdleTimeout: adminIdleTimeout, MaxHeaderBytes: adminMaxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(hostless{l}); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin address is gone", "error", err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), adminStopTimeout)
		defer cancel()
		_ = server.Shutdown(ctx)
		_ = server.Close()
		<-done
	}
}

// knownHost refuses requests for unknown host names on a loopback address. Anybody can
// let a name of their own resolve to it, and a page from there could then have the
// browser read profiles. A request without a host does not come from a browser.
func knownHost(l net.Listener, next http.Handler) http.Handler {
	if addr, ok := l.Addr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "" && !access.LocalHost(r.Host) {
			http.Error(w, "ask for localhost or the address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// answerProbe answers 200, or 503 with the reason, and in both cases the version and
// the results of the checks.
func answerProbe(w http.ResponseWriter, err error, findings []Finding) {
	type check struct {
		Name   string `json:"name"`
		State  string `json:"state"`
		Detail string `json:"detail"`
	}
	answer := struct {
		Status  string  `json:"status"`
		Reason  string  `json:"reason,omitempty"`
		Version string  `json:"version"`
		Checks  []check `json:"checks,omitempty"`
	}{Status: "ok", Version: Version()}
	for _, f := range findings {
		answer.Checks = append(answer.Checks, check{f.Check, status(f), f.Found})
	}
	code := http.StatusOK
	if err != nil {
		answer.Status, answer.Reason = "unavailable", err.Error()
		code = http.StatusServiceUnavailable
	}
	body, _ := json.Marshal(answer) //nolint:errchkjson // strings always encode
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n'))
}
