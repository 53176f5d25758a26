package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/streamflow/streamflow/logstore/group/share"
	"github.com/streamflow/streamflow/logstore/quota"
	"golang.org/x/sync/semaphore"
)

// Options configures a Server. The zero value of every field but Broker is its default.
type Options struct {
	Broker *broker.Broker
	NodeID int32  // 0 is a valid id, and the default
	Addr   string // host:port that clients are told; default: where their connection arrived

	Authorizer *acl.Authorizer // nil: everybody may do everything
	ACLs       *acl.Machine    // the bindings, for those who change them; a machine of the Broker's metadata

	TLS             *tls.Config    // nil: connections are not encrypted
	NameRules       auth.NameRules // user names of certificates' subjects, where there is no Auth
	Auth            *auth.Server   // nil: nobody is asked who he is
	Users           *auth.Machine  // the users in the metadata, for those who change them
	Quotas          *quota.Meter   // what clients may use; nil: all there is
	SessionLifetime time.Duration  // after which clients log in again; 0: never

	DisableAutoCreate bool // refuse to create a topic because a client asked for its metadata

	Rows RowConverter // turns Arrow batches into JSON records; nil: such batches are an error to fetch

	MaxRequestBytes  int32 // largest Produce request; 100 MiB
	MaxControlBytes  int32 // largest request of another kind; 4 MiB
	MaxInflightBytes int64 // request bytes in memory over all connections; 256 MiB
	MaxFetchBytes    int32 // largest Fetch response; 55 MiB

	Groups           group.Config    // session bounds; InitialDelay 0 becomes 100 ms, -1 none
	Consumers        consumer.Config // of groups that do not set them
	Sharing          share.Config    // of groups that do not set them
	MaxFetchSessions int             // fetch sessions in memory; 1,000, -1 none

	MaxTxnMs    int32 // largest transaction timeout; 15 min
	MaxMetadata int   // largest offset metadata; 4096

	Logger *slog.Logger
	Now    func() time.Time
}

// RowConverter appends one Kafka record batch (or several) that holds the rows of an Arrow batch as JSON, with the same
// offsets. batch is one whole batch with the Arrow attribute bit.
type RowConverter interface {
	ConvertArrow(dst []byte, topic *broker.Topic, batch []byte) ([]byte, error)
}

// Server answers Kafka clients. It owns its connections, not its broker.
type Server struct {
	opts     Options
	broker   *broker.Broker
	log      *slog.Logger
	groups   *groups
	sessions *fetchSessions
	shares   *shares
	inflight *semaphore.Weighted

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	events  *events
	logins  atomic.Int64 // connections that have not logged in yet
	damaged sync.Map     // partitions whose damage has been told

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
}

// tellDamage logs, once for each partition, what the protocol has no words for: that the log is damaged, where, and what to do.
func (s *Server) tellDamage(tp logstore.TopicPartition, err error) {
	if _, damage := usererr.As(err); !damage {
		return
	}
	if _, told := s.damaged.LoadOrStore(tp, true); !told {
		s.log.Error("records cannot be read", "topic", tp.Topic, "partition", tp.Partition, "err", err)
	}
}

// New returns a server that does not listen yet.
func New(opts Options) *Server {
	opts = withDefaults(opts)
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		opts: opts, broker: opts.Broker, log: opts.Logger, inflight: semaphore.NewWeighted(opts.MaxInflightBytes),
		ctx: ctx, cancel: cancel, listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{},
	}
	s.events = &events{log: opts.Logger, now: opts.Now}
	s.groups = &groups{
		cfg: opts.Groups, consumer: s.consumerConfig, sharing: s.shareConfig, now: opts.Now, all: map[string]*groupShell{}, picture: topicPicture{broker: opts.Broker},
		office: func(id string) (int32, error) { return opts.Broker.Coordinates(broker.GroupCoordinator, id) },
	}
	s.shares = newShares(s)
	s.wg.Go(func() { s.watchOffices(ctx) })
	s.sessions = newFetchSessions(opts.MaxFetchSessions, fetchSessionEvictMs)
	return s
}

func withDefaults(o Options) Options {
	o.MaxRequestBytes = or(o.MaxRequestBytes, 100<<20)
	o.MaxControlBytes = or(o.MaxControlBytes, 4<<20)
	o.MaxInflightBytes = or(o.MaxInflightBytes, 256<<20)
	o.MaxInflightBytes = max(o.MaxInflightBytes, int64(o.MaxRequestBytes))
	o.MaxFetchBytes = or(o.MaxFetchBytes, 55<<20)
	o.MaxFetchSessions = or(o.MaxFetchSessions, 1000)
	o.MaxTxnMs = or(o.MaxTxnMs, 15*60*1000)
	o.MaxMetadata = or(o.MaxMetadata, 4096)
	o.Groups.InitialDelay = or(o.Groups.InitialDelay, 100)
	o.Groups.InitialDelay = max(0, o.Groups.InitialDelay)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (s *Server) nowMs() int64 { return s.opts.Now().UnixMilli() }

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Serve accepts connections until the listener is closed or the server is. It returns nil after Close.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, false) }

// ServePeers is Serve for connections of the cluster's other nodes, which have proved to be that. They may do everything.
func (s *Server) ServePeers(l net.Listener) error { return s.serve(l, true) }

func (s *Server) serve(l net.Listener, internal bool) error {
	if !s.track(l) {
		return errors.New("kafka: server is closed")
	}
	defer s.untrack(l)
	for {
		nc, err := l.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("kafka: accept: %w", err)
		}
		s.startConn(nc, internal)
	}
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) startConn(nc net.Conn, internal bool) {
	c := newConn(s, nc, internal)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = nc.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.wg.Go(func() {
		c.run()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	})
}

// Close stops listening, ends all connections, and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	s.cancel()
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.conns {
		c.close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	s.groups.close()
	s.sessions.clear()
	return nil
}

// address is what a client is told of this node: the configured one, or where the client's own connection arrived.
func (s *Server) address(c *conn) (host string, port int32) {
	addr := s.opts.Addr
	if addr == "" {
		addr = c.nc.LocalAddr().String()
	}
	h, p, err := net.SplitHostPort(addr)
	if err != nil {
		return addr, 9092
	}
	n, err := strconv.ParseInt(p, 10, 32)
	if err != nil {
		return h, 9092
	}
	return h, int32(n)
}

// hostOf is an address without its port.
func hostOf(addr string) string {
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return h
}
