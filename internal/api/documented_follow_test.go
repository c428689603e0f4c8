package api_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// eventSource is what a browser has: it comes back by itself after a connection that
// broke, with the last id in the header, and never after another answer than 200.
const eventSource = `
class EventSource extends EventTarget {
  static CLOSED = 2;
  constructor(url) {
    super();
    Object.assign(this, { url, readyState: 0, last: "" });
    this.run();
  }
  close() { this.readyState = 2; }
  async run() {
    while (this.readyState !== 2) {
      try {
        const answer = await fetch(this.url, { headers: this.last ? { "Last-Event-ID": this.last } : {} });
        if (answer.status !== 200) {
          this.readyState = 2;
          this.onerror();
          return;
        }
        this.readyState = 1;
        this.onopen();
        await this.read(answer.body.pipeThrough(new TextDecoderStream()));
      } catch { /* the connection broke */ }
      this.readyState = 0;
      this.onerror();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  async read(texts) {
    let text = "";
    for await (const more of texts) {
      text += more;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const fields = {};
        for (const line of text.slice(0, end).split("\n")) fields[line.slice(0, line.indexOf(": "))] = line.slice(line.indexOf(": ") + 2);
        this.last = fields.id ?? this.last;
        if (fields.data) this.dispatchEvent(Object.assign(new Event(fields.event), { data: fields.data, lastEventId: this.last }));
      }
    }
  }
}
globalThis.EventSource = EventSource;
const { follow } = await import("./follow.mjs");
const tell = (...words) => console.log(words.join(" "));
follow(process.argv[2], (event) => tell("order", event.order_id, event.status), () => tell("load"));
`

// breaking is a proxy that answers 502 while it is broken, and ends what goes through.
type breaking struct {
	httputil.ReverseProxy
	broken  atomic.Bool
	refused atomic.Int64
	queries chan string
}

func (p *breaking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.broken.Load() {
		p.refused.Add(1)
		http.Error(w, "no API", http.StatusBadGateway)
		return
	}
	p.queries <- r.URL.RawQuery
	p.ReverseProxy.ServeHTTP(w, r)
}

// TestDocumentedFollow runs the lines of JavaScript that the document has for clients
// behind a proxy that answers 502 for a while: nothing is missed, nothing comes twice.
func TestDocumentedFollow(t *testing.T) {
	node, err := exec.LookPath("node")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%v; scripts/tools.sh installs it", err)
	default:
		t.Skipf("skipped: %v; scripts/tools.sh installs it", err)
	}
	b := open(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"follow.mjs": documentedFollow(t), "main.mjs": eventSource} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &breaking{queries: make(chan string, 100)}
	p.ReverseProxy = httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: b.addr})
	}}
	p.broken.Store(true)
	proxy := httptest.NewServer(p)
	t.Cleanup(proxy.Close)
	said := runNode(t, node, filepath.Join(dir, "main.mjs"), proxy.URL+"/events?status=pending")

	wants := func(want ...string) {
		t.Helper()
		for _, line := range want {
			select {
			case got := <-said:
				if got != line {
					t.Fatalf("the client says %q, want %q", got, line)
				}
			case <-time.After(3 * time.Minute):
				t.Fatalf("the client does not say %q", line)
			}
		}
	}
	breakFor := func(refusals int64) {
		before := p.refused.Load()
		p.broken.Store(true)
		proxy.CloseClientConnections()
		eventually(t, "the client is refused", func() bool { return p.refused.Load() >= before+refusals })
	}
	breakFor(1)
	p.broken.Store(false)
	wants("load")
	b.pending(t, "o1")
	wants("order o1 pending")
	proxy.CloseClientConnections() // alone, the browser mends that
	b.pending(t, "o2")
	wants("order o2 pending")
	breakFor(2)
	b.pending(t, "o3")
	p.broken.Store(false)
	wants("order o3 pending")
	b.pending(t, "o4")
	wants("order o4 pending")
	var queries []string
	for range len(p.queries) {
		queries = append(queries, regexp.MustCompile(`\d+-\d+`).ReplaceAllString(<-p.queries, "ID"))
	}
	if diff := cmp.Diff([]string{"status=pending", "status=pending", "status=pending&last_event_id=ID"}, queries); diff != "" {
		t.Errorf("the client asked (-want +got):\n%s", diff)
	}
}

// documentedFollow is the JavaScript of the document.
func documentedFollow(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/API.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```js\n(.*?)```").FindAllSubmatch(text, -1)
	if len(found) != 1 {
		t.Fatalf("the document has %d pieces of JavaScript, not one", len(found))
	}
	return string(found[0][1])
}

// runNode runs a program until the test ends, and returns what it says, line by line.
func runNode(t *testing.T, node string, args ...string) <-chan string {
	t.Helper()
	cmd := exec.Command(node, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 100)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			said <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	return said
}
