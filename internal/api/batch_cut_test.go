package api_test

import (
	"errors"
	"fmt"
	"io"
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

// withLength declares that a body is longer than it is.
func withLength(text string) string {
	return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text)+1000, text)
}

// inChunks sends each text in a chunk, and no last chunk.
func inChunks(texts ...string) string {
	var all strings.Builder
	all.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	for _, text := range texts {
		fmt.Fprintf(&all, "%x\r\n%s\r\n", len(text), text)
	}
	return all.String()
}

// cuts lists batches that are cut off at every kind of position, before and after the 8 KiB
// that fasthttp reads in advance.
func cuts() []cut {
	a, b := withID("a")+"\n", withID("b")+"\n"
	half, whole := withID("c")[:30], withID("c")
	all := []cut{
		{"in a chunk", ndjson, inChunks("\n"+a) + fmt.Sprintf("%x\r\n%s%s", 5000, b, half), "a b"},
		{"in the size of a chunk", ndjson, inChunks("\n"+a, b) + "1f", "a b"},
		{"after the size of a chunk", ndjson, inChunks("\n"+a, b+half) + "1f\r\n", "a b"},
		{"in the line break of a chunk", ndjson, strings.TrimSuffix(inChunks("\n"+a, b), "\n"), "a b"},
		{"in a chunk of an array", jsonMedia, inChunks("["+withID("a")+",") + "fff\r\n" + half, ""},
		{"before the last chunk", ndjson, inChunks("\n"+a, b), "a b"},
		{"before the last chunk, in a line", ndjson, inChunks("\n"+a+b[:20], b[20:]+whole), "a b"},
		{"before the last chunk, after an array", jsonMedia, inChunks("[" + withID("a") + "]"), ""},
	}
	for _, blanks := range []int{0, 10_000} {
		blank := strings.Repeat(" ", blanks) + "\n"
		all = append(all,
			cut{fmt.Sprint("in a line, ", blanks), ndjson, withLength(blank + a + b + half), "a b"},
			cut{fmt.Sprint("after an order whose line does not end, ", blanks), ndjson, withLength(blank + a + b + whole + "\r"), "a b"},
			cut{fmt.Sprint("in a blank line, ", blanks), ndjson, withLength(blank + a + "\n \t"), "a"},
			cut{fmt.Sprint("in the first line, ", blanks), ndjson, withLength(blank + half), ""},
			cut{fmt.Sprint("after an array, ", blanks), jsonMedia, withLength(blank + "[" + withID("a") + "]"), ""},
		)
	}
	return all
}

// TestBatchCutOff accepts the complete lines that arrived, whether or not the client still
// reads the answer.
func TestBatchCutOff(t *testing.T) {
	b := open(t)
	for _, c := range cuts() {
		t.Run(c.name, func(t *testing.T) {
			defer b.reset(t)
			a := b.askRaw(t, c.request())
			if c.want == "" {
				a.problem(t, 400)
				b.checkEmpty(t)
				return
			}
			var accepted []string
			for i, v := range a.verdicts(t, c.media) {
				if v.Line != i+2 || v.Status != 201 {
					t.Errorf("verdict is %+v", v)
				}
				accepted = append(accepted, v.ID)
			}
			if diff := cmp.Diff(strings.Fields(c.want), accepted); diff != "" {
				t.Error(diff)
			}
			b.checkAccepted(t, c.want)
		})
		t.Run(c.name+", and its client is gone", func(t *testing.T) {
			defer b.reset(t)
			const logged = `"path":"/orders/batch"`
			before := strings.Count(b.log.String(), logged)
			conn := b.dial(t)
			_, err := io.WriteString(conn, c.request())
			must(t, errors.Join(err, conn.Close()))
			programtest.Until(t, "the batch is in the log", func() bool { return strings.Count(b.log.String(), logged) > before })
			b.checkAccepted(t, c.want)
		})
	}
}

// checkAccepted checks that these orders are pending, and that there are no others.
func (b *bundle) checkAccepted(t *testing.T, ids string) {
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
	b.askRaw(t, request).problem(t, 400)
	b.checkEmpty(t)
	b.askRaw(t, request+"0\r\n\r\n").object(t, 201)
}

// TestBatchResetByItsClient keeps serving when connections break at any byte of a batch.
func TestBatchResetByItsClient(t *testing.T) {
	b := open(t)
	request := cut{media: ndjson, body: inChunks(lines("o", 3), lines("p", 3))}.request()
	for n := 1; n < len(request); n += 41 {
		conn := b.dial(t)
		_, err := io.WriteString(conn, request[:n])
		must(t, errors.Join(err, conn.SetLinger(0), conn.Close()))
	}
	programtest.Until(t, "a batch is accepted", func() bool {
		return b.ask(t, "POST", "/orders/batch", withID("next"), "Content-Type", ndjson).code == 200
	})
	if log := b.log.String(); strings.Contains(log, `"status":500`) || strings.Contains(log, "ERROR") {
		t.Errorf("the log is %s", log)
	}
}
