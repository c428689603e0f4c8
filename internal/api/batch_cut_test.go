package api_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"

	"orderprocessor/internal/programtest"
)

// cut is a batch whose sender is gone before its end.
type cut struct {
	name, media, body string
	want              string // the ids of the orders that are accepted
}

func (c cut) request() string {
	return "POST /orders/batch HTTP/1.1\r\nHost: a\r\nContent-Type: " + c.media + "\r\n" + c.body
}

// withLength says that a body is longer than it is.
func withLength(text string) string {
	return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text)+1000, text)
}

// inChunks sends texts in a chunk each, and no last chunk.
func inChunks(texts ...string) string {
	var all strings.Builder
	all.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	for _, text := range texts {
		fmt.Fprintf(&all, "%x\r\n%s\r\n", len(text), text)
	}
	return all.String()
}

const jsonArray = "application/json"

// cuts lists batches that are cut off at every kind of position, after a first line of
// that many blanks.
func cuts(blanks int) []cut {
	blank := strings.Repeat(" ", blanks) + "\n"
	a, b := withID("a")+"\n", withID("b")+"\n"
	half, whole := withID("c")[:30], withID("c")
	return []cut{
		{"in a line", ndjson, withLength(blank + a + b + half), "a b"},
		{"behind a line", ndjson, withLength(blank + a + b), "a b"},
		{"behind an order whose line does not end", ndjson, withLength(blank + a + b + whole), "a b"},
		{"behind the CR of a line", ndjson, withLength(blank + a + b + whole + "\r"), "a b"},
		{"in a blank line", ndjson, withLength(blank + a + "\n \t"), "a"},
		{"in the first line", ndjson, withLength(blank + half), ""},
		{"in an array", jsonArray, withLength(blank + "[" + withID("a") + "," + withID("b") + ","), ""},
		{"behind an array", jsonArray, withLength(blank + "[" + withID("a") + "]"), ""},
	}
}

// chunkCuts lists batches that are cut off in a chunk.
func chunkCuts() []cut {
	a, b, half := withID("a")+"\n", withID("b")+"\n", withID("c")[:30]
	return []cut{
		{"in a chunk, in a line", ndjson, inChunks("\n"+a) + fmt.Sprintf("%x\r\n%s%s", 5000, b, half), "a b"},
		{"in a chunk, behind a line", ndjson, inChunks("\n"+a) + fmt.Sprintf("%x\r\n%s", 5000, b), "a b"},
		{"in the size of a chunk", ndjson, inChunks("\n"+a, b) + "1f", "a b"},
		{"behind the size of a chunk", ndjson, inChunks("\n"+a, b+half) + "1f\r\n", "a b"},
		{"in the line break of a chunk", ndjson, strings.TrimSuffix(inChunks("\n"+a, b), "\n"), "a b"},
		{"in the first chunk", ndjson, inChunks() + "fff\r\n" + half, ""},
		{"in a chunk of an array", jsonArray, inChunks("["+withID("a")+",") + "fff\r\n" + half, ""},
	}
}

// unendedCuts lists batches whose chunks are whole, but lack the last one, which
// says that the body has ended.
func unendedCuts() []cut {
	a, b, whole := withID("a")+"\n", withID("b")+"\n", withID("c")
	return []cut{
		{"behind a line", ndjson, inChunks("\n"+a, b), "a b"},
		{"in a line", ndjson, inChunks("\n"+a+b[:20], b[20:]+whole[:30]), "a b"},
		{"behind an order whose line does not end", ndjson, inChunks("\n"+a, b, whole), "a b"},
		{"behind an array", jsonArray, inChunks("[" + withID("a") + "]"), ""},
	}
}

// TestBatchCutOff accepts the complete lines that arrived, whether or not the client still
// reads the answer.
func TestBatchCutOff(t *testing.T) {
	b := open(t)
	for name, all := range map[string][]cut{
		"late": cuts(10_000), "early": cuts(0), "chunk": chunkCuts(), "chunks that do not end": unendedCuts(),
	} {
		for _, c := range all {
			t.Run(name+" "+c.name, func(t *testing.T) {
				defer b.reset(t)
				all := b.say(t, c.request())
				if len(all) != 1 {
					t.Fatalf("%d answers came", len(all))
				}
				if c.want == "" {
					all[0].problem(t, 400)
					b.empty(t)
					return
				}
				var accepted []string
				for i, v := range all[0].verdicts(t, c.media) {
					if v.Line != i+2 || v.Status != 201 {
						t.Errorf("verdict is %+v", v)
					}
					accepted = append(accepted, v.ID)
				}
				if diff := cmp.Diff(strings.Fields(c.want), accepted); diff != "" {
					t.Error(diff)
				}
				b.onlyAccepted(t, c.want)
			})
			t.Run(name+" "+c.name+", and its client is gone", func(t *testing.T) {
				defer b.reset(t)
				const logged = `"path":"/orders/batch"`
				before := strings.Count(b.log.String(), logged)
				conn := b.dial(t)
				_, err := io.WriteString(conn, c.request())
				if err := errors.Join(err, conn.Close()); err != nil {
					t.Fatal(err)
				}
				programtest.Until(t, "the batch is in the log", func() bool { return strings.Count(b.log.String(), logged) > before })
				b.onlyAccepted(t, c.want)
			})
		}
	}
}

// onlyAccepted wants these orders to wait and no others to be there.
func (b *bundle) onlyAccepted(t *testing.T, ids string) {
	t.Helper()
	got := b.list(t, "/orders").ids
	slices.Sort(got)
	if all := strings.Join(got, " "); all != ids {
		t.Errorf("orders %q are accepted; want %q", all, ids)
	}
	for _, id := range got {
		if status := b.status(t, id); status != order.StatusPending {
			t.Errorf("order %s is %s", id, status)
		}
	}
}

// TestSubmitWithoutLastChunk does not accept an order whose body has not ended.
func TestSubmitWithoutLastChunk(t *testing.T) {
	b := open(t)
	request := "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n" + inChunks(body())
	b.sayOne(t, request).problem(t, 400)
	b.empty(t)
	b.sayOne(t, request+"0\r\n\r\n").object(t, 201)
}

// TestBatchResetByItsClient keeps serving when connections break at any byte of a batch.
func TestBatchResetByItsClient(t *testing.T) {
	b := open(t)
	request := cut{media: ndjson, body: inChunks(lines("o", 3), lines("p", 3))}.request()
	for n := 1; n < len(request); n += 41 {
		conn := b.dial(t)
		if _, err := io.WriteString(conn, request[:n]); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close()); err != nil {
			t.Fatal(err)
		}
	}
	programtest.Until(t, "a batch is accepted", func() bool {
		return b.ask(t, "POST", "/orders/batch", withID("next"), "Content-Type", ndjson).code == 200
	})
	if log := b.log.String(); strings.Contains(log, `"status":500`) || strings.Contains(log, "ERROR") {
		t.Errorf("the log says %s", log)
	}
}
