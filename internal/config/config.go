// Package config turns the environment into checked structs. It is the only reader of
// the environment: main passes os.Environ(), and no other package knows the name of a
// variable.
//
// A setting is one field of API, Worker, Common or Rules: its tags hold the name, the default
// and the bounds, and everything else is derived from them. The package receives
// NAME=value strings and returns structs in which every value is within its bounds, or
// an *Error that lists every problem. White space around a value is ignored, and an
// empty value counts as unset. Both programs can share one environment: the variables
// of the other one are checked too. An unknown name that begins with ORDERS_ is a
// problem. OpenTelemetry reads its variables itself; they are only checked, and only if
// they ask for traces.
//
// The package opens no connection and reads no file but that of the API keys, which a
// worker does not need. Nothing is durable after it. Its functions are safe for
// concurrent use.
package config

import (
	"log/slog"
	"time"

	"orderprocessor/internal/order"
)

// API is the configuration of the API.
type API struct {
	Common
	// HTTPAddr is the host:port that serves clients; port 0 takes any free one.
	HTTPAddr string `env:"ORDERS_HTTP_ADDR" envDefault:"127.0.0.1:8080" form:"address"`
	// AdminAddr is the host:port that serves operators and orchestrators.
	AdminAddr string `env:"ORDERS_ADMIN_ADDR" envDefault:"127.0.0.1:8081" form:"address"`
	// MonitoringWritable lets the monitoring page change queues and tasks.
	MonitoringWritable bool `env:"ORDERS_MONITORING_WRITABLE" envDefault:"false"`
	// TraceURL is where a person sees the trace of an order: an absolute http or https URL
	// with {trace_id} in it; empty for nowhere.
	TraceURL string `env:"ORDERS_TRACE_URL" form:"trace url"`
	// Keys are the API keys of the variable and of KeysFile, at most 1,000, no hash
	// twice. Without keys anybody may do anything. That is refused if HTTPAddr can be
	// reached from another machine, unless Insecure is set.
	Keys []APIKey `env:"ORDERS_API_KEYS" form:"keys" secret:"true"`
	// KeysFile is a file with one key per line, at most 1 MiB. Blank lines and those
	// that begin with # are ignored. LoadAPI and LoadAll read it once.
	KeysFile string `env:"ORDERS_API_KEYS_FILE" form:"key file" secret:"true"`
	// Insecure lets an API without keys be reached from other machines.
	Insecure bool `env:"ORDERS_INSECURE" envDefault:"false"`
	// RateLimit is how many requests, or orders of batches, each key name may send per
	// second; 0 means no limit. A million is more than one Redis can count.
	RateLimit int `env:"ORDERS_RATE_LIMIT" envDefault:"0" min:"0" max:"1000000"`
	// RateBurst is how many of them may arrive at once; 0 means RateLimit.
	RateBurst int `env:"ORDERS_RATE_BURST" envDefault:"0" min:"0" max:"1000000"`
}

// Worker is the configuration of a worker.
type Worker struct {
	Common
	// AdminAddr is the host:port that serves operators and orchestrators.
	AdminAddr string `env:"ORDERS_ADMIN_ADDR" envDefault:"127.0.0.1:8082" form:"address"`
	// Concurrency is how many orders the process handles at a time. Each may hold a
	// connection to the shop.
	Concurrency int `env:"ORDERS_WORKER_CONCURRENCY" envDefault:"64" min:"1" max:"4096"`
	// Lanes is how many Asynq servers share the slots that are not reserved, each with
	// at least one slot. The default is lower if Concurrency leaves no room for two.
	// Each lane has its own heartbeat and a dozen goroutines.
	Lanes int `env:"ORDERS_WORKER_LANES" envDefault:"2" min:"1" max:"64"`
	// ReservedCritical is how many slots serve the critical queue only, at most
	// Concurrency-1. The default is lower if it would be more than a quarter of
	// Concurrency or take a slot that Lanes needs.
	ReservedCritical int `env:"ORDERS_WORKER_RESERVED_CRITICAL" envDefault:"4" min:"0" max:"4095"`
	// Prefetch fetches and acknowledges many orders at a time. Without it, plain Asynq
	// servers do the same at more CPU time per order.
	Prefetch bool `env:"ORDERS_WORKER_PREFETCH" envDefault:"true"`
	// QueueWeights is how often each queue is asked relative to the others: 1 to 100 for
	// each of order.Queues. The default is order.QueueWeights.
	QueueWeights map[order.Queue]int `env:"ORDERS_QUEUE_WEIGHTS" form:"weights"`
	// RetryBase is the wait before the second attempt. It doubles with each attempt. The
	// default is RetryMax if that is shorter.
	RetryBase time.Duration `env:"ORDERS_RETRY_BASE" envDefault:"1s" min:"1ms" max:"1h"`
	// RetryMax is the longest wait, at least RetryBase. The default is RetryBase if that
	// is longer.
	RetryMax time.Duration `env:"ORDERS_RETRY_MAX" envDefault:"10m" min:"1ms" max:"24h"`
	// FulfilmentURL is the shop's endpoint, an absolute http or https URL. If it is
	// empty, approved orders complete without a call.
	FulfilmentURL string `env:"ORDERS_FULFILMENT_URL" form:"url"`
	// FulfilmentSecret signs the calls, in the form of Standard Webhooks: base64
	// of 24 to 64 bytes, with or without whsec_ in front. While it is replaced it is two
	// different secrets with spaces between, and both sign. Empty means unsigned.
	FulfilmentSecret Secret `env:"ORDERS_FULFILMENT_SECRET" form:"signing keys" secret:"true"`
	// FulfilmentTimeout bounds one call and is below AttemptTimeout. The default is lower
	// if AttemptTimeout is short.
	FulfilmentTimeout time.Duration `env:"ORDERS_FULFILMENT_TIMEOUT" envDefault:"10s" min:"10ms" max:"1h"`
}

// Common is what both programs must agree on.
type Common struct {
	// Redis is the address of Redis and the login.
	Redis Redis `env:"REDIS_URL" envDefault:"redis://127.0.0.1:6379/0" form:"redis" secret:"true"`
	// Retention is how long a settled order stays readable. Beyond a year an archive is
	// better than Redis.
	Retention time.Duration `env:"ORDERS_RETENTION" envDefault:"24h" min:"1s" max:"8760h"`
	// Archive is the address of the archive, as archive.Open reads it; empty means none.
	Archive Secret `env:"ORDERS_ARCHIVE_URL" form:"archive" secret:"true"`
	// ArchiveRetention is how long a settled order stays in the archive; 0 means for ever.
	// A duration cannot be longer than three centuries.
	ArchiveRetention time.Duration `env:"ORDERS_ARCHIVE_RETENTION" envDefault:"0" min:"0s" max:"876000h"`
	// Books is over how many books orders are spread. It never changes after the first
	// start.
	Books int `env:"ORDERS_BOOKS" envDefault:"1" min:"1" max:"64"`
	// IDRetention is how long after it was settled the id of an order stays known, at
	// least while the order is kept. Each costs memory of Redis.
	IDRetention time.Duration `env:"ORDERS_ID_RETENTION" envDefault:"168h" min:"0s" max:"8760h"`
	// MaxQueueLength is how many orders may wait before new ones are refused, and jobs wait, where the
	// memory of Redis has no limit (maxmemory); else that alone bounds them. Ten million
	// need about 20 GB, more than one Redis should hold.
	MaxQueueLength int `env:"ORDERS_MAX_QUEUE_LENGTH" envDefault:"100000" min:"1" max:"10000000"`
	// MaxAttempts is how many attempts an order has before it fails; 0 means that only
	// RetryFor bounds them.
	MaxAttempts int `env:"ORDERS_MAX_ATTEMPTS" envDefault:"0" min:"0" max:"100"`
	// RetryFor is how long after its first attempt an order is tried again. Beyond a month
	// somebody should have decided.
	RetryFor time.Duration `env:"ORDERS_RETRY_FOR" envDefault:"24h" min:"1s" max:"720h"`
	// AttemptTimeout bounds one attempt. A slot that hangs is lost for that long.
	AttemptTimeout time.Duration `env:"ORDERS_ATTEMPT_TIMEOUT" envDefault:"30s" min:"100ms" max:"1h"`
	// ShutdownTimeout is how long a stopping process waits for what it has begun.
	ShutdownTimeout time.Duration `env:"ORDERS_SHUTDOWN_TIMEOUT" envDefault:"35s" min:"100ms" max:"1h"`
	Terms
	Rules
	// LogLevel is the lowest level that is logged.
	LogLevel slog.Level `env:"ORDERS_LOG_LEVEL" envDefault:"info" oneOf:"debug,info,warn,error"`
	// LogFormat is the format of log lines.
	LogFormat LogFormat `env:"ORDERS_LOG_FORMAT" oneOf:"text,json"`
	// Traces reports whether the variables of OpenTelemetry ask for traces.
	Traces bool
}

// Terms are what submissions are held to; the rules of both programs go by their currency.
// They convert to order.Terms while both have the
// same fields in the same order, so a field without a setting does not compile.
type Terms struct {
	// Currency is the currency of an order that names none, and of the amounts in Rules.
	Currency order.Currency `env:"ORDERS_CURRENCY" envDefault:"USD" form:"currency"`
	// Currencies are the currencies that an order may have. The default is Currency.
	Currencies []order.Currency `env:"ORDERS_CURRENCIES" form:"currencies"`
	// AllowFree lets an order have the amount 0.
	AllowFree bool `env:"ORDERS_ALLOW_FREE" envDefault:"false"`
	// AddressRequired refuses orders without an address.
	AddressRequired bool `env:"ORDERS_ADDRESS_REQUIRED" envDefault:"true"`
}

// Rules are the limits of the shop. They convert to rules.Limits while both have the same
// fields in the same order, so a limit without a setting does not compile.
type Rules struct {
	// HighValueAbove is the amount above which an order is of high value.
	HighValueAbove order.Money `env:"ORDERS_HIGH_VALUE_ABOVE" envDefault:"1000.00" min:"0"`
	// MaxAmount is the largest amount that the rules approve.
	MaxAmount order.Money `env:"ORDERS_MAX_AMOUNT" envDefault:"10000.00" min:"0.01"`
	// MaxItems is how many items the rules approve, at most order.MaxItems.
	MaxItems int `env:"ORDERS_MAX_ITEMS" envDefault:"50" min:"1" max:"1000"`
}

// LogFormat is the format of log lines. If it is empty, the log is text on a terminal
// and JSON elsewhere.
type LogFormat string

// The log formats.
const (
	// LogText is for people.
	LogText LogFormat = "text"
	// LogJSON is for programs.
	LogJSON LogFormat = "json"
)
