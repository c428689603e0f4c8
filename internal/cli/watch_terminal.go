package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/term"
)

// The control sequences of a terminal: another screen without cursor and line wrap,
// and back.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// The size of a terminal that does not tell.
const usualWidth, usualHeight = 80, 24

// terminal is a screen to draw on, and the keys that are pressed at it.
//
// Libraries for this ask the terminal for its colours when a program starts,
// whichever command it runs, and wait for seconds where nobody answers; the little
// that is needed here is below.
type terminal struct {
	in     io.Reader
	out    *os.File
	raw    *os.File    // the input that passes keys on at once, or nil
	before *term.State // of raw
	drawn  string
}

// openTerminal takes the terminal until close. Keys are read if the input is a
// terminal as well.
func openTerminal(in io.Reader, out io.Writer) (*terminal, error) {
	file := fileOf(out)
	if file == nil {
		return nil, os.ErrInvalid
	}
	t := &terminal{in: in, out: file}
	if keyboard, ok := in.(*os.File); ok && isTerminal(keyboard) {
		state, err := term.MakeRaw(int(keyboard.Fd()))
		if err != nil {
			return nil, err
		}
		t.raw, t.before = keyboard, state
	}
	if _, err := io.WriteString(file, enterScreen); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// close gives the terminal back as it was.
func (t *terminal) close() {
	_, _ = io.WriteString(t.out, leaveScreen)
	if t.raw != nil {
		_ = term.Restore(int(t.raw.Fd()), t.before)
	}
}

// size returns how many columns and lines there are.
func (t *terminal) size() (width, height int) { return sizeOf(t.out) }

// sizeOf returns how many columns and lines a terminal has.
func sizeOf(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 1 || height < 1 {
		return usualWidth, usualHeight
	}
	return width, height
}

// draw shows lines that fit the size, if they differ from what is shown.
func (t *terminal) draw(lines []string) error {
	frame := home + strings.Join(lines, clearLine+"\r\n") + clearLine + clearBelow
	if frame == t.drawn {
		return nil
	}
	t.drawn = frame
	_, err := io.WriteString(t.out, frame)
	return err
}

// read hands on the keys that are pressed until ctx ends; without a keyboard there
// are none. It may stay in its reading after ctx has ended, until the next key.
func (t *terminal) read(ctx context.Context, keys chan<- byte) {
	key := make([]byte, 1)
	for t.raw != nil {
		if n, err := t.in.Read(key); err != nil || n == 0 {
			break
		}
		select {
		case keys <- key[0]:
		case <-ctx.Done():
			return
		}
	}
	<-ctx.Done()
}

// panicError is a panic, to be told when the terminal is as it was.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// guarded does something, and turns its panic into an error.
func guarded(do func()) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value, debug.Stack()}
		}
	}()
	do()
	return nil
}
