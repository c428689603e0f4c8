package spectest

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// maxSentBody is how much of a request's body is kept. It is more than the API
// takes of anything but a batch, which is not looked into.
const maxSentBody = 1 << 20

// sent is a request on its way.
type sent struct {
	request *http.Request // to hand to the next transport
	copied  *copied       // nil if the request can say its body again, or has none
}

// send prepares a request: a body that can be read only once is copied while it
// is sent, so that it is sent neither earlier nor faster than without the kit.
func send(req *http.Request) sent {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil {
		return sent{request: req}
	}
	c := &copied{from: req.Body}
	clone := req.WithContext(req.Context())
	clone.Body = c
	return sent{request: clone, copied: c}
}

// body returns the whole body, if it is known by now.
func (s sent) body() (data []byte, known bool) {
	switch {
	case s.copied != nil:
		return s.copied.whole(s.request.ContentLength)
	case s.request.GetBody == nil || s.request.Body == http.NoBody:
		return nil, true
	}
	r, err := s.request.GetBody()
	if err != nil {
		return nil, false
	}
	data, err = io.ReadAll(io.LimitReader(r, maxSentBody+1))
	if errors.Join(err, r.Close()) != nil || len(data) > maxSentBody {
		return nil, false
	}
	return data, true
}

// copied is a body that keeps what is read of it.
type copied struct {
	from io.ReadCloser

	mu    sync.Mutex
	data  []byte
	ended bool
	large bool
}

// Read implements io.Reader.
func (c *copied) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.data)+n > maxSentBody {
		c.large, c.data = true, nil
	}
	if !c.large {
		c.data = append(c.data, p[:n]...)
	}
	c.ended = c.ended || errors.Is(err, io.EOF)
	return n, err
}

// Close implements io.Closer.
func (c *copied) Close() error { return c.from.Close() }

// whole returns a copy of the body if all of it has been read. A sender that
// knows the length does not read on to the end.
func (c *copied) whole(length int64) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.large || !c.ended && (length <= 0 || int64(len(c.data)) < length) {
		return nil, false
	}
	return append([]byte(nil), c.data...), true
}
