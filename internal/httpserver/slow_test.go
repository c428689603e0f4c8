package httpserver

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSlowClients closes connections whose requests do not arrive in time, and allows
// large bodies more time.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	s := serve(t, func(s *Server) { s.App().Server().ReadTimeout = hurry })
	const post = "POST /small HTTP/1.1\r\nHost: a\r\n"
	rows := []struct{ name, start, drip string }{
		{"silent", "", ""},
		{"header stalls", post, ""},
		{"header drips", post + "X-A: ", "x"},
		{"body stalls", post + "Content-Length: 1000\r\n\r\n{", ""},
		{"body drips", post + "Content-Length: 1000\r\n\r\n", " "},
		{"chunks drip", post + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"},
	}
	large := s.dial(t, "POST /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nx")
	begun := time.Now()
	conns := make([]net.Conn, len(rows)) // all at once, to wait only once
	for i, row := range rows {
		conns[i] = s.dial(t, row.start)
		if row.drip != "" {
			go drip(t.Context(), conns[i], row.drip)
		}
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			text, err := io.ReadAll(conns[i])
			took := time.Since(begun)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() || took > 20*hurry || took < hurry/2 {
				t.Errorf("closed after %v, %v", took, err)
			}
			if silent := row.start == ""; silent != (len(text) == 0) || !silent && !strings.HasPrefix(string(text), "HTTP/1.1 408") {
				t.Errorf("answer is %q", text)
			}
		})
	}
	if _, err := io.WriteString(large, "y"); err != nil {
		t.Fatal(err)
	}
	if all := statuses(t, large); !slices.Equal(all, []int{200}) {
		t.Errorf("a large body that arrives as slowly is answered %v", all)
	}
}

// drip sends a piece every half second until the connection breaks or ctx ends.
func drip(ctx context.Context, c net.Conn, piece string) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := io.WriteString(c, piece); err != nil {
				return
			}
		}
	}
}
