package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"orderprocessor/bench/systems"
)

// bullMQChunk is how many orders travel to the program in one line: about
// 300 KB.
const bullMQChunk = 1000

// bullMQPeer is BullMQ as its documentation shows it, one worker process with a
// concurrency of the slots and finished jobs removed. Like any program of Node
// it decides on one core; the others may take two.
func bullMQPeer() Peer {
	return Peer{Name: "BullMQ", Version: bullMQVersion(), Store: "Redis", Open: openBullMQ}
}

// bullMQ is the program that runs BullMQ. The times are its own measurements.
type bullMQ struct {
	redis   *systems.Redis
	node    *systems.Process
	in      io.WriteCloser
	out     io.ReadCloser
	encoder *json.Encoder
	decoder *json.Decoder
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

func openBullMQ(ctx context.Context, root, dir string) (System, error) {
	node, err := installBullMQ(ctx, dir)
	if err != nil {
		return nil, err
	}
	b := &bullMQ{}
	if b.redis, err = systems.OpenRedis(ctx, root, dir, systems.Everysec); err != nil {
		return nil, err
	}
	if err := b.start(ctx, node, dir); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *bullMQ) start(ctx context.Context, node, dir string) (err error) {
	cmd := exec.Command(node, "peer.mjs", b.redis.Addr()) //nolint:gosec,noctx // from the PATH; Close ends it
	cmd.Dir = dir
	if b.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if b.out, err = cmd.StdoutPipe(); err != nil {
		return err
	}
	b.encoder, b.decoder = json.NewEncoder(b.in), json.NewDecoder(b.out)
	if b.node, err = systems.Start(filepath.Join(dir, "node.log"), cmd); err != nil {
		return err
	}
	_, err = b.ask(ctx, command{Do: "ready"})
	return err
}

// ask sends a command and returns the answer. An ended context closes the pipes,
// after which the program is of no more use and ends.
func (b *bullMQ) ask(ctx context.Context, c command) (answer, error) {
	defer context.AfterFunc(ctx, b.hangUp)()
	if err := b.encoder.Encode(c); err != nil {
		return answer{}, fmt.Errorf("ask BullMQ to %s: %w", c.Do, errors.Join(ctx.Err(), err))
	}
	var a answer
	if err := b.decoder.Decode(&a); err != nil {
		return answer{}, fmt.Errorf("read what BullMQ answers to %s: %w", c.Do, errors.Join(ctx.Err(), err))
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
func (b *bullMQ) Drain(ctx context.Context, orders, slots int) (time.Duration, []string, error) {
	a, err := b.ask(ctx, command{Do: "drain", Orders: orders, Slots: slots})
	if err != nil {
		return 0, nil, err
	}
	return a.Nanoseconds, a.IDs, checkOnce(a.IDs, orders)
}

// Pickup implements System.
func (b *bullMQ) Pickup(ctx context.Context, tries int) ([]time.Duration, error) {
	a, err := b.ask(ctx, command{Do: "pickup", Tries: tries, Slots: pickupSlots, Order: []byte(sampleOrder)})
	return a.Waits, err
}

// Close implements System.
func (b *bullMQ) Close() error {
	if b.node != nil {
		b.node.Stop(syscall.SIGTERM)
	}
	b.redis.Close()
	return nil
}
