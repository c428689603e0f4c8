package main

import (
	"strings"
	"testing"
)

// TestParse refuses what cannot be meant.
func TestParse(t *testing.T) {
	t.Parallel()
	rows := []struct {
		args string
		ok   bool
	}{
		{"", true},
		{"-smoke", true},
		{"-runs 5 -only drain,memory -report r.md", true},
		{"-runs 0", false},
		{"-runs 101", false},
		{"-only drain,rain", false},
		{"-fast", false},
		{"drain", false},
	}
	for _, row := range rows {
		t.Run(row.args, func(t *testing.T) {
			t.Parallel()
			if _, err := parse(strings.Fields(row.args)); (err == nil) != row.ok {
				t.Errorf("parse says %v", err)
			}
		})
	}
}
