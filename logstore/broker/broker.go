package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/meta"
)

// Options configures a Broker. The zero value of every field but Dir is its default.
type Options struct {
	Dir               string            // data directory; the log is in Dir/log, metadata in Dir/meta
	NodeID            int32             // 0 unless the cluster has more nodes
	Log               logstore.Options  // Dir in it is ignored
	Machines          []meta.Machine    // further machines of the metadata group
	DefaultPartitions int32             // of topics created without a count; 4
	TopicDefaults     map[string]string // configs of topics that do not set them; see ConfigTable
	Logger            *slog.Logger
	Now               func() time.Time // time.Now
}

// Broker is an open data directory.
type Broker struct {
	opts      Options
	node      *meta.Node
	log       *logstore.Log
	topics    *topicsMachine
	offsets   *offsetsMachine
	producers *producersMachine
	txns      *txnMachine
	features  *featuresMachine
	catalog   *Catalog
	clusterID string

	mu         sync.RWMutex
	partitions map[partitionKey]*logstore.Partition
	closed     bool

	filesMu sync.Mutex // held while partitions are made or removed

	ids producerIDs

	txnGate   sync.RWMutex // held for reading from the check of a transactional append to the append
	txnMu     sync.Mutex   // guards txnTimers
	txnTimers map[string]*time.Timer
}

// Open opens or makes a data directory: metadata first, then the partitions of each topic in it.
func Open(opts Options) (*Broker, error) {
	if opts.DefaultPartitions <= 0 {
		opts.DefaultPartitions = 4
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	b := &Broker{
		opts: opts, topics: newTopicsMachine(), offsets: newOffsetsMachine(), producers: &producersMachine{},
		txnTimers:  map[string]*time.Timer{},
		partitions: map[partitionKey]*logstore.Partition{},
	}
	b.txns = newTxnMachine(b.offsets)
	b.features = newFeaturesMachine()
	if err := b.openMeta(); err != nil {
		return nil, err
	}
	if err := b.openLog(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Broker) openMeta() error {
	cm, cl := newCatalogMachine(), &clusterMachine{}
	machines := append([]meta.Machine{b.topics, b.offsets, b.producers, b.txns, b.features, cm, cl}, b.opts.Machines...)
	node, err := meta.Open(meta.Options{Dir: filepath.Join(b.opts.Dir, "meta"), Machines: machines, Logger: b.opts.Logger})
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	b.node, b.catalog = node, &Catalog{node: node, machine: cm}
	if b.clusterID, err = cl.ensure(node); err != nil {
		return errors.Join(fmt.Errorf("broker: cluster id: %w", err), node.Close())
	}
	return nil
}

func (b *Broker) openLog() error {
	o := b.opts.Log
	o.Dir = filepath.Join(b.opts.Dir, "log")
	if o.Logger == nil {
		o.Logger = b.opts.Logger
	}
	l, err := logstore.Open(o)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	b.log = l
	for _, name := range b.topics.pendingDeletes() {
		if err := b.removeFiles(context.Background(), name); err != nil {
			return err
		}
	}
	for _, t := range b.topics.list() {
		if err := b.openPartitions(t); err != nil {
			return err
		}
	}
	return b.recoverTxns()
}

// openPartitions opens the partitions of t that are not open, and gives all of them t's configuration. Changes of a topic's
// files happen one after another: opening must not bring back what a deletion has just removed.
func (b *Broker) openPartitions(t *Topic) error {
	b.filesMu.Lock()
	defer b.filesMu.Unlock()
	if now, err := b.Topic(t.Name); err != nil || now.ID != t.ID {
		return nil
	} else {
		t = now
	}
	cfg := t.partitionConfig()
	for p := range t.Partitions {
		part, err := b.log.EnsurePartition(logstore.TopicPartition{Topic: t.Name, Partition: p}, cfg)
		if err != nil {
			return fmt.Errorf("broker: open %s-%d: %w", t.Name, p, err)
		}
		b.mu.Lock()
		b.partitions[partitionKey{t.Name, p}] = part
		b.mu.Unlock()
	}
	return nil
}

// Close ends the broker. It may be called more than once.
func (b *Broker) Close() error {
	b.mu.Lock()
	was := b.closed
	b.closed = true
	b.mu.Unlock()
	if was {
		return nil
	}
	b.stopTxnTimers()
	var err error
	if b.log != nil {
		err = b.log.Close()
	}
	return errors.Join(err, b.node.Close())
}

// Meta is the metadata node, for packages that own machines of their own.
func (b *Broker) Meta() *meta.Node { return b.node }

// Log is the storage engine below the topics.
func (b *Broker) Log() *logstore.Log { return b.log }

// Catalog is the durable set of named tables and views.
func (b *Broker) Catalog() *Catalog { return b.catalog }

// ClusterID names the cluster; it is made on the first open and never changes.
func (b *Broker) ClusterID() string { return b.clusterID }

// DefaultPartitions is the partition count of topics created without one.
func (b *Broker) DefaultPartitions() int32 { return b.opts.DefaultPartitions }

// Topics returns all topics by name.
func (b *Broker) Topics() []*Topic { return b.topics.list() }

// Topic returns a topic, or the user error UNKNOWN_TOPIC with the nearest name.
func (b *Broker) Topic(name string) (*Topic, error) { return b.topics.get(name) }

// TopicByID returns a topic by its id; nil when there is none.
func (b *Broker) TopicByID(id uuid.UUID) *Topic { return b.topics.getByID(id) }

// Watch returns a channel that is closed at the next change of any topic. Take it, look, then wait.
func (b *Broker) Watch() <-chan struct{} { return b.topics.watch() }

// Partition returns a partition of a topic. One that metadata has and the log does not (its creation was just decided, or
// whoever asked for it went away) is opened now.
func (b *Broker) Partition(topic string, p int32) (*logstore.Partition, error) {
	key := partitionKey{topic, p}
	if part := b.open(key); part != nil {
		return part, nil
	}
	t, err := b.Topic(topic)
	if err != nil {
		return nil, err
	}
	if p < 0 || p >= t.Partitions {
		return nil, errUnknownPartition(t, p)
	}
	if err := b.openPartitions(t); err != nil {
		return nil, err
	}
	if part := b.open(key); part != nil {
		return part, nil
	}
	return nil, errUnknownTopic(topic, nil) // deleted meanwhile
}

func (b *Broker) open(key partitionKey) *logstore.Partition {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.partitions[key]
}

func (b *Broker) apply(ctx context.Context, m meta.Machine, cmd any) ([]byte, error) {
	data, err := json.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("broker: encode %s command: %w", m.Name(), err)
	}
	return b.node.Apply(ctx, m.Name(), data)
}
