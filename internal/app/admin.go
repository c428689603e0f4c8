package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"orderprocessor/internal/access"
)

// The limits of the admin server, which answers orchestrators and operators.
const (
	adminReadTimeout    = 5 * time.Second
	adminWriteTimeout   = 30 * time.Second
	adminIdleTimeout    = 75 * time.Second
	adminMaxHeaderBytes = 16 << 10
	adminStopTimeout    = time.Second
)

// serveAdmin answers on the admin address until the returned function is
// called.
func serveAdmin(l net.Listener, s *state, metrics http.Handler, log *slog.Logger) (stop func()) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answerProbe(w, nil, nil) })
	ready := func(w http.ResponseWriter, r *http.Request) { answerProbe(w, s.check(r.Context()), s.watch.checks()) }
	mux.HandleFunc("GET /readyz", ready)
	mux.HandleFunc("OPTIONS /{$}", ready) // what HAProxy asks unless it is told otherwise
	addDiagnosis(mux, metrics)
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

// knownHost refuses, on a loopback address, requests for a name that somebody may
// have let point to it, so that no page from elsewhere has a browser read profiles.
// A request for no name at all is none of a browser.
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

// answerProbe answers 200, or 503 with the reason, the version, and what was checked.
func answerProbe(w http.ResponseWriter, err error, checks []check) {
	answer := struct {
		Status  string  `json:"status"`
		Reason  string  `json:"reason,omitempty"`
		Version string  `json:"version"`
		Checks  []check `json:"checks,omitempty"`
	}{Status: "ok", Version: Version(), Checks: checks}
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
