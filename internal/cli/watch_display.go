package cli

import (
	"context"
	"time"
)

// The keys of the display.
const (
	keyQuit      = 'q'
	keyPause     = 'p'
	keyInterrupt = 0x03 // Ctrl-C
)

// display is what the terminal shows. It knows nothing of the terminal but its size.
type display struct {
	api    string
	colour bool
	paused bool
	shown  picture
}

// loop draws until ctx ends, the terminal is gone, or somebody quits.
func (d *display) loop(ctx context.Context, t *terminal, f *feed, keys <-chan byte) {
	tick := time.NewTicker(drawInterval)
	defer tick.Stop()
	for {
		d.update(f.picture())
		if t.draw(d.view(t.size())) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case key := <-keys:
			if d.press(key) {
				return
			}
		}
	}
}

// update takes a newer picture, unless the display is held.
func (d *display) update(p picture) {
	if !d.paused {
		d.shown = p
	}
}

// press does what a key asks for, and says whether that is to quit.
func (d *display) press(key byte) (quit bool) {
	switch key {
	case keyQuit, keyInterrupt:
		return true
	case keyPause:
		d.paused = !d.paused
	}
	return false
}
