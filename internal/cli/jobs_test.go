package cli_test

import (
	"strings"
	"testing"
)

// jobOf is a job as the API writes it.
func jobOf(state, more string) string {
	return `{"id":"j1","action":"retry","filter":{"status":"failed"},"state":"` + state + `","matched":1946,"done":1940,"skipped":5,"failed":1,` +
		`"outcomes":{"failed":6,"completed":1934},"actor":"ops","created_at":"2026-11-23T12:00:00Z","updated_at":"2026-11-23T12:00:01Z"` + more + `}`
}

const jobShown = "id           j1\naction       retry\nfilter       {\"status\":\"failed\"}\nstate        done\nmatched      1946\ndone         1940\n" +
	"skipped      5\nfailed       1\noutcomes     1934 completed, 6 failed\nby           ops\ncreated at   2026-11-23T12:00:00.000000Z\n" +
	"ended at     2026-11-23T12:00:09.000000Z\n"

func TestJobs(t *testing.T) {
	t.Parallel()
	done := jobOf("done", `,"ended_at":"2026-11-23T12:00:09Z"`)
	noSuchJob := problem(404, "There is no job with this id.", "")
	runScripted(
		t,
		scripted{
			"list", "jobs list --limit 2",
			[]exchange{{"GET /jobs?limit=2", 503, away}, {"GET /jobs?limit=2", 200, `{"jobs":[` + jobOf("running", "") + `]}`}},
			0,
			"id   action   state     matched   done   skipped   failed   by    created at\n" +
				"j1   retry    running   1946      1940   5         1        ops   2026-11-23T12:00:00Z\n", "",
		},
		scripted{"no jobs", "jobs list", []exchange{{"GET /jobs?limit=20", 200, `{"jobs":[]}`}}, 0, "There is no job.\n", ""},
		scripted{"get", "jobs get j1", []exchange{{"GET /jobs/j1", 200, done}}, 0, jobShown, ""},
		scripted{
			"wait", "jobs get j1 --wait",
			[]exchange{{"GET /jobs/j1", 200, jobOf("counting", "")}, {"GET /jobs/j1", 200, jobOf("running", "")}, {"GET /jobs/j1", 200, done}},
			0, jobShown, "",
		},
		scripted{"get what is not there", "jobs get j1", []exchange{{"GET /jobs/j1", 404, noSuchJob}}, 1, "", "orderctl: get job j1: 404: There is no job with this id.\n"},
		scripted{
			"pause", "jobs pause j1 j2",
			[]exchange{{"POST /jobs/j1/pause", 202, jobOf("paused", "")}, {"POST /jobs/j2/pause", 404, noSuchJob}},
			1, "j1   paused\nj2   not paused: 404: There is no job with this id.\n", "orderctl: 1 of 2 jobs were not paused\n",
		},
		scripted{"resume", "jobs resume j1", []exchange{{"POST /jobs/j1/resume", 202, jobOf("running", "")}}, 0, "j1   running\n", ""},
		scripted{"stop", "jobs stop j1", []exchange{{"POST /jobs/j1/stop", 202, jobOf("stopped", "")}}, 0, "j1   stopped\n", ""},
		scripted{
			"create", "jobs create retry --status failed --amount-min 12.50 --metadata gift=yes --reason back --limit 9 --per-second 8 --stop-after-failures 7 --canary 6",
			[]exchange{{
				`POST /jobs {"action":"retry","filter":{"amount_min":12.50,"metadata":{"gift":"yes"},"status":"failed"},"reason":"back",` +
					`"limit":9,"per_second":8,"stop_after_failures":7,"canary":6}`, 202, `{"id":"j1"}`,
			}},
			0, "j1\n", "",
		},
		scripted{
			"create and wait", "jobs create release --dry-run --wait",
			[]exchange{{`POST /jobs {"action":"release","filter":{},"dry_run":true}`, 202, `{"id":"j1"}`}, {"GET /jobs/j1", 200, done}},
			0, jobShown, "",
		},
		scripted{
			"too many", "jobs create retry -o json",
			[]exchange{{`POST /jobs {"action":"retry","filter":{}}`, 409, problemOf("too-many-jobs", 409, "10 jobs have not ended.", "")}},
			1, "", "orderctl: create a job: 409: 10 jobs have not ended.\n",
		},
	)
	for args, want := range map[string]string{
		"jobs create":                       "accepts 1 arg",
		"jobs create erase":                 `there is no action "erase"; the actions are retry, cancel, release, reject`,
		"jobs create reject":                "--reason is needed",
		"jobs create retry --limit 0":       "--limit must be at least 1",
		"jobs create retry --canary -1":     "--canary must be at least 1",
		"jobs create retry --customer=":     "--customer must not be empty",
		"jobs create retry --metadata gift": "--metadata must be a key and its value",
		"jobs get":                          "accepts 1 arg",
		"jobs list --limit 1001":            "--limit must be from 1 to 1000",
		"jobs stop":                         "requires at least 1 arg",
	} {
		orderctl(t, strings.Fields(args)...).mustExit(t, 2, want)
	}
}

// TestJobIsCreatedOnce repeats the request with the same key when no answer came.
func TestJobIsCreatedOnce(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, routes{"POST /jobs": {{status: answerLost}, {status: 202, body: `{"id":"j1"}`}}})
	orderctl(t, "jobs", "create", "retry", "--api", api.URL).mustPrint(t, 0, "j1\n", "")
	if got := api.requests(); len(got) != 2 || got[0].idempotencyKey == "" || got[0].idempotencyKey != got[1].idempotencyKey {
		t.Errorf("the requests are %+v", got)
	}
}
