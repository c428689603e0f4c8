package cli

import (
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// statusFlag is one of the statuses that a command takes.
type statusFlag struct {
	status order.Status
	from   []order.Status
}

// String implements pflag.Value.
func (f *statusFlag) String() string { return string(f.status) }

// Type implements pflag.Value.
func (f *statusFlag) Type() string { return "status" }

// Set implements pflag.Value.
func (f *statusFlag) Set(text string) error {
	if !slices.Contains(f.from, order.Status(text)) {
		return usagef("must be one of %s", strings.Join(texts(f.from), ", "))
	}
	f.status = order.Status(text)
	return nil
}

// texts turns named strings into plain ones.
func texts[T ~string](values []T) []string {
	plain := make([]string, len(values))
	for i, v := range values {
		plain[i] = string(v)
	}
	return plain
}

// timeFlag is a point in time, as it was written.
type timeFlag string

// String implements pflag.Value.
func (f *timeFlag) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *timeFlag) Type() string { return "time" }

// Set implements pflag.Value.
func (f *timeFlag) Set(text string) error {
	if _, err := order.ParseTime(text); err != nil {
		return usagef("must be a time with its zone, such as 2026-11-23T12:00:00Z")
	}
	*f = timeFlag(text)
	return nil
}

// ageFlag is an age or a point in time, as it was written.
type ageFlag string

// String implements pflag.Value.
func (f *ageFlag) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *ageFlag) Type() string { return "age" }

// Set implements pflag.Value.
func (f *ageFlag) Set(text string) error {
	age, notAge := time.ParseDuration(text)
	_, notTime := order.ParseTime(text)
	if notTime != nil && (notAge != nil || age < 0) {
		return usagef("must be an age such as 90s or 2h30m, or a time such as 2026-11-23T12:00:00Z")
	}
	*f = ageFlag(text)
	return nil
}
