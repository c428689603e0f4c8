package chaos_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// message is one whole value of the Redis protocol, as it is on the wire.
type message []byte

// readMessage reads one value with all that it contains. Both versions of the
// protocol are understood, streamed values of the third apart, which Redis does
// not send.
func readMessage(r *bufio.Reader) (message, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	raw := message(bytes.Clone(line))
	size := 0
	if len(raw) > 3 {
		size, _ = strconv.Atoi(string(raw[1 : len(raw)-2])) // no number where no size is meant
	}
	switch raw[0] {
	case '$', '=', '!':
		return readText(r, raw, size)
	case '*', '~', '>':
		return readParts(r, raw, size)
	case '%', '|':
		return readParts(r, raw, 2*size)
	case '+', '-', ':', '_', '#', ',', '(':
		return raw, nil
	default:
		return nil, fmt.Errorf("no Redis protocol: %q", raw)
	}
}

func readText(r *bufio.Reader, raw message, size int) (message, error) {
	if size < 0 {
		return raw, nil
	}
	begin := len(raw)
	raw = append(raw, make([]byte, size+2)...)
	_, err := io.ReadFull(r, raw[begin:])
	return raw, err
}

func readParts(r *bufio.Reader, raw message, parts int) (message, error) {
	for range parts {
		part, err := readMessage(r)
		if err != nil {
			return nil, err
		}
		raw = append(raw, part...)
	}
	return raw, nil
}

// pushed reports whether the message is no answer to a command.
func (m message) pushed() bool { return m[0] == '>' }

// unknownScript reports whether Redis answered that it has no such script, and has
// done nothing.
func (m message) unknownScript() bool { return bytes.HasPrefix(m, []byte("-NOSCRIPT")) }

// scriptKeys returns the keys of a run of a script, nil of any other command.
func (m message) scriptKeys() []string { return scriptKeysOf(m.arguments()) }

func scriptKeysOf(args []string) []string {
	if len(args) < 3 || !slices.Contains([]string{"EVAL", "EVALSHA"}, strings.ToUpper(args[0])) {
		return nil
	}
	n, err := strconv.Atoi(args[2])
	if err != nil || n > len(args)-3 {
		return nil
	}
	return args[3 : 3+n]
}

// arguments returns the parts of a command, which is an array of texts.
func (m message) arguments() []string {
	r := bufio.NewReader(bytes.NewReader(m))
	head, err := r.ReadString('\n')
	if err != nil || head[0] != '*' {
		return nil
	}
	var args []string
	for {
		part, err := readMessage(r)
		if err != nil {
			return args
		}
		if _, text, ok := bytes.Cut(part, []byte("\r\n")); ok && part[0] == '$' {
			args = append(args, string(bytes.TrimSuffix(text, []byte("\r\n"))))
		}
	}
}

// accepts matches the script by which the ledger records orders.
func accepts(keys []string) bool {
	return len(keys) > 3 && keys[0] == book+"c" && keys[1] == book+"e"
}
