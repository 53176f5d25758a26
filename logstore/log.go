package logstore

// Log is one node's data directory: its partitions, their segments, and the write-ahead log that they share.
type Log struct{}

// Open opens or creates a data directory, replays what a crash left, and starts the background work.
func Open(o Options) (*Log, error) { panic("BUG: unbuilt") }

// EnsurePartition opens or creates a partition. For one that is open already, cfg replaces its configuration.
func (l *Log) EnsurePartition(tp TopicPartition, cfg PartitionConfig) (*Partition, error) {
	panic("BUG: unbuilt")
}

// Partition finds an open partition, or nil.
func (l *Log) Partition(tp TopicPartition) *Partition { panic("BUG: unbuilt") }

// Partitions lists the partitions on disk, sorted.
func (l *Log) Partitions() []TopicPartition { panic("BUG: unbuilt") }

// DeleteTopic removes a topic's partitions for good; reads and appends under way fail with ErrUnknownPartition.
func (l *Log) DeleteTopic(topic string) error { panic("BUG: unbuilt") }

// Close writes and syncs everything, and lets the directory go.
func (l *Log) Close() error { panic("BUG: unbuilt") }
