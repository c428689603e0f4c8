package record

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

const (
	// maxWords and maxWordBytes bound what is believed of a command's own lengths.
	maxWords     = 1 << 20
	maxWordBytes = 64 << 20
)

// errNotCommand is a message that is not an array of texts.
var errNotCommand = errors.New("not a command of the Redis protocol")

// readCommand reads one command, in the form that all clients send: an array of
// texts with their lengths in front.
func readCommand(in *bufio.Reader) ([]any, error) {
	words, err := readLength(in, '*', maxWords)
	if err != nil {
		return nil, err
	}
	if words == 0 {
		return nil, errNotCommand
	}
	command := make([]any, words)
	for i := range command {
		length, err := readLength(in, '$', maxWordBytes)
		if err != nil {
			return nil, err
		}
		word := make([]byte, length+len("\r\n"))
		if _, err := io.ReadFull(in, word); err != nil {
			return nil, err
		}
		command[i] = string(word[:length])
	}
	return command, nil
}

// readLength reads a line of a kind and a number.
func readLength(in *bufio.Reader, kind byte, most int) (int, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < len("*0\r\n") || line[0] != kind {
		return 0, fmt.Errorf("%w: %.20q", errNotCommand, line)
	}
	n, err := strconv.Atoi(string(line[1 : len(line)-len("\r\n")]))
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%w: %.20q", errNotCommand, line)
	}
	return n, nil
}

// writeCommand writes what readCommand reads. The writer keeps the first error
// for its Flush.
func writeCommand(out *bufio.Writer, command []any) {
	_, _ = fmt.Fprintf(out, "*%d\r\n", len(command))
	for _, word := range command {
		text, _ := word.(string)
		_, _ = fmt.Fprintf(out, "$%d\r\n%s\r\n", len(text), text)
	}
}
