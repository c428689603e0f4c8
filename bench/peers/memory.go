package peers

import (
	"context"
	"errors"
	"sync"
)

// memoryCapacity is how many orders the channel holds: more than any drain of
// the suite, and 24 MB.
const memoryCapacity = 1_000_000

// memoryPeer is the ceiling: what the work itself costs on this machine when
// handing it over costs next to nothing and keeps nothing.
func memoryPeer() Peer {
	return Peer{
		Name: "Go channel", Version: "-", Store: "memory, lost on exit",
		Open: opener(inProcess(openMemory)),
	}
}

type memory struct {
	waiting chan []byte
}

func openMemory(context.Context, *home, Durability) (engine, error) {
	return memory{waiting: make(chan []byte, memoryCapacity)}, nil
}

func (m memory) put(_ context.Context, body []byte) error {
	select {
	case m.waiting <- body:
		return nil
	default:
		return errors.New("the channel is full")
	}
}

func (m memory) run(_ context.Context, slots int, work func([]byte) error) (func() error, error) {
	quit := make(chan struct{})
	var working sync.WaitGroup
	for range slots {
		working.Go(func() { m.slot(quit, work) })
	}
	return func() error {
		close(quit)
		working.Wait()
		return nil
	}, nil
}

// slot works until it is told to quit. Its work keeps errors itself.
func (m memory) slot(quit <-chan struct{}, work func([]byte) error) {
	for {
		select {
		case body := <-m.waiting:
			_ = work(body)
		case <-quit:
			return
		}
	}
}

func (m memory) close() error { return nil }
