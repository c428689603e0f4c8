package api

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// auditEntryView is the JSON of an entry of the audit.
type auditEntryView struct {
	ID        string            `json:"id"`
	At        order.Timestamp   `json:"at"`
	Actor     string            `json:"actor"`
	Action    order.AuditAction `json:"action"`
	Target    string            `json:"target"`
	Reason    string            `json:"reason,omitempty"`
	RequestID string            `json:"request_id,omitempty"`
}

// auditView is the JSON of a page of the audit.
type auditView struct {
	Entries    []auditEntryView `json:"entries"`
	NextCursor string           `json:"next_cursor,omitempty"`
}

// listAudit answers GET /audit.
func (s *Server) listAudit(c *fiber.Ctx) error {
	q := queryOf(c, "actor", "action", "target", "limit", "cursor")
	filter := order.AuditFilter{
		Actor: q.text("actor", maxKeyChars), Action: q.auditAction("action"), Target: q.text("target", maxTargetChars),
	}
	limit := q.limit(maxAudited, defaultAudited)
	list := []string{"audit", filter.Actor, string(filter.Action), filter.Target}
	var after order.Position
	if cursor, ok := q.value("cursor"); ok {
		if after, ok = parseCursor(cursor, list...); !ok {
			q.add("cursor", order.CodeInvalid, errCursor)
		}
	}
	if err := q.err(); err != nil {
		return err
	}
	entries, next, err := s.Audit.AuditEntries(c.UserContext(), filter, after.ID, limit)
	if err != nil {
		return err
	}
	v := auditView{Entries: make([]auditEntryView, len(entries))}
	for i, e := range entries {
		v.Entries[i] = auditEntryView{e.ID, order.Timestamp{Time: e.At}, e.Actor, e.Action, e.Target, e.Reason, e.RequestID}
	}
	if next != "" {
		v.NextCursor = cursorOf(order.Position{ID: next}, list...)
		c.Set(fiber.HeaderLink, linkNext("/audit", q.values, v.NextCursor))
	}
	return c.JSON(v)
}

func (q *query) auditAction(name string) order.AuditAction {
	value, ok := q.value(name)
	if ok && !slices.Contains(order.AuditActions(), order.AuditAction(value)) {
		q.add(name, order.CodeInvalid, "must be an action of the audit, as in order.retry or queue.pause")
	}
	return order.AuditAction(value)
}

// audit writes down what the caller is about to do. It must not be done if audit returns
// an error.
func (s *Server) audit(c *fiber.Ctx, action order.AuditAction, target string) error {
	e := order.AuditEntry{Actor: actorOf(c), Action: action, Target: target, RequestID: httpserver.RequestID(c)}
	return s.Audit.Audit(c.UserContext(), e, rand.Text())
}

// auditMonitoring writes down what a caller is about to change by Asynqmon.
func (s *Server) auditMonitoring(c *fiber.Ctx) error {
	writes := []string{fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete}
	if !s.cfg.MonitoringWritable || !slices.Contains(writes, c.Method()) {
		return c.Next()
	}
	unbounded := c.UserContext()
	ctx, cancel := context.WithTimeout(unbounded, s.requestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	if err := s.audit(c, order.AuditMonitoring, c.Method()+" "+httpserver.PrintablePath(c)); err != nil {
		return err
	}
	c.SetUserContext(unbounded)
	return c.Next()
}
