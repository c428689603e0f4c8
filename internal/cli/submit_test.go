package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

const valid = `{"amount":12.50,"items":["lamp"],"customer":"Ada","address":"London"}`

func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orders")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// in16 is a text in UTF-16, without a mark.
func in16(text string) string { return strings.Join(strings.Split(text, ""), "\x00") + "\x00" }

func withID(id string) string { return strings.Replace(valid, "{", `{"id":"`+id+`",`, 1) }

func TestSubmit(t *testing.T) {
	t.Parallel()
	api := startService(t)
	bad := valid + "\n{\"amount\":\n" + strings.Replace(valid, "12.50", "0.001", 1) + "\n[]\n" +
		`{"x":"` + strings.Repeat("x", 300<<10) + `"}` + "\n" + strings.Replace(valid, "Ada", "Eve", 1) + "\n"
	for _, tt := range []struct {
		name, text string
		status     int
		says       []string
	}{
		{"object", "{\n" + valid[1:], 0, []string{`accepted +1\n`, `replayed +0 .*\n`, `refused +0\n$`}},
		{"array", "[" + valid + ",\n" + valid + "]", 0, []string{`accepted +2\n`}},
		{"lines", strings.Repeat(valid+"\n", 100), 0, []string{`accepted +100\n`}},
		{"replays", strings.Repeat(withID("twice")+"\n", 3), 0, []string{`accepted +1\n`, `replayed +2 `}},
		{"bad lines", bad, 1, []string{
			`accepted +2\n`, `refused +4\n\n`, `line 2: is not valid JSON: invalid character '\[' after object value`,
			`line 3: 400: amount must have at most two decimals\nline 4: is a JSON array; .*\nline 5: is longer than 256 KiB\n`,
			`orderctl: 4 of 6 orders were not accepted\n$`,
		}},
		{"one after the other", valid + valid + "{\n" + valid[1:] + "\n{\n" + valid[1:] + valid + "\n" + valid, 0, []string{`accepted +6\n`, `refused +0\n$`}},
		{"UTF-16", in16(valid), 1, []string{`accepted +0\n`, `\norderctl: read the orders: the input is in UTF-16 or UTF-32, and only UTF-8 is read: iconv `}},
		{"gzip", "\x1f\x8b\x08", 1, []string{`\norderctl: read the orders: the input is compressed with gzip`}},
		{"CSV", "id,amount\no1,12.50\n", 1, []string{`refused +2\n`, `line 1: .* CSV`, `line 2: .* CSV`, `2 of 2 orders were not accepted\n$`}},
		{"nothing but a mark", "\ufeff", 1, []string{`orderctl: there is no order in the input\n$`}},
		{"nothing", "\n", 1, []string{`orderctl: there is no order in the input\n$`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			orderctl(t, "submit", fileOf(t, tt.text), "--api", api.url).mustEnd(t, tt.status, tt.says...)
		})
	}
	for _, args := range [][]string{{"submit"}, {"submit", "-"}} {
		in := world{stdin: strings.NewReader(valid), environ: []string{"ORDERCTL_API=" + api.url}}
		orderctlIn(t, in, args...).mustEnd(t, 0, `accepted +1\n`)
	}
	t.Run("same id, other content", func(t *testing.T) {
		t.Parallel()
		two := withID("conflict") + "\n" + strings.Replace(withID("conflict"), "Ada", "Eve", 1)
		orderctl(t, "submit", fileOf(t, two), "--api", api.url, "--concurrency", "1").mustEnd(t, 1,
			`accepted +1\n`, `line 2: 409: An order with this id and other content exists`)
	})
}

func TestSubmitFileIsMissing(t *testing.T) {
	t.Parallel()
	orderctl(t, "submit", "/nowhere/orders").mustEnd(t, 1, `^orderctl: open /nowhere/orders: no such file or directory\n$`)
}

func TestSubmitAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		text   string
		answer func(n int, w http.ResponseWriter)
		says   string
		tries  int
	}{
		{"busy, then not", valid, func(n int, w http.ResponseWriter) {
			if n < 3 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.WriteHeader(http.StatusCreated)
		}, `accepted +1\n`, 3},
		{"connection breaks, then our own first try has arrived", valid, func(n int, w http.ResponseWriter) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Idempotency-Replayed", "true")
		}, `accepted +1\nreplayed +0`, 2},
		{"the API repeats its own try", valid, func(_ int, w http.ResponseWriter) {
			w.Header().Set("Idempotency-Replayed", "true")
		}, `accepted +1\nreplayed +0`, 1},
		{"a replay of the client's id stays one", withID("mine"), func(n int, w http.ResponseWriter) {
			if n == 1 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.Header().Set("Idempotency-Replayed", "true")
		}, `accepted +0\nreplayed +1`, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newSubmitAPI(t, tt.answer)
			orderctl(t, "submit", fileOf(t, tt.text), "--api", api.URL).mustEnd(t, 0, tt.says)
			if sent := api.posts(); len(sent) != tt.tries || len(slices.Compact(sent)) != 1 {
				t.Errorf("want %d times the same: %v", tt.tries, sent)
			}
		})
	}
}

func TestSubmitHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	api := newSubmitAPI(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Retry-After", strconv.Itoa(3600))
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	c := &command{}
	c.start(t, "submit", fileOf(t, valid), "--api", api.URL)
	programtest.Until(t, "it waits after the first try", func() bool { return strings.Contains(c.stderr.String(), "trying again in") })
	if status := c.interrupt(t); status != 1 {
		t.Errorf("ended with %d", status)
	}
	c.mustEnd(t, 1, `line 1: order [0-9a-f-]{36} may or may not be accepted: 503: Service Unavailable`, `orderctl: .*interrupted\n$`)
	if len(api.posts()) != 1 {
		t.Errorf("sent %d times", len(api.posts()))
	}
}

func TestSubmitGivesUp(t *testing.T) {
	t.Parallel()
	api := newSubmitAPI(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, noRoom)
	})
	file := fileOf(t, strings.Repeat(valid+"\n", 50))
	orderctl(t, "submit", file, "--api", api.URL, "--tries", "2", "--concurrency", "1").mustEnd(t, 1,
		`no room +1 \(not accepted\)\n`, `not sent +49 \(from line 2 on\)\n`,
		`line 1: order \S+ was not accepted: 503: Nothing was accepted: too many orders are waiting\.\n`,
		`\nSend the same file again: what was accepted is not accepted twice\.\n`,
		`orderctl: 50 of 50 orders were not accepted; stopped at line 1: 503: Nothing`)
	if len(api.posts()) != 2 {
		t.Errorf("sent %d times", len(api.posts()))
	}
}

// TestSubmitIntoFullQueues tells why it waits, and what became of each order: the counts
// add up, also when several were under way.
func TestSubmitIntoFullQueues(t *testing.T) {
	t.Parallel()
	api := newSubmitAPI(t, func(n int, w http.ResponseWriter) {
		if n <= 5 {
			w.WriteHeader(http.StatusCreated)
			return
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, noRoom)
	})
	var file strings.Builder
	for n := range 30 {
		file.WriteString(withID(fmt.Sprint("o", n)) + "\n")
	}
	c := orderctl(t, "submit", fileOf(t, file.String()), "--api", api.URL, "--tries", "2", "--concurrency", "4")
	c.mustEnd(t, 1, `no room: trying again in 1 s \(Ctrl-C stops\)\n`, `orderctl: 25 of 30 orders were not accepted; stopped at line \d+: 503: Nothing`)
	sum := 0
	for _, count := range regexp.MustCompile(`(?m)^ *(?:accepted|replayed|refused|no room|unknown|not sent) +(\d+)`).FindAllStringSubmatch(c.stdout.String(), -1) {
		n, _ := strconv.Atoi(count[1])
		sum += n
	}
	if sum != 30 {
		t.Errorf("%d of 30 orders are counted:\n%s", sum, c.stdout.String())
	}
}

func TestSubmitWithoutAPI(t *testing.T) {
	t.Parallel()
	c := orderctl(t, "submit", fileOf(t, valid), "--api", "http://127.0.0.1:1")
	c.mustEnd(t, 1, `^orderctl: no answer from the API at http://127.0.0.1:1: .*refused; is it running, and is the address right\?\n$`)
}

func TestSubmitShowsTwentyFailures(t *testing.T) {
	t.Parallel()
	api := newSubmitAPI(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"detail":"x","errors":[`+strings.Repeat(`{"field":"f","message":"is bad"},`, 6)+`{"field":"g","message":"is worse"}]}`)
	})
	c := orderctl(t, "submit", fileOf(t, strings.Repeat(valid+"\n", 25)), "--api", api.URL)
	c.mustEnd(t, 1, `400: f is bad; f is bad; f is bad; f is bad; f is bad; and 2 more\n`, `… and 5 more\n`)
	if n := strings.Count(c.stdout.String(), "line "); n != 20 {
		t.Errorf("told %d failures", n)
	}
}
