package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/worker"
)

// beforeDeath is how long a poisoned attempt runs, so that others are at work
// when it ends the process.
const beforeDeath = 300 * time.Millisecond

// kindOf is the first word of an order's id.
func kindOf(id string) string {
	kind, _, _ := strings.Cut(id, "-")
	return kind
}

// badFulfilment fails in the middle of an attempt.
type badFulfilment struct {
	next    worker.Fulfilment
	timeout time.Duration // of an attempt
}

// Fulfil implements worker.Fulfilment.
func (s badFulfilment) Fulfil(ctx context.Context, a order.Approval) (string, error) {
	switch kindOf(a.Order.ID) {
	case "panic":
		panic("the handler of order " + a.Order.ID + " is bad")
	case "hang":
		<-ctx.Done()
		return "", ctx.Err()
	case "deaf":
		time.Sleep(2 * s.timeout)
		ctx = context.WithoutCancel(ctx)
	case "poison":
		time.Sleep(beforeDeath)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
	return s.next.Fulfil(ctx, a)
}

// panicsOnce panics once for each order that is to stumble, in whichever process: it
// creates a folder of that name.
type panicsOnce struct {
	next   queue.Handler
	folder string
}

// Work implements queue.Handler.
func (s panicsOnce) Work(ctx context.Context, id string) error {
	if kindOf(id) == "stumble" && os.Mkdir(filepath.Join(s.folder, id), 0o700) == nil {
		panic("the handler stumbles over order " + id)
	}
	return s.next.Work(ctx, id)
}
