package cli

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strings"

	"orderprocessor/internal/client"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64

// asks reports whether there is a person to ask.
func (w *World) asks() bool { return isTerminal(w.Stdin) && isTerminal(w.Stderr) }

// agreed reads the answer to a question. It returns the error no unless somebody agrees.
func (w *World) agreed(ctx context.Context, no error) error {
	answered := make(chan string, 1)
	go func() { // not waited for: reading a terminal cannot be interrupted
		line, _ := bufio.NewReader(io.LimitReader(w.Stdin, maxAnswer)).ReadString('\n')
		answered <- line
	}()
	select {
	case <-ctx.Done():
		return client.ErrInterrupted
	case answer := <-answered:
		if slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
			return nil
		}
		return no
	}
}
