package queue

import (
	"fmt"

	"orderprocessor/internal/order"
)

// names are the names by which Asynq knows the queues. With one book they are those of the
// queues. With more, each book has its own: "critical-07" is in another Redis Cluster slot
// than "critical-08".
type names struct {
	books int
	each  map[order.Queue][]string // of a queue, by book
	all   []string                 // of all queues, those of one queue together
	queue map[string]order.Queue   // by name
}

// newNames returns the names for a number of books; 0 is 1.
func newNames(books int) names {
	n := names{books: max(books, 1), each: map[order.Queue][]string{}, queue: map[string]order.Queue{}}
	for _, q := range order.Queues() {
		for book := range n.books {
			name := string(q)
			if n.books > 1 {
				name = fmt.Sprintf("%s-%02d", q, book)
			}
			n.each[q], n.all, n.queue[name] = append(n.each[q], name), append(n.all, name), q
		}
	}
	return n
}

// of is the name of a queue in the book of an order. A queue that does not exist has its
// own.
func (n names) of(q order.Queue, id string) string {
	each := n.each[q]
	switch len(each) {
	case 0:
		return string(q)
	case 1:
		return each[0]
	default:
		return each[order.BookOf(id, n.books)]
	}
}

// inBook is the names of all queues in one book.
func (n names) inBook(book int) (queues []string) {
	for _, q := range order.Queues() {
		queues = append(queues, n.each[q][book])
	}
	return queues
}
