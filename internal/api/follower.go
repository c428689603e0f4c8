package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"time"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

// follower writes a stream of events to one client.
type follower struct {
	stream *live.Stream
	conn   net.Conn
	api    *Server
}

// boundUnsent bounds what the kernel keeps for a client, and for how long.
func boundUnsent(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = tcp.SetWriteBuffer(followerBuffer) // a smaller bound, or the system's own
	}
	endUnacknowledged(conn, 2*heartbeatInterval)
}

// run writes until the client is gone, or does not take what is written in time.
func (f follower) run(w *bufio.Writer) {
	defer f.stream.Close()
	var err error
	defer func() {
		if err != nil {
			f.api.cfg.Log.Error("events could not be sent", "error", err)
		}
	}()
	defer caught(&err)
	ctx, stop := f.present()
	defer stop()
	_, _ = fmt.Fprintf(w, "retry: %d\n%s", reconnectAfter.Milliseconds(), placeText(f.stream.Place()))
	for f.flush(w) && f.send(ctx, w) {
	}
}

// present returns a context that ends when the client goes or the API stops. A client
// that follows has nothing more to say, so that reading tells at once that it has gone:
// writing tells it two heartbeats later, and its place is taken until then. One that
// goes on sending is taken for no follower. The reading ends with the connection, which
// is closed after the answer.
func (f follower) present() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(f.api.serving)
	_ = f.conn.SetReadDeadline(time.Time{}) // instead of that of the request
	go func() {
		defer cancel()
		_, _ = io.CopyN(io.Discard, f.conn, maxFollowerSays)
	}()
	return ctx, cancel
}

// send writes what comes next, or a heartbeat, and says whether there may be more.
func (f follower) send(ctx context.Context, w *bufio.Writer) bool {
	waiting, cancel := context.WithTimeout(ctx, heartbeatInterval)
	defer cancel()
	b, err := f.stream.Next(waiting)
	if err != nil || ctx.Err() != nil {
		return false
	}
	if b.Gap {
		_, _ = fmt.Fprintf(w, "event: gap\ndata: {\"after\":%q}\n\n", b.After)
	}
	for _, change := range b.Changes {
		_, _ = w.Write(change.Text(changeText))
		if w.Buffered() > w.Size()/2 && !f.flush(w) {
			return false
		}
	}
	if len(b.Changes) == 0 {
		_, _ = w.WriteString(placeText(b.Place))
	}
	return true
}

// flush gives the client some time to take what is written.
func (f follower) flush(w *bufio.Writer) bool {
	return f.conn.SetWriteDeadline(time.Now().Add(f.api.app.Server().WriteTimeout)) == nil && w.Flush() == nil
}

// placeText names the place that a client goes on after, without an event. It is a
// sign of life as well.
func placeText(place order.EventID) string { return ": alive\nid: " + place.String() + "\n\n" }

func changeText(e order.Event) []byte {
	data, _ := json.Marshal(changeView{e.ID, e.OrderID, viewEvent(e)}) //nolint:errchkjson // texts and numbers always encode
	return fmt.Appendf(nil, "id: %s\nevent: order\ndata: %s\n\n", e.ID, data)
}
