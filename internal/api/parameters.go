package api

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
)

// requestError is parameters or fields that are not valid.
type requestError struct{ problems []order.FieldError }

func (e *requestError) Error() string {
	return e.problems[0].Field + " " + e.problems[0].Message
}

// parameters reads the query of a request, and gathers what is wrong with it.
type parameters struct {
	values   url.Values
	problems []order.FieldError
}

// parametersOf reads a query that may hold these names, each at most once.
func parametersOf(c *fiber.Ctx, names ...string) *parameters {
	p := &parameters{}
	var err error
	p.values, err = url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		p.add("query", order.CodeInvalid, "is not well encoded")
	}
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if !slices.Contains(names, name) {
			p.add(shortName(name), order.CodeUnknownField, "is not a parameter of this path")
		} else if len(p.values[name]) > 1 {
			p.add(name, order.CodeTooMany, "must not be given more than once")
		}
	}
	return p
}

// noQuery refuses a query on a path that takes none.
func noQuery(c *fiber.Ctx) error {
	if err := parametersOf(c).err(); err != nil {
		return err
	}
	return c.Next()
}

func (p *parameters) add(name string, code order.Code, format string, args ...any) {
	p.problems = append(p.problems, order.FieldError{Field: name, Code: code, Message: fmt.Sprintf(format, args...)})
}

func (p *parameters) err() error {
	if len(p.problems) == 0 {
		return nil
	}
	return &requestError{p.problems}
}

// take returns a parameter's value; ok is false when it is absent or empty, and
// an empty one is a problem.
func (p *parameters) take(name string) (value string, ok bool) {
	if !p.values.Has(name) {
		return "", false
	}
	value = p.values.Get(name)
	if value == "" {
		p.add(name, order.CodeInvalid, "must not be empty")
	}
	return value, value != ""
}

func (p *parameters) text(name string, maxChars int) string {
	value, ok := p.take(name)
	switch {
	case !ok:
		return ""
	case !utf8.ValidString(value):
		p.add(name, order.CodeInvalid, "must be valid UTF-8")
	case utf8.RuneCountInString(value) > maxChars:
		p.add(name, order.CodeTooLong, "must have at most %d characters", maxChars)
	}
	return value
}

func (p *parameters) status(name string) order.Status {
	value, ok := p.take(name)
	if ok && !slices.Contains(order.Statuses(), order.Status(value)) {
		p.add(name, order.CodeInvalid, "must be the status of an order, as in pending or completed")
	}
	return order.Status(value)
}

func (p *parameters) time(name string) time.Time {
	value, ok := p.take(name)
	if !ok {
		return time.Time{}
	}
	t, err := parseTime(value)
	if err != nil {
		p.add(name, order.CodeInvalid, "%v", err)
	}
	return t
}

func (p *parameters) integer(name string, least, most, otherwise int) int {
	value, ok := p.take(name)
	if !ok {
		return otherwise
	}
	n, err := wholeNumber(value, least, most)
	if err != nil {
		p.add(name, order.CodeOutOfRange, "%v", err)
	}
	return n
}

// wholeNumber reads a number within bounds. It takes no sign.
func wholeNumber(text string, least, most int) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || int(n) < least || int(n) > most {
		return 0, fmt.Errorf("must be a whole number from %d to %d", least, most)
	}
	return int(n), nil
}

// parseTime reads a time of the years that orders can be of.
func parseTime(text string) (time.Time, error) {
	t, err := order.ParseTime(text)
	if err == nil && t.Unix() < 0 {
		err = errors.New("must be after 1970")
	}
	return t, err
}

// pathValue returns a segment of the path, percent-decoded. The path is split at its
// own slashes before: an encoded one is part of a value.
func pathValue(c *fiber.Ctx, name string) (value string, ok bool) {
	value, err := url.PathUnescape(c.Params(name))
	return strings.Clone(value), err == nil
}
