package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/streamflow/streamflow/logstore/replicator"
	"github.com/streamflow/streamflow/logstore/tier"
)

// Options configures a Broker. The zero value of every field but Dir is its default.
type Options struct {
	Dir               string            // data directory; the log is in Dir/log, metadata in Dir/meta
	NodeID            int32             // 0 unless the cluster has more nodes
	Membership        *Membership       // of a node that is one of several; nil: alone
	Context           context.Context   // ends the wait for other nodes when the node starts; default: none
	Log               logstore.Options  // Dir in it is ignored
	Machines          []meta.Machine    // further machines of the metadata group
	DefaultPartitions int32             // of topics created without a count; 4
	TopicDefaults     map[string]string // configs of topics that do not set them; see ConfigTable
	Logger            *slog.Logger
	Now               func() time.Time // time.Now

	TxnMaxTimeout   time.Duration                                   // longest that a transaction may be open; 15 min
	HangingInterval time.Duration                                   // how often transactions that hang are looked for; 1 min
	ProducerOwner   func(producerID int64) (owner string, has bool) // producers with transactions of their own, beside the coordinators'
}

// Broker is an open data directory.
type Broker struct {
	opts         Options
	node         *meta.Node
	log          *logstore.Log
	topics       *topicsMachine
	offsets      *offsetsMachine
	producers    *producersMachine
	txns         *txnMachine
	features     *featuresMachine
	groupConfigs *groupConfigsMachine
	shares       *sharesMachine
	catalog      *Catalog
	clusterID    string

	mu         sync.RWMutex
	partitions map[partitionKey]*logstore.Partition
	roles      map[partitionKey]role // what each was last told; empty on a node that is alone
	topicIDs   map[string]uuid.UUID  // of the topics that partitions are open of
	known      map[string]*Topic     // as the open partitions were configured
	closed     bool

	filesMu sync.Mutex // held while partitions are made or removed

	ids producerIDs

	session string        // of this process
	opened  chan struct{} // closed when the log is open: before that nothing is answered to other nodes
	epoch   atomic.Int64  // of this node's registration
	seen    sightings     // of the controller
	leaving atomic.Bool

	ctx         context.Context // ends with Close
	cancel      context.CancelFunc
	loops       sync.WaitGroup
	proposals   *proposals
	damages     *damages
	replicator  *replicator.Replicator
	reconcileMu sync.Mutex
	swept       bool // what was on disk at the start has been looked through; guarded by reconcileMu
	offices     offices
	endings     endings
	cold        atomic.Pointer[tier.Tier] // nil: this node has no cold tier

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
	if opts.TxnMaxTimeout <= 0 {
		opts.TxnMaxTimeout = 15 * time.Minute
	}
	if opts.HangingInterval <= 0 {
		opts.HangingInterval = time.Minute
	}
	b := &Broker{
		opts: opts, topics: newTopicsMachine(), offsets: newOffsetsMachine(), producers: &producersMachine{},
		txnTimers:  map[string]*time.Timer{},
		partitions: map[partitionKey]*logstore.Partition{},
		roles:      map[partitionKey]role{}, topicIDs: map[string]uuid.UUID{}, known: map[string]*Topic{},
		session: uuid.NewString(), proposals: newProposals(), damages: newDamages(), opened: make(chan struct{}),
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.offsets.topics = b.topics
	b.txns = newTxnMachine(b.offsets)
	b.features, b.groupConfigs = newFeaturesMachine(), newGroupConfigsMachine()
	b.shares = newSharesMachine()
	if err := b.openMeta(); err != nil {
		b.cancel()
		return nil, err
	}
	if err := b.openLog(); err != nil {
		return nil, errors.Join(err, b.CloseNow())
	}
	b.loop(b.sweepHanging)
	return b, nil
}

func (b *Broker) openMeta() error {
	cm, cl := newCatalogMachine(), &clusterMachine{}
	machines := append([]meta.Machine{b.topics, b.offsets, b.producers, b.txns, b.features, b.groupConfigs, b.shares, cm, cl}, b.opts.Machines...)
	o := meta.Options{FS: b.opts.Log.FS, Dir: filepath.Join(b.opts.Dir, "meta"), Machines: machines, Logger: b.opts.Logger}
	if m := b.opts.Membership; m != nil {
		m.defaults()
		o.Self, o.Voters, o.Join, o.Mux = meta.Peer{ID: b.opts.NodeID, Addr: m.Peer}, m.Voters, m.Join, m.Mux
		o.Timing, o.Handlers = m.MetaTiming, b.handlers()
	}
	node, err := meta.Open(o)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	b.node, b.catalog = node, &Catalog{node: node, machine: cm}
	if err := b.awaitLeader(); err != nil {
		return errors.Join(err, node.Close())
	}
	if b.clusterID, err = cl.ensure(b.startContext(), node); err != nil {
		return errors.Join(fmt.Errorf("broker: cluster id: %w", err), node.Close())
	}
	return nil
}

// startContext ends the wait for other nodes.
func (b *Broker) startContext() context.Context {
	if b.opts.Context != nil {
		return b.opts.Context
	}
	return context.Background()
}

// awaitLeader returns when the metadata group has a leader, and this node knows what it knew.
func (b *Broker) awaitLeader() error {
	if !b.clustered() {
		return nil
	}
	for told := false; ; {
		ctx, cancel := context.WithTimeout(b.startContext(), 5*time.Second)
		err := b.node.Barrier(ctx)
		cancel()
		if err == nil {
			return nil
		}
		if ctx := b.startContext(); ctx.Err() != nil {
			return fmt.Errorf("broker: wait for the other nodes: %w", ctx.Err())
		}
		if errors.Is(err, meta.ErrClosed) {
			return fmt.Errorf("broker: %w", err)
		}
		if !told {
			b.opts.Logger.Info("broker: waiting for a majority of the voters", "node", b.opts.NodeID)
			told = true
		}
	}
}

func (b *Broker) openLog() error {
	o := b.opts.Log
	o.Dir = filepath.Join(b.opts.Dir, "log")
	if o.Logger == nil {
		o.Logger = b.opts.Logger
	}
	o.OnISRChange = b.proposals.add
	o.KeepDamaged = true // one damaged partition is offline; the others serve
	if b.clustered() {
		o.OnDamage = b.damages.add
	}
	l, err := logstore.Open(o)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	b.log = l
	if err := b.register(b.startContext()); err != nil {
		return fmt.Errorf("broker: register: %w", err)
	}
	if b.clustered() {
		return b.openCluster()
	}
	for _, name := range b.topics.pendingDeletes() {
		if err := b.removeFiles(context.Background(), name); err != nil {
			return err
		}
	}
	for _, t := range b.topics.list() {
		if IsInternal(t.Name) {
			continue
		}
		if err := b.openPartitions(t); err != nil {
			return err
		}
	}
	return b.recoverTxns()
}

// openCluster brings this node's replicas to where the metadata has them, and lets the node in.
func (b *Broker) openCluster() error {
	b.replicator = b.newReplicator()
	b.reconcile()
	close(b.opened) // before the first heartbeat: this node may be the controller that answers it
	b.startCluster()
	for _, name := range b.topics.pendingDeletes() {
		b.loop(func(ctx context.Context) { _ = b.removeFiles(ctx, name) })
	}
	return b.awaitIn()
}

// awaitIn returns when this node is not fenced any more. The controller answers the first heartbeat with it.
func (b *Broker) awaitIn() error {
	ctx, cancel := context.WithTimeout(b.startContext(), 30*time.Second)
	defer cancel()
	for {
		changed := b.topics.watch()
		if r := b.topics.broker(b.opts.NodeID); r != nil && !r.Fenced {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if err := b.startContext().Err(); err != nil {
				return fmt.Errorf("broker: wait to be let in: %w", err)
			}
			b.opts.Logger.Warn("broker: the controller has not let this node in yet", "node", b.opts.NodeID)
			return nil
		}
	}
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
	records := b.topics.recordsOf(t)
	for p := range t.Partitions {
		if b.clustered() && !slices.Contains(records[p].Replicas, b.opts.NodeID) {
			continue
		}
		if err := b.openPartition(t, p, records[p]); err != nil {
			return fmt.Errorf("broker: open %s-%d: %w", t.Name, p, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[t.Name] = t
	return nil
}

// openPartition opens one partition, or gives an open one its configuration and role.
func (b *Broker) openPartition(t *Topic, p int32, r PartitionRecord) error {
	key := partitionKey{t.Name, p}
	part := b.open(key)
	if part == nil || !b.configured(t) {
		var err error
		if part, err = b.log.EnsurePartition(logstore.TopicPartition{Topic: t.Name, Partition: p}, t.partitionConfig()); err != nil {
			return err
		}
	}
	if b.clustered() && !IsInternal(t.Name) {
		if err := b.assume(part, t, p, r); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.partitions[key] = part
	b.topicIDs[t.Name] = t.ID
	return nil
}

// configured is whether t's partitions have its configuration.
func (b *Broker) configured(t *Topic) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.known[t.Name] == t
}

// Close ends the broker. A node of several hands its leaderships over first. It may be called more than once.
func (b *Broker) Close() error {
	b.HandOver()
	return b.CloseNow()
}

// CloseNow is Close without handing over, as a crash would.
func (b *Broker) CloseNow() error {
	b.leaving.Store(true)
	b.mu.Lock()
	was := b.closed
	b.closed = true
	b.mu.Unlock()
	if was {
		return nil
	}
	b.stopTxnTimers()
	b.cancel()
	b.loops.Wait()
	var err error
	if b.replicator != nil {
		err = b.replicator.Close()
	}
	if b.log != nil {
		if err = errors.Join(err, b.log.Close()); err == nil {
			err = b.closeDisk()
		}
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

// Topics returns all topics but the internal ones, by name.
func (b *Broker) Topics() []*Topic {
	return slices.DeleteFunc(b.topics.list(), func(t *Topic) bool { return IsInternal(t.Name) })
}

// AllTopics returns all topics by name.
func (b *Broker) AllTopics() []*Topic { return b.topics.list() }

// Topic returns a topic, or the user error UNKNOWN_TOPIC with the nearest name.
func (b *Broker) Topic(name string) (*Topic, error) { return b.topics.get(name) }

// TopicByID returns a topic by its id; nil when there is none.
func (b *Broker) TopicByID(id uuid.UUID) *Topic { return b.topics.getByID(id) }

// Watch returns a channel that is closed at the next change of any topic. Take it, look, then wait.
func (b *Broker) Watch() <-chan struct{} { return b.topics.watch() }

// Partition returns this node's replica of a partition. One that metadata has and the log does not (its creation was just
// decided, or whoever asked for it went away) is opened now. Where this node has no replica it is NOT_LEADER, with the leader.
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
	if r := b.topics.recordOf(t, p); b.clustered() && !slices.Contains(r.Replicas, b.opts.NodeID) {
		return nil, b.errNotLeader(topic, p, r.Leader)
	}
	if IsInternal(topic) {
		err = b.openInternal(t, p)
	} else {
		err = b.openPartitions(t)
	}
	if err != nil {
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

// openInternal opens one partition of an internal topic, which is empty: it is there for clients that look at it.
func (b *Broker) openInternal(t *Topic, p int32) error {
	b.filesMu.Lock()
	defer b.filesMu.Unlock()
	return b.openPartition(t, p, PartitionRecord{})
}

func (b *Broker) apply(ctx context.Context, m meta.Machine, cmd any) ([]byte, error) {
	data, err := json.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("broker: encode %s command: %w", m.Name(), err)
	}
	return b.node.Apply(ctx, m.Name(), data)
}
