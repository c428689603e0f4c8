package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/app"
	"orderprocessor/internal/client"
	"orderprocessor/internal/config"
)

// doctorTimeout bounds one request, so that the whole examination ends within about
// ten seconds whatever is away.
const doctorTimeout = 4 * time.Second

const doctorHelp = `doctor checks everything that orders depend on, and advises what to do where
something is wrong: the configuration in the environment (REDIS_URL and ORDERS_…, as
the API and the worker would read it here), Redis, the books, the queues and their
workers, the archive, the versions of the programs, the API at --api and the key to it, and the
admin addresses of programs on this machine.

Without REDIS_URL it checks the default address of the programs; no Redis there is a
problem only if the API is away as well.

It changes nothing, so it does not find out whether the key may submit or administer.
If one thing is away, the others are checked all the same, within fifteen seconds. The
exit status is 1 if there is a problem, but not for warnings.`

type doctorCommand struct{ apiCommand }

func newDoctor(w *World) *cobra.Command {
	d := &doctorCommand{apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong, and advise what to do",
		Long:  doctorHelp,
		Example: `  orderctl doctor
  orderctl doctor --api https://orders.example.com --key-file key
  orderctl doctor --output json | jq -r '.findings[] | select(.state == "problem") | .advice'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	d.addFlags(cmd)
	return cmd
}

// diagnosis is everything that was found.
type diagnosis struct {
	Problems int           `json:"problems"`
	Warnings int           `json:"warnings"`
	Findings []app.Finding `json:"findings"`
}

func (d *doctorCommand) run(ctx context.Context) error {
	api, err := d.api.open(doctorTimeout)
	if err != nil {
		return err
	}
	defer api.Close()
	d.NewLog(config.Common{}) // otherwise go-redis repeats the findings on standard error
	findings := d.examine(ctx, api)
	if ctx.Err() != nil {
		return client.ErrInterrupted
	}
	counts := map[app.FindingState]int{}
	for _, f := range findings {
		counts[f.State]++
	}
	result := diagnosis{counts[app.FindingProblem], counts[app.FindingWarning], findings}
	shown := d.show(result)
	if result.Problems > 0 {
		return fmt.Errorf("there are problems: %d", result.Problems)
	}
	return shown
}

// examine runs all checks: of Redis, the API and the programs at the same time.
func (d *doctorCommand) examine(ctx context.Context, api *client.Client) []app.Finding {
	s := readSettings(d.World)
	var ofRedis, ofAPI []app.Finding
	ofPrograms := make([]app.Finding, len(s.programs))
	var ofArchive []app.Finding
	var redisAnswers, apiAnswers bool
	var checks sync.WaitGroup
	checks.Go(func() { ofRedis, redisAnswers = s.examineRedis(ctx) })
	checks.Go(func() { ofAPI, apiAnswers = examineAPI(ctx, api) })
	checks.Go(func() { ofArchive = s.examineArchive(ctx) })
	for i, p := range s.programs {
		checks.Go(func() { ofPrograms[i] = p.examine(ctx) })
	}
	checks.Wait()
	if !redisAnswers && apiAnswers && !s.redisNamed {
		ofRedis = []app.Finding{s.redisNotNamed(ofRedis)}
	}
	return slices.Concat(s.findings(), ofRedis, ofArchive, ofAPI, ofPrograms)
}

// show writes the findings: as JSON, for people at a terminal, or one a line.
func (d *doctorCommand) show(result diagnosis) error {
	if d.output == formatJSON {
		return d.printJSON(result)
	}
	const arrow = "→ "
	width := terminalWidth(d.Stdout)
	t := newTable(d.Stdout)
	for _, f := range result.Findings {
		if width > 0 {
			d.printf("%s", findingText(f, arrow, width))
			continue
		}
		found := f.Found
		if f.Advice != "" {
			found += "  " + arrow + f.Advice
		}
		t.row(f.State, f.Area, f.Check, found)
	}
	if width == 0 {
		t.flush()
	}
	d.printf("\nproblems: %d, warnings: %d\n", result.Problems, result.Warnings)
	return nil
}

// findingText is a finding for a terminal: a title, and below it what was found and
// what to do, wrapped to the width.
func findingText(f app.Finding, arrow string, width int) string {
	const indent = "    "
	lines := wrap(f.Found, width-len(indent))
	if f.Advice != "" {
		lines = append(lines, wrap(arrow+f.Advice, width-len(indent))...)
	}
	title := fmt.Sprintf("%-*s  %s: %s", len(app.FindingNotChecked), f.State, f.Area, f.Check)
	return title + "\n" + indent + strings.Join(lines, "\n"+indent) + "\n"
}

// program is one that may run on this machine.
type program struct{ name, addr string }

// programsAt returns the programs to ask, given the value of ORDERS_ADMIN_ADDR: the
// one that has this address, or those with the default addresses. There are none if
// the value is no address.
func programsAt(adminAddr string) []program {
	api, worker, err := config.LoadAll([]string{"ORDERS_ADMIN_ADDR=" + adminAddr})
	switch {
	case err != nil:
		return nil
	case adminAddr != "":
		return []program{{"program", reachable(api.AdminAddr)}}
	default:
		return []program{{"API", reachable(api.AdminAddr)}, {"worker", reachable(worker.AdminAddr)}}
	}
}
