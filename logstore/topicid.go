package logstore

import (
	"errors"
	"fmt"
	"path"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/wal"
)

var errOtherTopic = errors.New("the directory is of another topic of that name")

// takeIdentity takes what a partition's file says of it.
func (p *Partition) takeIdentity(onDisk identity) error {
	if onDisk.topicID != ([16]byte{}) {
		if p.topicID != ([16]byte{}) && p.topicID != onDisk.topicID {
			return errOtherTopic
		}
		p.topicID = onDisk.topicID
	}
	p.incarnation, p.filedID = onDisk.incarnation, onDisk.topicID
	p.disk.established = true
	return nil
}

// knowTopicID checks or takes the topic's id that the cluster tells; false if the partition is of another topic.
func (p *Partition) knowTopicID(id [16]byte) (same bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.topicID == ([16]byte{}) {
		p.topicID = id
	}
	return id == ([16]byte{}) || p.topicID == id
}

// identity is what the partition's file is to say, and whether it does.
func (p *Partition) identity() (id identity, filed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return identity{p.incarnation, p.topicID}, p.topicID == p.filedID
}

// noteTopicID writes the id down where it precedes every batch, if no file says it yet. Nothing waits for it.
func (p *Partition) noteTopicID() error {
	id, filed := p.identity()
	if filed {
		return nil
	}
	r, err := p.log.wal.Reserve(wal.Request{
		Type: typeTopicID, Size: len(p.walPrefix) + len(id.topicID), Timestamp: p.log.o.Clock.Now().UnixMilli(), Lazy: true,
	})
	if err != nil {
		return fmt.Errorf("logstore: topic id of %s: %w", p.tp, appendError(err))
	}
	n := copy(r.Payload, p.walPrefix)
	copy(r.Payload[n:], id.topicID[:])
	r.Commit()
	return nil
}

// keepTopicIDs writes down again what the checkpoint under way would free and no file says.
func (l *Log) keepTopicIDs() error {
	var errs []error
	for _, p := range l.open() {
		errs = append(errs, p.noteTopicID())
	}
	return errors.Join(errs...)
}

// DropPartition removes one partition for good: a replica that the cluster placed elsewhere, or of a topic that was deleted
// while this node was away. Reads and appends under way fail with ErrUnknownPartition. One that is not there is no error.
func (l *Log) DropPartition(tp TopicPartition) error {
	if err := checkTopic(tp.Topic); err != nil {
		return err
	}
	l.deleting.Lock()
	defer l.deleting.Unlock()
	l.mu.Lock()
	p := l.parts[tp]
	delete(l.parts, tp)
	closed := l.parts == nil
	l.mu.Unlock()
	if closed {
		return ErrClosed
	}
	l.forgetHigh(tp)
	if p != nil {
		p.fail(fmt.Errorf("logstore: %w: %s was removed", ErrUnknownPartition, tp))
		p.mu.Lock()
		p.failed = fmt.Errorf("logstore: %w: %s was removed", ErrUnknownPartition, tp)
		p.mu.Unlock()
	}
	if err := l.writeDrop(tp); err != nil {
		return fmt.Errorf("logstore: remove %s: %w", tp, err)
	}
	if p != nil {
		p.life.pass.Lock()
		p.life.pass.Unlock()
		p.disk.Lock()
		p.closeSegments()
		p.release()
		p.disk.Unlock()
	}
	dir := l.partitionDir(tp)
	err := l.o.FS.RemoveAll(dir)
	if err == nil {
		if err = l.o.FS.SyncDir(path.Dir(dir)); vfs.IsNotExist(err) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("logstore: remove %s: %w", tp, err)
	}
	return nil
}

func (l *Log) writeDrop(tp TopicPartition) error {
	prefix := appendEntryPrefix(nil, tp, 0)
	r, err := l.wal.Reserve(wal.Request{Type: typeDrop, Size: len(prefix), Timestamp: l.o.Clock.Now().UnixMilli()})
	if err != nil {
		return err
	}
	copy(r.Payload, prefix)
	r.Commit()
	return l.onDisk(r.Group)
}

// openOrKeep opens a partition. A directory of another topic of that name is errOtherTopic; damage is a partition that says
// so, if there are replicas to repair it from.
func (l *Log) openOrKeep(o opening) (*Partition, error) {
	p, err := l.openPartition(o)
	if err == nil {
		err = p.replayed()
	}
	if _, damage := usererr.As(err); damage && l.o.KeepDamaged {
		o.incarnation = max(o.incarnation, l.incarnationOf(o.tp))
		return l.damaged(o, err), nil
	}
	return p, err
}
