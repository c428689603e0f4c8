package history

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"orderprocessor/internal/order"
)

// knowledge is all that may be true of one order after some of its calls, and after any
// moves since. It is never changed.
type knowledge struct {
	// absent means that the order may not exist.
	absent bool
	// cells has the states in which it may exist: for each content, for each number of
	// attempts from 0 on. The last number stands for itself and all above.
	cells []set
}

// model is the model of one order, for one history.
type model struct {
	*machine
	contents []string
	levels   int // of attempts
}

// newModel returns a model that tells apart what a history tells apart.
func newModel(m *machine, history []Operation) *model {
	v := &model{machine: m}
	for _, o := range history {
		v.levels = max(v.levels, o.Attempts+2)
		if o.Op == Submit && !slices.Contains(v.contents, o.Call.Content) {
			v.contents = append(v.contents, o.Call.Content)
		}
	}
	return v
}

// nothing is what is known at the beginning: there is no order.
func (m *model) nothing() knowledge {
	return knowledge{absent: true, cells: make([]set, len(m.contents)*m.levels)}
}

// step returns what is known after an operation, and whether it may have been answered so.
// An operation whose answer is unknown takes effect here, or does not.
func (m *model) step(before knowledge, o Operation) (bool, knowledge) {
	from := before
	if o.Result == Conflict || o.Result == InDoubt {
		from = m.shown(before, o)
	}
	after := m.call(from, o)
	m.move(after)
	switch {
	case o.Result == Replayed && o.Call.ID == "": // a repeat by key shows the first answer
		if !isFirst(o.Answer) || o.Answer.Content != o.Call.Content {
			return false, knowledge{}
		}
	case o.Result == Created && !isFirst(o.Answer):
		return false, knowledge{}
	case o.Result == Created, o.Result == Replayed, o.Result == Done:
		after = m.shown(after, o)
		m.move(after)
	case o.Result == Unknown:
		after = after.or(before)
	}
	return after.absent || slices.ContainsFunc(after.cells, func(s set) bool { return s != 0 }), after
}

// isFirst reports whether an answer shows an order as it was accepted.
func isFirst(a Answer) bool {
	return a.Attempts == 0 && (a.Status == order.StatusPending || a.Status == order.StatusScheduled)
}

// call returns what an operation makes of what was known.
func (m *model) call(before knowledge, o Operation) knowledge {
	after := knowledge{cells: make([]set, len(before.cells))}
	for i, cell := range before.cells {
		if o.Op == Submit && o.Call.Content != m.contents[i/m.levels] {
			if o.Result == OtherContent {
				after.cells[i] = cell
			}
			continue
		}
		after.cells[i] = m.answer(cell, o.Op, o.Result)
	}
	switch {
	case !before.absent:
	case o.Op != Submit:
		after.absent = o.Result == NotFound
	case o.Result == Created, o.Result == Unknown, o.Result == Replayed:
		// A first submission is answered 200 if the API had to repeat its write, whose
		// reply was lost.
		after.cells[slices.Index(m.contents, o.Call.Content)*m.levels] |= m.accepted
	}
	return after
}

// move adds what the moves may make of what is known.
func (m *model) move(k knowledge) {
	for i, cell := range k.cells {
		k.cells[i] = m.moves(cell)
		if (i+1)%m.levels != 0 {
			k.cells[i+1] |= m.begins(k.cells[i])
			continue
		}
		for was := set(0); was != k.cells[i]; {
			was = k.cells[i]
			k.cells[i] |= m.moves(m.begins(was))
		}
	}
}

// shown returns the part of what is known that agrees with the order in an answer.
func (m *model) shown(k knowledge, o Operation) knowledge {
	after := knowledge{cells: make([]set, len(k.cells))}
	for i, cell := range k.cells {
		refusal := o.Result == Conflict || o.Result == InDoubt // which shows no more than the status
		if refusal || o.Answer.Content == m.contents[i/m.levels] && o.Attempts == i%m.levels {
			after.cells[i] = cell & m.in[phase(o.Status)]
		}
	}
	return after
}

// or returns what is known if one of two is true.
func (k knowledge) or(other knowledge) knowledge {
	both := knowledge{absent: k.absent || other.absent, cells: slices.Clone(k.cells)}
	for i, cell := range other.cells {
		both.cells[i] |= cell
	}
	return both
}

func (k knowledge) equal(other knowledge) bool {
	return k.absent == other.absent && slices.Equal(k.cells, other.cells)
}

func (k knowledge) hash() uint64 {
	h := fnv.New64a()
	text := make([]byte, 0, 8*len(k.cells)+1)
	if k.absent {
		text = append(text, 1)
	}
	for _, cell := range k.cells {
		text = binary.LittleEndian.AppendUint64(text, uint64(cell))
	}
	_, _ = h.Write(text)
	return h.Sum64()
}

// describe names the statuses and attempts that are possible.
func (m *model) describe(k knowledge) string {
	var texts []string
	if k.absent {
		texts = append(texts, "absent")
	}
	for i, cell := range k.cells {
		for _, s := range order.Statuses() {
			if cell&m.in[s] != 0 {
				texts = append(texts, fmt.Sprintf("%s, attempt %d", s, i%m.levels))
			}
		}
	}
	return strings.Join(texts, "; ")
}

// porcupine returns the model as the checker wants it. Its inputs are operations, and it
// has no outputs.
func (m *model) porcupine() porcupine.Model {
	known := func(state any) knowledge { return state.(knowledge) } //nolint:forcetypeassert // of this model
	return porcupine.Model{
		Init: func() any { return m.nothing() },
		Step: func(state, input, _ any) (bool, any) {
			return m.step(known(state), input.(Operation)) //nolint:forcetypeassert // of this package
		},
		Equal:         func(a, b any) bool { return known(a).equal(known(b)) },
		Hash:          func(state any) uint64 { return known(state).hash() },
		DescribeState: func(state any) string { return m.describe(known(state)) },
		DescribeOperation: func(input, _ any) string {
			return input.(Operation).describe() //nolint:forcetypeassert // of this package
		},
	}
}
