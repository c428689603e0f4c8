package httpserver

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

// TestPathOf finds the path in every form that a target may have.
func TestPathOf(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/orders/batch": "/orders/batch", "/orders/batch?a=b": "/orders/batch", "/orders/batch#x": "/orders/batch",
		"http://host:1/orders/batch?x": "/orders/batch", "http://host": "/", "/a?b=http://c/orders/batch": "/a", "*": "*", "": "",
	} {
		if got := pathOf(target); got != want {
			t.Errorf("%q has the path %q, want %q", target, got, want)
		}
	}
}

// TestLargeBodies answers a body that is too large with 413 while its client still sends
// it, never with a connection that is reset.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	s := serve(t)
	client := &http.Client{Transport: &http.Transport{}, Timeout: programtest.Patience}
	t.Cleanup(client.CloseIdleConnections)
	for _, row := range []struct {
		path        string
		bytes, code int
		times       int
	}{
		{"/small", MaxBodyBytes, 200, 1},
		{"/small", MaxBodyBytes + 1, 413, 1},
		{"/small", 10_000_000, 413, 20},
		{"/large", largeBytes, 200, 1},
		{"/large", largeBytes + 1, 413, 1},
	} {
		text := strings.Repeat("x", row.bytes)
		for kind, body := range map[string]func() io.Reader{
			"with a length": func() io.Reader { return strings.NewReader(text) },
			"in chunks":     func() io.Reader { return io.MultiReader(strings.NewReader(text)) },
		} {
			for range row.times {
				resp, err := client.Post("http://"+s.addr+row.path, "text/plain", body())
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != row.code || row.code == 200 && len(got) != row.bytes {
					t.Errorf("%d bytes %s to %s: %d, %d bytes, %v", row.bytes, kind, row.path, resp.StatusCode, len(got), err)
				}
			}
		}
	}
}
