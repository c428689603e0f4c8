package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/bench/simple"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/rules"
)

// shopRules are the defaults of our own configuration.
//
//nolint:gochecknoglobals // compiled once, never changed
var shopRules = rules.Builtin(rules.Limits{HighValueAbove: order.Cents(1_000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50})

// submission is an order as clients send it.
type submission struct {
	ID        string      `json:"id"`
	Amount    json.Number `json:"amount"`
	Items     []string    `json:"items"`
	Customer  string      `json:"customer"`
	Address   string      `json:"address"`
	Priority  json.Number `json:"priority"`
	Status    string      `json:"status"`
	Notes     string      `json:"notes"`
	ProcessAt string      `json:"process_at"`
}

// accepted is the answer to an order.
type accepted struct {
	order.Order
	Status    order.Status `json:"status"`
	Queue     order.Queue  `json:"queue"`
	CreatedAt time.Time    `json:"created_at"`
}

// api accepts orders.
type api struct {
	ledger *ledger.Ledger
	tasks  *asynq.Client
}

// serve answers clients until ctx ends.
func serve(ctx context.Context, rdb *redis.Client) error {
	a := api{ledger: ledger.New(rdb), tasks: asynq.NewClientFromRedisClient(rdb)}
	app := simple.App()
	app.Post("/orders", a.submit)
	return simple.Listen(ctx, app)
}

// submit checks, records and queues one order.
func (a api) submit(c *fiber.Ctx) error {
	o, err := decode(c.Body())
	if err != nil {
		return fiber.NewError(http.StatusBadRequest, err.Error())
	}
	answers, err := a.ledger.AcceptAll(c.UserContext(), []order.Entry{{Order: o, Queue: shopRules.Queue(rules.Facts{Order: o})}})
	if err != nil {
		return err
	}
	rec := answers[0].Record
	if answers[0].Err != nil {
		return answers[0].Err
	}
	if err := a.enqueue(c.UserContext(), rec); err != nil {
		return err
	}
	c.Location("/orders/" + rec.ID)
	return c.Status(http.StatusCreated).JSON(accepted{rec.Order, rec.Status, rec.Queue, rec.CreatedAt})
}

func decode(body []byte) (order.Order, error) {
	var s submission
	if err := json.Unmarshal(body, &s); err != nil {
		return order.Order{}, err
	}
	o, err := order.New(order.Submission{
		ID: s.ID, Amount: s.Amount.String(), Items: order.SubmittedNames(s.Items...), Customer: s.Customer, Address: s.Address,
		Priority: s.Priority.String(), Status: s.Status, Notes: s.Notes, ProcessAt: s.ProcessAt,
	}, time.Now())
	if err != nil || o.ID != "" {
		return o, err
	}
	id, err := uuid.NewV7()
	o.ID = id.String()
	return o, err
}

// taskType is the type of every task.
const taskType = "order"

func (a api) enqueue(ctx context.Context, rec order.Record) error {
	payload, err := json.Marshal(queue.Payload{
		OrderID: rec.ID, Amount: rec.Amount, Items: len(rec.Items), Priority: rec.Priority, AcceptedAt: order.Timestamp{Time: rec.CreatedAt},
	})
	if err != nil {
		return fmt.Errorf("encode task of order %s: %w", rec.ID, err)
	}
	_, err = a.tasks.EnqueueContext(ctx, asynq.NewTask(taskType, payload),
		asynq.TaskID(rec.ID), asynq.Queue(string(rec.Queue)))
	return err
}
