package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

// mix says how many orders each queue gets, relative to the others. It
// implements pflag.Value.
type mix map[order.Queue]int

// defaultMix has some urgent and some unhurried orders.
func defaultMix() mix {
	return mix{order.QueueCritical: 1, order.QueueDefault: 8, order.QueueLow: 1}
}

// String names all queues.
func (m mix) String() string {
	parts := make([]string, 0, len(order.Queues()))
	for _, q := range order.Queues() {
		parts = append(parts, fmt.Sprintf("%s=%d", q, m[q]))
	}
	return strings.Join(parts, ",")
}

// Type implements pflag.Value.
func (m mix) Type() string { return "mix" }

// Set reads name=weight pairs between commas, and lists everything that is wrong
// with them. A queue that is not named gets no orders.
func (m mix) Set(text string) error {
	weights, total := mix{}, 0
	var problems []string
	for pair := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(pair, "=")
		weight, err := parseWeight(number)
		if err != nil {
			problems = append(problems, fmt.Sprintf("the weight of %q must be a whole number from 0 to %d, not %q", name, maxMixWeight, number))
		}
		if problem := weights.add(order.Queue(name), weight); problem != "" {
			problems = append(problems, problem)
		}
		total += weight
	}
	if len(problems) == 0 && total == 0 {
		problems = append(problems, "no queue has a weight above 0")
	}
	if len(problems) > 0 {
		return usagef("%s", strings.Join(problems, "; "))
	}
	clear(m)
	maps.Copy(m, weights)
	return nil
}

func parseWeight(number string) (int, error) {
	weight, err := strconv.ParseUint(number, 10, 16)
	if err == nil && weight > maxMixWeight {
		err = strconv.ErrRange
	}
	if err != nil {
		return 0, err
	}
	return int(weight), nil
}

// add returns what is wrong with the name.
func (m mix) add(q order.Queue, weight int) string {
	if !slices.Contains(order.Queues(), q) {
		return fmt.Sprintf("there is no queue %q", q)
	}
	if _, twice := m[q]; twice {
		return fmt.Sprintf("%s is named twice", q)
	}
	m[q] = weight
	return ""
}

// turns lists the priorities of a round of orders. Any stretch of it has the shares
// of the whole, as far as whole orders can: each queue gains its weight with every
// turn, and the one that has gained most pays for the turn with the sum of all.
func (m mix) turns() []order.Priority {
	var total int
	for _, weight := range m {
		total += weight
	}
	gained := mix{}
	turns := make([]order.Priority, total)
	for i := range turns {
		next := order.QueueDefault
		for _, q := range order.Queues() {
			gained[q] += m[q]
			if gained[q] > gained[next] {
				next = q
			}
		}
		gained[next] -= total
		turns[i] = priorityFor(next)
	}
	return turns
}

// priorityFor is what has an order of a small amount wait in the queue.
func priorityFor(q order.Queue) order.Priority {
	switch q {
	case order.QueueCritical:
		return order.PriorityHigh
	case order.QueueLow:
		return order.PriorityLow
	default:
		return order.PriorityMedium
	}
}
