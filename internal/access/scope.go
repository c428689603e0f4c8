// Package access decides who may ask the service for what, and how much: API keys
// and their scopes, rate limits, and the hosts that a browser may address.
//
// It receives what a request presents and returns a decision; HTTP is the caller's
// business. It keeps the counts of the rate limits in Redis, where all API processes
// share them. Nothing is durable after it.
package access

// Scope is what an API key may be used for. No scope includes another.
type Scope string

// The scopes that a key may have.
const (
	// Submit allows sending orders and cancelling them.
	Submit Scope = "submit"
	// Read allows everything that changes nothing.
	Read Scope = "read"
	// Admin allows retries, pausing queues, and changes in Asynqmon.
	Admin Scope = "admin"
	// Open is the scope of routes that need no key. No key has it.
	Open Scope = "open"
)

// Scopes returns the scopes that a key may have.
func Scopes() []Scope { return []Scope{Submit, Read, Admin} }
