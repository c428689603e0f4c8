package client

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// quiet is a time of silence for tests.
const quiet = time.Second

// TestSilenceEndsAStream checks that a silent API ends the connection, before its
// answer or after, and that each heartbeat restarts the time.
func TestSilenceEndsAStream(t *testing.T) {
	t.Parallel()
	const beats = 3
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("dead") {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for range beats {
			_, _ = w.Write([]byte(": still here\n\n"))
			w.(http.Flusher).Flush()
			<-time.After(quiet / 2)
		}
		<-r.Context().Done()
	}))
	t.Cleanup(api.Close)
	client, err := New(api.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)

	dead := &subscription{client: client, filter: url.Values{"dead": {""}}, silence: quiet}
	if err := dead.connect(t.Context()); !errors.Is(err, errSilent) || !Temporary(err) {
		t.Errorf("no answer is %v", err)
	}
	begun := time.Now()
	err = (&subscription{client: client, subscriber: func(any) error { return nil }, silence: quiet}).connect(t.Context())
	if !errors.Is(err, errSilent) || !errors.As(err, new(*brokenError)) {
		t.Errorf("the stream ended with %v", err)
	}
	if took := time.Since(begun); took < beats*quiet/2 {
		t.Errorf("it ended after %v, while the API was still there", took)
	}
}
