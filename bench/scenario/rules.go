package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"orderprocessor/bench/clients"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/load"
)

// The systems that rules and fields make of ours.
const (
	withRules  = "ours, 50 rules"
	withFields = "ours, orders with all fields"
)

const (
	// simulated is the system of a simulation, and duration its figure.
	simulated, duration = "simulation", "duration"
	// inForceAfter is how long a version takes at most to be in force everywhere.
	inForceAfter = 2 * time.Second
	// besideSimulation is the rate at which orders arrive meanwhile.
	besideSimulation = 1000
)

// ruleSteps measure submit to settled with the builtin rules, with 50 rules and with orders
// that have all fields, and how long a simulation takes beside normal load.
func (b *Bench) ruleSteps() []Step {
	step := func(name, document string, detailed bool) Step {
		return Step{Scenario: Rules, System: name, Measure: func(ctx context.Context) error {
			return b.decided(ctx, name, document, detailed)
		}}
	}
	return []Step{
		step(ours, "", false), step(withRules, fiftyRules(), false), step(withFields, "", true),
		{Scenario: Rules, System: simulated, Measure: b.simulation},
	}
}

// fiftyRules are typical rules of which orders of a load match none but the builtin four,
// which come last.
func fiftyRules() string {
	kinds := []string{
		`order.amount > money("500.00") && order.country == "DE"`,
		`order.metadata["fraud"] == "high"`,
		`order.customer.endsWith("@blocked.example")`,
		`order.items.exists(i, i.sku.startsWith("KNIFE"))`,
		`order.quantity > 500`,
	}
	text := strings.Builder{}
	text.WriteString("rules:\n")
	for i := range 46 {
		fmt.Fprintf(&text, "- {name: rule %d, when: '%s', hold: look at it}\n", i, kinds[i%len(kinds)])
	}
	text.WriteString(`- {name: amount limit, when: 'order.amount > money("10000.00")', reject: order amount exceeds limit}
- {name: item limit, when: 'order.items.size() > 50', reject: too many items in order}
- {name: high value, when: 'order.amount > money("1000.00")', handling: priority, queue: critical}
- {name: high priority, when: 'order.priority == 1', handling: expedited}
`)
	return text.String()
}

// decided sends orders through a system that decides by a rule set, or the builtin one.
func (b *Bench) decided(ctx context.Context, name, document string, detailed bool) error {
	s, err := b.Programs.Open(ctx, systems.Settings{Kind: systems.Ours})
	if err != nil {
		return err
	}
	defer s.Close()
	if document != "" {
		if _, err := activate(ctx, s.Addr, document); err != nil {
			return err
		}
	}
	if err := startWorker(ctx, s); err != nil {
		return err
	}
	orders := mixedOrders()
	orders.Detailed = detailed
	m, err := b.throughSystem(ctx, s, b.Sizes.Sustained, orders)
	if err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, b.Sizes.Sustained, 0); err != nil {
		return err
	}
	b.keep(key(Rules, name, rate), report.OrdersPerSecond, m.rate)
	return nil
}

// simulation has a version with 50 rules simulated over settled orders while others arrive.
func (b *Bench) simulation(ctx context.Context) error {
	s, err := b.openWorking(ctx, systems.Settings{Kind: systems.Ours})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := b.fill(ctx, s, systems.Ours, b.Sizes.Simulated, mixedOrders()); err != nil {
		return err
	}
	if _, err := s.Books.AwaitProcessed(ctx, b.Sizes.Simulated); err != nil {
		return err
	}
	version, err := push(ctx, s.Addr, fiftyRules())
	if err != nil {
		return err
	}
	beside := make(chan error, 1)
	loading, stop := context.WithCancel(ctx)
	go func() {
		_, err := clients.Constant(loading, s.Addr, besideSimulation, time.Hour, load.NewOrders(load.Mix{"default": 1}))
		beside <- err
	}()
	begun := time.Now()
	var result struct{ Orders, Errors int }
	err = post(ctx, s.Addr, "/rules/"+version+"/simulate", "application/json", fmt.Sprintf(`{"limit":%d}`, b.Sizes.Simulated), &result)
	took := time.Since(begun)
	stop()
	if err := errors.Join(err, unlessCanceled(<-beside)); err != nil {
		return err
	}
	if result.Orders != b.Sizes.Simulated || result.Errors != 0 {
		return fmt.Errorf("%d orders were simulated, %d with errors; want %d", result.Orders, result.Errors, b.Sizes.Simulated)
	}
	b.keep(key(Rules, simulated, duration), report.Milliseconds, milliseconds(took))
	return nil
}

// unlessCanceled drops the error of a load that was stopped.
func unlessCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// activate stores a rule set and waits until it is in force.
func activate(ctx context.Context, addr, document string) (version string, err error) {
	if version, err = push(ctx, addr, document); err != nil {
		return "", err
	}
	err = post(ctx, addr, "/rules/"+version+"/activate", "application/json", "", nil)
	time.Sleep(inForceAfter)
	return version, err
}

// push stores a rule set.
func push(ctx context.Context, addr, document string) (version string, err error) {
	var stored struct{ Version string }
	err = post(ctx, addr, "/rules", "application/yaml", document, &stored)
	return stored.Version, err
}

// post sends a request and decodes the answer, unless answer is nil.
func post(ctx context.Context, addr, path, media, body string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", media)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("POST %s was answered %s", path, resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
