package sim_test

import (
	"cmp"
	"hash/crc32"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// message is a request on its way, and then its answer on the way back. Whatever happens in
// a simulation waits at the bus as a message.
type message struct {
	sender, what string   // together unique among the messages that are sent at one moment
	from         *process // nil for a timer
	kind         kind
	// apply is what the receiver does. Unheard means that nobody will get this answer. The
	// message is repeated by calling it again.
	apply func(unheard bool)
	// ready is set for a message that is carried only once there is something for it, and
	// whose sender waits for as long as it takes.
	ready func() bool

	due    time.Time // when it arrives; zero while it waits for ready
	fault  fault
	onBack bool        // it was applied, and its answer is on the way
	gone   atomic.Bool // the sender does not wait any more
	done   chan error
}

// kind is what can happen to a message on its way.
type kind int

const (
	timer   kind = iota // nothing
	turn                // a step within a process: the process can end there
	request             // everything; it goes to Redis, which also has the queue
	work                // the fetching of a task or a call to the shop: as request, and more often than others the process ends, freezes or is cut off
	http                // a request of a client, or the answer to it: as request, but the client repeats it
)

// fault is what happens to a message on its way.
type fault string

const (
	noFault    fault = ""
	lost       fault = "lost"
	replyLost  fault = "applied, answer lost"
	repeated   fault = "applied, answer lost, sent again"
	slow       fault = "slow"
	slowReply  fault = "slow answer"
	killBefore fault = "process killed before"
	killAfter  fault = "applied, process killed"
	freezes    fault = "applied, process frozen"
	cutsOff    fault = "applied, process cut off from Redis"
)

// rates are how likely each fault is.
type rates map[fault]float64

// allFaults lists the faults in the order in which they are drawn.
func allFaults() []fault {
	return []fault{lost, replyLost, repeated, slow, slowReply, killBefore, killAfter, freezes, cutsOff}
}

// newRates draws for each fault whether it is absent, rare or frequent.
func newRates(r *rand.Rand) rates {
	all := rates{killBefore: 0.004, killAfter: 0.004, freezes: 0.01, cutsOff: 0.005}
	for _, f := range allFaults() {
		all[f] = cmp.Or(all[f], 0.02) * []float64{0, 0.3, 1, 3}[r.IntN(4)]
	}
	return all
}

// extra is a little patience that differs between messages: if two of one process that were
// sent at one moment timed out at one moment too, the scheduler would decide which comes first.
func (m *message) extra() time.Duration {
	return time.Duration(crc32.ChecksumIEEE([]byte(m.sender+m.what))) % (10 * time.Millisecond)
}

func byName(a, b *message) int {
	return cmp.Or(cmp.Compare(a.sender, b.sender), cmp.Compare(a.what, b.what))
}

// draw decides when a message arrives and what happens to it.
func (b *bus) draw(m *message) {
	m.due, m.fault = b.later(m.from, b.latency(m.kind)), noFault
	x := b.rand.Float64()
	for _, f := range allFaults() {
		if x -= b.rates[f] * likelihood(m, f); x < 0 {
			m.fault = f
			break
		}
	}
	if m.fault == slow {
		m.due = m.due.Add(b.between(50*time.Millisecond, 8*time.Second))
	}
}

// likelihood is how much more likely than usual a fault is for a message; 0 if it is
// impossible.
func likelihood(m *message, f fault) float64 {
	ends := f == killBefore || f == killAfter || f == freezes || f == cutsOff
	switch {
	case ends && m.from.restart == nil, m.kind == turn && f != killBefore, m.kind == http && f == repeated:
		return 0
	case ends && m.kind == work:
		return 8
	default:
		return 1
	}
}

func (b *bus) latency(k kind) time.Duration {
	switch {
	case k == turn:
		return b.between(0, 50*time.Microsecond)
	case b.rand.IntN(10) == 0:
		return b.between(0, 100*time.Millisecond)
	default:
		return b.between(0, 3*time.Millisecond)
	}
}

func (b *bus) between(least, most time.Duration) time.Duration {
	return least + time.Duration(b.rand.Int64N(int64(most-least)))
}
