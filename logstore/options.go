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

	WALFileSize int64 // 64 MiB
	WALMaxFiles int   // files in use before appends wait for the segments to catch up; 16

	FlushBytes    int64         // bytes held in memory before segments are written; 16 MiB
	FlushInterval time.Duration // longest time that they are held; 500 ms
	MemoryLimit   int64         // bytes held in memory before appends wait; 256 MiB

	RetentionInterval time.Duration // how often retention looks; 1 min

	// Fatal is told that the disk lied (a failed fsync). It must not return. The default panics.
	Fatal func(error)
}

// PartitionConfig is what a topic's configuration says about a partition. The zero value of a field is its default.
type PartitionConfig struct {
	SegmentBytes   int64         // roll by size; 1 GiB
	SegmentAge     time.Duration // roll by age; 24 h
	SegmentRecords int64         // roll by count; 1,000,000
	IndexInterval  int           // bytes between index entries; 16 KiB

	MaxBatchBytes  int           // largest batch that is accepted; 1,048,588 (Kafka's max.message.bytes)
	LogAppendTime  bool          // stamp records with the broker's clock
	RequireKeys    bool          // refuse records without a key (compacted topics)
	Sealed         bool          // refuse client appends
	RetentionBytes int64         // 0: no limit
	Retention      time.Duration // counted from when a record was appended; 0: no limit
}
