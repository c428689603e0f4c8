package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// bullMQChunk is how many orders travel to the program in one line: about
// 300 KB.
const bullMQChunk = 1000

// bullMQPeer is BullMQ as its documentation shows it, one worker process with a
// concurrency of the slots and finished jobs removed. Like any program of Node
// it decides on one core; the others may take two.
func bullMQPeer() Peer {
	return Peer{Name: "BullMQ", Version: bullMQVersion(), Store: "Redis", Open: opener(openBullMQ)}
}

// bullMQ is the program that runs BullMQ. The times are its own measurements.
type bullMQ struct {
	home *home
	in   io.WriteCloser
	out  io.ReadCloser
	say  *json.Encoder
	hear *json.Decoder
	ids  []string // that the last drain worked
}

// command is one line to the program.
type command struct {
	Do      string          `json:"do"`
	Orders  any             `json:"orders,omitempty"` // how many, or for "load" which
	Callers int             `json:"callers,omitempty"`
	Slots   int             `json:"slots,omitempty"`
	Tries   int             `json:"tries,omitempty"`
	Order   json.RawMessage `json:"order,omitempty"`
}

// answer is the line that it answers with.
type answer struct {
	Error       string          `json:"error"`
	Nanoseconds time.Duration   `json:"nanoseconds"`
	IDs         []string        `json:"ids"`
	Waits       []time.Duration `json:"waits"`
}

func openBullMQ(ctx context.Context, h *home) (System, error) {
	node, err := installBullMQ(ctx, h.dir)
	if err != nil {
		return nil, err
	}
	addr, err := startRedis(ctx, h)
	if err != nil {
		return nil, err
	}
	b := &bullMQ{home: h}
	p := program{
		name: "bullmq", path: node, args: []string{"peer.mjs", addr}, dir: h.dir,
		quit: syscall.SIGTERM, talk: b.connect,
	}
	return b, h.start(ctx, p, func(ctx context.Context) error {
		_, err := b.ask(ctx, command{Do: "ready"})
		return err
	})
}

func (b *bullMQ) connect(cmd *exec.Cmd) (err error) {
	if b.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if b.out, err = cmd.StdoutPipe(); err != nil {
		return err
	}
	b.say, b.hear = json.NewEncoder(b.in), json.NewDecoder(b.out)
	return nil
}

// ask sends a command and returns the answer. An ended context closes the pipes,
// after which the program is of no more use and ends.
func (b *bullMQ) ask(ctx context.Context, c command) (answer, error) {
	defer context.AfterFunc(ctx, b.hangUp)()
	if err := b.say.Encode(c); err != nil {
		return answer{}, fmt.Errorf("ask BullMQ to %s: %w", c.Do, errors.Join(ctx.Err(), err))
	}
	var a answer
	if err := b.hear.Decode(&a); err != nil {
		return answer{}, fmt.Errorf("hear from BullMQ about %s: %w", c.Do, errors.Join(ctx.Err(), err))
	}
	if a.Error != "" {
		return answer{}, fmt.Errorf("BullMQ could not %s: %s", c.Do, a.Error)
	}
	return a, nil
}

func (b *bullMQ) hangUp() {
	_ = b.in.Close()
	_ = b.out.Close()
}

// Enqueue implements System.
func (b *bullMQ) Enqueue(ctx context.Context, bodies [][]byte, callers int) error {
	if callers < 1 {
		return fmt.Errorf("enqueue from %d callers: there must be one", callers)
	}
	for chunk := range slices.Chunk(bodies, bullMQChunk) {
		orders := make([]json.RawMessage, 0, len(chunk))
		for _, body := range chunk {
			orders = append(orders, body)
		}
		if _, err := b.ask(ctx, command{Do: "load", Orders: orders}); err != nil {
			return err
		}
	}
	_, err := b.ask(ctx, command{Do: "enqueue", Callers: callers})
	return err
}

// Drain implements System.
func (b *bullMQ) Drain(ctx context.Context, orders, slots int) (time.Duration, error) {
	if orders < 1 || slots < 1 {
		return 0, fmt.Errorf("drain %d orders with %d slots: there must be one", orders, slots)
	}
	a, err := b.ask(ctx, command{Do: "drain", Orders: orders, Slots: slots})
	if err != nil {
		return 0, err
	}
	b.ids = a.IDs
	if len(a.IDs) != orders {
		return 0, fmt.Errorf("drain: work began %d times on %d orders", len(a.IDs), orders)
	}
	return a.Nanoseconds, checkOnce(a.IDs)
}

// Pickup implements System.
func (b *bullMQ) Pickup(ctx context.Context, tries int) ([]time.Duration, error) {
	a, err := b.ask(ctx, command{Do: "pickup", Tries: tries, Slots: pickupSlots, Order: []byte(sampleOrder)})
	return a.Waits, err
}

// Close implements System.
func (b *bullMQ) Close() error { return b.home.close() }

// worked returns the ids of the last drain.
func (b *bullMQ) worked() []string { return b.ids }

// where returns the home of the system.
func (b *bullMQ) where() *home { return b.home }
