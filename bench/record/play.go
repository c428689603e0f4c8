package record

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"
)

// readBytes is how much of the answers is taken in at once.
const readBytes = 64 << 10

// Play sends commands to the Redis on a socket and returns how long they took it.
// They are made ready before the clock starts and sent without waiting for
// answers, so that Redis always has the next one: nothing but Redis sets the pace.
// It does not look at the answers.
func Play(ctx context.Context, socket string, commands [][]any) (time.Duration, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return 0, fmt.Errorf("play %d commands: %w", len(commands), err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	end := rand.Text() // what no answer says but that to the last command
	ready := encode(append(commands[:len(commands):len(commands)], []any{"ECHO", end}))
	begun := time.Now()
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(ready)
		sent <- err
	}()
	err = readUntil(conn, []byte(end))
	took := time.Since(begun)
	if err != nil {
		_ = conn.Close() // or the sender waits for ever
	}
	if err = errors.Join(err, <-sent, ctx.Err()); err != nil {
		return 0, fmt.Errorf("play %d commands: %w", len(commands), err)
	}
	return took, nil
}

func encode(commands [][]any) []byte {
	var ready bytes.Buffer
	out := bufio.NewWriter(&ready)
	for _, c := range commands {
		writeCommand(out, c)
	}
	_ = out.Flush() // to memory
	return ready.Bytes()
}

// readUntil reads and drops what comes until the end has come.
func readUntil(conn net.Conn, end []byte) error {
	held := make([]byte, 0, readBytes+len(end))
	for {
		n, err := conn.Read(held[len(held) : len(held)+readBytes])
		if err != nil {
			return err
		}
		held = held[:len(held)+n]
		if bytes.Contains(held, end) {
			return nil
		}
		// The beginning of the end may be there already.
		kept := copy(held, held[max(0, len(held)-len(end)):])
		held = held[:kept]
	}
}
