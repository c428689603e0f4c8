package scenario

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// shop is a fulfilment endpoint that takes every order after a while.
type shop struct {
	server *http.Server
	url    string
}

// readTimeout bounds how long the shop waits for the rest of a request.
const readTimeout = 10 * time.Second

// openShop listens on a free port until close.
func openShop(after time.Duration) (*shop, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the shop: %w", err)
	}
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(after):
			w.WriteHeader(http.StatusNoContent)
		case <-r.Context().Done():
		}
	})
	s := &shop{server: &http.Server{Handler: answer, ReadHeaderTimeout: readTimeout}, url: "http://" + l.Addr().String()}
	go func() { _ = s.server.Serve(l) }() // ends with close
	return s, nil
}

func (s *shop) close() { _ = s.server.Close() }
