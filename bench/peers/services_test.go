package peers

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"orderprocessor/bench/simple"
	"orderprocessor/bench/systems"
	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
)

// TestServices submits orders, each twice at the same time, and wants one record, one
// outcome and one place in the list for each.
func TestServices(t *testing.T) {
	t.Parallel()
	programs, err := systems.Build(t.Context(), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Services() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			r, err := s.Open(t.Context(), programs, t.TempDir())
			if skipped := (Skipped{}); errors.As(err, &skipped) {
				t.Skip(skipped.Reason)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			})
			api, err := client.New("http://"+r.Addr, client.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(api.Close)
			want := submitTwice(t, api)
			checkService(t, api, want)
			if err := r.Analyse(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// submitTwice submits orders and returns the outcome that each is to have.
func submitTwice(t *testing.T, api *client.Client) map[string]simple.Outcome {
	t.Helper()
	bodies, ids := someOrders("order")
	sending, ctx := errgroup.WithContext(t.Context())
	sending.SetLimit(testCallers)
	for _, body := range bodies {
		for range 2 {
			sending.Go(func() error {
				_, err := api.Submit(ctx, body)
				return err
			})
		}
	}
	if err := sending.Wait(); err != nil {
		t.Fatal(err)
	}
	want := map[string]simple.Outcome{}
	for n, id := range ids {
		want[id] = simple.Facts{Amount: float64(1 + n*100), Items: 2, Priority: 1 + n%3}.Decide()
	}
	return want
}

// checkService waits until all orders are settled and compares list, counts and one order.
func checkService(t *testing.T, api *client.Client, want map[string]simple.Outcome) {
	t.Helper()
	var counts map[order.Status]int64
	programtest.Until(t, "all orders are settled", func() bool {
		s, err := api.Stats(t.Context())
		counts = s.ByStatus
		return err == nil && s.Settled() >= int64(len(want))
	})
	got := map[string]simple.Outcome{}
	for _, status := range []order.Status{order.StatusPending, order.StatusCompleted, order.StatusRejected} {
		listed := list(t.Context(), t, api, status)
		if int64(len(listed)) != counts[status] {
			t.Errorf("%d orders are listed as %s, and %d counted", len(listed), status, counts[status])
		}
		maps.Copy(got, listed)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes of the list (-want +got):\n%s", diff)
	}
	for id, outcome := range want {
		o, err := api.Order(t.Context(), id)
		if err != nil || outcomeOf(o) != outcome || o.ProcessedAt.Before(o.CreatedAt) || len(o.Items) != 2 {
			t.Errorf("order %s has %s, %v; want %v", id, bytes.TrimSpace(o.Text()), err, outcome)
		}
		break
	}
	if _, err := api.Order(t.Context(), "another"); !client.HasStatus(err, 404) {
		t.Errorf("an order that nobody sent: %v", err)
	}
	if _, err := api.Submit(t.Context(), []byte(`{"amount":1}`)); !client.HasStatus(err, 400) {
		t.Errorf("an incomplete order: %v", err)
	}
}

// list reads a whole list, which must be in the order of time, newest first, and have
// no order twice.
func list(ctx context.Context, t *testing.T, api *client.Client, status order.Status) map[string]simple.Outcome {
	t.Helper()
	listed := map[string]simple.Outcome{}
	var before client.Order
	for pages := api.Orders(url.Values{"status": {string(status)}}); !pages.Done(); {
		page, err := pages.Next(ctx, simple.PageOrders)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page {
			if _, twice := listed[o.ID]; twice || o.Status != status || (before.ID != "" && o.CreatedAt.After(before.CreatedAt)) {
				t.Errorf("order %s, which is %s, is listed as %s: twice, wrongly, or after an older one", o.ID, o.Status, status)
			}
			listed[o.ID], before = outcomeOf(o), o
		}
	}
	return listed
}

func outcomeOf(o client.Order) simple.Outcome {
	return simple.Outcome{Status: string(o.Status), Handling: string(o.Handling), Error: o.Error}
}
