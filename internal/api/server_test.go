package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/rules"
	"orderprocessor/internal/spectest"
	"orderprocessor/internal/stats"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(
		m,
		// fasthttp keeps the time of day for the Date header in a goroutine that
		// never ends, and the cleaner of its idle workers sleeps for ten seconds
		// before it sees that its server has stopped.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

// parts is what a server under test is built of; what a test leaves out is the
// real thing, or ordinary.
type parts struct {
	api.Parts
	cfg api.Config
	// patient servers wait for a slow Redis. All that open starts are, unless they are
	// prompt: only tests of an unavailable Redis need the API's own bounds.
	patient, prompt bool
}

// taking is a server's parts of which only the intake is used.
func taking(in api.Intake) parts { return parts{Parts: api.Parts{Intake: in}} }

const patience = programtest.Patience

// site is a server that serves on a free port of this machine.
type site struct {
	server *api.Server
	addr   string
	client *http.Client
	log    *logBuffer
	stop   context.CancelFunc
	done   chan struct{} // closed when Serve has returned
	err    error         // what it returned
}

// serve starts a server of the parts as they are. It stops with the test.
func serve(t *testing.T, p parts) *site {
	t.Helper()
	s := &site{log: &logBuffer{}, done: make(chan struct{})}
	p.cfg.Log = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if p.cfg.Ready == nil {
		p.cfg.Ready = func() error { return nil }
	}
	if p.cfg.MaxQueueLength == 0 {
		p.cfg.MaxQueueLength = 1000
	}
	if p.Redis == nil { // Asynqmon wants a client; this one never connects
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
		t.Cleanup(func() { _ = rdb.Close() })
		p.Redis = rdb
	}
	var err error
	if s.server, err = api.New(p.cfg, p.Parts); err != nil {
		t.Fatal(err)
	}
	if p.patient {
		s.server.SetRequestTimeout(patience)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.client = newClient(t)
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	go func() {
		defer close(s.done)
		s.err = s.server.Serve(ctx, l, patience)
	}()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		s.stop()
		<-s.done
		if s.err != nil {
			t.Errorf("Serve returned %v", s.err)
		}
	})
	return s
}

// newClient returns a client with connections of its own. It holds all that goes
// through it to the specification.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	c := &http.Client{Transport: spectest.Transport(t, transport), Timeout: patience}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// bundle is a server with real books and queues in a Redis of its own, and no
// worker.
type bundle struct {
	*site
	redis  *redistest.Server
	rdb    *redis.Client
	ledger *ledger.Ledger
	parts  api.Parts // without limits
}

// open starts such a server, in parallel with other tests.
func open(t *testing.T, change ...func(*parts)) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{redis: redistest.Start(t)}
	b.rdb = b.redis.Client()
	b.ledger = ledger.New(b.rdb)
	t.Cleanup(func() { ledgertest.CheckBooks(t, b.rdb) })
	inspector := queue.NewInspector(b.rdb)
	p := parts{Parts: api.Parts{
		Records: b.ledger, Queues: inspector, Stats: stats.New(b.ledger, inspector), Redis: b.rdb,
	}}
	for _, c := range change {
		c(&p)
	}
	if p.Live == nil {
		p.Live = runHub(t, b.ledger)
	}
	limit := p.cfg.MaxQueueLength
	if limit == 0 {
		limit = 1000
	}
	if p.Intake == nil {
		gate := intake.NewAdmission(inspector, b.ledger, limit)
		in := newIntake(b.rdb, gate)
		if !p.prompt {
			in.SetTimeout(patience)
		}
		p.Intake, p.Retries = in, in
	}
	p.patient = !p.prompt
	b.parts = p.Parts
	b.parts.Limiter = nil
	b.site = serve(t, p)
	return b
}

// runHub runs a hub until the test ends.
func runHub(t *testing.T, l live.Ledger) *live.Hub {
	t.Helper()
	hub := live.New(live.Config{MaxStreams: maxTestStreams, MaxWaits: maxTestStreams, Log: slog.New(slog.DiscardHandler)}, l)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the hub ends with %v", err)
		}
	})
	return hub
}

// maxTestStreams bounds the subscribers, and the waits for outcomes, in a test.
const maxTestStreams = 3

func newIntake(rdb redis.UniversalClient, gate *intake.Admission) *intake.Intake {
	producer := queue.NewProducer(rdb, queue.ProducerConfig{AttemptTimeout: patience})
	bounds := rules.Rules{HighValueAbove: 100_000, MaxAmount: 1_000_000, MaxItems: 50}
	return intake.New(ledger.New(rdb), producer, bounds, gate, slog.New(slog.DiscardHandler))
}

// prompt leaves a server the API's own bounds on what it may ask of Redis.
func prompt(p *parts) { p.prompt = true }

func maxQueueLength(n int) func(*parts) {
	return func(p *parts) { p.cfg.MaxQueueLength = n }
}

// empty fails the test when anything at all is stored.
func (b *bundle) empty(t *testing.T) {
	t.Helper()
	if n, err := b.rdb.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("Redis holds %d keys, %v; want none", n, err)
	}
}

// answer is what came back of one request.
type answer struct {
	code   int
	header http.Header
	body   []byte
	took   time.Duration
}

// ask sends a request; headers alternate names and values. A body is JSON
// unless a header says otherwise.
func (s *site) ask(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" || method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host // net/http sends no other
	}
	return send(t, s.client, req)
}

// asset matches the paths of the files that pages load, which browsers may keep.
var asset = regexp.MustCompile(`^/(docs/|page/|monitoring/static/|monitoring/[a-z]+\.[a-z]+$)`)

func send(t *testing.T, c *http.Client, req *http.Request) answer {
	t.Helper()
	start := time.Now()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	secured(t, resp.Header)
	if kept := strings.HasPrefix(resp.Header.Get("Cache-Control"), "private"); kept && !asset.MatchString(req.URL.Path) {
		t.Errorf("browsers may keep %s", req.URL.Path)
	}
	if !strings.HasPrefix(req.URL.Path, "/monitoring") { // Asynqmon writes its own
		timely(t, body)
	}
	return answer{code: resp.StatusCode, header: resp.Header, body: body, took: time.Since(start)}
}

var (
	anyTime   = regexp.MustCompile(`"\d{4}-\d\d-\d\d[Tt][^"]*"`)
	sixDigits = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"$`)
)

// timely holds that every time in an answer is in UTC with six digits of its
// fraction. All answers to the tests of
// this package pass it.
func timely(t *testing.T, body []byte) {
	t.Helper()
	for _, text := range anyTime.FindAll(body, -1) {
		if !sixDigits.Match(text) {
			t.Errorf("the time %s is not in UTC with six digits: %s", text, body)
		}
	}
}

// object decodes the body of an answer that must have the status.
func (a answer) object(t *testing.T, code int) map[string]any {
	t.Helper()
	if a.code != code {
		t.Fatalf("answer is %d %s; want %d", a.code, a.body, code)
	}
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	return m
}

// problem is the body of an error.
type problem struct {
	Type, Title, Detail, Instance string
	Status                        int
	RequestID                     string       `json:"request_id"`
	OrderID                       string       `json:"order_id"`
	OrderStatus                   order.Status `json:"order_status"`
	Errors                        []order.FieldError
}

// fields lists what is wrong as "field code".
func (p problem) fields() []string {
	var all []string
	for _, e := range p.Errors {
		all = append(all, e.Field+" "+string(e.Code))
	}
	return all
}

// problem holds an answer to the form of every error and returns what it says.
func (a answer) problem(t *testing.T, code int) problem {
	t.Helper()
	members := a.object(t, code)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type is %q", got)
	}
	secured(t, a.header)
	if got := a.header.Get("Content-Security-Policy"); got != "default-src 'none'; frame-ancestors 'none'" {
		t.Errorf("Content-Security-Policy is %q", got)
	}
	want := []string{"detail", "instance", "request_id", "status", "title", "type"}
	for _, optional := range []string{"errors", "order_id", "order_status"} {
		if _, ok := members[optional]; ok {
			want = append(want, optional)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(members))); diff != "" {
		t.Errorf("members of the problem: %s", diff)
	}
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatal(err)
	}
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Instance == "" || p.Status != code {
		t.Errorf("problem %s is not complete", a.body)
	}
	if id := a.header.Get("X-Request-Id"); id == "" || id != p.RequestID {
		t.Errorf("X-Request-Id is %q, request_id is %q", id, p.RequestID)
	}
	if strings.ContainsFunc(string(a.body), unicode.IsControl) || strings.Contains(string(a.body), "<script") {
		t.Errorf("the answer is not fit to print: %q", a.body)
	}
	for _, e := range p.Errors {
		if e.Code == "" || e.Message == "" {
			t.Errorf("problem %+v is not complete", e)
		}
	}
	return p
}

// wantRefusal sends a request and wants it to be refused with these fields, or, without
// any, as a body that is not a JSON object.
func (s *site) wantRefusal(t *testing.T, method, path, body string, fields ...string) problem {
	t.Helper()
	p := s.ask(t, method, path, body).problem(t, 400)
	want := typeRequest
	if len(fields) == 0 {
		want = typeMalformed
	}
	if diff := cmp.Diff(fields, p.fields()); diff != "" || p.Type != want {
		t.Errorf("%s %.200s %.200s: type is %q, want %q: %s", method, path, body, p.Type, want, diff)
	}
	return p
}

// wantUnsupported wants a route to refuse bodies of other media types and encodings, and
// those that are too large.
func (s *site) wantUnsupported(t *testing.T, path, body string, maxBytes int) {
	t.Helper()
	for _, row := range [][]string{
		{"Content-Type", ""},
		{"Content-Type", "application/x-www-form-urlencoded"},
		{"Content-Type", "multipart/form-data; boundary=x"},
		{"Content-Type", "text/plain"},
		{"Content-Type", "text/json"},
		{"Content-Type", "application/merge-patch+json"},
		{"Content-Type", "*/*"},
		{"Content-Type", "application/jsonx"},
		{"Content-Type", "application/json; charset"},
		{"Content-Type", "application/json, text/plain"},
		{"Content-Type", "application/json; charset=iso-8859-1"},
		{"Content-Type", "application/json; charset=utf-16"},
		{"Content-Type", "application/jsonl"},
		{"Content-Type", "application/ndjson"},
		{"Content-Type", "application/json-seq"},
		{"Content-Encoding", "gzip"},
		{"Content-Encoding", "br"},
		{"Content-Encoding", "zstd"},
		{"Content-Encoding", "identity, gzip"},
	} {
		if p := s.ask(t, "POST", path, body, row...).problem(t, 415); p.Title != "Unsupported Media Type" || !strings.HasSuffix(p.Detail, ".") {
			t.Errorf("%s of %q: title %q, detail %q", path, row, p.Title, p.Detail)
		}
	}
	if maxBytes > 0 {
		s.ask(t, "POST", path, body+strings.Repeat(" ", maxBytes)).problem(t, 413)
	}
}

// logBuffer keeps the log. It is safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
