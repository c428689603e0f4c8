package fulfilment

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// TestStatusOfCompleteHeadersDecides holds that a body changes nothing about what
// becomes of the order, however it ends, and costs little time.
func TestStatusOfCompleteHeadersDecides(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 200)
	const mark = " (cut off)"
	bodies := map[string]struct {
		answer func(t *testing.T, w http.ResponseWriter, r *http.Request, code int)
		note   string
	}{
		"breaks off":                {raw("Content-Length: 10\r\n\r\nhalf"), "half" + mark},
		"breaks off at once":        {raw("Content-Length: 10\r\n\r\n"), "(cut off)"},
		"breaks off in a chunk":     {raw("Transfer-Encoding: chunked\r\n\r\n5\r\nwho"), "who" + mark},
		"breaks off in a character": {raw("Content-Length: 10\r\n\r\ncaf\xc3"), "caf" + mark},
		"breaks off after what is kept": {
			raw("Content-Length: 9999\r\n\r\n" + long), long[:order.MaxNoteBytes-len(mark)] + mark,
		},
		"is no chunk": {raw("Transfer-Encoding: chunked\r\n\r\nwhole"), "(cut off)"},
		"drips": {
			func(_ *testing.T, w http.ResponseWriter, r *http.Request, code int) { drip(w, r, code) }, mark,
		},
		"never begins": {func(_ *testing.T, w http.ResponseWriter, r *http.Request, code int) {
			w.WriteHeader(code)
			http.NewResponseController(w).Flush() //nolint:errcheck // the context tells
			<-r.Context().Done()
		}, "(cut off)"},
	}
	for name, tt := range bodies {
		for code, want := range map[int]string{200: "done", 202: "done", 302: "permanent", 404: "permanent", 429: "retry", 503: "retry"} {
			t.Run(name+" after "+strconv.Itoa(code), func(t *testing.T) {
				t.Parallel()
				shop := newShop(t, func(w http.ResponseWriter, r *http.Request, _ []byte) { tt.answer(t, w, r, code) })
				shop.Start()
				c := newClient(t, Config{URL: shop.URL})
				if name == "drips" || name == "never begins" {
					c.bodyTime = shortTimeout
				}
				started := time.Now()
				got := endingOf(fulfil(c))
				if name == "drips" {
					got.Note = strings.ReplaceAll(got.Note, "x", "") // how much dripped is up to the clock
				}
				if got.Kind != want || got.Note != tt.note {
					t.Errorf("got %+v, want %s with note %q", got, want, tt.note)
				}
				if took := time.Since(started); took > longTimeout/2 {
					t.Errorf("the call took %v", took)
				}
			})
		}
	}
}

// raw answers with these bytes after the status line.
func raw(rest string) func(*testing.T, http.ResponseWriter, *http.Request, int) {
	return func(t *testing.T, w http.ResponseWriter, _ *http.Request, code int) {
		t.Helper()
		sayRaw(t, w, "HTTP/1.1 "+strconv.Itoa(code)+" x\r\n"+rest)
	}
}

// drip sends a byte every few milliseconds until the client goes away.
func drip(w http.ResponseWriter, r *http.Request, code int) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	w.WriteHeader(code)
	for {
		io.WriteString(w, "x")                //nolint:errcheck // the context tells
		http.NewResponseController(w).Flush() //nolint:errcheck // the context tells
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}

// TestAnswersWithLongHeaders holds where headers are too long to be an answer.
func TestAnswersWithLongHeaders(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]string{17 << 10: "done", 60 << 10: "done", 65 << 10: "retry", 1 << 20: "retry"} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				for n := size; n > 0; n -= 1 << 10 {
					w.Header().Add("X-Long", strings.Repeat("x", 1<<10-len("X-Long: \r\n")))
				}
			})
			shop.Start()
			_, err := fulfil(newClient(t, Config{URL: shop.URL}))
			if got := endingOf("", err); got.Kind != want || unknown(err) != (want == "retry") {
				t.Errorf("got %+v, unknown %v", got, unknown(err))
			}
		})
	}
}

// TestEveryAnswerLeavesAReadableNote sends what servers send without being asked.
func TestEveryAnswerLeavesAReadableNote(t *testing.T) {
	t.Parallel()
	const brotli, zstd = "CwKAaGVsbG8D", "KLUv/QQAYQAAb3V0IG9mIHN0b2Nr"
	noise := rand.NewChaCha8([32]byte{1})
	random := make([]byte, 2000)
	noise.Read(random) //nolint:errcheck // it cannot fail
	bomb := gzipped(t, strings.Repeat("a", 4<<20))
	tests := map[string]struct{ coding, kind, body, want string }{
		"gzip":                   {"gzip", "text/plain", gzipped(t, "out of stock: käse"), "out of stock: käse"},
		"x-gzip":                 {"X-GZip", "text/plain", gzipped(t, "out of stock"), "out of stock"},
		"gzip, in Latin-1":       {"gzip", "text/plain; charset=ISO-8859-1", gzipped(t, "k\xe4se"), "käse"},
		"gzip, broken off":       {"gzip", "text/plain", gzipped(t, "out of stock")[:22], "out of stoc"},
		"gzip twice":             {"gzip, gzip", "", gzipped(t, gzipped(t, "out of stock")), "out of stock"},
		"gzip of gzip of gzip":   {"gzip, gzip, gzip", "", gzipped(t, gzipped(t, gzipped(t, "x"))), "(gzip, gzip, gzip-compressed answer, "},
		"gzip that expands":      {"gzip", "text/plain", bomb, strings.Repeat("a", order.MaxNoteBytes)},
		"gzip of noise":          {"gzip", "text/plain", gzipped(t, string(random)), "(binary answer, "},
		"gzip that is none":      {"gzip", "text/plain", "out of stock", "out of stock"},
		"gzip that is damaged":   {"gzip", "text/plain", "\x1f\x8b\xff\xff\xff", "(gzip-compressed answer, 5 bytes)"},
		"zlib":                   {"deflate", "text/plain", zlibbed(t, "out of stock"), "out of stock"},
		"deflate":                {"deflate", "text/plain", deflated(t, "out of stock"), "out of stock"},
		"brotli":                 {"br", "text/plain", unbase64(t, brotli), "(br-compressed answer, 9 bytes)"},
		"brotli, said Latin-1":   {"br", "text/html; charset=iso-8859-1", unbase64(t, brotli), "(br-compressed answer, 9 bytes)"},
		"zstd":                   {"zstd", "text/plain", unbase64(t, zstd), "(zstd-compressed answer, 21 bytes)"},
		"unknown, but text":      {"utf-8", "text/plain", "käse", "käse"},
		"identity":               {"identity", "text/plain", "käse", "käse"},
		"compressed, empty":      {"gzip", "text/plain", "", ""},
		"long name of a coding":  {strings.Repeat("x", 99), "text/plain", "\xff\xff\xff\xff", "(" + strings.Repeat("x", 32) + "-compressed answer, 4 bytes)"},
		"Latin-1":                {"", "text/plain; charset=iso-8859-1", "k\xe4se f\xfcr J\xf6rg", "käse für Jörg"},
		"Latin-1, quoted":        {"", `text/plain; charset="Latin1"`, "k\xe4se", "käse"},
		"Latin-1, not said":      {"", "text/plain", "Die Bestellung ist f\xfcr heute zu sp\xe4t", "Die Bestellung ist für heute zu spät"},
		"Latin-1, unknown label": {"", "text/plain; charset=x-odd", "caf\xe9 noir", "café noir"},
		"Windows-1252":           {"", "text/plain; charset=windows-1252", "\x80 5 \x96 \x93no\x94", "€ 5 – “no”"},
		"Latin-9":                {"", "text/plain; charset=iso-8859-15", "\xa4 5", "€ 5"},
		"Cyrillic":               {"", "text/plain; charset=windows-1251", "\xed\xe5\xf2", "нет"},
		"Shift JIS":              {"", "text/plain; charset=Shift_JIS", "\x93\xfa\x96\x7b", "日本"},
		"UTF-16, little-endian":  {"", "text/plain; charset=utf-16le", "n\x00\xf6\x00", "nö"},
		"UTF-16, with its mark":  {"", "text/plain; charset=utf-16", "\xfe\xff\x00n\x00\xf6", "nö"},
		"UTF-16, without":        {"", "text/plain; charset=UTF-16", "\x00n\x00\xf6", "nö"},
		"UTF-16, not said":       {"", "text/plain", "\xff\xfen\x00\xf6\x00", "nö"},
		"UTF-8 with a mark":      {"", "text/plain", "\xef\xbb\xbfk\xc3\xa4se", "käse"},
		"UTF-8, not said":        {"", "application/json", `{"error":"käse"}`, `{"error":"käse"}`},
		"UTF-8, cut at the end":  {"", "text/plain", strings.Repeat("é", maxBodyBytes), strings.Repeat("é", order.MaxNoteBytes/2)},
		"colours":                {"", "text/plain", "\x1b[31mno\x1b[0m \x1b[31mno\x1b[0m", " [31mno [0m  [31mno [0m"},
		"an image":               {"", "image/png", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01", "(binary answer, 20 bytes)"},
		"noise":                  {"", "application/octet-stream", string(random), "(binary answer, 2000 bytes)"},
		"noise, said text":       {"", "text/plain; charset=utf-8", string(random), "(binary answer, 2000 bytes)"},
		"much noise":             {"", "", strings.Repeat(string(random), 50), "(binary answer, at least 65536 bytes)"},
		"few odd bytes":          {"", "application/x-protobuf", "\x08\x01\x12", "(binary answer, 3 bytes)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				w.Header()["Content-Type"] = []string{tt.kind}
				if tt.coding != "" {
					w.Header().Set("Content-Encoding", tt.coding)
				}
				w.WriteHeader(http.StatusUnprocessableEntity)
				io.WriteString(w, tt.body) //nolint:errcheck // the client may hang up early
			})
			shop.Start()
			got, _ := fulfil(newClient(t, Config{URL: shop.URL}))
			if strings.HasSuffix(tt.want, "answer, ") {
				got = got[:min(len(got), len(tt.want))]
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	return packed(t, &b, gzip.NewWriter(&b), text)
}

func zlibbed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	return packed(t, &b, zlib.NewWriter(&b), text)
}

func deflated(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	return packed(t, &b, w, text)
}

func packed(t *testing.T, b *bytes.Buffer, w io.WriteCloser, text string) string {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unbase64(t *testing.T, text string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
