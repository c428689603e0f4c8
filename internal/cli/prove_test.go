package cli_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestProveBroken shows what contradicts a guarantee, with its calls: here an API that
// accepts every order and has none.
func TestProveBroken(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, routes{
		"POST /orders": {{status: http.StatusCreated, body: `{"id":"x","status":"pending"}`}},
		"/":            {{status: http.StatusNotFound}},
	})
	orderctl(t, "prove", "--api", api.URL, "--for", "1s", "--orders", "1", "--clients", "1").mustExit(t, 1,
		`orderctl: up to 1 order named prove-\S+… will be submitted to http://127.0.0.1:\d+: they are real`,
		`^broken +accepted orders are not lost +problems: 1; `, `\nnot shown +the books balance +`,
		`\n\nBroken: .*\. Calls are in seconds after \S+Z:\n\n  prove-\S+-000001: nothing explains the answer to .*\n(    .*\n)*    > .*\n`,
		`orderctl: guarantees are broken: \d\n$`)
	for _, request := range api.posts() {
		if request.target != "/orders" && !strings.HasPrefix(request.target, "/orders/prove-") {
			t.Errorf("it sent %s", request)
		}
	}
}

func TestProveRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--for", "0s"}, {"--for", "2h"}, {"--grace", "0s"}, {"--orders", "0"}, {"--clients", "300"}} {
		orderctl(t, append([]string{"prove", "--api", "http://127.0.0.1:1"}, args...)...).mustExit(t, 2, `^orderctl: --\w+ must be `)
	}
	orderctl(t, "prove", "--api", "http://127.0.0.1:1").mustExit(t, 1, `orderctl: prove: no answer from the API .*refused`)
	unknown := newFakeAPI(t, routes{"/": {{status: http.StatusUnauthorized}}})
	orderctl(t, "prove", "--api", unknown.URL).mustExit(t, 1, `orderctl: prove: 401: .*the API requires a key`)
	for _, request := range unknown.requests() {
		if strings.Contains(request.target, "events") || request.target == "/orders" {
			t.Errorf("it sent %s", request)
		}
	}
}
