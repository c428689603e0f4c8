package hostile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocuments sends every document of the corpus wherever the API takes a body.
// Those that are orders are in the books afterwards, and no others.
func TestDocuments(t *testing.T) {
	s := start(t)
	docs := corpus()
	names := map[string]bool{}
	for _, d := range docs {
		if names[d.name+string(d.want)] {
			t.Errorf("the corpus has two documents %s", d.name)
		}
		names[d.name+string(d.want)] = true
	}
	var books accepted
	each(docs, func(k int, d document) {
		if err := s.submit(&books, fmt.Sprintf("alone-%d", k), d); err != nil {
			t.Errorf("POST /orders, %c %s: %v", d.want, d.name, err)
		}
	})
	s.submitLines(t, &books, docs)
	t.Logf("%d documents, %d orders", len(docs), len(books.ids))

	got := s.ids(t)
	slices.Sort(got)
	slices.Sort(books.ids)
	if diff := cmp.Diff(books.ids, got); diff != "" {
		t.Errorf("orders (-answered 201, +listed):\n%s", diff)
	}
}

// accepted gathers the ids of the orders that the API answered with 201. It is safe for
// concurrent use.
type accepted struct {
	mu  sync.Mutex
	ids []string
}

func (b *accepted) add(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids = append(b.ids, id)
}

// each does something with every document, several at a time.
func each(docs []document, do func(k int, d document)) {
	var running sync.WaitGroup
	next := make(chan int)
	for range 8 {
		running.Go(func() {
			for k := range next {
				do(k, docs[k])
			}
		})
	}
	for k := range docs {
		next <- k
	}
	close(next)
	running.Wait()
}

// submit sends a document alone.
func (s *system) submit(books *accepted, id string, d document) error {
	a, err := s.AskRepeatedly(http.MethodPost, "/orders", d.text(id), "Content-Type", "application/json")
	if err != nil {
		return err
	}
	p, err := check(a)
	if err != nil {
		return err
	}
	if a.Code == http.StatusCreated {
		books.add(id)
	}
	return d.verdict(a.Code, p.Type)
}

const malformed = "tag:orderprocessor,2026:malformed-json"

// verdict compares what became of a document with what had to.
func (d document) verdict(code int, kind string) error {
	created, refused := code == http.StatusCreated, code == http.StatusBadRequest
	switch {
	case d.want == y && created, d.want == x && refused, d.want == i && (created || refused):
		return nil
	case d.want == n && refused && kind == malformed:
		return nil
	}
	return fmt.Errorf("answered %d %s", code, kind)
}

// submitLines sends all documents that fit a line in one batch, with good orders
// between them, which must be accepted whatever is around them.
func (s *system) submitLines(t *testing.T, books *accepted, docs []document) {
	t.Helper()
	good := document{"neighbour", y, plain}
	var batch []string
	var sent []document
	line := func(d document) {
		text := d.text(fmt.Sprintf("line-%d", len(sent)))
		if strings.TrimSpace(text) == "" || strings.Contains(text, "\n") {
			return // no line, or several
		}
		sent, batch = append(sent, d), append(batch, text)
	}
	for _, d := range docs {
		line(d)
		line(good)
	}
	verdicts := s.sendBatch(t, strings.Join(batch, "\n"))
	if len(verdicts) != len(sent) {
		t.Fatalf("%d verdicts on %d lines", len(verdicts), len(sent))
	}
	for k, d := range sent {
		if err := judge(books, k, d, verdicts[k]); err != nil {
			t.Errorf("line %d of the batch, %c %s: %v", k+1, d.want, d.name, err)
		}
	}
}

// judge reads the verdict on one line of a batch.
func judge(books *accepted, k int, d document, text string) error {
	var v struct {
		Line, Status int
		ID           string
		Problem      problem
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return fmt.Errorf("%.200s: %w", text, err)
	}
	if v.Status == http.StatusCreated {
		books.add(v.ID)
	}
	if v.Line != k+1 {
		return errors.New("is the verdict on another line: " + text)
	}
	return d.verdict(v.Status, v.Problem.Type)
}

// TestDocumentsElsewhere sends the corpus where no single order is expected. There
// a document may do what it says, but neither break anything nor hang.
func TestDocumentsElsewhere(t *testing.T) {
	s := start(t)
	routes := []struct{ path, media string }{
		{"/orders/batch", "application/x-ndjson"},
		{"/orders/batch", "application/json"},
		{"/orders/retry", "application/json"},
		{"/orders/nobody/cancel", "application/json"},
		{"/orders/nobody/retry", "application/json"},
		{"/queues/low/pause", "application/json"},
		{"/queues/default/resume", "application/json"}, // another, as the two meet in mid-air,
	}
	each(corpus(), func(k int, d document) {
		for _, route := range routes {
			a, err := s.AskRepeatedly(http.MethodPost, route.path, d.text(fmt.Sprintf("else-%d", k)), "Content-Type", route.media)
			if err == nil {
				_, err = check(a)
			}
			if err != nil {
				t.Errorf("POST %s as %s, %c %s: %v", route.path, route.media, d.want, d.name, err)
			}
		}
	})
	s.ids(t)
}
