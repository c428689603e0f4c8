package client

import (
	"encoding/json"
	"time"

	"orderprocessor/internal/order"
)

// Raw is an answer as the API wrote it.
type Raw struct { //nolint:recvcheck // an answer is shown by value and filled by pointer
	JSON json.RawMessage `json:"-"`
}

// Text returns the answer as the API wrote it.
func (r Raw) Text() json.RawMessage { return r.JSON }

func (r *Raw) keep(text json.RawMessage) { r.JSON = text }

// answer is a type of answer that can be recognised.
type answer interface {
	keep(json.RawMessage)
	recognised() bool
}

// decode reads an answer, unless there is an error.
func decode[T any, P interface {
	*T
	answer
}](text json.RawMessage, err error) (v T, _ error) {
	if err != nil {
		return v, err
	}
	if json.Unmarshal(text, &v) != nil || !P(&v).recognised() {
		return *new(T), ErrNotAPI
	}
	P(&v).keep(text)
	return v, nil
}

// Order is an order as the API shows it. Times that have not come are zero.
type Order struct {
	Raw
	ID string `json:"id"`
	order.Content
	Status           order.Status   `json:"status"`
	Queue            order.Queue    `json:"queue"`
	Handling         order.Handling `json:"handling"`
	CreatedAt        time.Time      `json:"created_at"`
	NextAttemptAt    time.Time      `json:"next_attempt_at"`
	ProcessedAt      time.Time      `json:"processed_at"`
	ProcessingTimeMS *int64         `json:"processing_time_ms"`
	WorkerID         string         `json:"worker_id"`
	Result           string         `json:"result"`
	Error            string         `json:"error"`
	CancelReason     string         `json:"cancel_reason"`
	Hold             *Hold          `json:"hold"` // nil unless the order is held
	Tags             []string       `json:"tags"`
	Attempts         []Attempt      `json:"attempts"`
	Archived         bool           `json:"archived"` // found in the archive
}

func (o *Order) recognised() bool { return o.ID != "" }

// Hold is why an order is held, and until when.
type Hold struct {
	// Rule is empty if no rule wanted it: one could not be evaluated.
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
	// ExpiresAt is zero for a hold that only a person ends; OnExpiry is then empty.
	ExpiresAt time.Time    `json:"expires_at"`
	OnExpiry  order.Expiry `json:"on_expiry"`
}

// Attempt is one attempt at an order.
type Attempt struct {
	Number    int       `json:"number"`
	WorkerID  string    `json:"worker_id"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	Error     string    `json:"error"`
	Note      string    `json:"note"`
}

// Event is one change of an order's status.
type Event struct {
	Raw
	ID       string       `json:"id"`
	OrderID  string       `json:"order_id"`
	Sequence int          `json:"sequence"`
	Status   order.Status `json:"status"`
	Time     time.Time    `json:"time"`
	Attempt  int          `json:"attempt"`
	WorkerID string       `json:"worker_id"`
	Reason   string       `json:"reason"`
	Actor    string       `json:"actor"` // who cancelled, retried, released or rejected the order
	// Position is the id to continue from after an event of a subscription. It is the
	// event's own id unless the API spreads its orders over several books.
	Position string `json:"-"`
}

func (e *Event) recognised() bool { return e.OrderID != "" }

// Stats are the statistics.
type Stats struct {
	Raw
	// ActiveWorkers and Workers count worker slots and processes; nil if the API
	// does not know.
	ActiveWorkers       *int                   `json:"active_workers"`
	Workers             *int                   `json:"workers"`
	UptimeSeconds       int64                  `json:"uptime_seconds"`
	ThroughputPerSecond float64                `json:"throughput_per_second"`
	CompletedPerSecond  float64                `json:"completed_per_second"`
	FailedPerSecond     float64                `json:"failed_per_second"`
	Fulfilment          Fulfilment             `json:"fulfilment"`
	ByStatus            map[order.Status]int64 `json:"by_status"`
	Queues              map[order.Queue]Queue  `json:"queues"`
	LatencyMS           Latency                `json:"latency_ms"`
	Redis               Memory                 `json:"redis"`
	Ledger              struct {
		Accepted int64                  `json:"accepted"`
		Repairs  map[order.Repair]int64 `json:"repairs"`
		Drift    int64                  `json:"drift"`
		Books    []Book                 `json:"books"` // empty where there is one
	} `json:"ledger"`
}

func (s *Stats) recognised() bool { return s.ByStatus != nil }

// Settled returns how many orders ever had an outcome.
func (s *Stats) Settled() (n int64) {
	for status, orders := range s.ByStatus {
		if status.Settled() {
			n += orders
		}
	}
	return n
}

// Book is one of several books.
type Book struct {
	Book      int   `json:"book"`
	Accepted  int64 `json:"accepted"`
	Unsettled int64 `json:"unsettled"`
	Drift     int64 `json:"drift"`
	// Away means that it does not answer: the numbers are the last that are known.
	Away bool `json:"away"`
}

// BooksAway counts the books that do not answer.
func (s *Stats) BooksAway() (n int) {
	for _, b := range s.Ledger.Books {
		if b.Away {
			n++
		}
	}
	return n
}

// Verdict is what is wrong, since when, and what to do.
type Verdict struct {
	Level  string    `json:"level"`
	What   string    `json:"what"`
	Since  time.Time `json:"since"`
	Advice string    `json:"advice"`
	Also   []string  `json:"also"`
}

// Fulfilment is how the shop answered in the last minute.
type Fulfilment struct {
	State          order.BreakerState `json:"state"`
	Since          time.Time          `json:"since"`
	CallsPerSecond float64            `json:"calls_per_second"`
	SuccessRatio   float64            `json:"success_ratio"`
	LastError      string             `json:"last_error"`
}

// Memory is the memory of Redis, in bytes; a limit of 0 is none.
type Memory struct {
	Used  int64 `json:"memory_used_bytes"`
	Limit int64 `json:"memory_limit_bytes"`
}

// Latency is the quantiles of the last five minutes, in milliseconds.
type Latency struct {
	QueueWait  Quantiles `json:"queue_wait"`
	Processing Quantiles `json:"processing"`
	EndToEnd   Quantiles `json:"end_to_end"`
}

// Quantiles are in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// Queues are all queues.
type Queues struct {
	Raw
	Queues []Queue `json:"queues"`
}

func (q *Queues) recognised() bool { return q.Queues != nil }

// Queue is the state of one queue.
type Queue struct {
	Raw
	Name                 string  `json:"name"` // empty in the statistics
	Pending              int64   `json:"pending"`
	Active               int64   `json:"active"`
	Scheduled            int64   `json:"scheduled"`
	Retry                int64   `json:"retry"`
	Archived             int64   `json:"archived"`
	Paused               bool    `json:"paused"`
	OldestPendingSeconds float64 `json:"oldest_pending_seconds"`
}

func (q *Queue) recognised() bool { return q.Name != "" }

// Workers are the worker processes, sorted by id.
type Workers struct {
	Raw
	Workers []Worker `json:"workers"`
}

func (w *Workers) recognised() bool { return w.Workers != nil }

// Worker is a worker process.
type Worker struct {
	ID                  string        `json:"id"`
	Host                string        `json:"host"`
	Version             string        `json:"version"`
	StartedAt           time.Time     `json:"started_at"`
	HeartbeatAgeSeconds int           `json:"heartbeat_age_seconds"`
	Slots               int           `json:"slots"`
	Busy                int           `json:"busy"`
	Orders              []WorkedOrder `json:"orders"`
}

// WorkedOrder is an order that a worker works.
type WorkedOrder struct {
	ID             string  `json:"id"`
	Attempt        int     `json:"attempt"`
	RunningSeconds float64 `json:"running_seconds"`
}

// CorruptTasks are the tasks of one queue that could not be decoded, newest first.
type CorruptTasks struct {
	Raw
	Queue string `json:"queue"`
	Tasks []struct {
		OrderID string    `json:"order_id"`
		FoundAt time.Time `json:"found_at"`
		Message []byte    `json:"message"`
	} `json:"tasks"`
}

func (t *CorruptTasks) recognised() bool { return t.Tasks != nil }

// RetryRequest selects the orders to retry.
type RetryRequest struct {
	// Status is failed or rejected.
	Status order.Status `json:"status"`
	// ErrorContains is a part of the orders' error; empty for any error.
	ErrorContains string `json:"error_contains,omitempty"`
	// OlderThan is an age, or a time in RFC 3339; empty for any age.
	OlderThan string `json:"older_than,omitempty"`
	// Limit bounds the orders of one request.
	Limit int `json:"limit"`
	// DryRun counts the orders and changes nothing.
	DryRun bool `json:"dry_run"`
	// Cursor continues after an earlier request; empty for the first.
	Cursor string `json:"cursor,omitempty"`
}

// RetryReport is what RetryMany did.
type RetryReport struct {
	Raw
	Count      *int   `json:"count"`
	Retried    int    `json:"retried"`
	NextCursor string `json:"next_cursor"`
}

func (r *RetryReport) recognised() bool { return r.Count != nil }
