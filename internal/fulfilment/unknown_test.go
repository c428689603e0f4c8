package fulfilment

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"orderprocessor/internal/order"
)

// unknown reports whether an error leaves open that the shop has taken the order.
func unknown(err error) bool {
	var retry *order.RetryError
	return errors.As(err, &retry) && retry.Unknown
}

// TestUnknownIsTrueUnlessTheShopSurelyHasNotTakenTheOrder makes calls that fail in
// every way that there is, over real connections.
func TestUnknownIsTrueUnlessTheShopSurelyHasNotTakenTheOrder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		call func(t *testing.T) error
		want bool
	}{
		"name is not known":                  {callAt("http://shop.invalid"), false},
		"connection is refused":              {func(t *testing.T) error { return callAt(closedURL(t))(t) }, false},
		"connecting takes too long":          {callFull, false},
		"TLS is not spoken":                  {callTLSOfPlain, false},
		"certificate is not trusted":         {callUntrusted, false},
		"TLS handshake takes too long":       {callHungTLS, false},
		"no connection is free":              {callWithoutFreeConnection, false},
		"stopped before the call":            {callStopped(false), false},
		"stopped during the call":            {callStopped(true), true},
		"stopped during the call, HTTP/2":    {callStoppedOverHTTP2, true},
		"no answer in time":                  {callHanging, true},
		"closed after the request":           {callRaw(""), true},
		"closed within the status line":      {callRaw("HTTP/1.1 4"), true},
		"closed within the headers":          {callRaw("HTTP/1.1 422 x\r\nContent-"), true},
		"not HTTP":                           {callRaw("SSH-2.0-x\r\n\r\n"), true},
		"impossible status":                  {callRaw("HTTP/1.1 abc x\r\n\r\n"), true},
		"impossible length":                  {callRaw("HTTP/1.1 503 x\r\nContent-Length: x\r\n\r\n"), true},
		"two lengths":                        {callRaw("HTTP/1.1 503 x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), true},
		"headers too long":                   {callRaw("HTTP/1.1 503 x\r\nX: " + strings.Repeat("x", maxHeaderBytes) + "\r\n\r\n"), true},
		"broke, and the repeat finds nobody": {callBrokenThenRefused, true},
		"a refusal that breaks off":          {callRaw("HTTP/1.1 503 x\r\nContent-Length: 9\r\n\r\nx"), false},
	}
	for _, code := range []int{408, 425, 429, 500, 501, 503, 505, 507, 508, 509, 510, 511} {
		tests["answer "+strconv.Itoa(code)] = answerRow(code, false)
	}
	for _, code := range []int{403, 409, 413, 423} {
		tests["answer "+strconv.Itoa(code)+", come back"] = answerRow(code, false)
	}
	for _, code := range []int{502, 504, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 561, 598, 599} {
		tests["answer "+strconv.Itoa(code)] = answerRow(code, true)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.call(t)
			if got := endingOf("", err); got.Kind != "retry" || unknown(err) != tt.want {
				t.Errorf("got %+v, unknown %v, want a retry with %v", got, unknown(err), tt.want)
			}
		})
	}
}

type unknownRow = struct {
	call func(t *testing.T) error
	want bool
}

func answerRow(code int, want bool) unknownRow {
	return unknownRow{callRaw("HTTP/1.1 " + strconv.Itoa(code) + " x\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n"), want}
}

func callAt(address string) func(t *testing.T) error {
	return func(t *testing.T) error {
		t.Helper()
		_, err := fulfil(newClient(t, Config{URL: address}))
		return err
	}
}

// callRaw answers with these bytes and hangs up.
func callRaw(answer string) func(t *testing.T) error {
	return func(t *testing.T) error {
		t.Helper()
		shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) { sayRaw(t, w, answer) })
		shop.Start()
		return callAt(shop.URL)(t)
	}
}

// callHanging is never answered; the shop has the call before its time is over.
func callHanging(t *testing.T) error {
	t.Helper()
	reached := make(chan struct{}, 1)
	shop := newShop(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) {
		reached <- struct{}{}
		<-r.Context().Done()
	})
	shop.Start()
	for timeout := shortTimeout; timeout < longTimeout; timeout *= 2 { // a busy machine may take longer to connect
		_, err := fulfil(newClient(t, Config{URL: shop.URL, Timeout: timeout}))
		select {
		case <-reached:
			return err
		default:
		}
	}
	t.Fatal("no call reached the shop")
	return nil
}

// callStopped ends the caller's context before or during the call.
func callStopped(during bool) func(t *testing.T) error {
	return func(t *testing.T) error {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		shop := newShop(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) {
			cancel()
			<-r.Context().Done()
		})
		shop.Start()
		if !during {
			cancel()
		}
		_, err := newClient(t, Config{URL: shop.URL}).Fulfil(ctx, approval())
		return err
	}
}

func callStoppedOverHTTP2(t *testing.T) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shop := newShop(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) {
		if r.ProtoMajor != 2 {
			t.Errorf("called over %s", r.Proto)
		}
		cancel()
		<-r.Context().Done()
	})
	shop.EnableHTTP2 = true
	shop.StartTLS()
	c := newClient(t, Config{URL: shop.URL})
	c.trust(shop)
	_, err := c.Fulfil(ctx, approval())
	return err
}

// callFull connects to a listener whose queue is full: nothing answers it.
func callFull(t *testing.T) error {
	t.Helper()
	fd, name := bound(t)
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		filler, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(filler) }) //nolint:errcheck // the test is over
		if err := syscall.Connect(filler, name); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
			t.Fatal(err)
		}
	}
	_, err := fulfil(newClient(t, Config{URL: "http://127.0.0.1:" + strconv.Itoa(name.Port), Timeout: shortTimeout}))
	return err
}

func callTLSOfPlain(t *testing.T) error {
	t.Helper()
	shop := newShop(t, func(http.ResponseWriter, *http.Request, []byte) { t.Error("the shop was called") })
	shop.Start()
	return callAt(strings.Replace(shop.URL, "http:", "https:", 1))(t)
}

func callUntrusted(t *testing.T) error {
	t.Helper()
	shop := newShop(t, func(http.ResponseWriter, *http.Request, []byte) { t.Error("the shop was called") })
	shop.Config.ErrorLog = log.New(io.Discard, "", 0)
	shop.StartTLS()
	return callAt(shop.URL)(t)
}

func callHungTLS(t *testing.T) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // the test is over
	_, err = fulfil(newClient(t, Config{URL: "https://" + listener.Addr().String(), Timeout: shortTimeout}))
	return err
}

// callWithoutFreeConnection waits for the only connection until it is stopped.
func callWithoutFreeConnection(t *testing.T) error {
	t.Helper()
	reached, answer := make(chan struct{}), make(chan struct{})
	shop := newShop(t, func(http.ResponseWriter, *http.Request, []byte) {
		close(reached) // panics at a second call
		<-answer
	})
	shop.Start()
	c := newClient(t, Config{URL: shop.URL, MaxConns: 1})
	first := make(chan error, 1)
	go func() {
		_, err := fulfil(c)
		first <- err
	}()
	<-reached
	ctx, cancel := context.WithTimeout(t.Context(), shortTimeout)
	defer cancel()
	_, err := c.Fulfil(ctx, approval())
	close(answer)
	if firstErr := <-first; firstErr != nil {
		t.Errorf("the first call: %v", firstErr)
	}
	return err
}

// callBrokenThenRefused reads a call on a connection that is used again, breaks
// it off, and is gone when the transport repeats the call by itself.
func callBrokenThenRefused(t *testing.T) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- serveThenVanish(listener) }()
	c := newClient(t, Config{URL: "http://" + listener.Addr().String()})
	if _, err := fulfil(c); err != nil {
		t.Errorf("the first call: %v", err)
	}
	_, err = fulfil(c)
	if servedErr := <-served; servedErr != nil {
		t.Error(servedErr)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want the error of the repeat", err)
	}
	return err
}

func serveThenVanish(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it is meant to break
	in := bufio.NewReader(conn)
	for n := range 2 {
		r, err := http.ReadRequest(in)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return err
		}
		if n == 0 {
			if _, err := io.WriteString(conn, "HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n"); err != nil {
				return err
			}
		}
	}
	return listener.Close()
}
