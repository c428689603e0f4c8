package api_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/redistest"
)

// TestSubscribeToBooks subscribes to two books in two Redis servers. A subscriber continues
// after any id, and has the events of one book while the other does not answer.
func TestSubscribeToBooks(t *testing.T) {
	b := open(t)
	second := redistest.Start(t)
	rdb := second.Client()
	t.Cleanup(func() { ledgertest.CheckBooks(t, rdb) })
	books := []*ledger.Ledger{b.ledger, ledger.New(rdb)}
	b.parts.Live = runHub(t, books[0].Books()[0], books[1].Books()[0])
	s := serve(t, parts{Parts: b.parts, cfg: api.Config{Books: 2}})
	accept := func(id string) {
		_, _, err := ledgertest.Accept(t.Context(), books[order.BookOf(id, 2)], ordertest.Order(t, ordertest.WithID(id)), order.QueueDefault)
		must(t, err)
	}
	ids := [2][]string{}
	for n := 0; len(ids[0]) < 3 || len(ids[1]) < 3; n++ {
		id := fmt.Sprint("o", n)
		ids[order.BookOf(id, 2)] = append(ids[order.BookOf(id, 2)], id)
	}
	f := s.subscribe(t, "1.1", "", "")
	accept(ids[0][0])
	_, first := f.next(t)
	between := f.id
	accept(ids[1][0])
	_, other := f.next(t)
	for n, data := range []map[string]any{first, other} {
		events, err := books[n].Events(t.Context(), ids[n][0])
		must(t, err)
		if want := fmt.Sprintf("%s.%d", events[0].ID, n); data["id"] != want || data["order_id"] != ids[n][0] {
			t.Errorf("the event of order %s with id %s is %v", ids[n][0], want, data)
		}
	}
	timeline := s.ask(t, "GET", "/orders/"+ids[0][0]+"/events", "").object(t, 200)
	if events, _ := timeline["events"].([]any); len(events) != 1 || events[0].(map[string]any)["id"] != first["id"] {
		t.Errorf("the timeline is %v, and the event %v", timeline, first)
	}
	for _, query := range []string{"?last_event_id=" + between, "?status=pending&last_event_id=" + between} {
		again := s.subscribe(t, "1.1", query, "")
		if diff := cmp.Diff([]string{ids[1][0] + " pending"}, again.events(t, 1)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
		must(t, again.conn.Close())
	}

	accept(ids[1][1])
	f.events(t, 1)
	second.Freeze()
	accept(ids[0][1])
	again := s.subscribe(t, "1.1", "", "Last-Event-ID: "+f.id+"\r\n")
	for _, stream := range []*subscriber{f, again} {
		if diff := cmp.Diff([]string{ids[0][1] + " pending"}, stream.events(t, 1)); diff != "" {
			t.Errorf("while a book does not answer (-want +got):\n%s", diff)
		}
	}
	second.Thaw()
	accept(ids[1][2])
	for _, stream := range []*subscriber{f, again} {
		name, data := stream.next(t)
		for name == "" { // a heartbeat
			name, data = stream.next(t)
		}
		if name != "order" || data["order_id"] != ids[1][2] {
			t.Errorf("when it does, %s %v comes", name, data)
		}
	}
	for _, id := range []any{first["id"], "1764000000000-0", order.EventPosition{{}, {}, {}}, "AQI"} {
		s.checkRefused(t, "GET", fmt.Sprint("/events?last_event_id=", id), "", "last_event_id invalid")
	}
}
