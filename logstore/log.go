package logstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

// Log is one node's data directory: its partitions, their segments, and the write-ahead log that they share.
type Log struct {
	o      Options
	lock   io.Closer
	opened time.Time
	wal    *wal.WAL
	held   atomic.Int64 // bytes in memory that are not in segments

	mu    sync.RWMutex
	parts map[TopicPartition]*Partition

	deleting sync.RWMutex // held for writing while a topic is deleted; a checkpoint must not overlap

	dirtyMu sync.Mutex
	dirty   []*Partition

	roomMu   sync.Mutex
	room     *sync.Cond // held went down, or the disk's state changed
	diskFull bool
	closed   bool

	hints struct { // guarded by deleting, but for the start
		known   map[TopicPartition]highHint // what the start found
		written bool                        // the file is there
	}

	files     *segment.Files
	audit     audit
	stats     stats
	scrubDebt int64 // bytes that were read since the last pause

	kick  chan struct{}
	stop  chan struct{}
	done  chan struct{}
	leads chan struct{}  // holds a token once the node leads a replicated partition
	tasks sync.WaitGroup // what runs beside the background: compaction, scrub
}

const (
	lockFile = "LOCK"
	walDir   = "wal"
	topicDir = "topics"
)

// Open opens or creates a data directory, replays what a crash left, and starts the background work.
func Open(o Options) (*Log, error) {
	o.defaults()
	if err := o.FS.MkdirAll(path.Join(o.Dir, topicDir)); err != nil {
		return nil, dirError(o.Dir, err)
	}
	lock, err := o.FS.Lock(path.Join(o.Dir, lockFile))
	if err != nil {
		return nil, dirError(o.Dir, err)
	}
	l := &Log{
		o: o, lock: lock, opened: o.Clock.Now(), parts: map[TopicPartition]*Partition{},
		kick: make(chan struct{}, 1), leads: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	l.room = sync.NewCond(&l.roomMu)
	l.files = segment.NewFiles(o.OpenFiles)
	err = l.readHighs()
	if err == nil {
		err = l.recover()
	}
	if err != nil {
		for _, p := range l.parts {
			p.closeSegments()
		}
		lock.Close()
		return nil, dirError(o.Dir, err)
	}
	go l.background()
	l.tasks.Go(l.watchISR)
	l.tasks.Go(l.compactions)
	if o.ScrubRate > 0 {
		l.tasks.Go(l.scrubs)
	}
	return l, nil
}

// dirError turns what a person can mend into a user's error.
func dirError(dir string, err error) error {
	switch _, known := usererr.As(err); {
	case known:
		return err
	case errors.Is(err, vfs.ErrLocked):
		return usererr.New("DATA_DIR_LOCKED", "58030", "The data directory is in use by another process.").
			In(dir).WithFix("Stop the other process, or choose another directory with --data-dir.")
	case vfs.IsDiskFull(err):
		return usererr.New("DISK_FULL", "53100", "The data directory's disk is full: %v.", err).
			In(dir).WithFix("Make room and start again; nothing is lost.")
	}
	return fmt.Errorf("logstore: open %s: %w", dir, err)
}

// recover replays the write-ahead log into segments and then lets its old files go.
func (l *Log) recover() error {
	r := &recovery{log: l, batch: map[*Partition][]record.Batch{}, starts: map[TopicPartition]start{}, gaps: map[*Partition]int64{}, broken: map[TopicPartition]error{}, ids: map[TopicPartition]identity{}}
	var err error
	l.wal, err = wal.Open(wal.Options{
		FS: l.o.FS, Dir: path.Join(l.o.Dir, walDir), Clock: l.o.Clock, FileSize: l.o.WALFileSize,
		SyncEach: l.o.Sync == SyncPerWrite, Async: l.o.Sync == SyncAsync, SyncInterval: l.o.SyncInterval,
		Fatal: l.o.Fatal,
	}, r.apply)
	if err != nil {
		return err
	}
	if err = r.finish(); err == nil {
		err = l.syncRoot()
	}
	if err == nil {
		err = l.checkpoint(false)
	}
	if err != nil {
		l.wal.Close()
	}
	return err
}

// syncRoot makes the names of the data directory and of what is right below it durable.
func (l *Log) syncRoot() error {
	if err := l.o.FS.SyncDir(l.o.Dir); err != nil {
		return err
	}
	err := l.o.FS.SyncDir(path.Dir(path.Clean(l.o.Dir)))
	if errors.Is(err, fs.ErrPermission) {
		return nil // somebody else's directory: it was there before us
	}
	return err
}

var validTopic = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func checkTopic(topic string) error {
	if !validTopic.MatchString(topic) || topic == "." || topic == ".." {
		return fmt.Errorf("logstore: %w: %q", ErrInvalidTopic, topic)
	}
	return nil
}

// EnsurePartition opens or creates a partition. For one that is open already, cfg replaces its configuration.
func (l *Log) EnsurePartition(tp TopicPartition, cfg PartitionConfig) (*Partition, error) {
	if err := checkTopic(tp.Topic); err != nil {
		return nil, err
	}
	if tp.Partition < 0 {
		return nil, fmt.Errorf("logstore: %w: partition %d of %s", ErrUnknownPartition, tp.Partition, tp.Topic)
	}
	p, err := l.ensure(tp, cfg)
	if errors.Is(err, errOtherTopic) {
		l.o.Logger.Warn("files of a deleted topic of the same name are removed", "topic", tp.Topic, "partition", tp.Partition)
		if err = l.DropPartition(tp); err == nil {
			p, err = l.ensure(tp, cfg)
		}
	}
	return p, err
}

func (l *Log) ensure(tp TopicPartition, cfg PartitionConfig) (*Partition, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.parts[tp]
	if p != nil && !p.knowTopicID(cfg.TopicID) {
		return nil, errOtherTopic
	}
	if p != nil {
		p.SetConfig(cfg)
		return p, p.noteTopicID()
	}
	if l.parts == nil {
		return nil, ErrClosed
	}
	p, err := l.openOrKeep(opening{tp: tp, cfg: cfg, topicID: cfg.TopicID, incarnation: l.wal.NextLSN(), limit: segment.NoLimit})
	if err != nil {
		return nil, err
	}
	l.parts[tp] = p
	return p, p.noteTopicID()
}

// Partition finds an open partition, or nil.
func (l *Log) Partition(tp TopicPartition) *Partition {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.parts[tp]
}

// open is the partitions that are open now.
func (l *Log) open() []*Partition {
	l.mu.RLock()
	defer l.mu.RUnlock()
	list := make([]*Partition, 0, len(l.parts))
	for _, p := range l.parts {
		list = append(list, p)
	}
	return list
}

func (l *Log) topicDir(topic string) string { return path.Join(l.o.Dir, topicDir, topic) }

func (l *Log) partitionDir(tp TopicPartition) string {
	return path.Join(l.topicDir(tp.Topic), strconv.Itoa(int(tp.Partition)))
}

// Partitions lists the partitions on disk, sorted.
func (l *Log) Partitions() ([]TopicPartition, error) {
	topics, err := l.o.FS.ReadDir(path.Join(l.o.Dir, topicDir))
	if err != nil {
		return nil, fmt.Errorf("logstore: %w", err)
	}
	var all []TopicPartition
	for _, topic := range topics {
		list, err := l.partitionsOf(topic)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

func (l *Log) partitionsOf(topic string) ([]TopicPartition, error) {
	names, err := l.o.FS.ReadDir(l.topicDir(topic))
	if err != nil {
		return nil, fmt.Errorf("logstore: %w", err)
	}
	var list []TopicPartition
	for _, name := range names {
		if n, err := strconv.ParseInt(name, 10, 32); err == nil && n >= 0 {
			list = append(list, TopicPartition{Topic: topic, Partition: int32(n)})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Partition < list[j].Partition })
	return list, nil
}

// DeleteTopic removes a topic's partitions for good; reads and appends under way fail with ErrUnknownPartition.
func (l *Log) DeleteTopic(topic string) error {
	if err := checkTopic(topic); err != nil {
		return err
	}
	l.deleting.Lock()
	defer l.deleting.Unlock()
	found, err := l.detach(topic)
	if err != nil {
		return err
	}
	if err := l.writeDelete(topic); err != nil {
		return fmt.Errorf("logstore: delete topic %s: %w", topic, err)
	}
	for _, p := range found {
		p.life.pass.Lock() // a compaction stops at the next batch
		p.life.pass.Unlock()
		p.disk.Lock()
		p.closeSegments()
		p.release()
		p.disk.Unlock()
	}
	err = l.o.FS.RemoveAll(l.topicDir(topic))
	if err == nil {
		err = l.o.FS.SyncDir(path.Join(l.o.Dir, topicDir))
	}
	if err != nil {
		return fmt.Errorf("logstore: delete topic %s: %w", topic, err)
	}
	return nil
}

// detach takes a topic's open partitions out of use.
func (l *Log) detach(topic string) ([]*Partition, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []*Partition
	for tp, p := range l.parts {
		if tp.Topic == topic {
			found = append(found, p)
			delete(l.parts, tp)
			p.fail(fmt.Errorf("logstore: %w: %s was deleted", ErrUnknownPartition, tp))
		}
	}
	onDisk, err := l.partitionsOf(topic)
	if err == nil && len(onDisk) == 0 && len(found) == 0 {
		err = fmt.Errorf("logstore: %w: topic %s", ErrUnknownPartition, topic)
	}
	return found, err
}

func (l *Log) writeDelete(topic string) error {
	prefix := appendEntryPrefix(nil, TopicPartition{Topic: topic, Partition: -1}, 0)
	r, err := l.wal.Reserve(wal.Request{Type: typeDelete, Size: len(prefix), Timestamp: l.o.Clock.Now().UnixMilli()})
	if err != nil {
		return err
	}
	copy(r.Payload, prefix)
	r.Commit()
	return l.onDisk(r.Group)
}

// release gives up the memory of a partition that is out of use.
func (p *Partition) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log.hold(-p.tail.drop(len(p.tail.list)))
}

// Close writes and syncs everything, and lets the directory go. Appends and reads after it fail with ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.parts == nil {
		l.mu.Unlock()
		return nil
	}
	l.mu.Unlock()
	close(l.stop)
	<-l.done
	l.tasks.Wait()
	l.roomMu.Lock()
	l.closed = true
	l.room.Broadcast()
	l.roomMu.Unlock()
	err := l.finish()
	for _, p := range l.open() {
		p.fail(ErrClosed)
		p.disk.Lock()
		p.closeSegments()
		p.release()
		p.disk.Unlock()
	}
	l.mu.Lock()
	l.parts = nil
	l.mu.Unlock()
	return errors.Join(err, l.audit.close(), l.lock.Close())
}

// finish makes the next start quick: nothing to replay, every index and snapshot written.
func (l *Log) finish() error {
	for _, p := range l.open() {
		p.mu.Lock()
		group := p.group
		p.mu.Unlock()
		if group != nil {
			<-group.Done()
		}
	}
	err := l.flushDirty()
	if err == nil {
		err = l.checkpoint(true)
	}
	if vfs.IsDiskFull(err) {
		l.o.Logger.Warn("disk is full: the next start replays the write-ahead log", "dir", l.o.Dir)
		err = nil
	}
	return errors.Join(err, l.wal.Close())
}
