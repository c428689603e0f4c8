package spectest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestAnswerWhileItIsWritten reaches the client line by line, and is judged at
// its end.
func TestAnswerWhileItIsWritten(t *testing.T) {
	t.Parallel()
	first, second, _ := strings.Cut(lines, "\n")
	goOn := make(chan struct{})
	server, client, r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("X-Request-Id", "r1")
		_, _ = io.WriteString(w, first+"\n")
		_ = http.NewResponseController(w).Flush()
		<-goOn
		_, _ = io.WriteString(w, strings.Replace(second, `"line"`, `"row"`, 1))
	})
	resp, err := client.Post(server.URL+"/orders/batch", "application/json", strings.NewReader(`[]`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadFull(resp.Body, make([]byte, len(first))); err != nil {
		t.Fatal(err)
	}
	wantNone(t, r.reports())
	close(goOn)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	wantReport(t, r.reports(), question{method: "POST", path: "/orders/batch"}, 200, "row")
}

// TestAnswersThatAreNotRead are judged as far as they can be.
func TestAnswersThatAreNotRead(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, contentType string
		flush             bool
		want              string
	}{
		{"the length is known", "application/json", false, "at '/status'"},
		{"the length is not known", "application/json", true, ""},
		{"the media type is wrong", "text/plain", true, "Content-Type is"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server, client, r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", row.contentType)
				w.Header().Set("X-Request-Id", "r1")
				w.WriteHeader(http.StatusOK)
				if row.flush {
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = io.WriteString(w, strings.Replace(order, "completed", "done", 1))
			})
			resp, err := client.Get(server.URL + "/orders/order-1")
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			if row.want == "" {
				wantNone(t, r.reports())
				return
			}
			wantReport(t, r.reports(), question{method: "GET", path: "/orders/order-1"}, 200, row.want)
		})
	}
}

// TestBrokenAnswer hands on the error, and does not judge half a body.
func TestBrokenAnswer(t *testing.T) {
	t.Parallel()
	server, client, r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "r1")
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"id":`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	body, _, err := send(t, client, server.URL, question{method: "GET", path: "/orders/order-1"})
	if body != `{"id":` || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the answer is %q, %v", body, err)
	}
	wantNone(t, r.reports())
}

// TestNoAnswer hands on the error.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	server, client, r := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, _, err := send(t, client, server.URL, question{method: "GET", path: "/stats"}); !errors.Is(err, io.EOF) {
		t.Errorf("the error is %v", err)
	}
	wantNone(t, r.reports())
}
