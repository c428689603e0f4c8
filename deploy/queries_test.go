package deploy_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"orderprocessor/internal/app"
	"orderprocessor/internal/app/apiapp"
	"orderprocessor/internal/app/workerapp"
	"orderprocessor/internal/config"
	"orderprocessor/internal/redistest"
)

var (
	// text is a quoted string of PromQL, which may contain anything.
	text = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	// metric is a metric of ours, or of Go's, with the labels that it is selected by.
	metric = regexp.MustCompile(`\b((?:orders|go|process)_\w+)(?:\{([^}]*)\})?`)
	// grouping is the list of labels of an aggregation.
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	// label is a label of a selector, a grouping or a line of /metrics.
	label = regexp.MustCompile(`[a-zA-Z_]\w*`)
)

// TestQueriesFindTheirMetrics compares the metrics and labels of every alert and panel with what
// the two programs export. promtool knows the language and not the metrics.
func TestQueriesFindTheirMetrics(t *testing.T) {
	t.Parallel()
	exported := scrapeBoth(t)
	queries := dashboardQueries(t)
	if len(queries) == 0 {
		t.Error("the dashboard has no queries")
	}
	for _, rule := range strings.Split(readFile(t, "prometheus/rules/alerts.yml"), "- alert: ")[1:] {
		_, expr, _ := strings.Cut(rule, "expr:")
		expr, _, _ = strings.Cut(expr, "labels:")
		expr, _, _ = strings.Cut(expr, "\n          for:")
		queries = append(queries, expr)
	}
	for _, query := range queries {
		query = text.ReplaceAllString(query, `""`)
		known := []string{"job", "instance"}
		for _, found := range metric.FindAllStringSubmatch(grouping.ReplaceAllString(query, ""), -1) {
			labels, ok := exported[found[1]]
			if !ok {
				t.Errorf("no program exports %s, which is asked for by %s", found[1], query)
			}
			known = append(known, labels...)
			checkLabels(t, query, found[2], append(labels, "job", "instance"))
		}
		for _, found := range grouping.FindAllStringSubmatch(query, -1) {
			checkLabels(t, query, found[1], known)
		}
	}
}

func checkLabels(t *testing.T, query, list string, known []string) {
	t.Helper()
	for _, name := range label.FindAllString(text.ReplaceAllString(list, ""), -1) {
		if !slices.Contains(known, name) {
			t.Errorf("there is no label %s, which is asked for by %s", name, query)
		}
	}
}

func dashboardQueries(t *testing.T) []string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, "grafana/dashboards/orders.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries = append(queries, target.Expr)
		}
	}
	return queries
}

// scrapeBoth runs an API and a worker, and returns the labels of each metric they export.
func scrapeBoth(t *testing.T) map[string][]string {
	t.Helper()
	env := []string{
		"REDIS_URL=" + redistest.Start(t).URL(), "ORDERS_HTTP_ADDR=127.0.0.1:0", "ORDERS_ADMIN_ADDR=127.0.0.1:0",
		"ORDERS_FULFILMENT_URL=http://127.0.0.1:9/",
	}
	apiConfig, err := config.LoadAPI(env)
	if err != nil {
		t.Fatal(err)
	}
	workerConfig, err := config.LoadWorker(env)
	if err != nil {
		t.Fatal(err)
	}
	opts := app.Options{Log: slog.New(slog.DiscardHandler)}
	api, err := apiapp.New(apiConfig, opts)
	if err != nil {
		t.Fatal(err)
	}
	worker, err := workerapp.New(workerConfig, opts)
	if err != nil {
		t.Fatal(err)
	}
	run(t, api.Run)
	run(t, worker.Run)
	fetch(t, "http://"+api.Addr()+"/health") // requests are exported once there was one
	exported := map[string][]string{}
	for line := range strings.Lines(fetch(t, "http://"+api.AdminAddr()+"/metrics") + fetch(t, "http://"+worker.AdminAddr()+"/metrics")) {
		name, labels, _ := strings.Cut(strings.TrimRight(line, " \n"), "{")
		name, _, _ = strings.Cut(name, " ")
		labels, _, _ = strings.Cut(text.ReplaceAllString(labels, ""), "}")
		exported[name] = append(exported[name], label.FindAllString(labels, -1)...)
	}
	return exported
}

// run runs a program until the test ends.
func run(t *testing.T, program func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- program(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
