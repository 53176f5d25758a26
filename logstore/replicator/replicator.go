package replicator

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore"
)

// Followed is a partition that this node follows.
type Followed struct {
	Partition *logstore.Partition
	TopicID   [16]byte
	Leader    int32
	Addr      string // of the leader's peer port
	Epoch     int32  // the leader epoch
	Throttled bool   // it takes part in a reassignment whose rate is limited (KIP-73)
}

// Options configures a Replicator. Node, BrokerEpoch and Dial must be set.
type Options struct {
	Node        int32
	BrokerEpoch func() int64 // of this node's uptime session (KIP-903)

	// Dial connects to a node's peer port for the Kafka protocol.
	Dial func(ctx context.Context, addr string) (net.Conn, error)

	MaxWait           time.Duration // how long a leader holds a fetch that it has nothing for; 500 ms
	MaxBytes          int           // of a response; 16 MiB
	MaxPartitionBytes int           // of a partition in it; 1 MiB
	Backoff           time.Duration // the first pause after an error; it doubles up to 20 times that; 20 ms
	Rate              func() int64  // bytes a second of throttled partitions (follower.replication.throttled.rate); nil or 0: no limit

	Logger *slog.Logger
}

func (o *Options) defaults() {
	if o.MaxWait == 0 {
		o.MaxWait = 500 * time.Millisecond
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 16 << 20
	}
	if o.MaxPartitionBytes == 0 {
		o.MaxPartitionBytes = 1 << 20
	}
	if o.Backoff == 0 {
		o.Backoff = 20 * time.Millisecond
	}
	if o.Rate == nil {
		o.Rate = func() int64 { return 0 }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
}

// Replicator follows.
type Replicator struct {
	o        Options
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup
	throttle *throttle

	mu       sync.Mutex
	fetchers map[source]*fetcher
	closed   bool
}

// source is where a fetcher fetches from.
type source struct {
	node int32
	addr string
}

// New returns a replicator that follows nothing yet.
func New(o Options) *Replicator {
	o.defaults()
	r := &Replicator{o: o, fetchers: map[source]*fetcher{}, throttle: newThrottle(o.Rate)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Set replaces the partitions that are followed. What is in both sets goes on undisturbed.
func (r *Replicator) Set(followed []Followed) {
	by := map[source][]Followed{}
	for _, f := range followed {
		s := source{f.Leader, f.Addr}
		by[s] = append(by[s], f)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	for s, f := range r.fetchers {
		if len(by[s]) == 0 {
			delete(r.fetchers, s)
			f.cancel()
		}
	}
	for s, list := range by {
		f := r.fetchers[s]
		if f == nil {
			f = r.start(s)
		}
		f.set(list)
	}
}

func (r *Replicator) start(s source) *fetcher {
	f := newFetcher(r, s)
	r.fetchers[s] = f
	r.running.Go(f.run)
	return f
}

// Close ends all fetchers, and returns when none touches a partition any more.
func (r *Replicator) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.running.Wait()
	return nil
}

// Lag is how far a followed partition is behind its leader.
type Lag struct {
	Partition logstore.TopicPartition
	Leader    int32
	Offsets   int64         // of its high watermark behind the leader's, as the last response told
	Behind    time.Duration // since it last had everything that the leader told of
	Err       error         // why it is left out at the moment
}

// Lags lists the followed partitions with how far they are behind.
func (r *Replicator) Lags() []Lag {
	r.mu.Lock()
	fetchers := make([]*fetcher, 0, len(r.fetchers))
	for _, f := range r.fetchers {
		fetchers = append(fetchers, f)
	}
	r.mu.Unlock()
	var out []Lag
	for _, f := range fetchers {
		out = f.lags(out)
	}
	return out
}
