package traces

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
)

// The attributes of our own, beside those of the semantic conventions. None says
// who ordered what: a collector is no place for that.
const (
	// RequestID is the id of a request, as in its answer and in the log.
	RequestID = attribute.Key("request.id")
	// OrderID is the id of an order.
	OrderID = attribute.Key("order.id")
	// OrderAttempt is the number of an attempt, from 1.
	OrderAttempt = attribute.Key("order.attempt")
	// OrderHandling is what the rules decided; absent for an order they reject.
	OrderHandling = attribute.Key("order.handling")
	// OrderStatus is the status that an attempt has left the order in.
	OrderStatus = attribute.Key("order.status")
)

// Hop is what the spans at both ends of a queue say of an order there. The task is
// named after the order.
func Hop(operation string, q order.Queue, id string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String("asynq"), semconv.MessagingOperationNameKey.String(operation),
		semconv.MessagingDestinationName(string(q)), semconv.MessagingMessageID(id), OrderID.String(id),
	}
}

// Fail marks a span as failed with an error, in one line of bounded length. Without
// an error it does nothing.
func Fail(span trace.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	reason := order.Reason(err)
	span.RecordError(errors.New(reason))
	span.SetStatus(codes.Error, reason)
}
