package client

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"orderprocessor/internal/order"
)

// maxSimulationBytes bounds a line of a simulation: fifty examples, and the amounts of
// each change in each currency.
const maxSimulationBytes = 1 << 20

// SimulationRequest selects the orders of a simulation.
type SimulationRequest struct {
	// CreatedFrom and CreatedTo are times in RFC 3339; empty for any.
	CreatedFrom string `json:"created_from,omitempty"`
	CreatedTo   string `json:"created_to,omitempty"`
	// Status is empty for any.
	Status order.Status `json:"status,omitempty"`
	// Limit is how many orders, the newest first; 0 leaves it to the API.
	Limit int `json:"limit,omitempty"`
}

// Simulation is what a version of the rules would decide, compared with the active one.
type Simulation struct {
	Raw
	Orders      int64        `json:"orders"`
	Changed     int64        `json:"changed"`
	Transitions []Transition `json:"transitions"`
	Examples    []struct {
		ID   string `json:"id"`
		From string `json:"from"`
		To   string `json:"to"`
		Rule string `json:"rule"`
	} `json:"examples"`
	// Errors is for how many orders a rule could not be evaluated.
	Errors int64 `json:"errors"`
	// Done is set in the last line.
	Done bool `json:"done"`
	// Error is why the simulation ended early.
	Error string `json:"error"`
}

func (s *Simulation) recognised() bool { return s.Transitions != nil }

// Simulate returns what a version would decide. It calls progress, about once a second,
// with what is known so far. A simulation whose connection breaks begins again. It ends
// with ctx, and is then ErrInterrupted.
func (c *Client) Simulate(ctx context.Context, version string, which SimulationRequest, progress func(Simulation)) (s Simulation, err error) {
	r := post("rules", version, "simulate")
	if r.body, err = json.Marshal(which); err != nil {
		return Simulation{}, err
	}
	err = RetryPolicy{Attempts: requestAttempts}.run(ctx, func() (err error) {
		s, err = c.simulateOnce(ctx, r, progress)
		return err
	})
	return s, err
}

func (c *Client) simulateOnce(parent context.Context, r request, progress func(Simulation)) (Simulation, error) {
	ctx, timer, end := timed(parent, maxSilence)
	defer end()
	stream, err := c.open(ctx, r, "application/x-ndjson")
	if err != nil {
		return Simulation{}, err
	}
	defer func() { _ = stream.Close() }()
	s, broken, err := readSimulation(timedReader{stream, timer, maxSilence}, progress)
	if broken != nil {
		err = c.unreachable(ctx, broken)
	}
	return s, err
}

// readSimulation reads lines up to the last one. The connection may be broken before.
func readSimulation(stream io.Reader, progress func(Simulation)) (s Simulation, broken, err error) {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxSimulationBytes)
	for lines.Scan() {
		s, err := decode[Simulation](slices.Clone(lines.Bytes()), nil)
		switch {
		case err != nil:
			return s, nil, err
		case s.Error != "":
			return s, nil, errors.New(order.Printable(s.Error))
		case s.Done:
			return s, nil, nil
		}
		progress(s)
	}
	return s, cmp.Or(lines.Err(), errEnded), nil
}
