package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/config"
)

func TestPairsOfVariables(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		environ string // with spaces between the variables
		problem string // the variable that is reported; empty for none
	}{
		"concurrency at its most":             {"ORDERS_WORKER_CONCURRENCY=64 ORDERS_WORKER_LANES=60 ORDERS_WORKER_RESERVED_CRITICAL=4", ""},
		"a lane without a slot":               {"ORDERS_WORKER_CONCURRENCY=64 ORDERS_WORKER_LANES=61 ORDERS_WORKER_RESERVED_CRITICAL=4", "ORDERS_WORKER_RESERVED_CRITICAL"},
		"more lanes than slots":               {"ORDERS_WORKER_CONCURRENCY=8 ORDERS_WORKER_LANES=9", "ORDERS_WORKER_LANES"},
		"everything reserved":                 {"ORDERS_WORKER_CONCURRENCY=8 ORDERS_WORKER_RESERVED_CRITICAL=8", "ORDERS_WORKER_RESERVED_CRITICAL"},
		"a bad concurrency blames no other":   {"ORDERS_WORKER_CONCURRENCY=x ORDERS_WORKER_LANES=9", "ORDERS_WORKER_CONCURRENCY"},
		"retry max at base":                   {"ORDERS_RETRY_BASE=5s ORDERS_RETRY_MAX=5s", ""},
		"retry max below base":                {"ORDERS_RETRY_BASE=5s ORDERS_RETRY_MAX=4999ms", "ORDERS_RETRY_MAX"},
		"fulfilment as long as the attempt":   {"ORDERS_FULFILMENT_TIMEOUT=10s ORDERS_ATTEMPT_TIMEOUT=10s", "ORDERS_FULFILMENT_TIMEOUT"},
		"a short attempt":                     {"ORDERS_FULFILMENT_URL=http://shop ORDERS_ATTEMPT_TIMEOUT=1s", ""},
		"a secret with a URL":                 {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=" + secret(24), ""},
		"a secret with its prefix":            {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=whsec_" + secret(64), ""},
		"a secret without a URL":              {"ORDERS_FULFILMENT_SECRET=" + secret(24), "ORDERS_FULFILMENT_SECRET"},
		"a secret that is too short":          {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=" + secret(23), "ORDERS_FULFILMENT_SECRET"},
		"a secret that is too long":           {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=" + secret(65), "ORDERS_FULFILMENT_SECRET"},
		"a secret that is not base64":         {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=whsec_" + strings.Repeat("?", 40), "ORDERS_FULFILMENT_SECRET"},
		"the last of two values counts":       {"ORDERS_MAX_ATTEMPTS=-1 ORDERS_MAX_ATTEMPTS=3", ""},
		"an unknown name, even without value": {"ORDERS_SECRET=", "ORDERS_SECRET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := strings.Split(row.environ, " ")
			_, err := config.LoadWorker(environ)
			if got := strings.Join(namesOf(t, err), " "); got != row.problem {
				t.Errorf("worker: want a problem with %q, got %v", row.problem, err)
			}
			if _, _, all := config.LoadAll(environ); (all == nil) != (err == nil) {
				t.Errorf("both: got %v", all)
			}
		})
	}
}

// TestSecretsOfARotation checks that the calls are signed with one secret or two, and
// that a refusal says what is wrong without a secret in it.
func TestSecretsOfARotation(t *testing.T) {
	t.Parallel()
	before, after, third := secret(24), "whsec_"+secret(32), secret(40)
	for name, row := range map[string]struct{ value, problem string }{
		"one":                       {before, ""},
		"two":                       {before + " " + after, ""},
		"two with blanks between":   {after + "   " + before, ""},
		"three":                     {before + " " + after + " " + third, ": it has more than two secrets"},
		"the same twice":            {before + " " + before, ": it has the same secret twice"},
		"the same, once with whsec": {before + " whsec_" + before, ": it has the same secret twice"},
		"the second is too short":   {before + " " + secret(23), "its value is not shown"},
		"a comma between":           {before + "," + after, "its value is not shown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := config.LoadWorker([]string{"ORDERS_FULFILMENT_URL=http://shop", "ORDERS_FULFILMENT_SECRET=" + row.value})
			if row.problem == "" {
				must(t, err)
				if got.FulfilmentSecret.Reveal() != row.value {
					t.Errorf("got %q", got.FulfilmentSecret.Reveal())
				}
				return
			}
			if err == nil || !strings.HasSuffix(err.Error(), row.problem) || strings.Contains(err.Error(), before) {
				t.Errorf("want a problem that ends with %q, got %v", row.problem, err)
			}
		})
	}
}

// TestTheOtherBinarysVariables checks that the API checks the form of a worker's
// variable, but not whether the worker's variables fit together.
func TestTheOtherBinarysVariables(t *testing.T) {
	t.Parallel()
	if _, err := config.LoadAPI([]string{"ORDERS_RETRY_BASE=1h", "ORDERS_FULFILMENT_URL=http://shop", "ORDERS_ATTEMPT_TIMEOUT=5s"}); err != nil {
		t.Errorf("a worker's pair stops the API: %v", err)
	}
	_, err := config.LoadAPI([]string{"ORDERS_RETRY_BASE=soon", "ORDERS_WORKER_LANES=65"})
	if got := namesOf(t, err); len(got) != 2 {
		t.Errorf("API: want two problems, got %v", err)
	}
	_, err = config.LoadWorker([]string{"ORDERS_HTTP_ADDR=8080", "ORDERS_MAX_QUEUE_LENGTH=0"})
	if got := namesOf(t, err); len(got) != 2 {
		t.Errorf("worker: want two problems, got %v", err)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.LoadWorker([]string{
		"ORDERS_MAX_ATTEMPTS=many", "ORDERS_WORKER_CONCURENCY=5", "REDIS_URL=redis://:hunter2@/0", "ORDERS_BANANA=yellow",
		"ORDERS_RETRY_MAX=1us", "ORDERS_LOG_LEVEL=loud\nand \x1b[31mred", "ORDERS_MAX_ITEMS=0",
	})
	want := `invalid configuration:
  ORDERS_BANANA is not a known variable
  ORDERS_LOG_LEVEL="loud and  [31mred" must be debug, info, warn or error
  ORDERS_MAX_ATTEMPTS="many" must be a whole number from 0 to 100
  ORDERS_MAX_ITEMS="0" must be a whole number from 1 to 1000
  ORDERS_RETRY_MAX="1us" must be a duration such as 1m30s, from 1ms to 24h
  ORDERS_WORKER_CONCURENCY is not a known variable; did you mean ORDERS_WORKER_CONCURRENCY?
  REDIS_URL must be a redis://, rediss:// or unix:// URL (with ?master_name=… for Sentinel, with ?addr=host:port for each further node of a Cluster); its value is not shown: it names no host`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLongValuesAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 5000)
	_, err := config.LoadAPI([]string{"ORDERS_LOG_LEVEL=" + long, "ORDERS_" + long + "=1"})
	if n := len(namesOf(t, err)); n != 2 || len(err.Error()) > 1000 {
		t.Errorf("want two short problems, got %d in %d bytes", n, len(err.Error()))
	}
}

// namesOf returns the variables that have a problem; none for no error.
func namesOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var bad *config.Error
	if !errors.As(err, &bad) {
		t.Fatalf("want a *config.Error, got %T: %v", err, err)
	}
	var names []string
	for _, p := range bad.Problems {
		names = append(names, p.Name)
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
