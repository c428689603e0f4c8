package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"orderprocessor/internal/order"
)

// RetryRequest says which orders to retry.
type RetryRequest struct {
	// Status is failed or rejected.
	Status order.Status `json:"status"`
	// ErrorContains is a part of the error that the orders have; empty for any
	// error.
	ErrorContains string `json:"error_contains,omitempty"`
	// OlderThan is an age, or a time in RFC 3339; empty for any age.
	OlderThan string `json:"older_than,omitempty"`
	// Limit bounds the orders of one request.
	Limit int `json:"limit"`
	// DryRun has them counted only.
	DryRun bool `json:"dry_run"`
	// Cursor is where the request before left off; empty for the first.
	Cursor string `json:"cursor,omitempty"`
}

// retryReport is what the API did, and the sum of it.
type retryReport struct {
	Count      int    `json:"count"`
	Retried    int    `json:"retried"`
	DryRun     bool   `json:"dry_run"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// runMany sends requests until there is nothing left to retry or the limit is
// reached. What was done before a failure is told as well.
func (r *retry) runMany(ctx context.Context, client *Client) error {
	which := RetryRequest{
		Status: r.status.status, ErrorContains: r.errorContains, OlderThan: r.olderThan.String(), DryRun: r.dryRun,
	}
	sum := retryReport{DryRun: r.dryRun}
	for n := 0; ; n++ {
		which.Limit = maxRetriedAtOnce
		if r.limit > 0 {
			which.Limit = min(maxRetriedAtOnce, r.limit-sum.Count)
		}
		report, err := retryOnce(ctx, client, which)
		if err != nil {
			return r.stopped(n, sum, err)
		}
		sum.Count += report.Count
		sum.Retried += report.Retried
		if report.NextCursor == "" || r.limit > 0 && sum.Count >= r.limit {
			return r.report(sum)
		}
		which.Cursor = report.NextCursor
	}
}

// retryOnce sends one of the requests.
func retryOnce(ctx context.Context, client *Client, which RetryRequest) (report retryReport, err error) {
	answer, err := client.RetryMany(ctx, which)
	if err != nil {
		return report, err
	}
	report.Count = -1 // to tell what is absent from 0
	switch {
	case json.Unmarshal(answer, &report) != nil, report.Count < 0:
		return report, errNotTheAPI
	case report.NextCursor != "" && report.NextCursor == which.Cursor:
		return report, errEndless
	}
	return report, nil
}

// stopped tells what so many requests did before one failed.
func (r *retry) stopped(requests int, sum retryReport, err error) error {
	if requests == 0 {
		return fmt.Errorf("retry orders: %w", err)
	}
	_ = r.report(sum) // standard output remembers
	if r.dryRun {
		return fmt.Errorf("retry orders: stopped, there may be more: %w", err)
	}
	return fmt.Errorf("retry orders: stopped, there may be more, and more may be pending again than were counted: %w", err)
}

func (r *retry) report(sum retryReport) error {
	if r.output == formatJSON {
		answer, err := json.Marshal(sum)
		if err != nil {
			return err
		}
		return r.printJSON(answer)
	}
	switch {
	case sum.Count == 0:
		r.printf(noMatch)
	case sum.DryRun:
		r.printf("%s would be retried\n", numberOf(sum.Count))
	default:
		r.printf("%s\n", r.sentence(sum))
	}
	return nil
}

func (r *retry) sentence(sum retryReport) string {
	was, is := "failed", "are"
	switch {
	case r.status.status == order.StatusRejected && sum.Retried == 1:
		was = "was rejected"
	case r.status.status == order.StatusRejected:
		was = "were rejected"
	}
	if sum.Retried == 1 {
		is = "is"
	}
	text := fmt.Sprintf("%s %s and %s pending again", numberOf(sum.Retried), was, is)
	if others := sum.Count - sum.Retried; others > 0 {
		text += fmt.Sprintf(", %d more had moved on before they could be retried", others)
	}
	return text
}

// numberOf is a number of orders, for sentences.
func numberOf(n int) string {
	if n == 1 {
		return "1 order"
	}
	return fmt.Sprintf("%d orders", n)
}
