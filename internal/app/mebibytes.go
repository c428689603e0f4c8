package app

import "fmt"

// Mebibytes formats a number of bytes for people, as the page does too: in MiB, with one
// decimal below 10 and none above.
func Mebibytes(bytes int64) string {
	const one, exact = 1 << 20, 9.95 // from here on one decimal would be 10.0
	if n := float64(bytes) / one; n >= exact || n <= -exact {
		return fmt.Sprintf("%.0f MiB", n)
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/one)
}
