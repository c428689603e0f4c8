package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/stats"
)

// Spread is how orders, memory and load are spread over the books and the nodes of Redis.
type Spread struct {
	Books []BookLoad `json:"books"`
	Nodes []NodeLoad `json:"nodes"`
	// Busiest is by how much the busiest node exceeds the mean of the nodes.
	Busiest Excess `json:"busiest"`
}

// BookLoad is one book.
type BookLoad struct {
	Book int    `json:"book"`
	Node string `json:"node"` // which has its records; empty if no node says it
	// Accepted counts all orders ever, of which Share is the part of all books.
	Accepted int64   `json:"accepted"`
	Share    float64 `json:"share"`
	// Unsettled orders have no outcome yet. Kept ones have, and have not left Redis.
	Unsettled int64 `json:"unsettled"`
	Kept      int64 `json:"kept"`
	// Waiting is how many tasks wait in its queues, without those that do not answer.
	Waiting map[order.Queue]int64 `json:"waiting"`
	Drift   int64                 `json:"drift"`
	Away    bool                  `json:"away,omitempty"` // it does not answer: its figures are zero
}

// NodeLoad is one node: a primary of a Redis Cluster, or the one Redis there is.
type NodeLoad struct {
	Node string `json:"node"`
	// Books and Queues are how many of them it has; each book has three queues.
	Books  int `json:"books"`
	Queues int `json:"queues"`
	// Accepted is that of its books, of which Share is the part of all nodes.
	Accepted int64   `json:"accepted"`
	Share    float64 `json:"share"`
	// MemoryUsed and MemoryLimit are in bytes; a limit of 0 is none.
	MemoryUsed  int64 `json:"memory_used_bytes"`
	MemoryLimit int64 `json:"memory_limit_bytes"`
	Operations  int64 `json:"operations_per_second"`
	Away        bool  `json:"away,omitempty"` // it does not answer: memory and operations are zero
}

// Excess is the highest figure of a node divided by the mean of all nodes; 0 while all are 0.
type Excess struct {
	Accepted   float64 `json:"accepted"`
	MemoryUsed float64 `json:"memory_used_bytes"`
	Operations float64 `json:"operations_per_second"`
}

// OrderPlace is where an order is, whether or not there is one with this id.
type OrderPlace struct {
	ID   string `json:"id"`
	Book int    `json:"book"`
	// Node has the order, and Queues the tasks of each queue in its book.
	Node   string                 `json:"node"`
	Queues map[order.Queue]string `json:"queues"`
}

// spreading reads from Redis how orders spread.
type spreading struct {
	rdb    redis.UniversalClient
	ledger *ledger.Ledger
	queues *queue.Inspector
	shown  string // the address of Redis, where there is one
}

func openSpread(ctx context.Context, r config.Redis) (*spreading, error) {
	rdb := r.Client(doctorTuning())
	books, err := ledger.Count(ctx, rdb)
	if err != nil {
		_ = rdb.Close()
		return nil, err
	}
	return &spreading{rdb, ledger.NewWith(rdb, ledger.Config{Books: books}), queue.NewInspector(rdb, books), r.String()}, nil
}

// ReadSpread reads how orders spread over the books in Redis. It writes nothing, and returns
// within ten seconds. Books and nodes that do not answer are away; the error is
// order.ErrUnavailable when none does.
func ReadSpread(ctx context.Context, r config.Redis) (Spread, error) {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	s, err := openSpread(ctx, r)
	if err != nil {
		return Spread{}, err
	}
	defer func() { _ = s.rdb.Close() }()
	var all Spread
	if all.Books, err = s.books(ctx); err != nil {
		return Spread{}, err
	}
	if all.Nodes, err = s.nodes(ctx, all.Books); err != nil {
		return Spread{}, err
	}
	all.Busiest = Excess{
		excess(all.Nodes, func(n NodeLoad) int64 { return n.Accepted }),
		excess(all.Nodes, func(n NodeLoad) int64 { return n.MemoryUsed }),
		excess(all.Nodes, func(n NodeLoad) int64 { return n.Operations }),
	}
	return all, nil
}

// Locate returns where orders with these ids are. It reads no order.
func Locate(ctx context.Context, r config.Redis, ids []string) ([]OrderPlace, error) {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	s, err := openSpread(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.rdb.Close() }()
	places := make([]OrderPlace, len(ids))
	for i, id := range ids {
		p := OrderPlace{ID: id, Book: order.BookOf(id, len(s.ledger.Books())), Queues: map[order.Queue]string{}}
		if p.Node, err = s.nodeOfBook(ctx, s.ledger.Books()[p.Book]); err != nil {
			return nil, err
		}
		for _, q := range order.Queues() {
			if p.Queues[q], err = s.nodeOfQueue(ctx, q, p.Book); err != nil {
				return nil, err
			}
		}
		places[i] = p
	}
	return places, nil
}

// address returns the address of a node, or how REDIS_URL shows the one Redis there is.
func (s *spreading) address(node string, err error) (string, error) {
	if _, isCluster := s.rdb.(*redis.ClusterClient); !isCluster {
		return s.shown, err
	}
	return node, err
}

func (s *spreading) nodeOfBook(ctx context.Context, b *ledger.Book) (string, error) {
	return s.address(b.Node(ctx))
}

func (s *spreading) nodeOfQueue(ctx context.Context, q order.Queue, book int) (string, error) {
	return s.address(ledger.NodeOf(ctx, s.rdb, queue.KeyOf(q, book, len(s.ledger.Books()))))
}

// books reads all books at once.
func (s *spreading) books(ctx context.Context) ([]BookLoad, error) {
	books := make([]BookLoad, len(s.ledger.Books()))
	errs := make([]error, len(books))
	var asking sync.WaitGroup
	for n, b := range s.ledger.Books() {
		asking.Go(func() { books[n], errs[n] = s.book(ctx, b) })
	}
	waiting, err := s.queues.Waiting(ctx)
	asking.Wait()
	if err != nil && !slices.Contains(errs, nil) {
		return nil, errs[0]
	}
	var accepted int64
	for n := range books {
		books[n].Waiting = map[order.Queue]int64{}
		if err == nil {
			books[n].Waiting = waiting[n]
		}
		accepted += books[n].Accepted
	}
	for n := range books {
		books[n].Share = part(books[n].Accepted, accepted)
	}
	return books, nil
}

func (s *spreading) book(ctx context.Context, b *ledger.Book) (load BookLoad, err error) {
	load.Book = b.Number()
	load.Node, _ = s.nodeOfBook(ctx, b) // empty: unknown
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	totals, err := b.Totals(ctx)
	if err == nil {
		load.Accepted, load.Unsettled, load.Drift = totals.Accepted, totals.Unsettled(), totals.Drift()
		load.Kept, err = b.Kept(ctx)
	}
	load.Away = err != nil
	return load, err
}

// nodes reads all nodes at once.
func (s *spreading) nodes(ctx context.Context, books []BookLoad) ([]NodeLoad, error) {
	found, err := ledger.Nodes(ctx, s.rdb)
	if err != nil {
		return nil, err
	}
	nodes := make([]NodeLoad, len(found))
	var asking sync.WaitGroup
	for i, node := range found {
		nodes[i].Node, _ = s.address(node.Addr, nil)
		asking.Go(func() { nodes[i].read(ctx, node) })
	}
	asking.Wait()
	var accepted int64
	for _, b := range books {
		accepted += b.Accepted
		for i := range nodes {
			if nodes[i].Node == b.Node {
				nodes[i].Books++
				nodes[i].Accepted += b.Accepted
			}
			for _, q := range order.Queues() {
				if addr, err := s.nodeOfQueue(ctx, q, b.Book); err == nil && addr == nodes[i].Node {
					nodes[i].Queues++
				}
			}
		}
	}
	for i := range nodes {
		nodes[i].Share = part(nodes[i].Accepted, accepted)
	}
	return nodes, nil
}

func (n *NodeLoad) read(ctx context.Context, node ledger.Node) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	info := node.InfoMap(ctx)
	n.Away = info.Err() != nil
	if m := memoryOf(info); !n.Away {
		n.MemoryUsed, n.MemoryLimit, n.Operations = m.Used, m.Limit, number(info, "Stats", "instantaneous_ops_per_sec")
	}
}

func memoryOf(info *redis.InfoCmd) stats.Memory {
	return stats.Memory{Used: number(info, "Memory", "used_memory"), Limit: number(info, "Memory", "maxmemory")}
}

// excess returns the highest figure divided by the mean.
func excess(nodes []NodeLoad, figure func(NodeLoad) int64) float64 {
	var sum int64
	for _, n := range nodes {
		sum += figure(n)
	}
	busiest := slices.MaxFunc(nodes, func(a, b NodeLoad) int { return cmp.Compare(figure(a), figure(b)) })
	return part(figure(busiest)*int64(len(nodes)), sum)
}

// part is a part of a whole; 0 of nothing.
func part(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// String says by how much the busiest node exceeds the mean.
func (e Excess) String() string {
	return fmt.Sprintf("%.2f of the mean by orders, %.2f by memory, %.2f by operations", e.Accepted, e.MemoryUsed, e.Operations)
}
