package spectest

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

const (
	// maxAnswer is how much of an answer's body is kept; the answer to the
	// largest batch has a few MiB.
	maxAnswer = 64 << 20
	// maxRest is how much of an answer is read when it is closed early.
	maxRest = 1 << 20
)

// watched is the body of an answer. When it ends, or is closed, it is handed to
// judge once.
type watched struct {
	from   io.ReadCloser
	length int64                         // -1 if it is not known
	judge  func(data []byte, whole bool) // gets what was read, and whether it is all

	mu     sync.Mutex
	data   []byte
	judged bool
}

func watch(resp *http.Response, judge func(data []byte, whole bool)) io.ReadCloser {
	return &watched{from: resp.Body, length: resp.ContentLength, judge: judge}
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	w.keep(p[:n])
	if err != nil {
		w.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close implements io.Closer. It reads what is left of a body whose length is
// known.
func (w *watched) Close() error {
	if rest := w.rest(); rest > 0 && rest <= maxRest {
		_, _ = io.CopyN(io.Discard, w, rest) // Read sees how it ends
	}
	w.end(false)
	return w.from.Close()
}

func (w *watched) keep(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.judged && len(w.data) <= maxAnswer {
		w.data = append(w.data, p...)
	}
}

func (w *watched) rest() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.judged || w.length < 0 {
		return 0
	}
	return w.length - int64(len(w.data))
}

// end judges the body unless that has been done.
func (w *watched) end(ended bool) {
	w.mu.Lock()
	judged, data := w.judged, w.data
	w.judged, w.data = true, nil
	w.mu.Unlock()
	if judged {
		return
	}
	whole := ended || w.length >= 0 && int64(len(data)) == w.length
	w.judge(data, whole && len(data) <= maxAnswer)
}
