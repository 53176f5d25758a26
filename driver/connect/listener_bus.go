package connect

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

// listenerBus carries the events of a session's streaming queries to the client's listeners. It lives as long as one
// ExecutePlan, which ends only when another one removes the bus.
type listenerBus struct {
	events  chan *pb.StreamingQueryListenerEvent
	removed chan struct{}
	once    sync.Once

	mu       sync.Mutex
	followed map[string]bool // run ids
	ctx      context.Context
}

// busPoll is how often a query is looked at for new batches; events need not be faster, and queries pay nothing for it.
const busPoll = 200 * time.Millisecond

func (s *session) listeners() *listenerBus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bus
}

func (e *execution) busCommand(ctx context.Context, c *pb.StreamingQueryListenerBusCommand) error {
	switch c.GetCommand().(type) {
	case *pb.StreamingQueryListenerBusCommand_AddListenerBusListener:
		return e.runBus(ctx)
	case *pb.StreamingQueryListenerBusCommand_RemoveListenerBusListener:
		if bus := e.session.listeners(); bus != nil {
			bus.remove()
		}
		return nil
	}
	return notSet("spark.connect.StreamingQueryListenerBusCommand", "COMMAND_NOT_SET")
}

// runBus registers the bus and passes events on until it is removed.
func (e *execution) runBus(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bus := &listenerBus{events: make(chan *pb.StreamingQueryListenerEvent), removed: make(chan struct{}), followed: map[string]bool{}, ctx: ctx}
	if !e.session.setBus(bus) {
		return usererr.New("LISTENER_BUS_EXISTS", "42710", "The session has a streaming query listener bus already.")
	}
	defer e.session.setBus(nil)
	added := &pb.StreamingQueryListenerEventsResult{ListenerBusListenerAdded: ptr(true)}
	if err := e.emitEvents(ctx, added); err != nil {
		return err
	}
	queries, err := e.active(ctx)
	if err != nil {
		return err
	}
	for _, h := range queries {
		bus.follow(h)
	}
	for {
		select {
		case ev := <-bus.events:
			if err := e.emitEvents(ctx, &pb.StreamingQueryListenerEventsResult{Events: []*pb.StreamingQueryListenerEvent{ev}}); err != nil {
				return err
			}
		case <-bus.removed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (e *execution) emitEvents(ctx context.Context, r *pb.StreamingQueryListenerEventsResult) error {
	return e.op.emit(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_StreamingQueryListenerEventsResult{StreamingQueryListenerEventsResult: r}})
}

// setBus registers the session's one bus; nil removes it.
func (s *session) setBus(b *listenerBus) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b != nil && s.bus != nil {
		return false
	}
	s.bus = b
	return true
}

func (b *listenerBus) remove() { b.once.Do(func() { close(b.removed) }) }

// follow sends the events of a query from now until it ends.
func (b *listenerBus) follow(h structured.QueryHandle) {
	b.mu.Lock()
	known := b.followed[h.RunID()]
	b.followed[h.RunID()] = true
	b.mu.Unlock()
	if !known {
		go b.watch(h)
	}
}

func (b *listenerBus) watch(h structured.QueryHandle) {
	ended := make(chan error, 1)
	go func() { ended <- h.Await(b.ctx) }()
	tick := time.NewTicker(busPoll)
	defer tick.Stop()
	last := int64(-1)
	for {
		select {
		case <-tick.C:
			if last = b.progress(h, last); last == stopWatching {
				return
			}
		case err := <-ended:
			if b.ctx.Err() != nil && errors.Is(err, b.ctx.Err()) {
				return
			}
			b.progress(h, last)
			b.send(terminatedJSON(h, err), pb.StreamingQueryEventType_QUERY_TERMINATED_EVENT)
			return
		case <-b.ctx.Done():
			return
		}
	}
}

// stopWatching is no batch's number.
const stopWatching = -2

// progress sends the batches after the last one sent and returns the number of the newest.
func (b *listenerBus) progress(h structured.QueryHandle, last int64) int64 {
	list, err := h.Recent(b.ctx)
	if err != nil {
		return stopWatching
	}
	for _, p := range list {
		if p.BatchID <= last {
			continue
		}
		last = p.BatchID
		text, err := json.Marshal(struct {
			Progress structured.QueryProgress `json:"progress"`
		}{p})
		if err != nil {
			return stopWatching
		}
		b.send(string(text), pb.StreamingQueryEventType_QUERY_PROGRESS_EVENT)
	}
	return last
}

func (b *listenerBus) send(text string, t pb.StreamingQueryEventType) {
	select {
	case b.events <- &pb.StreamingQueryListenerEvent{EventJson: text, EventType: t}:
	case <-b.ctx.Done():
	case <-b.removed:
	}
}

const eventTime = "2006-01-02T15:04:05.000Z"

func startedJSON(h structured.QueryHandle, now time.Time) string {
	text, _ := json.Marshal(ordered{{"id", h.ID()}, {"runId", h.RunID()}, {"name", nameOrNull(h.Name())},
		{"timestamp", now.UTC().Format(eventTime)}, {"jobTags", []string{}}})
	return string(text)
}

func terminatedJSON(h structured.QueryHandle, err error) string {
	var exception, class any
	if err != nil {
		u := asUserError(err)
		exception, class = sparkText(u), u.Code
	}
	text, _ := json.Marshal(ordered{{"id", h.ID()}, {"runId", h.RunID()}, {"exception", exception}, {"errorClassOnException", class}})
	return string(text)
}

func nameOrNull(name string) any {
	if name == "" {
		return nil
	}
	return name
}
