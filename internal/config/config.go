// Package config turns the environment into checked structs. It is the only
// reader of the environment: main hands it os.Environ() and nothing else in
// the service knows a variable's name.
//
// It receives NAME=value strings and hands on an API or a Worker in which every
// value is within its bounds, or an *Error that lists everything that is wrong.
// White space at the ends of a value does not belong to it, whichever variable it is.
// A variable that is set to the empty string counts as unset. A variable of the
// other binary is welcome, so that both can share one environment, and its
// value is checked as well; an unknown name that begins with ORDERS_ is a
// problem. The variables of OpenTelemetry, which reads them itself, are only looked
// at, and only when they ask for traces. It owns no state, opens no connection,
// reads no file but that of the API keys, which a worker does without, and nothing
// is durable after it. Its functions are safe for concurrent use and may be called
// twice.
package config

import (
	"log/slog"
	"time"

	"orderprocessor/internal/order"
)

// API is what the HTTP side needs to know.
type API struct {
	Common
	// HTTPAddr is the host:port that serves clients; port 0 takes any free one.
	HTTPAddr string `env:"ORDERS_HTTP_ADDR" envDefault:"127.0.0.1:8080"`
	// AdminAddr is the host:port that serves operators and orchestrators.
	AdminAddr string `env:"ORDERS_ADMIN_ADDR" envDefault:"127.0.0.1:8081"`
	// MaxQueueLength is how many orders may wait before new ones are turned
	// away, 1 to 10,000,000.
	MaxQueueLength int `env:"ORDERS_MAX_QUEUE_LENGTH" envDefault:"100000"`
	// MonitoringWritable lets the monitoring page change queues and tasks.
	MonitoringWritable bool `env:"ORDERS_MONITORING_WRITABLE" envDefault:"false"`
	// Keys are the API keys that are known, at most 1,000, no hash twice: those of
	// the variable and those of KeysFile. Without any everybody may do everything,
	// which is refused where HTTPAddr can be reached from another machine, unless
	// Insecure says so.
	Keys []APIKey `env:"ORDERS_API_KEYS"`
	// KeysFile is a file with a key to a line, at most 1 MiB. Blank lines and those
	// that begin with # are passed over. It is read by LoadAPI and LoadAll, once.
	KeysFile string `env:"ORDERS_API_KEYS_FILE"`
	// Insecure lets an API without keys be reached from other machines.
	Insecure bool `env:"ORDERS_INSECURE" envDefault:"false"`
	// RateLimit is how many requests, or orders of batches, each name of a key may
	// send a second, 0 to 1,000,000. 0 means any number.
	RateLimit int `env:"ORDERS_RATE_LIMIT" envDefault:"0"`
	// RateBurst is how many of them may come at once, 0 to 1,000,000. Unset or 0 it
	// is RateLimit.
	RateBurst int `env:"ORDERS_RATE_BURST" envDefault:"0"`
}

// Worker is what a process that works orders needs to know.
type Worker struct {
	Common
	// AdminAddr is the host:port that serves operators and orchestrators.
	AdminAddr string `env:"ORDERS_ADMIN_ADDR" envDefault:"127.0.0.1:8082"`
	// Concurrency is how many orders the process works at a time, 1 to 4096.
	Concurrency int `env:"ORDERS_WORKER_CONCURRENCY" envDefault:"64"`
	// Lanes is how many Asynq servers share the slots that are not reserved, 1
	// to 64, each with at least one slot. Unset it is 2, or less where
	// Concurrency leaves no room for that.
	Lanes int `env:"ORDERS_WORKER_LANES" envDefault:"2"`
	// ReservedCritical is how many of the slots work the critical queue only, 0
	// to Concurrency-1. Unset it is 4, or less where that were more than a
	// quarter of Concurrency or took a slot that Lanes needs.
	ReservedCritical int `env:"ORDERS_WORKER_RESERVED_CRITICAL" envDefault:"4"`
	// Prefetch fetches and acknowledges many orders at a time. Without it, plain Asynq
	// servers do the same work at more CPU time per order.
	Prefetch bool `env:"ORDERS_WORKER_PREFETCH" envDefault:"true"`
	// QueueWeights says how often each queue is asked, relative to the others: 1
	// to 100 for each of order.Queues. Unset it is as order.QueueSpecs says.
	QueueWeights map[order.Queue]int `env:"ORDERS_QUEUE_WEIGHTS"`
	// RetryBase is the wait before the second attempt, 1ms to 1h. It doubles
	// from attempt to attempt. Unset it is 1s, or a shorter RetryMax.
	RetryBase time.Duration `env:"ORDERS_RETRY_BASE" envDefault:"1s"`
	// RetryMax is where the wait stops growing, RetryBase to 24h. Unset it is
	// 10m, or a longer RetryBase.
	RetryMax time.Duration `env:"ORDERS_RETRY_MAX" envDefault:"10m"`
	// FulfilmentURL is the shop's endpoint, an absolute http or https URL. Empty
	// means that approved orders complete without asking anybody.
	FulfilmentURL string `env:"ORDERS_FULFILMENT_URL"`
	// FulfilmentSecret signs the calls, in the form of Standard Webhooks: base64
	// of 24 to 64 bytes, with or without whsec_ in front. Empty means unsigned.
	FulfilmentSecret Secret `env:"ORDERS_FULFILMENT_SECRET"`
	// FulfilmentTimeout bounds one call, 10ms to below AttemptTimeout. Unset it
	// is 10s, or nine tenths of a shorter AttemptTimeout.
	FulfilmentTimeout time.Duration `env:"ORDERS_FULFILMENT_TIMEOUT" envDefault:"10s"`
}

// Common is what both binaries must agree on.
type Common struct {
	// Redis says where Redis is.
	Redis Redis `env:"REDIS_URL" envDefault:"redis://127.0.0.1:6379/0"`
	// Retention is how long a settled order stays readable, 1s to 8760h.
	Retention time.Duration `env:"ORDERS_RETENTION" envDefault:"24h"`
	// MaxAttempts is how often an order is tried before it fails, 1 to 100.
	MaxAttempts int `env:"ORDERS_MAX_ATTEMPTS" envDefault:"8"`
	// AttemptTimeout bounds one attempt: 100ms to 1h.
	AttemptTimeout time.Duration `env:"ORDERS_ATTEMPT_TIMEOUT" envDefault:"30s"`
	// ShutdownTimeout is how long a stopping process waits for what it has
	// begun, 100ms to 1h.
	ShutdownTimeout time.Duration `env:"ORDERS_SHUTDOWN_TIMEOUT" envDefault:"35s"`
	// HighValueAbove is the amount above which an order is of high value, 0 or
	// more.
	HighValueAbove order.Money `env:"ORDERS_HIGH_VALUE_ABOVE" envDefault:"1000.00"`
	// MaxAmount is the largest amount that the rules approve, above 0.
	MaxAmount order.Money `env:"ORDERS_MAX_AMOUNT" envDefault:"10000.00"`
	// MaxItems is how many items the rules approve, 1 to order.MaxItems.
	MaxItems int `env:"ORDERS_MAX_ITEMS" envDefault:"50"`
	// LogLevel is the least level that is logged: debug, info, warn or error.
	LogLevel slog.Level `env:"ORDERS_LOG_LEVEL" envDefault:"info"`
	// LogFormat is how log lines look.
	LogFormat LogFormat `env:"ORDERS_LOG_FORMAT"`
	// Traces says whether spans are made, as the variables of OpenTelemetry ask for.
	Traces bool
}

// LogFormat is how log lines look. Empty leaves it to the caller: text on a
// terminal, else JSON.
type LogFormat string

// The log formats that can be asked for.
const (
	// LogText is for people.
	LogText LogFormat = "text"
	// LogJSON is for programs.
	LogJSON LogFormat = "json"
)
