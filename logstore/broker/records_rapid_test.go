package broker

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// commits is a model of what brokers have of one partition: holders have every committed record. A commit needs
// min.insync.replicas members of the in-sync set and reaches all of it, but perhaps nobody else.
type commits struct {
	m       *topicsMachine
	id      uuid.UUID
	holders []int32
	seen    PartitionRecord
}

func (c *commits) record() (PartitionRecord, rules) {
	t := c.m.byID[c.id]
	return c.m.record(t, 0), c.m.rules(t)
}

// commit is a record that the leader commits, if it can.
func (c *commits) commit() {
	if r, rules := c.record(); r.Leader != noLeader && len(r.ISR) >= rules.min(r) {
		c.holders = slices.Clone(r.ISR)
	}
}

// check is I3 (whoever may be elected has all that was committed), I5 and I12 (epochs only grow, and tell leaders apart).
func (c *commits) check(mayLose bool) error {
	r, _ := c.record()
	if err := checkRecords(c.m); err != nil {
		return err
	}
	old := c.seen
	c.seen = r
	switch {
	case r.LeaderEpoch < old.LeaderEpoch || r.PartitionEpoch < old.PartitionEpoch:
		return fmt.Errorf("epochs went back: %+v to %+v", old, r)
	case !r.equal(old) && r.PartitionEpoch == old.PartitionEpoch:
		return fmt.Errorf("two records of one epoch: %+v and %+v", old, r)
	case r.Leader != old.Leader && r.LeaderEpoch == old.LeaderEpoch:
		return fmt.Errorf("two leaders in one epoch: %+v and %+v", old, r)
	}
	if mayLose && r.Leader != noLeader && !slices.Contains(c.holders, r.Leader) {
		c.holders = []int32{r.Leader} // what it has is what is left
	}
	if missing := without(append(slices.Clone(r.ISR), r.ELR...), c.holders); len(missing) > 0 {
		return fmt.Errorf("%v may lead, and lacks committed records: %+v, complete are %v", missing, r, c.holders)
	}
	return nil
}

func TestRandomCommandsKeepCommittedRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newTopicsMachine()
		s := &recordScript{m: m}
		n := rapid.Int32Range(1, 5).Draw(t, "brokers")
		var all []int32
		for b := range n {
			s.apply(t, "register", b)
			s.apply(t, "unfence", b)
			all = append(all, b)
		}
		replicas := func(label string) []int32 {
			return rapid.Permutation(all).Draw(t, label)[:rapid.IntRange(1, int(n)).Draw(t, label+" count")]
		}
		topic := &Topic{Name: "t", ID: uuid.New(), Partitions: 1, Configs: map[string]string{"min.insync.replicas": fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "min"))}}
		if _, err := m.apply(topicCommand{Create: topic, Assign: [][]int32{replicas("replicas")}}); err != nil {
			t.Fatal(err)
		}
		c := &commits{m: m, id: topic.ID, holders: all}
		c.seen, _ = c.record()
		c.commit()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			c.step(t, s, rapid.SampledFrom(all).Draw(t, "broker"), replicas)
		}
		sameAfterRestore(t, m)
	})
}

func (c *commits) step(t *rapid.T, s *recordScript, b int32, replicas func(string) []int32) {
	mayLose := false
	what := rapid.SampledFrom([]string{"commit", "commit", "shrink", "expand", "expand", "fence", "unfence", "unfence", "register", "new-disk", "drain", "stay", "prefer", "reassign", "cancel", "force", "damaged"}).Draw(t, "what")
	r, _ := c.record()
	switch what {
	case "commit":
		c.commit()
	case "shrink":
		c.alter(without(r.ISR, []int32{b}))
	case "expand":
		if r.Leader != noLeader && slices.Contains(r.Replicas, b) && c.m.alive(b) && !slices.Contains(r.ISR, b) {
			// It had caught up with the leader; a later commit waits for it.
			if !slices.Contains(c.holders, b) {
				c.holders = append(slices.Clone(c.holders), b)
			}
			c.alter(append(slices.Clone(r.ISR), b))
		}
	case "prefer":
		_, _ = c.m.apply(topicCommand{Elect: &electLeaders{}})
	case "force":
		mayLose = true
		_, _ = c.m.apply(topicCommand{Elect: &electLeaders{Unclean: true, Places: []TxnPlace{{"t", 0}}}})
	case "reassign":
		_, _ = c.m.apply(topicCommand{Reassign: []reassignPlace{{TxnPlace{"t", 0}, replicas("target")}}})
	case "damaged":
		out, _ := c.m.apply(topicCommand{Damaged: &damagedReplicas{Broker: brokerEpoch{b, c.m.brokers[b].Epoch}, Places: []TxnPlace{{"t", 0}}}})
		if results, ok := out.([]damagedResult); ok && results[0].Code == "" {
			c.holders = without(c.holders, []int32{b})
		}
	case "cancel":
		_, _ = c.m.apply(topicCommand{Reassign: []reassignPlace{{TxnPlace: TxnPlace{"t", 0}}}})
	default:
		s.apply(t, what, b)
		if what == "new-disk" {
			c.holders = without(c.holders, []int32{b})
		}
	}
	if err := c.check(mayLose); err != nil {
		t.Fatalf("after %s %d: %v", what, b, err)
	}
}

func (c *commits) alter(isr []int32) {
	r, _ := c.record()
	if r.Leader == noLeader {
		return
	}
	ch := isrChange{TopicID: c.id, LeaderEpoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch}
	for _, b := range isr {
		ch.ISR = append(ch.ISR, brokerEpoch{b, c.m.brokers[b].Epoch})
	}
	_, _ = c.m.apply(topicCommand{AlterISR: &alterPartitions{Leader: brokerEpoch{r.Leader, c.m.brokers[r.Leader].Epoch}, Changes: []isrChange{ch}}})
}

// apply is a command about one broker; refusals are fine.
func (s *recordScript) apply(t *rapid.T, what string, b int32) {
	s.n++
	if what == "new-disk" { // each is a disk of its own
		_, _ = s.m.apply(topicCommand{Register: &registerBroker{ID: b, Session: fmt.Sprint(s.n), Disk: fmt.Sprint("disk-", s.n)}})
		return
	}
	if what == "register" {
		old, disk := s.m.brokers[b], "disk"
		if old != nil {
			disk = old.Disk
		}
		_, _ = s.m.apply(topicCommand{Register: &registerBroker{ID: b, Session: fmt.Sprint(s.n), Disk: disk}})
		return
	}
	_, _ = s.m.apply(s.command([]string{what, fmt.Sprint(b)}))
}

func sameAfterRestore(t *rapid.T, m *topicsMachine) {
	snap := m.Snapshot()
	fresh := newTopicsMachine()
	if err := fresh.Restore(snap); err != nil || string(fresh.Snapshot()) != string(snap) {
		t.Fatalf("restored state differs (%v):\n%s\n%s", err, fresh.Snapshot(), snap)
	}
}
