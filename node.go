package streamflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/streamflow/streamflow/driver"
	"github.com/streamflow/streamflow/driver/connect"
	"github.com/streamflow/streamflow/driver/savepoint"
	"github.com/streamflow/streamflow/executor"
	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/peer"
	"github.com/streamflow/streamflow/logstore/tier"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector/file"
	"github.com/streamflow/streamflow/structured/connector/generate"
	kafkatopic "github.com/streamflow/streamflow/structured/connector/kafka"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/connector/socket"
	"github.com/streamflow/streamflow/structured/connector/streamlog"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// Config is what a node in this process is made of. The zero value is a node in a temporary directory that listens nowhere.
type Config struct {
	// Dir holds everything the node keeps. Empty: a temporary directory, removed by Close.
	Dir string
	// FS is the file system that the log, the metadata, the state of queries and files that they write are kept on; nil is
	// the machine's.
	FS vfs.FS
	// Slots is how many tasks run at once, and the number of partitions after an exchange; 0 is the number of processors.
	Slots int
	// Memory is what the process should be resident in, in bytes; 0 is half of the machine's. Queries spill before it is used up: a quarter is for what
	// is not counted row by row: buffers, pages being decoded, garbage.
	Memory int64
	// Log configures the log's files; Dir, FS and Clock in it are set by the node.
	Log logstore.Options
	// DefaultPartitions of topics that are created without a count; 0 is 4.
	DefaultPartitions int
	// TopicDefaults are configs of topics that do not set them themselves.
	TopicDefaults map[string]string
	// StateInterval is how often the state of streaming queries is snapshotted; 0 is 30 s.
	StateInterval time.Duration
	// Savepoints is where savepoints of queries are kept; nil is the directory savepoints in Dir.
	Savepoints tier.Store
	// OnBatch, when set, sees each published micro-batch of each streaming query. It is called between batches and must be quick.
	OnBatch func(query string, p *stream.Progress)
	// Cluster, when set, makes the node one of several.
	Cluster *Cluster
	// Context, when set, ends the wait for other nodes when the node starts.
	Context context.Context
	// Tier, when set, is the node's cold tier; Dir, Clock and Logger in it are set by the node.
	Tier   *tier.Options
	Logger *slog.Logger
}

// Node is a running node: log, metadata, executor and engine.
type Node struct {
	conf     Config
	temp     bool
	peers    *peer.Mux // nil on a node that is alone
	broker   *broker.Broker
	tier     *tier.Tier
	executor *executor.Executor
	cluster  *driver.Cluster
	engine   *driver.Engine
	connect  *connect.Server
	queries  *stream.Machine
	security *Security
	freeHeap func() // takes the node's memory off the process's limit
	logger   *slog.Logger
}

// Start opens a node. Streaming queries that were running when it last stopped go on.
func Start(conf Config) (*Node, error) {
	n := &Node{conf: conf, logger: conf.Logger}
	if n.logger == nil {
		n.logger = slog.Default()
	}
	if err := n.defaults(); err != nil {
		return nil, err
	}
	if err := n.open(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) defaults() error {
	c := &n.conf
	if c.Dir == "" {
		dir, err := os.MkdirTemp("", "streamflow-")
		if err != nil {
			return fmt.Errorf("streamflow: temporary directory: %w", err)
		}
		c.Dir, n.temp = dir, true
	}
	if c.FS == nil {
		c.FS = vfs.OS
	}
	c.Log.FS = c.FS
	if c.Slots <= 0 {
		c.Slots = runtime.GOMAXPROCS(0)
	}
	if c.Memory <= 0 {
		c.Memory = machineMemory() / 2
	}
	if c.StateInterval <= 0 {
		c.StateInterval = 30 * time.Second
	}
	return nil
}

func (n *Node) open() error {
	n.freeHeap = limitHeap(n.conf.Memory)
	n.queries = stream.NewMachine()
	n.security = newSecurity()
	o := broker.Options{Dir: n.conf.Dir, Log: n.conf.Log, Machines: append(n.security.machines(), n.queries), Context: n.conf.Context,
		DefaultPartitions: int32(n.conf.DefaultPartitions), TopicDefaults: n.conf.TopicDefaults, Logger: n.logger, ProducerOwner: n.queryOf}
	n.openPeers(&o)
	var err error
	if n.broker, err = broker.Open(o); err != nil {
		return err
	}
	if err := n.openTier(); err != nil {
		return err
	}
	env := &streamlog.Env{Broker: n.broker}
	spill := filepath.Join(n.conf.Dir, "spill")
	if err := os.RemoveAll(spill); err != nil {
		return err
	}
	if err := os.MkdirAll(spill, 0o755); err != nil {
		return err
	}
	n.executor, err = executor.New(executor.Options{FS: n.conf.FS, Slots: n.conf.Slots, MemoryLimit: n.conf.Memory / 4 * 3, Dir: filepath.Join(n.conf.Dir, "executor"), Log: n.logger,
		Services: map[string]any{streamlog.ServiceName: env, physical.SpillDir: spill, file.FilesName: n.conf.FS},
		Shapes:   n.stateShapes,
		Changelog: func(ctx context.Context, s state.Slot, after int64, apply func([]byte, int64) error) error {
			return env.ReplayState(ctx, s.Query, s.Op, s.Partition, after, apply)
		}})
	if err != nil {
		return err
	}
	n.cluster = driver.NewCluster(n.executor)
	n.engine = driver.NewEngine(driver.EngineOptions{Meta: n.broker.Meta(), Queries: n.queries, Log: env, Catalog: newCatalog(n.broker, env, n.conf.FS),
		Cluster: n.cluster, Warehouse: filepath.Join(n.conf.Dir, "warehouse"), Memory: n.executor.Memory(), CacheMemory: n.executor.MemoryLimit() / 4, CacheDir: filepath.Join(spill, "cache"), Plans: connect.PlanCodec{}, Parts: n.conf.Slots, Logger: n.logger, Snapshot: n.snapshot, SnapshotInterval: n.conf.StateInterval, OnBatch: n.conf.OnBatch,
		CatchUpMemory: n.conf.Memory / 8, Savepoints: savepoint.New(n.savepoints())})
	n.connect = connect.NewServer(n.connectOptions())
	return n.engine.Resume(context.Background())
}

// openTier gives the log its cold tier, if the node has one.
func (n *Node) openTier() error {
	if n.conf.Tier == nil {
		return nil
	}
	o := *n.conf.Tier
	o.Dir, o.Logger = filepath.Join(n.conf.Dir, "tier-local"), n.logger
	if o.Store == nil {
		o.Store = tier.NewDir(n.conf.FS, filepath.Join(n.conf.Dir, "tier"))
	}
	var err error
	if n.tier, err = tier.Open(o); err == nil {
		n.broker.UseTier(n.tier)
	}
	return err
}

// savepoints is the object store that savepoints go to.
func (n *Node) savepoints() tier.Store {
	if n.conf.Savepoints != nil {
		return n.conf.Savepoints
	}
	return tier.NewDir(n.conf.FS, filepath.Join(n.conf.Dir, "savepoints"))
}

// newCatalog is the node's catalog: topics, files, tables in memory, and the definitions in the metadata.
func newCatalog(b *broker.Broker, env *streamlog.Env, fs vfs.FS) *catalog.Node {
	p := catalog.NewProviders()
	topics := streamlog.Provider{Env: env}
	p.Register("topic", topics)
	p.Register("kafka", kafkatopic.Provider{Local: topicAlias{topics}})
	p.Register("parquet", file.Parquet.On(fs))
	p.Register("csv", file.CSV.On(fs))
	p.Register("json", file.JSON.On(fs))
	p.Register("text", file.Text.On(fs))
	p.Register("binaryFile", file.Binary)
	p.Register("memory", memory.NewStore())
	p.Register("rate", generate.Rate)
	p.Register("rate-micro-batch", generate.RateMicroBatch)
	p.Register("datagen", generate.Datagen)
	p.Register("nexmark", generate.Nexmark)
	p.Register("socket", socket.Provider{})
	return catalog.NewNode(entries{b.Catalog()}, p)
}

// topicAlias is the provider under Spark's name for it; only one provider may own the topics.
type topicAlias struct{ catalog.Provider }

func (n *Node) connectOptions() connect.Options {
	host, _ := os.Hostname()
	return connect.Options{Node: host, Log: n.logger, Sessions: func(user, id string) (structured.Backend, error) {
		return n.engine.NewSession(os.Stdout), nil
	}}
}

// Broker is the node's log, for protocol servers.
func (n *Node) Broker() *broker.Broker { return n.broker }

// Queries are the records of the node's streaming queries.
func (n *Node) Queries() *stream.Machine { return n.queries }

// Engine is the node's query engine, for the gateway.
func (n *Node) Engine() *driver.Engine { return n.engine }

// StateSize is what streaming queries keep on this node as of their last commits: how many keys, those on disk included, and
// how many bytes in memory.
func (n *Node) StateSize() (keys, bytes int64) {
	s := n.executor.State()
	return s.Keys(), s.Bytes()
}

// ServeConnect serves Spark Connect on a listener until Close.
func (n *Node) ServeConnect(l net.Listener) error { return n.connect.GRPC().Serve(l) }

// Session opens a session on the node over Spark Connect, inside the process.
func (n *Node) Session() (*structured.Session, error) {
	c, err := connect.Local(n.connectOptions())
	if err != nil {
		return nil, err
	}
	return structured.NewSession(c), nil
}

// Close stops the node. Streaming queries stop where they are and go on with the next Start.
func (n *Node) Close() error {
	var errs []error
	if n.engine != nil {
		n.engine.Close()
	}
	if n.connect != nil {
		errs = append(errs, n.connect.Close())
	}
	if n.cluster != nil {
		n.cluster.Close()
	}
	if n.executor != nil {
		errs = append(errs, n.executor.Close())
	}
	if n.tier != nil {
		errs = append(errs, n.tier.Close())
	}
	if n.broker != nil {
		errs = append(errs, n.broker.Close())
	}
	if n.peers != nil {
		errs = append(errs, n.peers.Close())
	}
	if n.temp {
		errs = append(errs, os.RemoveAll(n.conf.Dir))
	}
	if n.freeHeap != nil {
		n.freeHeap()
	}
	return errors.Join(errs...)
}

// queryOf is the query that has a producer id: it ends its transactions itself.
func (n *Node) queryOf(producerID int64) (name string, has bool) {
	for _, q := range n.queries.Queries() {
		if q.ProducerID == producerID {
			return q.Name, true
		}
	}
	return "", false
}
