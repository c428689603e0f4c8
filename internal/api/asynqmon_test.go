package api_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestPages serves each page and a file that it loads.
func TestPages(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	for path, loads := range map[string]string{
		"/": `/page/[0-9a-f]{12}/main\.js`, "/docs": `/docs/swagger-ui\.css`,
		"/monitoring": `/monitoring/static/js/[^"]+\.js`, "/monitoring/queues/default": `/monitoring/static/js/[^"]+\.js`,
	} {
		page := s.ask(t, "GET", path, "")
		if page.code != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || page.header.Get("X-Request-Id") == "" {
			t.Errorf("%s is answered %d %v", path, page.code, page.header)
		}
		file := regexp.MustCompile(loads).FindString(string(page.body))
		if a := s.ask(t, "GET", file, ""); file == "" || a.code != 200 || len(a.body) < 1000 {
			t.Errorf("%s loads %q, which is answered %d with %d bytes", path, file, a.code, len(a.body))
		}
	}
}

// TestMonitoring serves the data of Asynqmon, without what is personal in an order, and
// makes changes only if it is configured as writable.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	for name, writable := range map[string]bool{"read-only": false, "writable": true} {
		t.Run(name, func(t *testing.T) {
			b := open(t, func(p *parts) { p.cfg.MonitoringWritable = writable })
			b.ask(t, "POST", "/orders", body()).object(t, 201)
			queues := decode[struct {
				Queues []struct {
					Queue   string
					Pending int
				}
			}](t, b.ask(t, "GET", "/monitoring/api/queues", ""), 200).Queues
			if len(queues) != 1 || queues[0].Queue != "default" || queues[0].Pending != 1 {
				t.Errorf("queues are %+v", queues)
			}
			tasks := decode[struct {
				Tasks []struct{ ID, Payload string }
			}](t,
				b.ask(t, "GET", "/monitoring/api/queues/default/pending_tasks", ""), 200).Tasks
			if len(tasks) != 1 || tasks[0].ID != "ord_1" {
				t.Fatalf("tasks are %+v", tasks)
			}
			var payload map[string]any
			if err := json.Unmarshal([]byte(tasks[0].Payload), &payload); err != nil || payload["order_id"] != "ord_1" {
				t.Errorf("payload is %q, %v", tasks[0].Payload, err)
			}
			for _, personal := range []string{"ada@example.com", "Main Street", "ring twice"} {
				if strings.Contains(tasks[0].Payload, personal) {
					t.Errorf("payload shows %q", personal)
				}
			}
			code, left := 405, 1
			if writable {
				code, left = 204, 0
			}
			if a := b.ask(t, "POST", "/monitoring/api/queues/default:pause", ""); a.code != code || b.paused(t, "default") != writable {
				t.Errorf("pause is answered %d %s; paused: %t", a.code, a.body, b.paused(t, "default"))
			}
			if a := b.ask(t, "DELETE", "/monitoring/api/queues/default/pending_tasks/ord_1", ""); a.code != code {
				t.Errorf("delete is answered %d %s", a.code, a.body)
			}
			b.checkTasks(t, "pending", left)
		})
	}
}

// TestMonitoringIsBounded shows no more tasks at once than Redis can read quickly.
func TestMonitoringIsBounded(t *testing.T) {
	b := open(t)
	b.batch(t, lines("o", 150))
	for query, want := range map[string]int{"": 20, "?size=30": 30, "?size=1000000": 100, "?size=-1": 100, "?size=x": 100, "?page=2&size=1000000": 50} {
		got := decode[struct{ Tasks []any }](t, b.ask(t, "GET", "/monitoring/api/queues/default/pending_tasks"+query, ""), 200)
		if len(got.Tasks) != want {
			t.Errorf("%q: %d tasks are shown, want %d", query, len(got.Tasks), want)
		}
	}
}

// TestPagesAnswerProblems answers problems that reveal nothing internal where a page would
// answer plain text.
func TestPagesAnswerProblems(t *testing.T) {
	b := open(t)
	for path, code := range map[string]int{
		"/monitoring/%zz": 400, "/docs/%": 400, "/docs/nothing": 404, "/monitoring/api/queues/nope": 404,
	} {
		b.askPath(t, "GET", path).problem(t, code)
	}
	b.redis.Kill()
	a := b.ask(t, "GET", "/monitoring/api/queues", "")
	if a.problem(t, 503); strings.Contains(string(a.body), "dial") {
		t.Errorf("the answer shows %s", a.body)
	}
	b.redis.Restart()
}
