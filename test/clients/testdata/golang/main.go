// Calls the API with the client of oapi-codegen.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"clients/client"
)

func main() {
	log.SetFlags(log.Lshortfile)
	if err := run(context.Background(), os.Getenv("API_URL")); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}

func run(ctx context.Context, url string) error {
	c, err := client.NewClientWithResponses(url)
	if err != nil {
		return err
	}
	id, wait := "go.1", "wait=30"
	var tea client.Item
	if err := tea.FromItemName("tea"); err != nil {
		return err
	}
	address := "1 Example Road"
	submission := client.Submission{Id: &id, Amount: 19.99, Items: []client.Item{tea}, Customer: "ada@example.com", Address: &address}
	submitted, err := c.SubmitOrderWithResponse(ctx, &client.SubmitOrderParams{Prefer: &wait}, submission)
	if err != nil || submitted.JSON201 == nil || submitted.JSON201.Id != id {
		return fmt.Errorf("submit: %+v, %w", submitted, err)
	}
	got, err := c.GetOrderWithResponse(ctx, id)
	if err != nil || got.JSON200 == nil || got.JSON200.Amount != 19.99 || string(got.JSON200.Status) != "completed" {
		return fmt.Errorf("get: %+v, %w", got, err)
	}
	page, err := c.ListOrdersWithResponse(ctx, &client.ListOrdersParams{Customer: &submission.Customer, CreatedFrom: &got.JSON200.CreatedAt})
	if err != nil || page.JSON200 == nil || len(page.JSON200.Orders) == 0 {
		return fmt.Errorf("list: %+v, %w", page, err)
	}

	at := time.Now().Add(time.Hour)
	later := client.Submission{Amount: 0.29, Items: []client.Item{tea}, Customer: "grace", Address: &address, ProcessAt: &at}
	scheduled, err := c.SubmitOrderWithResponse(ctx, nil, later)
	if err != nil || scheduled.JSON201 == nil || string(scheduled.JSON201.Status) != "scheduled" {
		return fmt.Errorf("schedule: %+v, %w", scheduled, err)
	}
	reason := "by mistake"
	cancelled, err := c.CancelOrderWithResponse(ctx, scheduled.JSON201.Id, client.CancelRequest{Reason: &reason})
	if err != nil || cancelled.JSON200 == nil {
		return fmt.Errorf("cancel: %+v, %w", cancelled, err)
	}
	if o, err := cancelled.JSON200.AsOrder(); err != nil || string(o.Status) != "cancelled" {
		return fmt.Errorf("cancelled: %+v, %w", o, err)
	}

	later.Amount = 12.505
	refused, err := c.SubmitOrderWithResponse(ctx, nil, later)
	if err != nil || refused.ApplicationproblemJSON400 == nil || refused.ApplicationproblemJSON400.Errors == nil {
		return fmt.Errorf("refusal: %+v, %w", refused, err)
	}
	if e := (*refused.ApplicationproblemJSON400.Errors)[0]; e.Field != "amount" || string(e.Code) != "too_precise" {
		return fmt.Errorf("refusal: %+v", e)
	}
	missing, err := c.GetOrderWithResponse(ctx, "missing")
	if err != nil || missing.ApplicationproblemJSON404 == nil || missing.ApplicationproblemJSON404.Status != http.StatusNotFound {
		return fmt.Errorf("missing: %+v, %w", missing, err)
	}

	stats, err := c.GetStatsWithResponse(ctx)
	if err != nil || stats.JSON200 == nil || stats.JSON200.Ledger.Drift != 0 {
		return fmt.Errorf("stats: %+v, %w", stats, err)
	}
	queues, err := c.ListQueuesWithResponse(ctx)
	if err != nil || queues.JSON200 == nil || len(queues.JSON200.Queues) != 3 {
		return fmt.Errorf("queues: %+v, %w", queues, err)
	}
	return nil
}
