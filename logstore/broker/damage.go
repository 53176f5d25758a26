package broker

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
)

// A replica that finds its disk damaged neither leads nor shortens its log. It says so to the controller, which takes it out of
// the in-sync and eligible replicas under a new leader epoch: from then on nothing that it said before counts. Only then does it
// drop its records and fetch them from the leader again.
//
//	found ──▶ damagedReplicas ──▶ record without it, new leader epoch ──▶ Reset ──▶ follow from the log start ──▶ in sync
//
// Of a partition that nobody else has all records of, nothing is dropped: it stays offline for people to decide.

// damagedReplicas is what a broker says of its own replicas.
type damagedReplicas struct {
	Broker brokerEpoch `json:"broker"`
	Places []TxnPlace  `json:"places"`
}

// damagedResult is where a partition stands after that.
type damagedResult struct {
	placeResult
	LeaderEpoch int32 `json:"leaderEpoch"`
}

func (m *topicsMachine) damaged(c damagedReplicas) ([]damagedResult, error) {
	if _, err := m.session(c.Broker); err != nil {
		return nil, err
	}
	out := make([]damagedResult, len(c.Places))
	for i, pl := range c.Places {
		epoch, err := m.damagedOne(c.Broker.ID, pl)
		out[i] = damagedResult{resultOf(err), epoch}
	}
	return out, nil
}

func (m *topicsMachine) damagedOne(b int32, pl TxnPlace) (int32, error) {
	t := m.topics[pl.Topic]
	if t == nil || pl.Partition < 0 || pl.Partition >= t.Partitions {
		return 0, usererr.New(CodeUnknownPart, "22023", "there is no partition %d of topic %q", pl.Partition, pl.Topic)
	}
	old, c := m.record(t, pl.Partition), m.rules(t)
	others := without(old.Replicas, []int32{b})
	if !slices.Contains(old.Replicas, b) || !old.survives(others) {
		return 0, usererr.New(CodeNoCandidate, "55000", "partition %d of topic %q: no other replica has all records", pl.Partition, pl.Topic)
	}
	alive := c.alive
	c.alive = func(x int32) bool { return x != b && alive(x) }
	n := m.noteUnclean(old, c.fence(old, b, true))
	n.PartitionEpoch, n.LeaderEpoch = old.PartitionEpoch+1, max(n.LeaderEpoch, old.LeaderEpoch+1)
	m.set(t, pl.Partition, n)
	return n.LeaderEpoch, nil
}

// damages are the damaged replicas of this node.
type damages struct {
	mu   sync.Mutex
	told map[*logstore.Partition]int32 // the controller knows since this leader epoch; refused: it cannot help
	list map[*logstore.Partition]bool  // to be told
	kick chan struct{}                 // capacity 1
}

func newDamages() *damages {
	return &damages{told: map[*logstore.Partition]int32{}, list: map[*logstore.Partition]bool{}, kick: make(chan struct{}, 1)}
}

// add takes a partition that is damaged, unless the controller knows it.
func (d *damages) add(p *logstore.Partition, _ error) {
	d.mu.Lock()
	if _, told := d.told[p]; !told {
		d.list[p] = true
	}
	d.mu.Unlock()
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

func (d *damages) take() (list []*logstore.Partition) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for p := range d.list {
		list = append(list, p)
	}
	clear(d.list)
	return list
}

// mayReset is whether a record is of a leader epoch under which the replica counts for nothing.
func (d *damages) mayReset(p *logstore.Partition, r PartitionRecord, self int32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	since, told := d.told[p]
	return told && r.LeaderEpoch >= since && !slices.Contains(r.ISR, self) && !slices.Contains(r.ELR, self)
}

// refused is the leader epoch of a damage that no other replica can repair.
const refused = math.MaxInt32

func (d *damages) answered(p *logstore.Partition, epoch int32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told[p] = epoch
}

func (d *damages) forget(p *logstore.Partition) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.told, p)
}

// damageLoop tells the controller of damaged replicas.
func (b *Broker) damageLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.damages.kick:
		}
		for list := b.damages.take(); len(list) > 0; list = b.damages.take() {
			if err := b.tellDamages(ctx, list); err != nil {
				b.opts.Logger.Warn("broker: damaged replicas not told yet", "partitions", len(list), slog.Any("err", err))
				for _, p := range list {
					b.damages.add(p, nil)
				}
				if !sleep(ctx, b.opts.Membership.Heartbeat) {
					return
				}
			}
		}
		b.reconcile()
	}
}

func (b *Broker) tellDamages(ctx context.Context, list []*logstore.Partition) error {
	c := damagedReplicas{Broker: b.self()}
	for _, p := range list {
		c.Places = append(c.Places, TxnPlace{Topic: p.ID().Topic, Partition: p.ID().Partition})
	}
	ctx, cancel := context.WithTimeout(ctx, b.opts.Membership.Session)
	defer cancel()
	var results []damagedResult
	if err := b.ask(ctx, topicCommand{Damaged: &c}, &results); err != nil {
		return err
	}
	for i, p := range list {
		if results[i].Code != "" {
			b.opts.Logger.Error("broker: a damaged replica cannot be fetched again", "partition", p.ID(), "code", results[i].Code, "why", results[i].Message)
			b.damages.answered(p, refused)
			continue
		}
		b.opts.Logger.Warn("broker: a damaged replica is fetched again", "partition", p.ID())
		b.damages.answered(p, results[i].LeaderEpoch)
	}
	return nil
}

// repair lets a damaged replica begin anew, as soon as that is safe; false until then.
func (b *Broker) repair(part *logstore.Partition, r PartitionRecord) (bool, error) {
	if !b.damages.mayReset(part, r, b.opts.NodeID) {
		b.damages.add(part, nil)
		return false, nil
	}
	if err := part.Follow(r.Leader, r.LeaderEpoch); err != nil {
		return false, err
	}
	if err := part.Reset(0); err != nil {
		return false, err
	}
	b.damages.forget(part)
	return true, nil
}
