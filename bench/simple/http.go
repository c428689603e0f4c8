package simple

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"
)

// PageOrders is how many orders a page of the list has at most.
const PageOrders = 50

// ErrNotFound is the error of a Store for an order that it does not have.
var ErrNotFound = errors.New("no such order")

// Store keeps orders and queues them. It is safe for concurrent use.
type Store interface {
	// Accept makes an order and its job durable, and returns the record. An order whose
	// id it has already changes nothing: created is false.
	Accept(ctx context.Context, o Order) (rec Record, created bool, err error)
	// Order returns one record, or ErrNotFound.
	Order(ctx context.Context, id string) (Record, error)
	// List returns a page of the orders of a status, newest first, after so many.
	List(ctx context.Context, status string, after int) ([]Record, error)
	// Counts returns how many orders each status has.
	Counts(ctx context.Context) (map[string]int64, error)
}

// Serve answers clients until ctx ends. Its log has the address.
func Serve(ctx context.Context, s Store) error {
	app := App()
	r := routes{s}
	app.Post("/orders", r.submit)
	app.Get("/orders", r.list)
	app.Get("/orders/:id", r.order)
	app.Get("/stats", r.stats)
	return Listen(ctx, app)
}

// App returns an application that says that it is ready.
func App() *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/readyz", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) })
	return app
}

// Listen serves the application on a free port of this machine until ctx ends.
func Listen(ctx context.Context, app *fiber.App) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	slog.Info("API is listening", "addr", l.Addr().String(), "admin_addr", l.Addr().String())
	defer context.AfterFunc(ctx, func() { _ = app.Shutdown() })()
	return app.Listener(l)
}

type routes struct{ store Store }

func (r routes) submit(c *fiber.Ctx) error {
	o, err := decode(c.Body())
	if err != nil {
		return fiber.NewError(http.StatusBadRequest, err.Error())
	}
	rec, created, err := r.store.Accept(c.UserContext(), o)
	if err != nil {
		return err
	}
	if !created {
		c.Set("Idempotency-Replayed", "true")
		return c.JSON(rec)
	}
	c.Location("/orders/" + rec.ID)
	return c.Status(http.StatusCreated).JSON(rec)
}

func (r routes) order(c *fiber.Ctx) error {
	rec, err := r.store.Order(c.UserContext(), c.Params("id"))
	if errors.Is(err, ErrNotFound) {
		return fiber.NewError(http.StatusNotFound, err.Error())
	}
	if err != nil {
		return err
	}
	return c.JSON(rec)
}

// page is an answer to a list. The cursor of the next page is how many orders came
// before it; the last page has none.
type page struct {
	Orders []Record `json:"orders"`
	Next   string   `json:"next_cursor,omitempty"`
}

func (r routes) list(c *fiber.Ctx) error {
	after := c.QueryInt("cursor")
	records, err := r.store.List(c.UserContext(), c.Query("status"), after)
	if err != nil {
		return err
	}
	p := page{Orders: records}
	if len(records) == PageOrders {
		p.Next = strconv.Itoa(after + PageOrders)
	}
	return c.JSON(p)
}

func (r routes) stats(c *fiber.Ctx) error {
	counts, err := r.store.Counts(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"by_status": counts})
}
