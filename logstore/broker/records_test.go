package broker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/uuid"
)

// TestRecords runs scripts of commands against the topics machine and shows every record after each.
func TestRecords(t *testing.T) {
	datadriven.Walk(t, "testdata/records", func(t *testing.T, path string) {
		s := &recordScript{t: t, m: newTopicsMachine()}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			for line := range strings.SplitSeq(strings.TrimSpace(d.Input), "\n") {
				if msg := s.run(strings.Fields(line)); msg != "" {
					fmt.Fprintf(&out, "%s: %s\n", line, msg)
				}
			}
			return out.String() + s.show()
		})
		copied(t, s.m, newTopicsMachine())
	})
}

type recordScript struct {
	t *testing.T
	m *topicsMachine
	n int
}

// run applies one line and returns what was refused.
func (s *recordScript) run(f []string) string {
	s.n++
	out, err := s.m.apply(s.command(f))
	if err != nil {
		return userCode(err)
	}
	var refused []string
	if results, ok := out.([]damagedResult); ok && results[0].Code != "" {
		refused = append(refused, results[0].Code)
	}
	if results, ok := out.([]placeResult); ok {
		for _, r := range results {
			if r.Code != "" {
				refused = append(refused, r.Code)
			}
		}
	}
	if err := checkRecords(s.m); err != nil {
		s.t.Errorf("after %v: %v", f, err)
	}
	return strings.Join(refused, " ")
}

func (s *recordScript) command(f []string) topicCommand {
	session := func(id string) *brokerEpoch {
		n := number(id)
		return &brokerEpoch{n, s.m.brokers[n].Epoch}
	}
	switch f[0] {
	case "start": // a broker registers and is let in
		s.run([]string{"register", f[1]})
		return topicCommand{Unfence: session(f[1])}
	case "register", "new-disk":
		disk := "disk"
		if f[0] == "new-disk" {
			disk = "other"
		}
		return topicCommand{Register: &registerBroker{ID: number(f[1]), Session: strconv.Itoa(s.n), Disk: disk}}
	case "holds": // a node of several, with files on its disk
		return topicCommand{Register: &registerBroker{ID: number(f[1]), Session: strconv.Itoa(s.n), PeerAddr: "host:1", Holds: true}}
	case "alone":
		return topicCommand{Register: &registerBroker{ID: number(f[1]), Session: strconv.Itoa(s.n), Alone: true}}
	case "unfence":
		return topicCommand{Unfence: session(f[1])}
	case "fence":
		return topicCommand{Fence: session(f[1])}
	case "stale-fence":
		return topicCommand{Fence: &brokerEpoch{number(f[1]), 0}}
	case "drain":
		return topicCommand{Drain: &drainBroker{ID: number(f[1])}}
	case "stay":
		return topicCommand{Drain: &drainBroker{ID: number(f[1]), Off: true}}
	case "unregister":
		id := number(f[1])
		return topicCommand{Unregister: &id}
	case "create", "grow":
		return s.createOrGrow(f)
	case "delete":
		return topicCommand{Delete: f[1]}
	case "config":
		k, v, _ := strings.Cut(f[2], "=")
		return topicCommand{Alter: &alterTopic{Name: f[1], Set: map[string]string{k: v}}}
	case "isr", "stale-isr", "old-session-isr", "foreign-isr":
		return s.alterISR(f)
	case "prefer":
		return topicCommand{Elect: &electLeaders{Places: []TxnPlace{placeOf(f[1])}}}
	case "prefer-all":
		return topicCommand{Elect: &electLeaders{}}
	case "force":
		return topicCommand{Elect: &electLeaders{Unclean: true, Places: []TxnPlace{placeOf(f[1])}}}
	case "reassign":
		return topicCommand{Reassign: []reassignPlace{{placeOf(f[1]), numbers(f[2])}}}
	case "damaged": // BROKER TOPIC-P
		return topicCommand{Damaged: &damagedReplicas{Broker: *session(f[1]), Places: []TxnPlace{placeOf(f[2])}}}
	case "cancel":
		return topicCommand{Reassign: []reassignPlace{{TxnPlace: placeOf(f[1])}}}
	}
	s.t.Fatalf("unknown command %v", f)
	return topicCommand{}
}

// createOrGrow: create NAME REPLICAS... [min=N] [unclean]
func (s *recordScript) createOrGrow(f []string) topicCommand {
	t := &Topic{Name: f[1], ID: uuid.NewSHA1(uuid.Nil, []byte(f[1])), Configs: map[string]string{}}
	var assign [][]int32
	for _, x := range f[2:] {
		if min, ok := strings.CutPrefix(x, "min="); ok {
			t.Configs["min.insync.replicas"] = min
		} else if x == "unclean" {
			t.Configs["unclean.leader.election.enable"] = "true"
		} else if n, ok := strings.CutPrefix(x, "partitions="); ok {
			t.Partitions = number(n)
		} else {
			assign = append(assign, numbers(x))
		}
	}
	if f[0] == "grow" {
		old, _ := s.m.get(f[1])
		return topicCommand{Grow: &growTopic{f[1], old.Partitions + int32(len(assign))}, Assign: assign}
	}
	if assign != nil {
		t.Partitions = int32(len(assign))
	}
	return topicCommand{Create: t, Assign: assign}
}

// alterISR: isr TOPIC-P MEMBERS, asked by the leader in its session with the epochs of now.
func (s *recordScript) alterISR(f []string) topicCommand {
	pl := placeOf(f[1])
	topic, err := s.m.get(pl.Topic)
	if err != nil {
		s.t.Fatal(err)
	}
	r := s.m.record(topic, pl.Partition)
	c := isrChange{TopicID: topic.ID, Partition: pl.Partition, LeaderEpoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch}
	for _, b := range numbers(f[2]) {
		c.ISR = append(c.ISR, brokerEpoch{b, s.m.brokers[b].Epoch})
	}
	leader := r.Leader
	switch f[0] {
	case "stale-isr":
		c.PartitionEpoch--
	case "old-session-isr":
		c.ISR[len(c.ISR)-1].Epoch--
	case "foreign-isr":
		leader = c.ISR[len(c.ISR)-1].ID
	}
	return topicCommand{AlterISR: &alterPartitions{Leader: brokerEpoch{leader, s.m.brokers[leader].Epoch}, Changes: []isrChange{c}}}
}

func (s *recordScript) show() string {
	var b strings.Builder
	for _, t := range s.m.sorted() {
		for p := range t.Partitions {
			r := s.m.record(t, p)
			fmt.Fprintf(&b, "%s-%d replicas %v isr %v", t.Name, p, r.Replicas, r.ISR)
			for _, x := range []struct {
				name string
				ids  []int32
			}{{"elr", r.ELR}, {"adding", r.Adding}, {"removing", r.Removing}} {
				if len(x.ids) > 0 {
					fmt.Fprintf(&b, " %s %v", x.name, x.ids)
				}
			}
			fmt.Fprintf(&b, " leader %d leaderEpoch %d epoch %d\n", r.Leader, r.LeaderEpoch, r.PartitionEpoch)
		}
	}
	if s.m.cluster.unclean > 0 {
		fmt.Fprintf(&b, "unclean elections %d\n", s.m.cluster.unclean)
	}
	if b.Len() == 0 {
		return "ok\n"
	}
	return b.String()
}

func number(s string) int32 {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		panic(err)
	}
	return int32(n)
}

func numbers(s string) []int32 {
	var out []int32
	for x := range strings.SplitSeq(s, ",") {
		out = append(out, number(x))
	}
	return out
}

func placeOf(s string) TxnPlace {
	i := strings.LastIndexByte(s, '-')
	return TxnPlace{s[:i], number(s[i+1:])}
}

// checkRecords is what holds of every record, whatever happened: I5 of the invariants, and that a leader can lead.
func checkRecords(m *topicsMachine) error {
	for _, t := range m.sorted() {
		for p := range t.Partitions {
			r := m.record(t, p)
			if err := checkRecord(m, m.rules(t), r); err != nil {
				return fmt.Errorf("%s-%d %+v: %w", t.Name, p, r, err)
			}
		}
	}
	return nil
}

func checkRecord(m *topicsMachine, c rules, r PartitionRecord) error {
	switch {
	case len(r.Replicas) == 0 || !subset(r.ISR, r.Replicas) || !subset(r.ELR, r.Replicas):
		return fmt.Errorf("ISR and ELR must be replicas")
	case len(within(r.ISR, r.ELR)) > 0:
		return fmt.Errorf("ISR and ELR overlap")
	case len(r.ISR) >= c.min(r) && len(r.ELR) > 0:
		return fmt.Errorf("an ELR beside an ISR that is large enough")
	case r.Leader != noLeader && !slices.Contains(r.ISR, r.Leader):
		return fmt.Errorf("the leader is not in sync")
	case r.Leader != noLeader && len(m.brokers) > 0 && !m.alive(r.Leader):
		return fmt.Errorf("the leader is fenced")
	case !subset(r.Adding, r.Replicas) || !subset(r.Removing, r.Replicas) || len(within(r.Adding, r.Removing)) > 0:
		return fmt.Errorf("what comes and goes must be replicas")
	}
	for _, x := range r.ISR {
		if len(m.brokers) > 0 && !m.alive(x) {
			return fmt.Errorf("fenced broker %d is in sync", x)
		}
	}
	if r.Leader == noLeader {
		if b, ok := c.choose(append(slices.Clone(r.ISR), r.ELR...)); ok {
			return fmt.Errorf("no leader, although %d can lead", b)
		}
	}
	return nil
}
