// Package batchtest makes concurrent callers of a batch.Batcher share one batch.
package batchtest

import (
	"context"
	"sync"
)

// Together runs n calls that share a batch, in turn: each starts when the one before it
// waits for the batch. The batch before must last until release is called. A call uses
// join(ctx) instead of its context ctx, which shows that it waits.
func Together(n int, release func(), call func(i int, join func(context.Context) context.Context)) {
	var all sync.WaitGroup
	for i := range n {
		waits := make(chan struct{})
		join := func(ctx context.Context) context.Context {
			return joining{ctx, sync.OnceFunc(func() { close(waits) })}
		}
		all.Go(func() { call(i, join) })
		<-waits
	}
	release()
	all.Wait()
}

// joining is a context that calls waits when its caller begins to wait.
type joining struct {
	context.Context
	waits func()
}

// Done reports the call before it returns the channel.
func (j joining) Done() <-chan struct{} {
	j.waits()
	return j.Context.Done()
}
