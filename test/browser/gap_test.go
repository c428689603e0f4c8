package browser_test

import (
	"strings"
	"testing"
)

// countGaps counts how often a stream says that events are missing, and how often one is
// refused, as by an API that has just begun: then the page begins a new one.
const countGaps = `(() => {
	globalThis.gaps = globalThis.refused = 0;
	globalThis.EventSource = class extends EventSource {
		constructor(...rest) {
			super(...rest);
			this.addEventListener("gap", () => globalThis.gaps++);
			this.addEventListener("error", () => { if (this.readyState === EventSource.CLOSED) globalThis.refused++; });
		}
	};
})()`

// TestGap has the API that a page watches end. Until it is back things happen by
// another one, and are not in the stream of events any more: the page learns so and
// shows what is true now.
func TestGap(t *testing.T) {
	rows := []struct {
		name      string
		meanwhile func(s *system)
		word      string // where there is one, of the order that was there before
	}{
		{"the events have left", func(s *system) {
			s.post("/orders/before/cancel", "")
			s.flood("meanwhile", 30) // several entries of the stream
			if err := s.redis.Client().XTrimMaxLen(t.Context(), events, 1).Err(); err != nil {
				t.Error(err)
			}
		}, "cancelled"},
		{"the orders have left", func(s *system) {
			if err := s.redis.Client().FlushAll(t.Context()).Err(); err != nil {
				t.Error(err)
			}
		}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := start(t)
			p := s.open("", withScript(countGaps))
			p.mayRefuse()
			p.sees("#orders-note", "live")
			s.submit("before") // so that there is an event of it
			p.sees("[data-order=before]", "pending")
			address := strings.TrimPrefix(s.URL, "http://")
			s.stop()
			p.sees("#state-words", "Reconnecting")
			s.api("127.0.0.1:0")
			row.meanwhile(s)
			s.api(address)
			p.until("gaps === 1 || refused > 0")
			p.showsNewest(s)
			if row.word != "" {
				p.sees("[data-order=before]", row.word)
			}
			s.submit("after")
			p.sees("[data-order=after]", "pending")
		})
	}
}

// events is the ledger's stream of events.
const events = "orders:{b0}:e"
