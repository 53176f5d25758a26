package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/streamflow/streamflow/driver/savepoint"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/cached"
	"github.com/streamflow/streamflow/structured/connector/streamlog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stream"
)

// PlanCodec encodes unresolved plans, so that a streaming query can be planned again after a restart.
type PlanCodec interface {
	EncodePlan(p logical.Plan) ([]byte, error)
	DecodePlan(b []byte) (logical.Plan, error)
}

// EngineOptions are what an engine is made of.
type EngineOptions struct {
	Meta    *meta.Node
	Queries *stream.Machine // one of Meta's machines
	Log     *streamlog.Env
	Catalog *catalog.Node
	Cluster *Cluster
	Plans   PlanCodec
	Parts   int // partitions after an exchange
	// Memory is the account of what is cached, CacheMemory how much of it that may be; what has no room goes to CacheDir.
	Memory      cached.Account
	CacheMemory int64
	CacheDir    string
	// Warehouse is the directory of tables of files that are declared without a place; "" refuses them.
	Warehouse string
	// Snapshot writes the state of a query to disk, and keeps what it takes to read the versions of the last retain.
	Snapshot func(query string, retain time.Duration) error
	// SnapshotInterval is how often the state of a query is snapshotted, when Snapshot is set.
	SnapshotInterval time.Duration
	// Savepoints are where savepoints of the node's queries are kept.
	Savepoints *savepoint.Store
	// CatchUpMemory is what batches of all queries may read at the same time, in bytes; 0 is no bound. See stream.Admission.
	CatchUpMemory int64
	// OnBatch, when set, sees each published micro-batch, in the loop's goroutine.
	OnBatch func(query string, p *stream.Progress)
	Logger  *slog.Logger
}

// Engine is a node's query engine, shared by its sessions.
type Engine struct {
	opts    EngineOptions
	log     *slog.Logger
	ctx     context.Context
	stop    context.CancelFunc
	queries sync.WaitGroup
	// admission lets queries that catch up take turns.
	admission stream.Admission

	cache    cache       // of tables and permanent views
	kept     *cacheShare // memory of what is cached
	rewrites sync.Map    // *sync.Mutex of tables that are changed in place, by name

	modules modules

	mu      sync.Mutex
	running map[string]*query // by name, ended ones too
	order   []*query
	views   map[string]*viewRows   // materialised views that were read, by topic
	gates   map[string]*sync.Mutex // by query: held to start it, and to touch its state while it does not run
}

// NewEngine returns an engine. Resume starts what was running when the node went down.
func NewEngine(opts EngineOptions) *Engine {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	e := &Engine{opts: opts, log: opts.Logger, running: map[string]*query{}, gates: map[string]*sync.Mutex{}, views: map[string]*viewRows{}, kept: &cacheShare{account: opts.Memory, limit: opts.CacheMemory}}
	if opts.Memory == nil {
		e.kept.limit = -1
	}
	e.admission.Limit = opts.CatchUpMemory
	e.ctx, e.stop = context.WithCancel(context.Background())
	opts.Log.Producer = e.producerOf
	opts.Catalog.Providers().Register(StateSource, stateProvider{e})
	opts.Catalog.Providers().Register(MetadataSource, metadataProvider{e})
	opts.Catalog.Providers().Register(viewSource, viewProvider{e})
	return e
}

// gate is the lock of a query's state while no loop has it.
func (e *Engine) gate(query string) *sync.Mutex {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.gates[query]
	if g == nil {
		g = &sync.Mutex{}
		e.gates[query] = g
	}
	return g
}

// node is this node's id: queries run where they were started.
func (e *Engine) node() int32 { return e.opts.Log.Broker.NodeID() }

// Close ends all queries at once. They resume from their last committed batch when the node starts again.
func (e *Engine) Close() {
	e.stop()
	e.queries.Wait()
}

// producerOf is the producer id of a query's transactions in the log.
func (e *Engine) producerOf(_ context.Context, query string) (int64, error) {
	r, ok := e.opts.Queries.Query(query)
	if !ok {
		return 0, fmt.Errorf("driver: no record of query %s", query)
	}
	return r.ProducerID, nil
}

// send replicates a command about a query. A record that stops running, or goes, is not published again after a crash, so
// what it has published, the markers of its transactions, is on disk before.
func (e *Engine) send(ctx context.Context, c stream.Command) (stream.Reply, error) {
	if c.Drop || c.Status != nil {
		if err := e.opts.Log.Broker.Log().Sync(); err != nil {
			return stream.Reply{}, fmt.Errorf("driver: end of query %s: %w", c.Query, err)
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		return stream.Reply{}, err
	}
	out, err := e.opts.Meta.Apply(ctx, stream.MachineName, b)
	if err != nil {
		return stream.Reply{}, fmt.Errorf("driver: replicate a command of query %s: %w", c.Query, err)
	}
	var r stream.Reply
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("driver: reply about query %s: %w", c.Query, err)
	}
	return r, refusal(c.Query, r)
}

func refusal(query string, r stream.Reply) error {
	switch r.Refused {
	case "":
		return nil
	case stream.RefusedExists:
		return taken(query, r.Record.Status)
	case stream.RefusedUnknown:
		return usererr.New("STREAMING_QUERY_NOT_FOUND", "42704", "There is no streaming query %s.", query).WithFix("SHOW QUERIES lists them.")
	default:
		return fmt.Errorf("%w: %s (%s)", stream.ErrFenced, query, r.Refused)
	}
}

// taken refuses the name of another query.
func taken(query, status string) error {
	err := usererr.New("STREAMING_QUERY_ALREADY_EXISTS", "42710", "There is a streaming query %s already; it is %s.", query, status)
	if status == stream.Running {
		return err.WithFix("Stop it (STOP QUERY %s), or take another name.", query)
	}
	return err.WithFix("It goes on when it is started as it was; take another name for another query.")
}

// queryLog is the stream.Log over the metadata group.
type queryLog struct{ *Engine }

func (l queryLog) Claim(ctx context.Context, name string, start map[string]connector.Offsets) (stream.Record, error) {
	c := &stream.ClaimCmd{}
	if start != nil {
		c.StartOffsets = map[string][]int64{}
		for k, v := range start {
			c.StartOffsets[k] = v
		}
	}
	r, err := l.send(ctx, stream.Command{Query: name, Claim: c})
	if err != nil {
		return stream.Record{}, err
	}
	return *r.Record, nil
}

func (l queryLog) Plan(ctx context.Context, name string, p stream.Planned) error {
	_, err := l.send(ctx, stream.Command{Query: name, Plan: &p})
	return err
}

func (l queryLog) Commit(ctx context.Context, name string, c stream.Commit) error {
	_, err := l.send(ctx, stream.Command{Query: name, Commit: &c})
	return err
}

func (l queryLog) SetStatus(ctx context.Context, name string, s stream.StatusCmd) error {
	_, err := l.send(ctx, stream.Command{Query: name, Status: &s})
	return err
}
