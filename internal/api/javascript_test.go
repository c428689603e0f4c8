package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"orderprocessor/internal/programtest"
)

// followTest runs the documented follow with an EventSource and a clock of its own.
const followTest = `
import assert from "node:assert/strict";
import { follow } from "./follow.mjs";
const urls = [], waits = [], said = [];
let source, retry;
globalThis.EventSource = class extends EventTarget {
  static CLOSED = 2;
  constructor(url) { super(); urls.push(url); source = this; this.readyState = 0; }
  close() { said.push("closed"); }
};
globalThis.setTimeout = (open, wait) => { waits.push(wait); retry = open; };
globalThis.clearTimeout = () => {};
const emit = (name, id, data) => source.dispatchEvent(Object.assign(new Event(name), { lastEventId: id, data }));
const refuse = () => { source.readyState = EventSource.CLOSED; source.onerror(); };

const stop = follow("/events?status=pending", (event) => said.push(event.order_id), () => said.push("load"));
refuse(); retry(); refuse(); retry(); // nothing was received: it starts again, and waits longer
source.onopen();
emit("order", "7-0", '{"order_id":"o1"}');
source.onerror(); // the browser reconnects
refuse(); retry();
source.onopen();
emit("order", "8-0", '{"order_id":"o2"}');
emit("gap", "8-0", '{"after":"7-0"}');
for (let i = 0; i < 7; i++) { refuse(); retry(); }
stop();
assert.deepEqual(said, ["load", "o1", "o2", "load", "closed"]);
assert.deepEqual(urls.slice(0, 4), [...Array(3).fill("/events?status=pending"), "/events?status=pending&last_event_id=7-0"]);
assert.deepEqual(urls.slice(4), Array(7).fill("/events?status=pending&last_event_id=8-0"));
assert.deepEqual(waits, [1000, 2000, 1000, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
`

// TestDocumentedFollow runs the JavaScript that the documentation has for clients behind a
// proxy: it misses no event and repeats none, however often it is refused.
func TestDocumentedFollow(t *testing.T) {
	t.Parallel()
	programtest.Need(t, "node")
	text, err := os.ReadFile("../../docs/API.md")
	must(t, err)
	sample := regexp.MustCompile("(?s)```js\n(.*?)```").FindSubmatch(text)
	if sample == nil {
		t.Fatal("docs/API.md has no JavaScript")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"follow.mjs": string(sample[1]), "test.mjs": followTest} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	if said, err := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "test.mjs")).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}
