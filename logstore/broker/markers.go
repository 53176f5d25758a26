package broker

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/meta"
)

// Ending a transaction across nodes: the decision is an entry of the metadata log. Its coordinator then asks the leader of each
// partition for a marker and names an index of the log at which the decision is known. The leader waits until it knows it too:
// from then on no batch of the transaction passes its gate, and the marker comes behind all that did.
//
//	coordinator ── decide ──▶ metadata log
//	     └── markers(index) ──▶ leader: wait for index, pass the gate, append the marker, wait until it is committed
const callMarkers = "broker.markers"

type markerRequest struct {
	Index      uint64     `json:"index"`
	ProducerID int64      `json:"pid"`
	Epoch      int16      `json:"epoch"`
	Commit     bool       `json:"commit,omitempty"`
	Places     []TxnPlace `json:"places"`
}

// markerAnswer is about one place: where its marker is, that the place is gone, or that it must be tried again.
type markerAnswer struct {
	TopicID uuid.UUID `json:"topicId"`
	End     int64     `json:"end"`
	Gone    bool      `json:"gone,omitempty"`
	Retry   string    `json:"retry,omitempty"`
}

// handlers answer other nodes, which may ask as soon as the metadata log is open: they wait for the rest.
func (b *Broker) handlers() map[string]meta.Handler {
	return map[string]meta.Handler{callHeartbeat: b.onceOpen(b.onHeartbeat), callMarkers: b.onceOpen(b.onMarkers)}
}

func (b *Broker) onceOpen(h meta.Handler) meta.Handler {
	return func(ctx context.Context, from int32, body []byte) ([]byte, error) {
		select {
		case <-b.opened:
			return h(ctx, from, body)
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.ctx.Done():
			return nil, meta.ErrClosed
		}
	}
}

func (b *Broker) onMarkers(ctx context.Context, _ int32, body []byte) ([]byte, error) {
	var r markerRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	if err := b.node.WaitApplied(ctx, r.Index); err != nil {
		return nil, err
	}
	return json.Marshal(b.writeMarkers(ctx, r))
}

// writeMarkers appends markers to partitions that this node leads, and returns when they are committed.
func (b *Broker) writeMarkers(ctx context.Context, r markerRequest) []markerAnswer {
	b.passGate()
	out := make([]markerAnswer, len(r.Places))
	pending := make([]*logstore.Pending, len(r.Places))
	for i, pl := range r.Places {
		t, err := b.Topic(pl.Topic)
		if err != nil || pl.Partition >= t.Partitions {
			out[i].Gone = true
			continue
		}
		out[i].TopicID = t.ID
		part, err := b.LeaderPartition(pl.Topic, pl.Partition)
		if err != nil {
			out[i].Retry = err.Error()
			continue
		}
		pending[i] = part.WriteMarker(r.ProducerID, r.Epoch, r.Commit)
		out[i].End = part.Offsets().End
	}
	for i, p := range pending {
		if p == nil {
			continue
		}
		// A newer epoch is in the partition already: nothing of this transaction is open there.
		if _, err := p.Wait(ctx); err != nil && !errors.Is(err, logstore.ErrInvalidProducerEpoch) {
			out[i].Retry = err.Error()
		}
	}
	return out
}

// WriteMarkers is for operators: it ends what a producer has open in partitions that this node leads, whatever its coordinator
// says. The errors are one for each place, in order.
func (b *Broker) WriteMarkers(ctx context.Context, pid int64, epoch int16, commit bool, places []TxnPlace) []error {
	out := make([]error, len(places))
	pending := make([]*logstore.Pending, len(places))
	for i, pl := range places {
		part, err := b.LeaderPartition(pl.Topic, pl.Partition)
		if err != nil {
			out[i] = err
			continue
		}
		pending[i] = part.WriteMarker(pid, epoch, commit)
	}
	for i, p := range pending {
		if p != nil {
			_, out[i] = p.Wait(ctx)
		}
	}
	return out
}

// ending is a transaction whose markers are being written.
type ending struct {
	done chan struct{}
	txn  *Txn
	err  error
}

// endings are those of this node, by transactional id.
type endings struct {
	mu  sync.Mutex
	now map[string]*ending
}

// markerPatience is how long a client waits for markers. The decision stands without them.
const markerPatience = 5 * time.Second

// finishAcross has the markers written and waits a while for it.
func (b *Broker) finishAcross(ctx context.Context, t *Txn) (*Txn, error) {
	e := b.beginEnding(t)
	patience := time.NewTimer(markerPatience)
	defer patience.Stop()
	select {
	case <-e.done:
		return e.txn, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C:
		if t.Bumped { // the answer would be the next transaction's producer id and epoch
			return nil, ErrTxnConcurrent
		}
		return t, nil
	}
}

// beginEnding starts to write a decided transaction's markers, if that is not under way.
func (b *Broker) beginEnding(t *Txn) *ending {
	b.endings.mu.Lock()
	defer b.endings.mu.Unlock()
	if e := b.endings.now[t.ID]; e != nil {
		return e
	}
	e := &ending{done: make(chan struct{})}
	if b.endings.now == nil {
		b.endings.now = map[string]*ending{}
	}
	b.endings.now[t.ID] = e
	index := b.node.AppliedIndex() // the decision is at or below it
	began := b.loop(func(ctx context.Context) {
		e.txn, e.err = b.end(ctx, t, index)
		b.endings.mu.Lock()
		delete(b.endings.now, t.ID)
		b.endings.mu.Unlock()
		close(e.done)
		if e.err != nil && ctx.Err() == nil {
			b.opts.Logger.Warn("broker: transaction not completed here", "id", t.ID, slog.Any("err", e.err))
		}
	})
	if !began {
		delete(b.endings.now, t.ID)
		e.err = context.Canceled
		close(e.done)
	}
	return e
}

// end writes all markers, however often leaders change, and then completes the transaction. Another coordinator ends it.
func (b *Broker) end(ctx context.Context, t *Txn, index uint64) (*Txn, error) {
	var markers []TxnMarker
	left := t.Partitions
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		done, again := b.sendMarkers(ctx, t, index, left)
		markers, left = append(markers, done...), again
		if len(left) == 0 {
			return b.applyTxn(ctx, txnCommand{Op: txnComplete, ID: t.ID, ProducerID: t.ProducerID, Epoch: t.Epoch, Markers: markers})
		}
		if _, err := b.Coordinates(TxnCoordinator, t.ID); err != nil {
			return nil, err
		}
		if !sleep(ctx, pause) {
			return nil, ctx.Err()
		}
	}
}

// sendMarkers asks each leader once, all at the same time.
func (b *Broker) sendMarkers(ctx context.Context, t *Txn, index uint64, places []TxnPlace) (done []TxnMarker, again []TxnPlace) {
	ctx, cancel := context.WithTimeout(ctx, b.opts.Membership.Session)
	defer cancel()
	byLeader := map[int32][]TxnPlace{}
	for _, pl := range places {
		s, err := b.PartitionState(pl.Topic, pl.Partition)
		switch {
		case err != nil: // deleted
		case s.Leader == noLeader:
			again = append(again, pl)
		default:
			byLeader[s.Leader] = append(byLeader[s.Leader], pl)
		}
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for leader, list := range byLeader {
		all.Go(func() {
			answers := b.askMarkers(ctx, leader, markerRequest{index, t.ProducerID, t.Epoch, t.State == TxnPrepareCommit, list})
			mu.Lock()
			defer mu.Unlock()
			for i, pl := range list {
				switch {
				case i >= len(answers) || answers[i].Retry != "":
					again = append(again, pl)
				case !answers[i].Gone:
					done = append(done, TxnMarker{TxnPlace: pl, TopicID: answers[i].TopicID, End: answers[i].End})
				}
			}
		})
	}
	all.Wait()
	return done, again
}

// askMarkers is one leader's answers; none when it cannot be asked.
func (b *Broker) askMarkers(ctx context.Context, leader int32, r markerRequest) []markerAnswer {
	if leader == b.opts.NodeID {
		return b.writeMarkers(ctx, r)
	}
	body, err := json.Marshal(r)
	if err != nil {
		panic("BUG: marker request does not encode: " + err.Error())
	}
	out, err := b.node.Call(ctx, leader, callMarkers, body)
	var answers []markerAnswer
	if err == nil {
		err = json.Unmarshal(out, &answers)
	}
	if err != nil {
		b.opts.Logger.Debug("broker: markers not sent", "leader", leader, slog.Any("err", err))
		return nil
	}
	return answers
}
