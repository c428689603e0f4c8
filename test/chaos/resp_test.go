package chaos_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// pushed says whether Redis sent the message of its own accord, and not as an
// answer.
func (m message) pushed() bool { return m[0] == '>' }

// unknownScript says whether Redis answered that it has no such script, and has
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

// arguments takes a command apart, which is an array of texts.
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

// TestReadMessage takes one value after the other off a stream, byte for byte.
func TestReadMessage(t *testing.T) {
	t.Parallel()
	values := []string{
		"+OK\r\n", "-NOSCRIPT no\r\n", ":1\r\n", "$-1\r\n", "$0\r\n\r\n", "$4\r\na\r\nb\r\n", "*-1\r\n", "*0\r\n",
		"*2\r\n$1\r\na\r\n*1\r\n:5\r\n", "%1\r\n+a\r\n*1\r\n_\r\n", ">2\r\n+message\r\n+x\r\n", "#t\r\n", ",1.5\r\n",
	}
	r := bufio.NewReader(strings.NewReader(strings.Join(values, "")))
	var got []string
	for range values {
		m, err := readMessage(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(m))
	}
	if diff := cmp.Diff(values, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// TestScriptKeys tells the keys of scripts from those of other commands.
func TestScriptKeys(t *testing.T) {
	t.Parallel()
	command := func(args ...string) message {
		m := fmt.Appendf(nil, "*%d\r\n", len(args))
		for _, arg := range args {
			m = fmt.Appendf(m, "$%d\r\n%s\r\n", len(arg), arg)
		}
		return m
	}
	rows := []struct {
		command message
		want    []string
	}{
		{command("evalsha", "abc", "2", "k1", "k2", "a\r\nb"), []string{"k1", "k2"}},
		{command("EVAL", "return 1", "0"), []string{}},
		{command("evalsha", "abc", "9", "k1"), nil},
		{command("get", "k1", "1"), nil},
		{message("+PING\r\n"), nil},
	}
	for _, row := range rows {
		if diff := cmp.Diff(row.want, row.command.scriptKeys()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", row.command, diff)
		}
	}
}
