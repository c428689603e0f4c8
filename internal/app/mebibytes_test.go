package app

import "testing"

func TestMebibytes(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{
		0: "0.0 MiB", 1 << 20: "1.0 MiB", 1<<20 + 1<<19: "1.5 MiB", 10<<20 - 1<<20/10: "9.9 MiB", 10<<20 - 1: "10 MiB",
		10 << 20: "10 MiB", 1 << 30: "1024 MiB", 1 << 40: "1048576 MiB",
	} {
		if got := Mebibytes(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}
