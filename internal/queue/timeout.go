package queue

import "context"

// withContext waits for a call of Asynq's inspector, which takes no context, until ctx
// ends. The call itself goes on until its Redis client gives up.
func withContext[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := call()
		done <- result{value, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case r := <-done:
		return r.value, r.err
	}
}
