// Package requestid carries the id of an HTTP request through a context, so that
// log lines written far from the HTTP server can name the request.
package requestid

import "context"

type key struct{}

// With returns a context that carries the id of a request.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// Of returns the id of the request that ctx belongs to, or an empty string when ctx
// belongs to none.
func Of(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}
