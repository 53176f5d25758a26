package logstore

import (
	"log/slog"
	"time"

	"github.com/streamflow/streamflow/internal/clock"
	"github.com/streamflow/streamflow/internal/vfs"
)

// SyncPolicy says when an append is acknowledged.
type SyncPolicy string

const (
	// SyncPerBatch acknowledges after the fdatasync of the group that the append is in. The default.
	SyncPerBatch SyncPolicy = "fsync_per_batch"
	// SyncPerWrite gives each append an fdatasync of its own.
	SyncPerWrite SyncPolicy = "fsync_per_write"
	// SyncAsync acknowledges after the write; a crash of the machine may lose what the last SyncInterval brought.
	SyncAsync SyncPolicy = "async"
)

// Options configures a Log. The zero value of every field but Dir is its default.
type Options struct {
	Dir          string
	FS           vfs.FS      // the operating system's files
	Clock        clock.Clock // the system's clock
	Logger       *slog.Logger
	Sync         SyncPolicy    // SyncPerBatch
	SyncInterval time.Duration // of SyncAsync; 1 s

	WALFileSize int64 // 64 MiB; a larger batch than that is refused
	WALMaxFiles int   // files in use before appends wait for the segments to catch up; 16

	FlushBytes         int64         // bytes held in memory before segments are written; 16 MiB
	FlushInterval      time.Duration // longest time that they are held; 500 ms
	MemoryLimit        int64         // bytes held in memory before appends wait; 256 MiB
	CheckpointFiles    int           // write-ahead log files in use before segments are synced; 4
	CheckpointInterval time.Duration // longest time that written segments go unsynced; 1 min

	RetentionInterval time.Duration // how often retention, age and idleness are looked at; 1 min
	ProducerExpiry    time.Duration // how long a silent producer is remembered; 24 h

	ReplicaLag time.Duration // a follower that is behind for longer leaves the in-sync replicas (replica.lag.time.max.ms); 5 s

	// OnISRChange is told that a partition's leader wants other in-sync replicas. It must not block, and must not call the
	// partition back: it queues the proposal. The answer is Lead with the new record, or RefuseISR.
	OnISRChange func(p *Partition, proposal ISRProposal)

	// KeepDamaged says that there are other replicas: a damaged partition keeps neither the log nor the others from opening.
	// It refuses everything but Reset.
	KeepDamaged bool

	// OnDamage is told that a replica was found damaged while it was open. It must not block, nor call the partition back.
	OnDamage func(p *Partition, why error)

	CompactionMemory   int64         // bytes of the key map of a compaction; 64 MiB
	CompactionInterval time.Duration // how often it is asked which partitions are due for one; 15 s
	ScrubRate          int64         // bytes a second that are read in search of damage; 8 MiB, -1: none
	ScrubEvery         time.Duration // pause between two readings of everything; 24 h
	OpenFiles          int           // segment files open at once, when no more are in use; 4096

	// Fatal is told that the disk lied (a failed write or sync). It must not return. The default panics.
	Fatal func(error)
}

func orDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

func (o *Options) defaults() {
	if o.FS == nil {
		o.FS = vfs.OS
	}
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Sync == "" {
		o.Sync = SyncPerBatch
	}
	if o.Fatal == nil {
		o.Fatal = func(err error) { panic("FATAL: " + err.Error()) }
	}
	orDefault(&o.SyncInterval, time.Second)
	orDefault(&o.WALFileSize, 64<<20)
	orDefault(&o.WALMaxFiles, 16)
	orDefault(&o.FlushBytes, 16<<20)
	orDefault(&o.FlushInterval, 500*time.Millisecond)
	orDefault(&o.MemoryLimit, 256<<20)
	orDefault(&o.CheckpointFiles, 4)
	orDefault(&o.CheckpointInterval, time.Minute)
	orDefault(&o.RetentionInterval, time.Minute)
	orDefault(&o.ProducerExpiry, 24*time.Hour)
	orDefault(&o.ReplicaLag, 5*time.Second)
	orDefault(&o.CompactionMemory, 64<<20)
	orDefault(&o.CompactionInterval, 15*time.Second)
	orDefault(&o.OpenFiles, 4096)
	orDefault(&o.ScrubRate, 8<<20)
	orDefault(&o.ScrubEvery, 24*time.Hour)
}

// PartitionConfig is what a topic's configuration says about a partition. The zero value of a field is its default.
type PartitionConfig struct {
	SegmentBytes   int64         // roll by size; 1 GiB, at most 2 GiB
	SegmentAge     time.Duration // roll by age; 24 h
	SegmentRecords int64         // roll by count; 1,000,000
	IndexInterval  int           // bytes between index entries; 16 KiB

	MaxBatchBytes  int           // largest client batch that is accepted; 1,048,588 (Kafka's max.message.bytes)
	LogAppendTime  bool          // stamp records with the broker's clock
	RequireKeys    bool          // refuse records without a key (compacted topics)
	TopicID        [16]byte      // zero: not known. Files of a topic with another id are removed when the partition is opened
	Sealed         bool          // refuse client appends
	RetentionBytes int64         // 0: no limit
	Retention      time.Duration // counted from when a record was appended; 0: no limit

	Compact          bool          // keep the last record of each key (cleanup.policy)
	DirtyRatio       float64       // compact when so much of the log's bytes is new (min.cleanable.dirty.ratio)
	MinCompactionLag time.Duration // leave records alone that are younger
	MaxCompactionLag time.Duration // compact records that are older, whatever the ratio; 0: no limit
	DeleteRetention  time.Duration // how long tombstones live from the first compaction that sees them
	DeleteDelay      time.Duration // how long a file stays that is out of use

	// What the cold tier has is freed here by these. 0: it stays as long as the log keeps it.
	LocalRetentionBytes int64
	LocalRetention      time.Duration
}

const maxSegmentBytes = 2 << 30

func (c *PartitionConfig) defaults() {
	orDefault(&c.SegmentBytes, 1<<30)
	orDefault(&c.SegmentAge, 24*time.Hour)
	orDefault(&c.SegmentRecords, 1_000_000)
	orDefault(&c.IndexInterval, 16<<10)
	orDefault(&c.MaxBatchBytes, 1_048_588)
	c.SegmentBytes = min(c.SegmentBytes, maxSegmentBytes)
	if c.Compact && c.MaxCompactionLag > 0 { // what is to be compacted must be sealed first
		c.SegmentAge = min(c.SegmentAge, c.MaxCompactionLag)
	}
}
