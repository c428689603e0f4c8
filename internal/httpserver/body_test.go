package httpserver

import "testing"

// TestPathOf finds the path in every form that a target may have.
func TestPathOf(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/orders/batch": "/orders/batch", "/orders/batch?a=b": "/orders/batch", "/orders/batch#x": "/orders/batch",
		"http://host:1/orders/batch?x": "/orders/batch", "http://host": "/", "/a?b=http://c/orders/batch": "/a", "*": "*", "": "",
	} {
		if got := pathOf(target); got != want {
			t.Errorf("%q has the path %q, want %q", target, got, want)
		}
	}
}
