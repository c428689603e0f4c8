package hostile_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

const malformed = "tag:orderprocessor,2026:malformed-json"

// check compares the answer to a document with its verdict.
func (d document) check(code int, kind string) error {
	created, refused := code == http.StatusCreated, code == http.StatusBadRequest
	switch {
	case d.want == y && created, d.want == x && refused, d.want == i && (created || refused):
		return nil
	case d.want == n && refused && kind == malformed:
		return nil
	}
	return fmt.Errorf("answered %d %s", code, kind)
}

// each does something with every document, several at a time.
func each(t *testing.T, docs []document, do func(k int, d document) error) {
	t.Helper()
	var g errgroup.Group
	g.SetLimit(8)
	for k, d := range docs {
		g.Go(func() error {
			if err := do(k, d); err != nil {
				t.Errorf("%c %.200q: %v", d.want, d.text, err)
			}
			return nil
		})
	}
	_ = g.Wait() // do reports
}

// post sends a document and checks the form of the answer.
func (s *system) post(path, media, text string) (code int, p problem, err error) {
	a, err := s.AskRepeatedly(http.MethodPost, path, text, "Content-Type", media)
	if err == nil {
		p, err = check(a)
	}
	return a.Code, p, err
}

// TestDocuments sends every document of the corpus alone, and then all that fit on a line in
// one batch, with good orders between them, which must be accepted. Afterwards the ledger
// has the accepted orders and no others.
func TestDocuments(t *testing.T) {
	s := start(t)
	docs := corpus()
	created := make([]string, len(docs))
	each(t, docs, func(k int, d document) error {
		id := fmt.Sprintf("alone-%d", k)
		code, p, err := s.post("/orders", "application/json", d.with(id))
		if err != nil {
			return err
		}
		if code == http.StatusCreated {
			created[k] = id
		}
		return d.check(code, p.Type)
	})
	created = append(slices.DeleteFunc(created, func(id string) bool { return id == "" }), s.submitLines(t, docs)...)
	t.Logf("%d documents, %d orders", len(docs), len(created))
	got := s.ids(t)
	slices.Sort(got)
	slices.Sort(created)
	if diff := cmp.Diff(created, got); diff != "" {
		t.Errorf("orders (-answered 201, +listed):\n%s", diff)
	}
}

// submitLines sends documents in a batch and returns the ids of the accepted orders.
func (s *system) submitLines(t *testing.T, docs []document) (created []string) {
	t.Helper()
	var batch []string
	var sent []document
	for _, doc := range docs {
		for _, d := range []document{doc, {y, plain}} {
			text := d.with(fmt.Sprintf("line-%d", len(sent)))
			if strings.TrimSpace(text) != "" && !strings.Contains(text, "\n") {
				sent, batch = append(sent, d), append(batch, text)
			}
		}
	}
	verdicts := s.sendBatch(t, strings.Join(batch, "\n"))
	if len(verdicts) != len(sent) {
		t.Fatalf("%d verdicts for %d lines", len(verdicts), len(sent))
	}
	for k, d := range sent {
		var v struct {
			Line, Status int
			ID           string
			Problem      problem
		}
		if err := json.Unmarshal([]byte(verdicts[k]), &v); err != nil || v.Line != k+1 {
			t.Errorf("verdict %d is %.200s, %v", k+1, verdicts[k], err)
		}
		if v.Status == http.StatusCreated {
			created = append(created, v.ID)
		}
		if err := d.check(v.Status, v.Problem.Type); err != nil {
			t.Errorf("line %d of the batch, %c %.200q: %v", k+1, d.want, d.text, err)
		}
	}
	return created
}

// TestDocumentsElsewhere sends the corpus where no single order is expected. There a document
// may have its effect, but must neither break anything nor hang.
func TestDocumentsElsewhere(t *testing.T) {
	s := start(t)
	each(t, corpus(), func(k int, d document) error {
		for _, route := range [][2]string{
			{"/orders/batch", "application/x-ndjson"},
			{"/orders/batch", "application/json"},
			{"/orders/retry", "application/json"},
			{"/orders/nobody/cancel", "application/json"},
			{"/orders/nobody/retry", "application/json"},
			{"/queues/low/pause", "application/json"},
			{"/queues/default/resume", "application/json"},
		} {
			if _, _, err := s.post(route[0], route[1], d.with(fmt.Sprintf("else-%d", k))); err != nil {
				return fmt.Errorf("POST %s as %s: %w", route[0], route[1], err)
			}
		}
		return nil
	})
	s.ids(t)
}
