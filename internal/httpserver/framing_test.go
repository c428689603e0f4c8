package httpserver

import "testing"

// TestFraming recognises headers that other servers may read differently.
func TestFraming(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, header string
		loose, two   bool
	}{
		{"ordinary", "Host: a\r\nContent-Length: 2\r\n\r\n", false, false},
		{"bare line feed", "Host: a\nX-A: b\r\n\r\n", true, false},
		{"line feed first", "\nHost: a\r\n\r\n", true, false},
		{"line feeds at the end", "Host: a\r\nX-A: b\n\n", true, false},
		{"folded with a space", "X-A: b\r\n c\r\n\r\n", true, false},
		{"folded with a tab", "X-A: b\r\n\tc\r\n\r\n", true, false},
		{"length and chunks", "content-length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", false, true},
		{"chunks alone", "Transfer-Encoding: chunked\r\n\r\n", false, false},
	} {
		if got := looseLines([]byte(row.header)); got != row.loose {
			t.Errorf("%s: loose lines: %t", row.name, got)
		}
		if got := twoLengths([]byte(row.header)); got != row.two {
			t.Errorf("%s: two lengths: %t", row.name, got)
		}
	}
}
