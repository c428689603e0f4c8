package e2e_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// reply is what the API or a proxy answers.
type reply struct {
	status int
	header http.Header
	body   io.ReadCloser
}

// exchange is a request on its way through a proxy.
type exchange struct {
	method, path string
	id           string // of the order in the path or in the body
	body         []byte
	gone         <-chan struct{} // closed when nobody waits for the answer
	// ask sends the API another request.
	ask func(method, path string, body []byte) *reply
}

// pass passes the request on, and returns the answer.
func (x *exchange) pass() *reply { return x.ask(x.method, "", x.body) }

// is reports whether it is a request of this kind for the order whose id ends so.
func (x *exchange) is(method, path, end string) bool {
	return x.method == method && strings.HasSuffix(x.id, end) && regexp.MustCompile("^"+path+"$").MatchString(x.path)
}

// openProxy starts a proxy in front of an API, whose address it asks for, and returns its
// own. An answer of nil passes the request on.
func openProxy(t *testing.T, api func() string, answer func(x *exchange) *reply) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		x := &exchange{method: r.Method, path: r.URL.Path, body: body, gone: r.Context().Done(), ask: func(method, path string, body []byte) *reply {
			return forward(r, method, api()+cmp.Or(path, r.URL.RequestURI()), body)
		}}
		var o struct{ ID string }
		if _ = json.Unmarshal(body, &o); o.ID != "" {
			x.id = o.ID
		} else if parts := strings.Split(r.URL.Path, "/"); len(parts) > 2 && parts[1] == "orders" {
			x.id = parts[2]
		}
		resp := answer(x)
		if resp == nil {
			resp = x.pass()
		}
		defer func() { _ = resp.body.Close() }()
		maps.Copy(w.Header(), resp.header)
		w.Header().Del("Content-Length") // the body may be another
		w.WriteHeader(resp.status)
		buffer := make([]byte, 32<<10)
		for {
			n, err := resp.body.Read(buffer)
			_, _ = w.Write(buffer[:n])
			_ = http.NewResponseController(w).Flush()
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// forward sends a request to the API. Without an answer it breaks the connection.
func forward(r *http.Request, method, url string, body []byte) *reply {
	req, err := http.NewRequestWithContext(r.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(req) //nolint:bodyclose // whoever reads it closes it
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return &reply{resp.StatusCode, resp.Header, resp.Body}
}

// respond returns an answer with a body.
func respond(status int, body []byte) *reply {
	return &reply{status, http.Header{"Content-Type": {"application/json"}}, io.NopCloser(bytes.NewReader(body))}
}

// changed returns a JSON object with other values.
func changed(text []byte, values map[string]any) []byte {
	object := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // amounts keep their decimals
	_ = d.Decode(&object)
	maps.Copy(object, values)
	text, _ = json.Marshal(object)
	return text
}

// read returns the whole body of an answer.
func read(resp *reply) []byte {
	text, _ := io.ReadAll(resp.body)
	_ = resp.body.Close()
	return text
}

// editEvents returns a stream with other events. Edit is given each event of the order
// whose id ends so, with its number.
func editEvents(resp *reply, end string, edit func(event string, sequence string) string) *reply {
	of := regexp.MustCompile(`"order_id":"[^"]*` + end + `","sequence":(\d+)`)
	from, to := io.Pipe()
	source := resp.body
	resp.body = from
	go func() {
		var event strings.Builder
		lines := bufio.NewScanner(source)
		for lines.Scan() {
			event.WriteString(lines.Text() + "\n")
			if lines.Text() != "" {
				continue
			}
			text := event.String()
			event.Reset()
			if found := of.FindStringSubmatch(text); found != nil {
				text = edit(text, found[1])
			}
			_, _ = io.WriteString(to, text)
		}
		_ = source.Close()
		_ = to.Close()
	}()
	return resp
}

// lie is a proxy that hides or invents something.
type lie struct {
	name   string
	broken string // the guarantee that it breaks
	answer func() func(x *exchange) *reply
}

// lies are defects as an API would have them.
func lies() []lie {
	return []lie{
		{"an accepted order is lost", "kept", lose},
		{"a cancel does nothing", "cancel", pretend("/orders/[^/]+/cancel", "000002", http.StatusOK, "cancelled")},
		{"a retry does nothing", "retry", pretend("/orders/[^/]+/retry", "000003", http.StatusAccepted, "pending")},
		{"a read is stale", "answers", readStale},
		{"an order is accepted twice", "once", acceptTwice},
		{"a refused order is recorded", "refused", recordRefused},
		{"an event is lost", "events", events(func(event, sequence string) string {
			if sequence == "2" {
				return ""
			}
			return event
		})},
		{"an event comes twice", "events", events(func(event, _ string) string { return event + event })},
		{"events change places", "events", swapEvents},
		{"an order is counted twice", "books", countTwice},
	}
}

// lose answers for one order without passing it on.
func lose() func(x *exchange) *reply {
	var mu sync.Mutex
	var first []byte
	return func(x *exchange) *reply {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !x.is("POST", "/orders", "-000001"):
			return nil
		case first == nil:
			first = x.body
			return respond(http.StatusCreated, changed(first, map[string]any{"status": "pending"}))
		case string(first) != string(x.body):
			return respond(http.StatusConflict, []byte(`{"type":"tag:orderprocessor,2026:order-id-conflict"}`))
		default:
			resp := respond(http.StatusOK, changed(first, map[string]any{"status": "pending"}))
			resp.header.Set("Idempotency-Replayed", "true")
			return resp
		}
	}
}

// pretend answers a change of one order as if it had been made, and does not make it.
func pretend(path, end string, status int, shown string) func() func(x *exchange) *reply {
	return func() func(x *exchange) *reply {
		return func(x *exchange) *reply {
			if !x.is("POST", path, end) {
				return nil
			}
			resp := x.ask(http.MethodGet, "/orders/"+x.id, nil)
			if resp.status != http.StatusOK {
				return resp
			}
			text := read(resp)
			if shown == "pending" && !strings.Contains(string(text), `"status":"rejected"`) {
				return nil
			}
			return respond(status, changed(text, map[string]any{"status": shown}))
		}
	}
}

// readStale answers one read of each order that was shown as completed as it was before.
func readStale() func(x *exchange) *reply {
	var mu sync.Mutex
	shown := map[string]int{}
	return func(x *exchange) (resp *reply) {
		if !x.is("GET", "/orders/[^/]+", "") {
			return nil
		}
		resp = x.pass()
		text := read(resp)
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(string(text), `"status":"completed"`) {
			shown[x.id]++
		}
		if shown[x.id] == 3 {
			text = changed(text, map[string]any{"status": "pending", "attempts": []any{}})
		}
		return respond(resp.status, text)
	}
}

func acceptTwice() func(x *exchange) *reply {
	return func(x *exchange) *reply {
		if !x.is("POST", "/orders", "-000005") {
			return nil
		}
		resp := x.pass()
		if resp.status == http.StatusOK {
			resp.status = http.StatusCreated
			resp.header.Del("Idempotency-Replayed")
		}
		return resp
	}
}

// recordRefused lets the API record an order that is refused.
func recordRefused() func(x *exchange) *reply {
	return func(x *exchange) *reply {
		if !x.is("POST", "/orders", "wrong-0001") {
			return nil
		}
		refusal := x.pass()
		_ = read(x.ask(x.method, "", changed(x.body, map[string]any{"amount": 5})))
		return refusal
	}
}

func events(edit func(event, sequence string) string) func() func(x *exchange) *reply {
	return func() func(x *exchange) *reply {
		return func(x *exchange) *reply {
			if x.path != "/events" {
				return nil
			}
			return editEvents(x.pass(), "-000001", edit)
		}
	}
}

// swapEvents sends the second event of an order after the third.
func swapEvents() func(x *exchange) *reply {
	return func(x *exchange) *reply {
		if x.path != "/events" {
			return nil
		}
		second := ""
		return editEvents(x.pass(), "-000001", func(event, sequence string) string {
			if sequence == "2" {
				second = event
				return ""
			}
			event, second = event+second, ""
			return event
		})
	}
}

func countTwice() func(x *exchange) *reply {
	return func(x *exchange) *reply {
		if x.path != "/stats" {
			return nil
		}
		return respond(http.StatusOK, regexp.MustCompile(`"drift":0`).ReplaceAll(read(x.pass()), []byte(`"drift":1`)))
	}
}
