package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/bench/report"
)

var (
	ours   = report.Key{Scenario: "drain", System: "ours", Figure: "rate"}
	naive  = report.Key{Scenario: "drain", System: "naive", Figure: "rate"}
	peer   = report.Key{Scenario: "drain", System: "peer", Figure: "rate"}
	versus = report.Key{Scenario: "drain", System: "ours / best", Figure: "rate"}
)

// results has three runs of two systems, and two of a third.
func results() *report.Results {
	r := report.NewResults()
	for run, v := range []struct{ ours, naive, peer float64 }{{900, 300, 450}, {1000, 500, 200}, {3200, 800, 0}} {
		r.Add(run, ours, report.OrdersPerSecond, v.ours)
		r.Add(run, naive, report.OrdersPerSecond, v.naive)
		if v.peer > 0 {
			r.Add(run, peer, report.OrdersPerSecond, v.peer)
		}
	}
	return r
}

// TestRatio divides run by run, by the best of those that the run has.
func TestRatio(t *testing.T) {
	t.Parallel()
	gone := report.Key{Scenario: "drain", System: "gone", Figure: "rate"}
	rows := []struct {
		name  string
		of    report.Key
		by    []report.Key
		least bool
		want  report.Spread
	}{
		{"by one", ours, []report.Key{naive}, false, report.Spread{Median: 3, Min: 2, Max: 4, Runs: 3}},
		{"by the best of each run", ours, []report.Key{naive, peer}, false, report.Spread{Median: 2, Min: 2, Max: 4, Runs: 3}},
		{"by the least of each run", ours, []report.Key{naive, peer}, true, report.Spread{Median: 4, Min: 3, Max: 5, Runs: 3}},
		{"by one that a run lacks", ours, []report.Key{peer}, false, report.Spread{Median: 3.5, Min: 2, Max: 5, Runs: 2}},
		{"by one that there is not", ours, []report.Key{gone}, false, report.Spread{}},
		{"of one that there is not", gone, []report.Key{ours}, false, report.Spread{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var got report.Spread
			for _, made := range results().Rows([]report.Ratio{{Key: versus, Of: row.of, By: row.by, Least: row.least}}, nil) {
				if made.Key == versus {
					got = made.Spread
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("ratio (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVerdict compares medians with goals of both kinds; the bound itself meets them.
func TestVerdict(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name          string
		goal          report.Goal
		text, verdict string
	}{
		{"at least, above", report.Goal{Key: ours, Bound: 999}, ">= 999", "met"},
		{"at least, the bound", report.Goal{Key: ours, Bound: 1000}, ">= 1,000", "met"},
		{"at least, below", report.Goal{Key: ours, Bound: 1001}, ">= 1,001", "missed"},
		{"at most, above", report.Goal{Key: ours, Bound: 999, AtMost: true}, "<= 999", "missed"},
		{"at most, the bound", report.Goal{Key: ours, Bound: 1000, AtMost: true}, "<= 1,000", "met"},
		{"another figure's", report.Goal{Key: versus, Bound: 1}, "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := results().Rows(nil, []report.Goal{row.goal})[0]
			if got.Key != ours || got.Goal != row.text || got.Verdict != row.verdict {
				t.Errorf("row %+v, want %q and %q", got, row.text, row.verdict)
			}
		})
	}
}

// TestMissing lists the goals that nothing was measured for.
func TestMissing(t *testing.T) {
	t.Parallel()
	goals := []report.Goal{{Key: ours}, {Key: versus}}
	got := report.Missing(results().Rows(nil, goals), goals)
	if diff := cmp.Diff([]report.Key{versus}, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

// TestWriteTable writes figures, their goals, and what was skipped.
func TestWriteTable(t *testing.T) {
	t.Parallel()
	r := results()
	r.Skip(report.Key{Scenario: "drain", System: "River"}, "no postgres\nhere")
	r.Skip(report.Key{Scenario: "drain", System: "River"}, "no postgres\nhere")
	var b strings.Builder
	if err := report.WriteTable(&b, r.Rows(nil, []report.Goal{{Key: ours, Bound: 2000}}), r.Skips()); err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for line := range strings.Lines(b.String()) {
		got = append(got, strings.Fields(line))
	}
	want := [][]string{
		strings.Fields("scenario system figure median unit min – max goal verdict"),
		strings.Fields("drain ours rate 1,000 orders/s 900 – 3,200 >= 2,000 missed"),
		strings.Fields("drain naive rate 500 orders/s 300 – 800"),
		strings.Fields("drain peer rate 325 orders/s 200 – 450"),
		strings.Fields("drain River skipped: no postgres here"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestWriteMarkdown keeps each row on a line of its own, whatever is in it.
func TestWriteMarkdown(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := report.WriteMarkdown(&b, report.Document{
		Machine: []report.Fact{{Name: "cores", Value: "2"}},
		Rows:    results().Rows(nil, nil),
		Skips:   []report.Skip{{Key: report.Key{Scenario: "drain", System: "River"}, Reason: "a|b\nc"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| cores | 2 |\n",
		"| drain | ours | rate | 1,000 | orders/s | 900 – 3,200 |  |  |\n",
		`| drain | River | a\|b c |` + "\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no line %q in:\n%s", want, &b)
		}
	}
}
