package prove

import (
	"fmt"
	"slices"

	"orderprocessor/internal/history"
)

// checkStreams compares what the subscribers received with the answers and the timelines.
func (j *judge) checkStreams() {
	if !j.last {
		return // they had no time to receive everything
	}
	agree := map[string]bool{} // orders whose answers agree, and whose ids were known from the beginning
	for _, t := range j.called {
		agree[t.name] = t.kind != byKey && !j.blamed[t.name]
	}
	shown := slices.DeleteFunc(slices.Clone(j.operations), func(o history.Operation) bool { return !agree[o.Order] })
	for _, l := range j.streams {
		if _, _, connections := l.stream.Counts(); connections == 0 || l.failure() != nil {
			continue
		}
		for _, v := range history.CheckStream(l.stream, shown) {
			if !j.found(Events, v.Order) {
				j.blame(Events, v)
			}
		}
		j.checkEnds(l)
	}
}

// checkEnds wants the last event of each order, unless a gap was told.
func (j *judge) checkEnds(l *listener) {
	if _, gaps, _ := l.stream.Counts(); gaps > 0 {
		return
	}
	for _, t := range l.lacks(j.called) {
		if end := t.timeline[len(t.timeline)-1]; !j.blamed[t.name] && !j.found(Events, t.id) {
			j.find(Events, t, "its last event, number %d, %s, did not come", end.Sequence, end.Status)
		}
	}
}

// found reports whether an order has a problem already.
func (j *judge) found(name Name, id string) bool {
	return slices.ContainsFunc(j.problems[name], func(p Problem) bool { return p.Order == id })
}

// received counts what all subscribers received.
func (j *judge) received() (events, gaps, connections int) {
	for _, l := range j.streams {
		e, g, c := l.stream.Counts()
		events, gaps, connections = events+e, gaps+g, connections+c
	}
	return events, gaps, connections
}

func (j *judge) events() Guarantee {
	events, gaps, connections := j.received()
	var failed error
	for _, l := range j.streams {
		if err := l.failure(); err != nil {
			failed = err
		}
	}
	return j.verdict(Events, "events come in order, none missing, none twice",
		fmt.Sprintf("%d events over %d connections, %d gaps told", events, connections, gaps),
		j.unread(), because(failed), when(connections < len(j.streams), "no connection was made in time"))
}
