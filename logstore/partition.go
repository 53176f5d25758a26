package logstore

import (
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/logstore/replica"
	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

func (tp TopicPartition) String() string { return fmt.Sprintf("%s-%d", tp.Topic, tp.Partition) }

// Offsets are the borders of a partition: LogStart <= LastStable <= HighWatermark <= End.
type Offsets struct {
	LogStart      int64
	LastStable    int64 // nothing below it belongs to an open transaction
	HighWatermark int64 // what is below it is committed: durable on every in-sync replica
	End           int64 // the next offset to be given
}

// Partition is one ordered log.
//
// Locks: step before disk before mu. step is held while the role changes or the log is cut; disk while segment files are
// written, rolled or removed; mu guards the fields below it and is never held during I/O.
type Partition struct {
	log         *Log
	tp          TopicPartition
	dir         string
	incarnation uint64 // tells a topic from an earlier one of the same name
	walPrefix   []byte // how the write-ahead log's records name the partition

	step sync.Mutex

	disk struct {
		sync.Mutex
		established bool               // its directory and its identity are durable
		unsynced    []*segment.Segment // written since the last checkpoint
		snapBytes   int64              // bytes written since the last snapshot
		snapWanted  int                // how often something changed that only a snapshot keeps
		snapHas     int                // how many of these changes the last snapshot has
	}

	mu       sync.Mutex
	cfg      PartitionConfig
	topicID  [16]byte // zero: not known
	filedID  [16]byte // what the partition's file says of it
	failed   error    // why it takes nothing more: ErrClosed, ErrUnknownPartition
	damage   error    // why the replica must not be trusted; failed is the same
	snapDue  bool     // an epoch has begun that no batch tells of: a snapshot keeps it
	cuts     int      // how often the log was cut: a snapshot taken before must not be written after
	logStart int64    // logStart <= stable <= high <= durable <= end
	starting int64    // a log start that is being made durable; a snapshot has it already
	stable   int64
	high     int64 // committed on every in-sync replica; the durable end if this is the only one
	durable  int64 // what is below it is on this node's disk, or written if SyncPolicy does not ask for more
	end      int64
	role     Role
	repl     replication // of a partition with other replicas
	tail     tail        // the batches in [flushed, end)
	segments []*segment.Segment
	state    producers
	epochs   replica.Epochs
	cold     Cold  // what lies in the cold tier; nil if nothing was said
	freed    freed // what the disk gave to it
	life     lifecycle
	group    *wal.Group    // the last one that an append is in
	dirty    bool          // in the log's list of partitions to flush
	changed  chan struct{} // nil while nobody waits
	watchers []watching
}

// ID is the partition's name.
func (p *Partition) ID() TopicPartition { return p.tp }

// Config is the configuration in force, with defaults filled in.
func (p *Partition) Config() PartitionConfig {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cfg
}

// SetConfig replaces the configuration. It holds for what is appended from now on.
func (p *Partition) SetConfig(cfg PartitionConfig) {
	cfg.defaults()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cfg = cfg
}

// Offsets are the partition's borders now.
func (p *Partition) Offsets() Offsets {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Offsets{LogStart: p.logStart, LastStable: p.stable, HighWatermark: p.high, End: p.end}
}

// Size is the partition's bytes, in segments and in memory.
func (p *Partition) Size() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.tail.bytes
	for _, s := range p.segments {
		n += s.Summary().Bytes
	}
	return n
}

// Changed is closed when the high watermark, the last stable offset or the log start next moves, or the partition is
// closed. Take it, look, then wait.
func (p *Partition) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return closedChan
	}
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// wake tells those who wait on Changed or by a Watcher. p.mu is held.
func (p *Partition) wake() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
	for _, w := range p.watchers {
		w.watcher.Mark(w.tag)
	}
}

// Committed moves the durable end, and with it perhaps the high watermark: the write-ahead log's group with everything
// below token is durable.
func (p *Partition) Committed(token int64) {
	p.mu.Lock()
	first := !p.dirty
	p.dirty = true
	p.durable = token
	if p.role.Replicated {
		p.replicaDurable()
	} else {
		p.high = token
		p.settle()
		p.wake()
	}
	p.mu.Unlock()
	if first {
		p.log.noteDirty(p)
	}
}

// settle recomputes the last stable offset, which never moves back. p.mu is held.
func (p *Partition) settle() { p.stable = max(p.stable, p.state.firstUndecided(p.high)) }

// EpochEnd answers OffsetForLeaderEpoch: the largest known epoch that is at most epoch, and where it ends; -1 and -1 if
// epoch is beyond the newest.
func (p *Partition) EpochEnd(epoch int32) (int32, int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.epochs.End(epoch, p.end)
}

// fail makes the partition refuse everything from now on.
func (p *Partition) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = err
	}
	p.repl.failWaiters(err)
	p.wake()
	p.feed()
}
