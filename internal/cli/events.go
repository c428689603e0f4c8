package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderprocessor/internal/order"
)

// maxFollowed bounds the orders that are followed by id: what the API takes.
const maxFollowed = 100

const eventsHelp = `events shows each change of an order's status as it happens, one line each, until
Ctrl-C or --count. It begins with what happens next, or with --after behind an
event that was seen before.

It connects again by itself when the connection is lost, goes on where it was,
and says so on standard error. If events were dropped in the meantime, it says
that as well: the API keeps the newest ones only.

As JSON it writes one event a line (NDJSON), as the API sent it.`

type events struct {
	*World
	api      target
	output   format
	statuses []string
	ids      []string
	after    string
	count    int

	shown   int
	wasLost bool
}

func newEvents(w *World) *cobra.Command {
	e := &events{World: w}
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Follow the changes of orders as they happen",
		Long:  eventsHelp,
		Example: `  orderctl events
  orderctl events --status failed,rejected
  orderctl events --id my-order-1,my-order-2 --count 10
  orderctl events --after 1764000000000-0 --output json | jq -r .order_id`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := e.check(cmd.Flags().Changed); err != nil {
				return err
			}
			return e.run(cmd.Context())
		},
	}
	addAPIFlags(cmd, w, &e.api)
	addOutputFlag(cmd, &e.output)
	cmd.Flags().StringSliceVar(&e.statuses, "status", nil, "only changes to these statuses, with commas between them")
	suggest(cmd, "status", order.Statuses())
	cmd.Flags().StringSliceVar(&e.ids, "id", nil, "only changes of these orders, with commas between them")
	cmd.Flags().StringVar(&e.after, "after", "", "begin behind this event, such as 1764000000000-0")
	cmd.Flags().IntVar(&e.count, "count", 0, "end after so many events (default: go on)")
	return cmd
}

// placeForm is how the API names a place in the stream of events.
const placeForm = `^[0-9]{1,20}-[0-9]{1,20}$`

func (e *events) check(given func(flag string) bool) error {
	for _, s := range e.statuses {
		if !slices.Contains(order.Statuses(), order.Status(s)) {
			return usagef("there is no status %q; the statuses are %s", order.Printable(s), strings.Join(texts(order.Statuses()), ", "))
		}
	}
	switch known, err := regexp.MatchString(placeForm, e.after); {
	case err != nil:
		return err
	case given("after") && !known:
		return usagef("--after must be the id of an event, such as 1764000000000-0, not %q", order.Printable(e.after))
	case given("count") && e.count < 1:
		return usagef("--count must be at least 1")
	case given("status") && len(e.statuses) == 0, given("id") && len(e.ids) == 0:
		return usagef("--status and --id must not be empty")
	case len(e.ids) > maxFollowed:
		return usagef("--id takes at most %d orders", maxFollowed)
	}
	return checkIDs(e.ids...)
}

// run follows until it is told to stop, which is no failure.
func (e *events) run(ctx context.Context) error {
	client, err := e.api.open(1)
	if err != nil {
		return err
	}
	defer client.Close()
	f := &follower{client: client, query: e.filter(), after: e.after, told: e}
	err = f.run(ctx)
	if errors.Is(err, errEnough) || errors.Is(err, errInterrupted) {
		return nil
	}
	return fmt.Errorf("follow events: %w", err)
}

func (e *events) filter() url.Values {
	query := url.Values{}
	for name, chosen := range map[string][]string{"status": e.statuses, "id": e.ids} {
		if len(chosen) > 0 {
			query.Set(name, strings.Join(chosen, ","))
		}
	}
	return query
}

// errEnough ends the following.
var errEnough = errors.New("enough events are shown")

func (e *events) event(v eventView, data json.RawMessage) error {
	if err := e.show(v, data); err != nil {
		return err
	}
	e.shown++
	if e.shown == e.count {
		return errEnough
	}
	return nil
}

func (e *events) show(v eventView, data json.RawMessage) error {
	if e.output == formatJSON {
		return e.printLine(data)
	}
	_, err := fmt.Fprintln(e.Stdout, v.line())
	return err
}

func (e *events) connected() {
	if e.wasLost {
		e.note("connected again")
	}
	e.wasLost = false
}

func (e *events) lost(err error, again time.Duration) {
	e.wasLost = true
	e.note("disconnected: %s; trying again in %v", order.Printable(oneLine(err)), again.Round(time.Millisecond))
}

func (e *events) gap(after string) {
	e.note("some events after %s are no longer kept, and are missing here", order.Printable(after))
}

func (e *events) note(format string, args ...any) {
	_, _ = fmt.Fprintf(e.Stderr, "orderctl: "+format+"\n", args...)
}
