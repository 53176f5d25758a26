package kafka

import (
	"regexp"
	"slices"
	"sync"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/twmb/franz-go/pkg/kerr"
)

// topicPicture makes pictures of the topics for group machines, a new one only when topics have changed.
type topicPicture struct {
	broker  *broker.Broker
	mu      sync.Mutex
	changed <-chan struct{}
	now     *consumer.Topics
}

func (p *topicPicture) take() *consumer.Topics {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.changed:
	default:
		if p.now != nil {
			return p.now
		}
	}
	p.changed = p.broker.Watch() // before the look
	next := &consumer.Topics{ByName: map[string]consumer.Topic{}}
	for _, t := range p.broker.AllTopics() { // the cluster's own too: who names them by an expression gets them, as from Kafka
		next.ByName[t.Name] = consumer.Topic{ID: consumer.TopicID(t.ID), Partitions: t.Partitions}
	}
	p.now = next
	return next
}

// match is which topics of a picture an expression matches.
type match struct {
	expr   *regexp.Regexp
	topics *consumer.Topics
	names  []string
}

// matched is the topics that a member's expression matches, in RE2 as KIP-848 wants it, and that the member may know of.
// It wants s.mu.
func (s *groupShell) matched(pattern string, topics *consumer.Topics, may func(topic string) bool) ([]string, error) {
	if pattern == "" {
		return nil, nil
	}
	m, ok := s.patterns[pattern]
	if !ok {
		expr, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return nil, withMessage(kerr.InvalidRegularExpression, "%v", err)
		}
		m.expr = expr
	}
	if m.topics != topics {
		m.topics, m.names = topics, nil
		for name := range topics.ByName {
			if m.expr.MatchString(name) {
				m.names = append(m.names, name)
			}
		}
		slices.Sort(m.names)
		if s.patterns == nil || len(s.patterns) > 100 {
			s.patterns = map[string]match{}
		}
		s.patterns[pattern] = m
	}
	return slices.DeleteFunc(slices.Clone(m.names), func(n string) bool { return !may(n) }), nil
}

// beat hands a consumer's heartbeat to its group, which is made, or made one of this kind, if it has no member.
func (gs *groups) beat(id string, h consumer.Heartbeat, may func(topic string) bool) (consumer.Reply, error) {
	topics := gs.picture.take()
	s, err := gs.get(id)
	if err != nil {
		return consumer.Reply{}, err
	}
	r, err := s.beat(h, topics, may)
	idle := s.idle()
	s.mu.Unlock()
	if idle {
		gs.drop(id)
	}
	return r, err
}

// beat wants s.mu.
func (s *groupShell) beat(h consumer.Heartbeat, topics *consumer.Topics, may func(string) bool) (consumer.Reply, error) {
	if s.consumer == nil {
		if !s.idle() {
			return consumer.Reply{}, kerr.InconsistentGroupProtocol
		}
		if h.Epoch != consumer.EpochJoin {
			return consumer.Reply{Code: group.UnknownMemberID}, nil
		}
		s.classic, s.consumer, s.share = nil, consumer.New(consumer.Config{}), nil
	}
	s.consumer.Configure(s.owner.consumer(s.id))
	pattern := s.consumer.Pattern(h.MemberID)
	if h.Pattern != nil {
		pattern = *h.Pattern
	}
	var err error
	if h.Matched, err = s.matched(pattern, topics, may); err != nil {
		return consumer.Reply{}, err
	}
	defer s.schedule()
	return s.consumer.Heartbeat(s.owner.nowMs(), h, topics), nil
}

// consumerConfig is the bounds of a consumer group: its own, else the server's.
func (s *Server) consumerConfig(id string) consumer.Config {
	cfg := s.opts.Consumers
	if v, ok := s.broker.GroupConfigInt(id, "consumer.session.timeout.ms"); ok {
		cfg.SessionTimeout = v
	}
	if v, ok := s.broker.GroupConfigInt(id, "consumer.heartbeat.interval.ms"); ok {
		cfg.HeartbeatInterval = v
	}
	return cfg
}
