package queue

import "context"

// within waits for a call of Asynq's inspector, which takes no context, until
// ctx ends. The call itself goes on for as long as its Redis client lets it.
func within[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	asked := make(chan answer, 1)
	go func() {
		value, err := call()
		asked <- answer{value, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case a := <-asked:
		return a.value, a.err
	}
}
