package deploy_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// selectors are the metrics of a PromQL expression, and the labels that it chooses
// each by.
type selectors map[string][]string

var (
	promText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	// promGroup is the list of labels behind a word that is followed by one.
	promGroup = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`)
	promRange = regexp.MustCompile(`\[[^\]]*\]`)
	// promName is a name with what it is chosen by, or with a parenthesis where it is
	// a function.
	promName  = regexp.MustCompile(`\b([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\(|\{[^}]*\})?`)
	promLabel = regexp.MustCompile(`([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)`)
)

// selectorsOf reads an expression far enough to tell its metrics from its words. It
// is no parser: promtool is, and reads the same expressions.
func selectorsOf(expr string) selectors {
	found := selectors{}
	expr = promText.ReplaceAllString(expr, `""`)
	expr = promRange.ReplaceAllString(promGroup.ReplaceAllString(expr, " "), " ")
	for _, match := range promName.FindAllStringSubmatch(expr, -1) {
		if match[2] == "(" || slices.Contains([]string{"and", "or", "unless", "bool", "offset"}, match[1]) {
			continue
		}
		labels := found[match[1]]
		for _, label := range promLabel.FindAllStringSubmatch(match[2], -1) {
			labels = append(labels, label[1])
		}
		found[match[1]] = labels
	}
	return found
}

// groupsOf are the labels that an expression groups by.
func groupsOf(expr string) []string {
	labels := map[string]bool{}
	for _, group := range promGroup.FindAllString(promText.ReplaceAllString(expr, `""`), -1) {
		_, list, _ := strings.Cut(strings.TrimSuffix(group, ")"), "(")
		for label := range strings.SplitSeq(list, ",") {
			labels[strings.TrimSpace(label)] = true
		}
	}
	return slices.Sorted(maps.Keys(labels))
}

func TestSelectorsOf(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]selectors{
		`up`: {"up": nil},
		`sum by (le, queue) (rate(a_total{x="or b{", y!~"z|\"c"}[5m])) > bool 0.5e3`:         {"a_total": {"x", "y"}},
		`max(a) / (max(b{}) > 0) and on (queue) c offset 5m`:                                 {"a": nil, "b": nil, "c": nil},
		`histogram_quantile(0.9, sum without (instance) (rate(a_bucket[$__rate_interval])))`: {"a_bucket": nil},
		"a:b:rate1m{job=~\"x\"}\nunless absent(d)":                                           {"a:b:rate1m": {"job"}, "d": nil},
	} {
		got := selectorsOf(expr)
		delete(got, "m") // the unit of an offset
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", expr, diff)
		}
	}
	if diff := cmp.Diff([]string{"le", "queue"}, groupsOf(`sum by (le, queue) (a) and on(queue) b{x="by (c)"}`)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}
