package cli

import (
	"io"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// newProgress returns a bar for so many steps, or a counter for -1. It shows
// only on a terminal, and goes away when it is finished. It is safe for
// concurrent use.
func newProgress(w io.Writer, steps int64, what string, opts ...progressbar.Option) *progressbar.ProgressBar {
	if !isTerminal(w) {
		return progressbar.NewOptions64(steps, progressbar.OptionSetVisibility(false), progressbar.OptionSetWriter(io.Discard))
	}
	return progressbar.NewOptions64(steps, append([]progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetWidth(30), progressbar.OptionThrottle(progressThrottle),
		progressbar.OptionClearOnFinish(),
	}, opts...)...)
}

func isTerminal(stream any) bool {
	f := fileOf(stream)
	return f != nil && term.IsTerminal(int(f.Fd()))
}
