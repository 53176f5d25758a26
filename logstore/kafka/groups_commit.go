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
	case s.share != nil: // a share group has no such offsets
		return group.Code(kerr.GroupIDNotFound.Code)
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

// groupDescription is a group in the form of its kind; none is set when there is no group with members, present or past.
type groupDescription struct {
	classic         *group.Description
	consumer, share *consumer.Description
}

// state is where the group stands, Empty when nothing is known of it.
func (d groupDescription) state() string {
	switch {
	case d.classic != nil:
		return string(d.classic.State)
	case d.consumer != nil:
		return d.consumer.State
	case d.share != nil:
		return d.share.State
	}
	return string(group.Empty)
}

// busy groups have members.
func (d groupDescription) busy() bool { return d.state() != string(group.Empty) }

func (gs *groups) describe(id string) (d groupDescription, err error) {
	s, err := gs.find(id)
	if err != nil || s == nil {
		return d, err
	}
	defer s.mu.Unlock()
	switch {
	case s.consumer != nil:
		x := s.consumer.Describe()
		d.consumer = &x
	case s.share != nil:
		x := s.share.Describe()
		d.share = &x
	default:
		x := s.classic.Describe()
		d.classic = &x
	}
	return d, nil
}
