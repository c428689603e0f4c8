package load

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

// maxWeight bounds the weight of one queue: enough for shares of a tenth of a
// percent.
const maxWeight = 1000

// Mix is the share of orders of each queue, relative to the others. It implements
// pflag.Value.
type Mix map[order.Queue]int

// String names the queues that get orders.
func (m Mix) String() string {
	parts := make([]string, 0, len(order.Queues()))
	for _, q := range order.Queues() {
		if m[q] > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", q, m[q]))
		}
	}
	return strings.Join(parts, ",")
}

// Type implements pflag.Value.
func (m Mix) Type() string { return "mix" }

// Set reads name=weight pairs between commas. The error lists everything that is
// wrong. A queue that is not named gets no orders.
func (m Mix) Set(text string) error {
	weights, total := Mix{}, 0
	var problems []string
	for pair := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(pair, "=")
		weight, err := strconv.ParseUint(number, 10, 16)
		if err != nil || weight > maxWeight {
			problems = append(problems, fmt.Sprintf("the weight of %q must be a whole number from 0 to %d, not %q", name, maxWeight, number))
		}
		q := order.Queue(name)
		if _, twice := weights[q]; twice {
			problems = append(problems, name+" is named twice")
		} else if !slices.Contains(order.Queues(), q) {
			problems = append(problems, fmt.Sprintf("there is no queue %q", name))
		}
		weights[q] = int(weight)
		total += int(weight)
	}
	if len(problems) == 0 && total == 0 {
		problems = append(problems, "no queue has a weight above 0")
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "; "))
	}
	clear(m)
	maps.Copy(m, weights)
	return nil
}

// round lists the priorities of a round of orders. Any stretch of it has the shares
// of the whole, to within one order: each queue gains its weight with every order,
// and the queue that has gained most pays the sum of all weights for the order.
func (m Mix) round() []order.Priority {
	total := 0
	for _, weight := range m {
		total += weight
	}
	gained := Mix{}
	round := make([]order.Priority, total)
	for i := range round {
		next := order.QueueDefault
		for _, q := range order.Queues() {
			gained[q] += m[q]
			if gained[q] > gained[next] {
				next = q
			}
		}
		gained[next] -= total
		round[i] = next.Spec().Priority
	}
	return round
}
