package api

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

const (
	// defaultSimulated is how many orders a simulation decides if the request does not say.
	defaultSimulated = 100_000
	// maxSimulated is how many it may decide: minutes of work.
	maxSimulated = 1_000_000
	// maxSimulations bounds the simulations of this process, which share its CPU with the
	// requests of clients.
	maxSimulations = 1
	// simulationTimeout bounds a simulation whose progress nobody watches.
	simulationTimeout = 30 * time.Second
	// progressInterval is how often a client that watches is told how far it came.
	progressInterval = time.Second
)

var (
	// errSimulating is a simulation while as many run as may.
	errSimulating = errors.New("another simulation runs")
	// errSimulationTimeout is a simulation that nobody watched for too long.
	errSimulationTimeout = errors.New("the simulation took too long")
)

// simulationView is the JSON of a simulation. Done and Error are for clients that watch.
type simulationView struct {
	Orders      int64            `json:"orders"`
	Changed     int64            `json:"changed"`
	Transitions []transitionView `json:"transitions"`
	Examples    []exampleView    `json:"examples"`
	Errors      int64            `json:"errors"`
	Done        bool             `json:"done,omitempty"`
	Error       string           `json:"error,omitempty"`
}

// transitionView is the JSON of the orders of one change.
type transitionView struct {
	From    string                         `json:"from"`
	To      string                         `json:"to"`
	Orders  int64                          `json:"orders"`
	Amounts map[order.Currency]order.Money `json:"amounts,omitempty"`
}

type exampleView struct {
	ID   string `json:"id"`
	From string `json:"from"`
	To   string `json:"to"`
	Rule string `json:"rule,omitempty"`
}

// simulation is what POST /rules/{version}/simulate asks for.
type simulation struct {
	version string
	filter  order.Filter
	limit   int
}

// simulateRules answers POST /rules/{version}/simulate.
func (s *Server) simulateRules(c *fiber.Ctx) error {
	want, err := decodeSimulation(bodyOf(c))
	if err != nil {
		return err
	}
	want.version = rulesVersion(c)
	if _, err := s.Rules.Version(c.UserContext(), want.version); err != nil {
		return err
	}
	select {
	case s.simulations <- struct{}{}:
	default:
		return errSimulating
	}
	if strings.Contains(c.Get(fiber.HeaderAccept), mediaNDJSON) {
		c.Set(fiber.HeaderContentType, mediaNDJSON)
		c.Set("X-Accel-Buffering", "no") // otherwise nginx delays the lines
		s.http.Stream(c, func(ctx context.Context, w *httpserver.StreamWriter) {
			defer func() { <-s.simulations }()
			s.watchSimulation(ctx, w, want)
		})
		return nil
	}
	defer func() { <-s.simulations }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), simulationTimeout)
	defer cancel()
	result, err := s.Rules.Simulate(ctx, want.version, s.Records, want.filter, want.limit, func(*rules.Simulation) {})
	if ctx.Err() != nil {
		return errSimulationTimeout
	}
	if err != nil {
		return err
	}
	return c.JSON(viewSimulation(result))
}

// watchSimulation writes a line each second, and the result as the last one.
func (s *Server) watchSimulation(ctx context.Context, w *httpserver.StreamWriter, want simulation) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	write := func(v simulationView) {
		if err := json.NewEncoder(w).Encode(v); err != nil || !w.Flush() {
			cancel()
		}
	}
	var so rules.Simulation
	written := time.Now()
	result, err := s.Rules.Simulate(ctx, want.version, s.Records, want.filter, want.limit, func(now *rules.Simulation) {
		so = *now
		if time.Since(written) >= progressInterval {
			write(viewSimulation(now))
			written = time.Now()
		}
	})
	if err != nil {
		v := viewSimulation(&so)
		v.Error = problemOf(err).Detail
		write(v)
		return
	}
	v := viewSimulation(result)
	v.Done = true
	write(v)
}

func decodeSimulation(body []byte) (simulation, error) {
	s := simulation{limit: defaultSimulated}
	if len(body) == 0 {
		return s, nil
	}
	members, err := decodeObject(body)
	if err != nil {
		return s, err
	}
	var d decoder
	s.filter.CreatedFrom = d.time(members, "created_from")
	s.filter.CreatedTo = d.time(members, "created_to")
	if text := d.notEmpty(members, "status"); text != "" {
		s.filter.Status = order.Status(text)
		if !slices.Contains(order.Statuses(), s.filter.Status) {
			d.add("status", order.CodeInvalid, "must be the status of an order, as in pending or completed")
		}
	}
	if limit := d.number(members, "limit"); limit != "" {
		if s.limit, err = wholeNumber(limit, maxSimulated); err != nil {
			d.add("limit", order.CodeOutOfRange, "%v", err)
		}
	}
	d.unknown(members, "a simulation")
	return s, d.err()
}

func viewSimulation(s *rules.Simulation) simulationView {
	v := simulationView{Orders: s.Orders, Changed: s.Changed, Errors: s.Errors, Transitions: viewTransitions(s), Examples: []exampleView{}}
	for _, e := range s.Examples {
		v.Examples = append(v.Examples, exampleView{e.ID, e.Change.From, e.Change.To, e.Rule})
	}
	return v
}

func viewTransitions(s *rules.Simulation) []transitionView {
	all := []transitionView{}
	for _, change := range s.Changes() {
		t := s.Transitions[change]
		all = append(all, transitionView{change.From, change.To, t.Orders, t.Amounts})
	}
	return all
}

// time reads a time that may be missing.
func (d *decoder) time(members map[string]jsontext.Value, name string) time.Time {
	text := d.notEmpty(members, name)
	if text == "" {
		return time.Time{}
	}
	t, err := parseTime(text)
	if err != nil {
		d.add(name, order.CodeInvalid, "%v", err)
	}
	return t
}
