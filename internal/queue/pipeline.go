package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
)

// EnqueueAll is Enqueue for many orders, whose tasks travel to Redis together, each
// with the trace of its origin. It returns an error when one or more of them could
// not be queued, order.ErrUnavailable when Redis could not be asked: then any of the
// orders may have no task.
func (p *Producer) EnqueueAll(ctx context.Context, waiting []order.Handover) error {
	if len(waiting) == 0 {
		return nil
	}
	var held outbox
	for _, h := range waiting {
		ctx := context.WithValue(traced(ctx, h.Origin), outboxKey{}, &held)
		if _, err := p.Enqueue(ctx, h.Record); err != nil {
			return err
		}
	}
	pipe := p.rdb.Pipeline()
	for _, script := range held.scripts {
		_ = pipe.Process(ctx, script) // only queues it
	}
	_, _ = pipe.Exec(ctx) // each script has an answer of its own
	var failed []error
	for i, h := range waiting {
		if held.added(i, len(waiting)) {
			continue
		}
		// There is a task already, Redis does not know the script yet, or it could
		// not be asked: by itself, the order meets the same again.
		_, err := p.Enqueue(traced(ctx, h.Origin), h.Record)
		if errors.Is(err, order.ErrUnavailable) {
			return fmt.Errorf("enqueue %d orders: %w", len(waiting), err)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// traced is ctx with the trace of the origin.
func traced(ctx, origin context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(origin))
}

// outbox holds back the scripts by which Asynq's client adds tasks, so that they
// can be sent in one pipeline: by itself, the client sends one and waits.
type outbox struct{ scripts []*redis.Cmd }

// added says whether the script of the n-th of so many orders has added a task.
// An Asynq that does not run one script for each order tells nothing.
func (o *outbox) added(n, orders int) bool {
	if len(o.scripts) != orders {
		return false
	}
	added, err := o.scripts[n].Int()
	return err == nil && added == 1
}

type outboxKey struct{}

// outboxHook is a go-redis hook that puts a script into the outbox of its
// context, if there is one, and answers that it has added a task.
type outboxHook struct{}

var _ redis.Hook = outboxHook{}

// DialHook implements redis.Hook.
func (outboxHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (outboxHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (outboxHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		held, ok := ctx.Value(outboxKey{}).(*outbox)
		script, isScript := cmd.(*redis.Cmd)
		if !ok || !isScript || !strings.HasPrefix(cmd.Name(), "eval") {
			return next(ctx, cmd)
		}
		held.scripts = append(held.scripts, redis.NewCmd(ctx, script.Args()...))
		script.SetVal(int64(1))
		return nil
	}
}
