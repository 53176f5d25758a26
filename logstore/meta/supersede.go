package meta

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// A snapshot that a leader sends says what the log is up to its end, and the receiver's own log may say otherwise: entries
// that were never committed. Raft leaves them where they are. It then either finds that the log does not fit the snapshot, and
// asks for it again without end, or, when the log is shorter, later hands the wrong entries on as leader. So what a snapshot
// supersedes is taken out of the log here, when the snapshot is complete and when a node starts.
//
//	before   1 … 89  90w … 100w 101w … 120w     snapshot up to 100
//	after                       101w … 120w     base 100, with the snapshot's term
//
// What follows the base stays until the leader's next entry contradicts it, because raft remembers where its log ended.

// supersede takes out of the log what contradicts a snapshot that ends with an entry.
func (s *store) supersede(index, term uint64) error {
	if b := s.base.Load(); b == nil || b.Index < index {
		s.base.Store(&raft.Log{Index: index, Term: term, Type: raft.LogNoop})
	}
	first, err := s.FirstIndex()
	if err != nil {
		return err
	}
	last, err := s.LastIndex()
	if err != nil || last == 0 {
		return err
	}
	var l raft.Log
	err = s.front.GetLog(index, &l)
	switch {
	case err == nil && l.Term == term:
		return nil
	case err == nil:
		return s.DeleteRange(first, index)
	case errors.Is(err, raft.ErrLogNotFound) && last < index:
		return s.DeleteRange(first, last)
	case errors.Is(err, raft.ErrLogNotFound):
		return nil
	}
	return err
}

// GetLog implements raft.LogStore. The base is there for comparing terms. Entry 1 is read to be sent, and is the same
// everywhere.
func (s *store) GetLog(index uint64, to *raft.Log) error {
	err := s.front.GetLog(index, to)
	if !errors.Is(err, raft.ErrLogNotFound) {
		return err
	}
	if b := s.base.Load(); b != nil && b.Index == index && index > 1 {
		*to = *b
		return nil
	}
	return err
}

// snapshots is raft's snapshot store, and keeps the log in step with it.
type snapshots struct {
	raft.SnapshotStore
	log *store
}

// settle does for the newest snapshot what a crash may have left undone.
func (s snapshots) settle() error {
	list, err := s.List()
	if err != nil {
		return fmt.Errorf("meta: list snapshots: %w", err)
	}
	if len(list) == 0 {
		return nil
	}
	return s.log.supersede(list[0].Index, list[0].Term)
}

// Create implements raft.SnapshotStore.
func (s snapshots) Create(v raft.SnapshotVersion, index, term uint64, c raft.Configuration, ci uint64, t raft.Transport) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(v, index, term, c, ci, t)
	if err != nil {
		return nil, err
	}
	return &snapshotSink{SnapshotSink: sink, log: s.log, index: index, term: term}, nil
}

type snapshotSink struct {
	raft.SnapshotSink
	log         *store
	index, term uint64
	cancelled   bool
}

// Cancel implements raft.SnapshotSink.
func (s *snapshotSink) Cancel() error {
	s.cancelled = true
	return s.SnapshotSink.Cancel()
}

// Close implements raft.SnapshotSink: the snapshot is complete.
func (s *snapshotSink) Close() error {
	if err := s.SnapshotSink.Close(); err != nil || s.cancelled {
		return err
	}
	return s.log.supersede(s.index, s.term)
}
