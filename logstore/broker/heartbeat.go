package broker

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// What brokers tell the controller and are told by it, by meta.Node.Call.
const callHeartbeat = "broker.heartbeat"

type heartbeat struct {
	brokerEpoch
	Ready bool `json:"ready"` // its partitions are open
}

type heartbeatAnswer struct {
	Known  bool `json:"known"` // the session is the broker's
	Fenced bool `json:"fenced,omitempty"`
}

// heartbeatLoop reports to the controller at intervals, and at once when there is another one.
func (b *Broker) heartbeatLoop(ctx context.Context) {
	every := b.opts.Membership.Heartbeat
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		changed := b.node.LeaderChanged()
		b.beat(ctx)
		b.oversee()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-tick.C:
		}
	}
}

// beat is one heartbeat. A controller that cannot be reached is asked again soon enough.
func (b *Broker) beat(ctx context.Context) {
	if b.leaving.Load() {
		return
	}
	body, err := json.Marshal(heartbeat{b.self(), true})
	if err != nil {
		panic("BUG: heartbeat does not encode: " + err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, b.opts.Membership.Heartbeat)
	defer cancel()
	out, err := b.node.CallLeader(ctx, callHeartbeat, body)
	var a heartbeatAnswer
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	switch {
	case err != nil:
		b.opts.Logger.Debug("broker: heartbeat not delivered", slog.Any("err", err))
	case !a.Known && !b.leaving.Load():
		b.opts.Logger.Warn("broker: the cluster does not know this session; registering again", "node", b.opts.NodeID, "epoch", b.epoch.Load())
		b.session = uuid.NewString()
		if err := b.register(ctx); err != nil {
			b.opts.Logger.Warn("broker: not registered", slog.Any("err", err))
		}
	}
}

// sightings are when the controller last heard of each broker. They are its own and soft: a new controller gives every broker a
// whole session.
type sightings struct {
	mu   sync.Mutex
	last map[int32]time.Time
	tick time.Time // when silent was last asked
}

func (s *sightings) saw(id int32, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = map[int32]time.Time{}
	}
	s.last[id] = now
}

// reset forgets everything.
func (s *sightings) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = nil
}

// silent is whether a broker was not heard of for a session. One that was never heard of is seen now. If the controller itself
// stood still (a stopped process, a sleeping machine), nobody was silent: nobody could be heard.
func (s *sightings) silent(ids []int32, now time.Time, session time.Duration) []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || now.Sub(s.tick) > session/2 {
		s.last = map[int32]time.Time{}
	}
	s.tick = now
	var out []int32
	for _, id := range ids {
		at, ok := s.last[id]
		if !ok {
			s.last[id] = now
		} else if now.Sub(at) > session {
			out = append(out, id)
		}
	}
	return out
}

// onHeartbeat is the controller's side. A broker that is ready is let in before it is answered.
func (b *Broker) onHeartbeat(ctx context.Context, _ int32, body []byte) ([]byte, error) {
	var h heartbeat
	if err := json.Unmarshal(body, &h); err != nil {
		return nil, err
	}
	r := b.topics.broker(h.ID)
	if r == nil || r.Epoch != h.Epoch {
		return json.Marshal(heartbeatAnswer{})
	}
	b.seen.saw(h.ID, time.Now())
	if r.Fenced && h.Ready {
		if err := b.ask(ctx, topicCommand{Unfence: &h.brokerEpoch}, nil); err != nil {
			return nil, err
		}
		b.opts.Logger.Info("broker: node is in", "node", h.ID, "epoch", h.Epoch)
		r = b.topics.broker(h.ID)
	}
	return json.Marshal(heartbeatAnswer{Known: true, Fenced: r == nil || r.Fenced})
}
