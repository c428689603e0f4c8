package deploy_test

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/app/apiapp"
	"orderprocessor/internal/app/workerapp"
	"orderprocessor/internal/config"
	"orderprocessor/internal/redistest"
)

// TestQueriesFindTheirMetrics holds every metric and label that an alert or a panel
// asks for to what the two programs tell.
func TestQueriesFindTheirMetrics(t *testing.T) {
	t.Parallel()
	known := scrapeBoth(t)
	queries := dashboardQueries(t)
	for _, a := range alerts(t) {
		queries = append(queries, a.Expr)
	}
	for _, query := range queries {
		asked := selectorsOf(query)
		if len(asked) == 0 {
			t.Errorf("%s asks for nothing", query)
		}
		var labels []string
		for metric, chosenBy := range asked {
			if _, ok := known[metric]; !ok {
				t.Errorf("%s asks for %s, which no program tells", query, metric)
			}
			labels = append(labels, known[metric]...)
			refuse(t, query, chosenBy, known[metric])
		}
		refuse(t, query, groupsOf(query), labels)
	}
}

// refuse reports labels that are not among those known.
func refuse(t *testing.T, query string, labels, known []string) {
	t.Helper()
	for _, label := range labels {
		if !slices.Contains(known, label) && label != "job" && label != "instance" {
			t.Errorf("%s goes by the label %s, which there is not among %q", query, label, known)
		}
	}
}

// scrapeBoth runs an API and a worker, and returns the labels of every metric that
// they tell. The metric up is Prometheus's own.
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
	fetch(t, "http://"+api.Addr()+"/health") // requests are told once there was one
	known := map[string][]string{"up": nil}
	for _, addr := range []string{api.AdminAddr(), worker.AdminAddr()} {
		learn(known, fetch(t, "http://"+addr+"/metrics"))
	}
	return known
}

// run runs a program for as long as the test.
func run(t *testing.T, program func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- program(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

// fetch returns the lines of a page.
func fetch(t *testing.T, url string) []string {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Minute}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var lines []string
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

// learn adds the metrics of a scrape, and their labels.
func learn(known map[string][]string, lines []string) {
	series := regexp.MustCompile(`^([a-zA-Z_:]\w*)(?:\{(.*)\})? `)
	label := regexp.MustCompile(`(\w+)="`)
	for _, line := range lines {
		found := series.FindStringSubmatch(line)
		if found == nil || strings.HasPrefix(line, "#") {
			continue
		}
		labels := known[found[1]]
		for _, name := range label.FindAllStringSubmatch(found[2], -1) {
			if !slices.Contains(labels, name[1]) {
				labels = append(labels, name[1])
			}
		}
		known[found[1]] = labels
	}
}
