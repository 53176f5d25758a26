package kafka

import (
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/twmb/franz-go/pkg/kerr"
)

// committer is who wants to commit or read a group's offsets. epoch is a classic member's generation or a consumer's member
// epoch.
type committer struct {
	group.Identity
	epoch int32
	txn   bool // in a transaction, whose producer need not say who consumes
	old   bool // in a version of the request that knows no member epochs
}

// commit lets a member commit: then is called if it may, before anything else happens in the group.
func (gs *groups) commit(id string, who committer, then func()) error {
	s, err := gs.find(id)
	if err != nil {
		return err
	}
	if s == nil {
		s = &groupShell{owner: gs, classic: group.New(gs.cfg)}
		return s.allow(who, then)
	}
	defer s.mu.Unlock()
	defer s.schedule()
	return s.allow(who, then)
}

// allow wants s.mu.
func (s *groupShell) allow(who committer, then func()) error {
	if ec := s.check(who); ec != group.OK {
		return kerr.ErrorForCode(int16(ec))
	}
	then()
	return nil
}

func (s *groupShell) check(who committer) group.Code {
	switch {
	case who.txn && who.epoch < 0 && who.Identity == group.Identity{}:
		return group.OK
	case s.consumer == nil && who.txn:
		return s.classic.CheckTxnCommit(s.owner.nowMs(), who.Identity, who.epoch)
	case s.consumer == nil:
		return s.classic.CheckCommit(s.owner.nowMs(), who.Identity, who.epoch)
	case who.old && !s.consumer.Idle():
		return group.Code(kerr.UnsupportedVersion.Code)
	}
	return s.consumer.CheckCommit(who.MemberID, who.InstanceID, who.epoch)
}

// mayFetch says why a group's offsets cannot be read here, by a member under its epoch or by anybody.
func (gs *groups) mayFetch(id, memberID string, epoch int32) error {
	s, err := gs.find(id)
	if err != nil || s == nil {
		return err
	}
	defer s.mu.Unlock()
	if s.consumer == nil {
		return nil
	}
	if ec := s.consumer.CheckFetch(memberID, epoch); ec != group.OK {
		return kerr.ErrorForCode(int16(ec))
	}
	return nil
}

// describe returns a group, in the form of its kind; both are nil when there is none with members, present or past.
func (gs *groups) describe(id string) (*group.Description, *consumer.Description, error) {
	s, err := gs.find(id)
	if err != nil || s == nil {
		return nil, nil, err
	}
	defer s.mu.Unlock()
	if s.consumer != nil {
		d := s.consumer.Describe()
		return nil, &d, nil
	}
	d := s.classic.Describe()
	return &d, nil, nil
}
