package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

const (
	// minInterval and maxInterval bound the time between two requests for the
	// statistics: more often shows nothing new, and more rarely is not watching.
	minInterval = 100 * time.Millisecond
	maxInterval = time.Hour
	// keptRates bounds the rates that are kept, one each interval: what fits
	// a wide terminal. keptEvents bounds the events: what fits a high one.
	keptRates  = 200
	keptEvents = 200
	// resubscribeAfter is the wait after the API had no room for a subscriber.
	resubscribeAfter = 5 * time.Second
)

const watchHelp = `watch shows what the system does at the moment: what is wrong, how many orders
complete and fail, queues, statuses, latencies, workers, and the newest events of
orders. It fits the size of the terminal. q or Ctrl-C ends it, p pauses the display.

While the API is away, the last figures stay, with their time. Colours are left out
where NO_COLOR is set.

Where standard output is no terminal it writes a line each interval instead, which
suits logs.`

type watchCommand struct {
	apiCommand
	interval time.Duration
}

func newWatch(w *World) *cobra.Command {
	v := &watchCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch what is wrong, throughput, queues and the newest events",
		Long:  watchHelp,
		Example: `  orderctl watch
  orderctl watch --interval 5s
  orderctl watch --interval 1m >> orders.log`,
		Args: cobra.NoArgs,
		RunE: v.withClient(v.run),
	}
	addAPIFlags(cmd, w, &v.api)
	cmd.Flags().DurationVar(&v.interval, "interval", time.Second, "time between two requests for the statistics")
	return cmd
}

func (w *watchCommand) run(ctx context.Context, api *client.Client, _ []string) error {
	if err := checkRange("interval", w.interval, minInterval, maxInterval); err != nil {
		return err
	}
	if !isTerminal(w.Stdout) || w.env("TERM") == "dumb" {
		return w.printLines(ctx, api)
	}
	return w.show(ctx, api)
}

// printLines writes a line each interval until ctx ends. While the API is away, it
// reports that on standard error.
func (w *watchCommand) printLines(ctx context.Context, api *client.Client) error {
	for ; ctx.Err() == nil; _ = client.Wait(ctx, w.interval) {
		s := look(ctx, api)
		err := s.err
		if err == nil {
			_, err = fmt.Fprintln(w.Stdout, snapshotLine(s))
		}
		switch {
		case err == nil || errors.Is(err, client.ErrInterrupted):
		case client.Temporary(err):
			w.warnf("%s", order.Printable(oneLine(err)))
		default:
			return err
		}
	}
	return nil
}

// look asks for the statistics, and for the verdict unless nothing answers. An API of an
// earlier version has none.
func look(ctx context.Context, api *client.Client) statsMsg {
	s, err := takeSnapshot(ctx, api)
	msg := statsMsg{snapshot: s, err: err}
	if err == nil || client.HasStatus(err, http.StatusServiceUnavailable) {
		msg.verdict, _ = api.Verdict(ctx)
	}
	return msg
}

func snapshotLine(s statsMsg) string {
	v := s.stats
	var waiting, active int64
	for _, q := range v.Queues {
		waiting, active = waiting+q.Pending, active+q.Active
	}
	line := fmt.Sprintf("%s  completed %.1f/s  failed %.1f/s  retrying %d  waiting %d  active %d  settled %d of %d  p95 %.1f ms  slots %s  drift %d",
		s.at.UTC().Format(time.RFC3339), v.CompletedPerSecond, v.FailedPerSecond, v.ByStatus[order.StatusRetrying], waiting, active, v.Settled(),
		v.Ledger.Accepted, v.LatencyMS.EndToEnd.P95, numberText(v.ActiveWorkers), v.Ledger.Drift)
	if held := v.ByStatus[order.StatusHeld]; held > 0 {
		line += fmt.Sprintf("  held %d", held)
	}
	if away := v.BooksAway(); away > 0 {
		line += fmt.Sprintf("  books away %d of %d", away, len(v.Ledger.Books))
	}
	if s.verdict.What != "" && s.verdict.Level != string(stats.LevelGood) {
		line += fmt.Sprintf("  %s: %s. %s", s.verdict.Level, verdictText(s.verdict), s.verdict.Advice)
	}
	return order.Printable(line)
}

// verdictText is what is wrong, and since when.
func verdictText(v client.Verdict) string {
	if v.Since.IsZero() {
		return v.What
	}
	return v.What + " since " + v.Since.UTC().Format(time.RFC3339)
}

// show draws on the terminal until ctx ends or somebody quits.
func (w *watchCommand) show(ctx context.Context, api *client.Client) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	screen := &watchScreen{api: api.Address(), shown: figures{silent: "connecting"}}
	screen.latest = screen.shown
	screen.poll = func() tea.Msg { return look(ctx, api) }
	screen.pollAgain = func() tea.Cmd { return tea.Tick(w.interval, func(time.Time) tea.Msg { return screen.poll() }) }
	var keyboard io.Reader // none where standard input is no terminal
	if isTerminal(w.Stdin) {
		keyboard = w.Stdin
	}
	program := tea.NewProgram(screen, tea.WithContext(ctx), tea.WithOutput(fileOf(w.Stdout)), tea.WithInput(keyboard),
		tea.WithEnvironment(w.Environ), tea.WithoutSignalHandler())
	screen.subscribe = func() tea.Msg {
		for ctx.Err() == nil {
			err := api.Subscribe(ctx, nil, "", func(message any) error {
				program.Send(message)
				return nil
			})
			program.Send(client.Disconnected{Err: err})
			if !client.Temporary(err) {
				break
			}
			_ = client.Wait(ctx, resubscribeAfter)
		}
		return nil
	}
	_, err := program.Run()
	if ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic) {
		return nil
	}
	return err
}

// statsMsg is what the API answered: the statistics, and what is wrong, which may be empty.
type statsMsg struct {
	snapshot
	verdict client.Verdict
	err     error
}

// figures are what is known at one moment.
type figures struct {
	snapshot // the newest; its time is zero before the first
	verdict  client.Verdict
	err      error          // why there is no newer snapshot
	rates    []float64      // of completed orders
	events   []client.Event // newest last
	silent   string         // why no events arrive; empty if they do
}

// watchScreen is what the terminal shows. It implements tea.Model.
type watchScreen struct {
	api           string
	width, height int
	paused        bool
	latest, shown figures

	poll, subscribe tea.Cmd
	pollAgain       func() tea.Cmd
}

// Init implements tea.Model.
func (s *watchScreen) Init() tea.Cmd { return tea.Batch(s.poll, s.subscribe) }

// Update implements tea.Model.
func (s *watchScreen) Update(msg tea.Msg) (_ tea.Model, cmd tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "q", "ctrl+c":
			return s, tea.Quit
		case "p":
			s.paused = !s.paused
		}
	case statsMsg:
		s.latest.verdict = msg.verdict
		if s.latest.err = msg.err; msg.err == nil {
			s.latest.snapshot = msg.snapshot
			s.latest.rates = last(append(s.latest.rates, msg.stats.CompletedPerSecond), keptRates)
		}
		cmd = s.pollAgain()
	case client.Event:
		s.latest.events = last(append(s.latest.events, msg), keptEvents)
	case client.Gap:
		s.latest.events = nil
	case client.Connected:
		s.latest.silent = ""
	case client.Disconnected:
		s.latest.silent = order.Printable(oneLine(msg.Err))
	}
	if !s.paused {
		s.shown = s.latest
	}
	return s, cmd
}

// View implements tea.Model.
func (s *watchScreen) View() tea.View {
	view := tea.NewView(strings.Join(s.lines(), "\n"))
	view.AltScreen = true
	return view
}

// last returns the last n values.
func last[T any](values []T, n int) []T { return values[max(0, len(values)-n):] }
