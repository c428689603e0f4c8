package cli

import (
	"time"

	"github.com/spf13/cobra"
)

// loadPlan is what a load is asked to send.
type loadPlan struct {
	rate        int // orders per second
	duration    time.Duration
	mix         mix
	batch       int // orders of a request; 0 and 1 send them one by one
	connections int
}

func (p *loadPlan) addFlags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.rate, "rate", 0, "how many orders a second are sent; must be given")
	cmd.Flags().DurationVar(&p.duration, "duration", 30*time.Second, "for how long")
	cmd.Flags().Var(p.mix, "mix", "shares of the queues")
	cmd.Flags().IntVar(&p.batch, "batch", 0, "how many orders a request carries; 0 sends them one by one")
	cmd.Flags().IntVar(&p.connections, "connections", 64, "how many connections are open at most")
}

func (p *loadPlan) check() error {
	switch {
	case p.rate < 1 || p.rate > maxLoadRate:
		return usagef("--rate must be 1 to %d", maxLoadRate)
	case p.duration < minLoadDuration || p.duration > maxLoadDuration:
		return usagef("--duration must be %v to %v", minLoadDuration, maxLoadDuration)
	case p.batch < 0 || p.batch > maxLoadBatch:
		return usagef("--batch must be 0 to %d", maxLoadBatch)
	case p.connections < 1 || p.connections > maxConcurrency:
		return usagef("--connections must be 1 to %d", maxConcurrency)
	case p.requests() == 0:
		return usagef("--batch is more than the %v of --duration bring at this --rate", p.duration)
	default:
		return nil
	}
}

// size is how many orders a request carries.
func (p *loadPlan) size() int { return max(1, p.batch) }

// interval is the time from one request to the next.
func (p *loadPlan) interval() time.Duration {
	return time.Duration(p.size()) * time.Second / time.Duration(p.rate)
}

// requests is how many requests are due within the duration. The largest rate
// over the longest duration fits an int64.
func (p *loadPlan) requests() int64 {
	return int64(p.rate) * int64(p.duration) / (int64(p.size()) * int64(time.Second))
}

// inFlight bounds the requests that are due and not yet answered.
func (p *loadPlan) inFlight() uint64 {
	return uint64(min(maxLoadRequests, maxLoadBytes/(p.size()*loadOrderBytes))) //nolint:gosec // above 0
}
