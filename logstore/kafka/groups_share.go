package kafka

import (
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/streamflow/streamflow/logstore/group/share"
	"github.com/twmb/franz-go/pkg/kerr"
)

// beatShare hands a heartbeat to a share group, which is made, or made one of this kind, if it has no member.
func (gs *groups) beatShare(id string, h share.Heartbeat) (consumer.Reply, error) {
	topics := gs.picture.take()
	s, err := gs.get(id)
	if err != nil {
		return consumer.Reply{}, err
	}
	r, err := s.beatShare(h, topics)
	idle := s.idle()
	s.mu.Unlock()
	if idle {
		gs.drop(id)
	}
	return r, err
}

// beatShare wants s.mu.
func (s *groupShell) beatShare(h share.Heartbeat, topics *consumer.Topics) (consumer.Reply, error) {
	if s.share == nil {
		if !s.idle() {
			return consumer.Reply{}, kerr.InconsistentGroupProtocol
		}
		if h.Epoch != consumer.EpochJoin {
			return consumer.Reply{Code: group.UnknownMemberID}, nil
		}
		s.classic, s.consumer, s.share = nil, nil, share.NewGroup(share.Config{})
	}
	s.share.Configure(s.owner.sharing(s.id))
	defer s.schedule()
	return s.share.Heartbeat(s.owner.nowMs(), h, topics), nil
}

// shareConfig is the bounds of a share group: its own, else the server's.
func (s *Server) shareConfig(id string) share.Config {
	cfg := s.opts.Sharing
	if v, ok := s.broker.GroupConfigInt(id, "share.session.timeout.ms"); ok {
		cfg.SessionTimeout = v
	}
	if v, ok := s.broker.GroupConfigInt(id, "share.heartbeat.interval.ms"); ok {
		cfg.HeartbeatInterval = v
	}
	return cfg
}
