package spectest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// once is a body that can be read once, of a length that nobody knows.
func once(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) }

// post sends such a body to POST /orders and returns the answer's.
func post(t *testing.T, c *http.Client, base string, body io.Reader, length int64) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/orders", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = length
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestBodiesThatAreReadOnce arrive whole, and are judged.
func TestBodiesThatAreReadOnce(t *testing.T) {
	t.Parallel()
	wrong := strings.Replace(submission, "12.5", "0", 1)
	large := submission + strings.Repeat(" ", 1<<20)
	rows := []struct {
		name, body string
		length     int64
		reported   bool
	}{
		{"valid in chunks", submission, -1, false},
		{"wrong in chunks", wrong, -1, true},
		{"wrong with a length", wrong, int64(len(wrong)), true},
		{"empty in chunks", "", -1, true},
		{"too large to be judged", "x" + large, -1, false},
		{"too large to be judged, with a length", "x" + large, int64(len(large)) + 1, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := correct(t, "POST /orders", "201")
			arrived := make(chan string, 1)
			server, client, r := serve(t, func(w http.ResponseWriter, req *http.Request) {
				text, _ := io.ReadAll(req.Body)
				arrived <- string(text)
				speak(a)(w, req)
			})
			post(t, client, server.URL, once(row.body), row.length)
			if got := <-arrived; got != row.body {
				t.Errorf("%d bytes arrived, %d were sent", len(got), len(row.body))
			}
			if row.reported {
				wantReport(t, r.reports(), question{method: "POST", path: "/orders"}, 201, "the request is not valid")
			} else {
				wantNone(t, r.reports())
			}
		})
	}
}

// TestLargeBodyThatCanBeRepeated is sent, and not judged.
func TestLargeBodyThatCanBeRepeated(t *testing.T) {
	t.Parallel()
	server, client, r := serve(t, speak(correct(t, "POST /orders", "201")))
	q := questions()["POST /orders"]
	q.body = "x" + strings.Repeat(" ", 1<<20)
	if _, _, err := send(t, client, server.URL, q); err != nil {
		t.Fatal(err)
	}
	wantNone(t, r.reports())
}

// TestEndlessBody is answered while it is being sent: the kit does not wait for
// its end, and does not judge what there is of it.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"201", "413"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			a := correct(t, "POST /orders", status)
			server, client, r := serve(t, func(w http.ResponseWriter, req *http.Request) {
				_, _ = req.Body.Read(make([]byte, 1))
				for name, value := range a.header {
					w.Header().Set(name, value)
				}
				w.Header().Set("Connection", "close")
				w.WriteHeader(a.status)
				_, _ = io.WriteString(w, a.body)
			})
			body, sender := io.Pipe()
			t.Cleanup(func() { _ = sender.Close() })
			go func() { _, _ = io.WriteString(sender, "{") }()
			if text := post(t, client, server.URL, body, -1); text != a.body {
				t.Errorf("the answer is %q", text)
			}
			wantNone(t, r.reports())
		})
	}
}
