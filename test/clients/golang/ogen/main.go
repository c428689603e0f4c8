// Calls the API with the client of ogen.
package main

//go:generate mkdir -p client
//go:generate go tool ogen --target client --package client --clean ../openapi.yaml

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"clients/ogen/client"
)

func main() {
	log.SetFlags(log.Lshortfile)
	if err := run(context.Background(), os.Getenv("API_URL")); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}

// keys sends a key that an API without keys does not look at.
type keys struct{}

func (keys) Bearer(context.Context, client.OperationName) (client.Bearer, error) {
	return client.Bearer{Token: "key"}, nil
}

func (keys) Basic(context.Context, client.OperationName) (client.Basic, error) {
	return client.Basic{Username: "any", Password: "key"}, nil
}

func run(ctx context.Context, url string) error {
	c, err := client.NewClient(url, keys{})
	if err != nil {
		return err
	}
	submission := &client.Submission{
		ID: client.NewOptOrderId("ogen.1"), Amount: 19.99, Items: client.Items{"tea"}, Customer: "ada@example.com", Address: "1 Example Road",
	}
	submitted, err := c.SubmitOrder(ctx, submission, client.SubmitOrderParams{Prefer: client.NewOptString("wait=30")})
	if created, ok := submitted.(*client.SubmitOrderCreatedHeaders); err != nil || !ok || created.Response.ID != "ogen.1" {
		return fmt.Errorf("submit: %+v, %w", submitted, err)
	}
	got, err := c.GetOrder(ctx, client.GetOrderParams{ID: "ogen.1"})
	o, ok := got.(*client.GetOrderOKHeaders)
	if err != nil || !ok || o.Response.Amount != 19.99 || o.Response.Status != client.StatusCompleted {
		return fmt.Errorf("get: %+v, %w", got, err)
	}
	page, err := c.ListOrders(ctx, client.ListOrdersParams{
		Customer: client.NewOptString("ada@example.com"), CreatedFrom: client.NewOptTime(o.Response.CreatedAt),
	})
	if list, ok := page.(*client.OrderListHeaders); err != nil || !ok || len(list.Response.Orders) == 0 {
		return fmt.Errorf("list: %+v, %w", page, err)
	}

	later := &client.Submission{
		ID: client.NewOptOrderId("ogen.2"), Amount: 0.29, Items: client.Items{"tea"}, Customer: "grace", Address: "1 Example Road",
		ProcessAt: client.NewOptTime(client.Time(time.Now().Add(time.Hour))),
	}
	scheduled, err := c.SubmitOrder(ctx, later, client.SubmitOrderParams{})
	if created, ok := scheduled.(*client.SubmitOrderCreatedHeaders); err != nil || !ok || created.Response.Status != client.StatusScheduled {
		return fmt.Errorf("schedule: %+v, %w", scheduled, err)
	}
	cancelled, err := c.CancelOrder(ctx,
		client.NewOptCancelRequest(client.CancelRequest{Reason: client.NewOptLine("by mistake")}), client.CancelOrderParams{ID: "ogen.2"})
	if done, ok := cancelled.(*client.CancelOrderOKHeaders); err != nil || !ok || done.Response.Order.Status != client.StatusCancelled {
		return fmt.Errorf("cancel: %+v, %w", cancelled, err)
	}

	later.Amount = 12.505
	refused, err := c.SubmitOrder(ctx, later, client.SubmitOrderParams{})
	problem, ok := refused.(*client.SubmitOrderBadRequest)
	if err != nil || !ok || len(problem.Errors) != 1 || problem.Errors[0].Code != client.FieldErrorCodeTooPrecise {
		return fmt.Errorf("refusal: %+v, %w", refused, err)
	}
	missing, err := c.GetOrder(ctx, client.GetOrderParams{ID: "missing"})
	if problem, ok := missing.(*client.Problem); err != nil || !ok || problem.Status != http.StatusNotFound {
		return fmt.Errorf("missing: %+v, %w", missing, err)
	}

	stats, err := c.GetStats(ctx)
	if s, ok := stats.(*client.StatsHeaders); err != nil || !ok || s.Response.Ledger.Drift != 0 {
		return fmt.Errorf("stats: %+v, %w", stats, err)
	}
	queues, err := c.ListQueues(ctx)
	if q, ok := queues.(*client.QueueListHeaders); err != nil || !ok || len(q.Response.Queues) != 3 {
		return fmt.Errorf("queues: %+v, %w", queues, err)
	}
	return nil
}
