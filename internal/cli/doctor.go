package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
)

// doctorPatience bounds one request of the examination, so that the whole of it
// ends within some ten seconds whatever is away.
const doctorPatience = 4 * time.Second

const doctorHelp = `doctor looks at everything that orders depend on, and says what to do where
something is wrong: the configuration in the environment (REDIS_URL and ORDERS_…,
as the API and the worker would read it here), Redis, the books, the queues and
their workers, the versions of the programs, the API that --api names and the key to
it, and the admin addresses of programs on this machine.

Without REDIS_URL it looks where the programs would look by default; finding no
Redis there is a problem only if the API is away as well.

It changes nothing, so it does not find out whether the key may submit or
administer. What is away is told, and the rest is looked at all the same, within
fifteen seconds. The exit status is 1 if there is a problem; warnings are none.`

type doctor struct {
	*World
	api    target
	output format
}

func newDoctor(w *World) *cobra.Command {
	d := &doctor{World: w}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong, and say what to do",
		Long:  doctorHelp,
		Example: `  orderctl doctor
  orderctl doctor --api https://orders.example.com --key-file key
  orderctl doctor --output json | jq -r '.findings[] | select(.state == "problem") | .advice'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	addAPIFlags(cmd, w, &d.api)
	addOutputFlag(cmd, &d.output)
	return cmd
}

func (d *doctor) run(ctx context.Context) error {
	client, err := d.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	if d.NewLog != nil {
		d.NewLog(config.Common{}) // go-redis would say on standard error what is found anyway
	}
	r := diagnosis{Findings: d.examine(ctx, client)}
	if ctx.Err() != nil {
		return errInterrupted
	}
	r.count()
	shown := d.show(r)
	return cmp.Or(r.err(), shown)
}

// examine looks at everything, at Redis, the API and the programs at the same time.
func (d *doctor) examine(ctx context.Context, client *Client) []app.Finding {
	s := readSettings(d.World)
	var redis, api, admin []app.Finding
	var asked, reached bool
	together(
		func() { redis, asked = s.examineRedis(ctx) },
		func() { api, reached = examineAPI(ctx, client) },
		func() { admin = s.examineAdmin(ctx) },
	)
	if !asked && reached && !s.namesRedis {
		redis = []app.Finding{s.noRedisHere(redis)}
	}
	return slices.Concat(s.findings(), redis, api, admin)
}

// together does several things at a time, and returns when all are done.
func together(parts ...func()) {
	var running sync.WaitGroup
	for _, part := range parts {
		running.Go(part)
	}
	running.Wait()
}

// diagnosis is all that was found.
type diagnosis struct {
	Problems int           `json:"problems"`
	Warnings int           `json:"warnings"`
	Findings []app.Finding `json:"findings"`
}

func (r *diagnosis) count() {
	for _, f := range r.Findings {
		switch f.State {
		case app.FindingProblem:
			r.Problems++
		case app.FindingWarning:
			r.Warnings++
		default:
		}
	}
}

// err is what the command ends with.
func (r *diagnosis) err() error {
	if r.Problems == 0 {
		return nil
	}
	return fmt.Errorf("there are problems: %d", r.Problems)
}
