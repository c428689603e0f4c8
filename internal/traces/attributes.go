package traces

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
)

// The attributes that the semantic conventions lack. None contains personal data,
// because a collector must not hold any.
const (
	// RequestID is the id of a request, as in its answer and in the log.
	RequestID = attribute.Key("request.id")
	// OrderID is the id of an order.
	OrderID = attribute.Key("order.id")
	// OrderAttempt is the number of an attempt, from 1.
	OrderAttempt = attribute.Key("order.attempt")
	// OrderHandling is what the rules decided; absent for an order they reject.
	OrderHandling = attribute.Key("order.handling")
	// OrderStatus is the status of the order after an attempt.
	OrderStatus = attribute.Key("order.status")
)

// Hop returns the attributes of the spans at both ends of a queue. The id of the task is
// that of the order.
func Hop(operation string, q order.Queue, id string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String("asynq"), semconv.MessagingOperationNameKey.String(operation),
		semconv.MessagingDestinationName(string(q)), semconv.MessagingMessageID(id), OrderID.String(id),
	}
}

// Fail marks a span as failed with an error, in one line of bounded length. It does
// nothing if err is nil.
func Fail(span trace.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	reason := order.Reason(err)
	span.RecordError(errors.New(reason))
	span.SetStatus(codes.Error, reason)
}
