package queue

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/queue/prefetch"
)

// requeue makes active tasks of one of Asynq's queues pending again, the first of them to be fetched next, and
// returns how many. It leaves alone any task whose lease is not the one given.
func requeue(ctx context.Context, rdb redis.UniversalClient, queue string, tasks []prefetch.Task) (int, error) {
	keys := []string{queueKey(queue, "active"), queueKey(queue, "lease"), queueKey(queue, "pending")}
	args := []any{time.Now().UnixNano()}
	for _, t := range slices.Backward(tasks) { // the script puts the last one in front
		keys, args = append(keys, taskKey(queue, t.ID)), append(args, t.ID, t.Lease)
	}
	return requeueScript.Run(ctx, rdb, keys, args...).Int()
}
