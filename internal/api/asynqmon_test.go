package api_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestPages serves each page and what it loads.
func TestPages(t *testing.T) {
	b := open(t)
	for path, loads := range map[string]string{
		"/": `/page/[0-9a-f]{12}/main\.js`, "/docs": `/docs/swagger-ui\.css`, "/monitoring": `/monitoring/static/js/[^"]+\.js`,
		"/monitoring/": `/monitoring/static/js/[^"]+\.js`, "/monitoring/queues/default": `/monitoring/static/js/[^"]+\.js`,
	} {
		page := b.ask(t, "GET", path, "")
		if page.code != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || page.header.Get("X-Request-Id") == "" {
			t.Errorf("%s is %d %v", path, page.code, page.header)
		}
		file := regexp.MustCompile(loads).FindString(string(page.body))
		if a := b.ask(t, "GET", file, ""); file == "" || a.code != 200 || len(a.body) < 1000 {
			t.Errorf("%s loads %q, which is %d with %d bytes", path, file, a.code, len(a.body))
		}
	}
	b.ask(t, "POST", "/", "{}").problem(t, 405)
	b.ask(t, "GET", "/index.html", "").problem(t, 404)
}

// TestMonitoring serves the data of Asynqmon, without what is personal in an order.
func TestMonitoring(t *testing.T) {
	b := open(t)
	b.ask(t, "POST", "/orders", body()).object(t, 201)
	var queues struct {
		Queues []struct {
			Queue   string
			Pending int
		}
	}
	if err := json.Unmarshal(b.ask(t, "GET", "/monitoring/api/queues", "").body, &queues); err != nil {
		t.Fatal(err)
	}
	if len(queues.Queues) != 1 || queues.Queues[0].Queue != "default" || queues.Queues[0].Pending != 1 {
		t.Errorf("queues are %+v", queues)
	}
	var tasks struct {
		Tasks []struct{ ID, Type, Payload string }
	}
	if err := json.Unmarshal(b.ask(t, "GET", "/monitoring/api/queues/default/pending_tasks", "").body, &tasks); err != nil {
		t.Fatal(err)
	}
	if len(tasks.Tasks) != 1 || tasks.Tasks[0].ID != "ord_1" {
		t.Fatalf("tasks are %+v", tasks)
	}
	var payload map[string]any
	if err := json.Unmarshal([]byte(tasks.Tasks[0].Payload), &payload); err != nil || payload["order_id"] != "ord_1" {
		t.Errorf("payload is %q, %v", tasks.Tasks[0].Payload, err)
	}
	for _, personal := range []string{"ada@example.com", "Main Street", "ring twice"} {
		if strings.Contains(tasks.Tasks[0].Payload, personal) {
			t.Errorf("payload shows %q", personal)
		}
	}
}

// TestMonitoringWrites takes changes only where it is configured to.
func TestMonitoringWrites(t *testing.T) {
	t.Parallel()
	for name, writable := range map[string]bool{"read-only": false, "writable": true} {
		t.Run(name, func(t *testing.T) {
			b := open(t, func(p *parts) { p.cfg.MonitoringWritable = writable })
			b.ask(t, "POST", "/orders", body()).object(t, 201)
			code, left := 405, int64(1)
			if writable {
				code, left = 204, 0
			}
			if a := b.ask(t, "POST", "/monitoring/api/queues/default:pause", ""); a.code != code {
				t.Errorf("pause is answered %d %s", a.code, a.body)
			}
			if paused := b.rdb.Exists(t.Context(), "asynq:{default}:paused").Val() == 1; paused != writable {
				t.Errorf("the queue is paused: %v", paused)
			}
			if a := b.ask(t, "DELETE", "/monitoring/api/queues/default/pending_tasks/ord_1", ""); a.code != code {
				t.Errorf("delete is answered %d %s", a.code, a.body)
			}
			if n := b.rdb.LLen(t.Context(), "asynq:{default}:pending").Val(); n != left {
				t.Errorf("%d tasks wait; want %d", n, left)
			}
		})
	}
}

// TestMonitoringIsBounded shows no more tasks at once than Redis reads without
// holding up others.
func TestMonitoringIsBounded(t *testing.T) {
	b := open(t)
	b.batch(t, lines("o", 150))
	for query, want := range map[string]int{"": 20, "?size=30": 30, "?size=1000000": 100, "?size=-1": 100, "?size=x": 100, "?page=2&size=1000000": 50} {
		var tasks struct{ Tasks []any }
		a := b.ask(t, "GET", "/monitoring/api/queues/default/pending_tasks"+query, "")
		if err := json.Unmarshal(a.body, &tasks); err != nil || len(tasks.Tasks) != want {
			t.Errorf("%q: %d tasks are shown, want %d: %v", query, len(tasks.Tasks), want, err)
		}
	}
}

// TestPagesFailAsAllDoes answers problems, with an id and without what is inside,
// where a page would answer plain text.
func TestPagesFailAsAllDoes(t *testing.T) {
	b := open(t)
	for path, code := range map[string]int{
		"/monitoring/%zz": 400, "/docs/%": 400, "/docs/nothing": 404, "/monitoring/api/queues/nope": 404,
	} {
		all := b.say(t, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if len(all) != 1 || all[0].code != code {
			t.Errorf("%s is answered %+v", path, all)
			continue
		}
		all[0].problem(t, code)
	}
	b.redis.Kill()
	a := b.ask(t, "GET", "/monitoring/api/queues", "")
	if a.problem(t, 503); strings.Contains(string(a.body), "dial") {
		t.Errorf("the answer shows %s", a.body)
	}
	b.redis.Restart()
}
