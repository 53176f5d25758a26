package connect

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/structured"
	"google.golang.org/grpc"
)

// MaxMessage is the largest message either way, as Spark has it.
const MaxMessage = 128 << 20

// SessionFactory makes the backend of a new session.
type SessionFactory func(userID, sessionID string) (structured.Backend, error)

// Options set up a Server; every field but Sessions may be zero.
type Options struct {
	Sessions SessionFactory
	// Version is what spark.version answers; clients compare it with features. The default is 4.1.0.
	Version string
	// Product and Node say who answers, for ServerInfo.
	Product string
	Node    string
	// SessionTimeout ends sessions that nothing uses; 60 minutes.
	SessionTimeout time.Duration
	// DetachedTimeout ends operations that no client drains; 5 minutes.
	DetachedTimeout time.Duration
	// ProgressInterval is how often a running operation reports; 2 seconds.
	ProgressInterval time.Duration
	Log              *slog.Logger
}

// Server is the Spark Connect service over backends.
type Server struct {
	pb.UnimplementedSparkConnectServiceServer
	opts    Options
	started time.Time

	mu       sync.Mutex
	sessions map[sessionKey]*session
	released map[sessionKey]time.Time // sessions that were closed: using one again is an error, not a new session
	stop     chan struct{}
	stopped  sync.WaitGroup
	closed   bool
}

// Times that no client can notice and nobody needs to set.
const (
	sweepEvery    = 15 * time.Second
	tombstoneLife = 30 * time.Minute
	releasedLife  = 24 * time.Hour
)

// NewServer returns a server; Close ends it with all its sessions.
func NewServer(opts Options) *Server {
	setDefault(&opts.Version, "4.1.0")
	setDefault(&opts.Product, "StreamFlow")
	setDefault(&opts.SessionTimeout, time.Hour)
	setDefault(&opts.DetachedTimeout, 5*time.Minute)
	setDefault(&opts.ProgressInterval, 2*time.Second)
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	s := &Server{opts: opts, started: time.Now(), sessions: map[sessionKey]*session{}, released: map[sessionKey]time.Time{}, stop: make(chan struct{})}
	s.stopped.Add(1)
	go s.sweeper()
	return s
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// GRPC returns a gRPC server with the service registered and the message limits set; opts add credentials, interceptors.
func (s *Server) GRPC(opts ...grpc.ServerOption) *grpc.Server {
	opts = append([]grpc.ServerOption{grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage)}, opts...)
	g := grpc.NewServer(opts...)
	pb.RegisterSparkConnectServiceServer(g, s)
	return g
}

// Close ends all sessions. Operations are cancelled; their streams end with an error.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	all := s.sessions
	s.sessions = map[sessionKey]*session{}
	s.mu.Unlock()
	close(s.stop)
	s.stopped.Wait()
	var first error
	for _, x := range all {
		if err := x.close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// request is what every request says of its session.
type request interface {
	GetSessionId() string
	GetUserContext() *pb.UserContext
}

type observing interface {
	GetClientObservedServerSideSessionId() string
}

// session finds the request's session, or makes it.
func (s *Server) session(r request) (*session, error) { return s.find(r, true) }

func (s *Server) find(r request, create bool) (*session, error) {
	key := sessionKey{r.GetUserContext().GetUserId(), r.GetSessionId()}
	if _, err := uuid.Parse(key.id); err != nil || len(key.id) != 36 {
		return nil, toStatus(handleError("INVALID_HANDLE.FORMAT", "The handle %s is invalid. Handle must be an UUID string of the format '00112233-4455-6677-8899-aabbccddeeff'.", key.id), nil)
	}
	x, err := s.lookup(key, create)
	if err != nil {
		return nil, toStatus(err, nil)
	}
	if o, ok := r.(observing); ok && o.GetClientObservedServerSideSessionId() != "" && o.GetClientObservedServerSideSessionId() != x.serverID {
		return nil, toStatus(handleError("INVALID_HANDLE.SESSION_CHANGED", "The handle %s is invalid. The existing Spark server driver instance has restarted. Please reconnect.", key.id), nil)
	}
	x.touch(time.Now())
	return x, nil
}

// lookup makes the backend outside the lock: it may do I/O. Of two that race to make one session the second is closed.
func (s *Server) lookup(key sessionKey, create bool) (*session, error) {
	s.mu.Lock()
	x, ok := s.sessions[key]
	_, gone := s.released[key]
	closed := s.closed
	s.mu.Unlock()
	switch {
	case ok:
		return x, nil
	case gone || closed:
		return nil, sessionClosed()
	case !create:
		return nil, handleError("INVALID_HANDLE.SESSION_NOT_FOUND", "The handle %s is invalid. Session not found.", key.id).With("handle", key.id)
	}
	b, err := s.opts.Sessions(key.user, key.id)
	if err != nil {
		return nil, err
	}
	fresh := newSession(key, b, time.Now())
	s.mu.Lock()
	x, ok = s.sessions[key]
	if !ok && !s.closed {
		s.sessions[key] = fresh
		s.mu.Unlock()
		return fresh, nil
	}
	s.mu.Unlock()
	if err := b.Close(); err != nil {
		s.opts.Log.Warn("connect: close of an unused session failed", "session", key.id, "err", err)
	}
	if !ok {
		return nil, sessionClosed()
	}
	return x, nil
}

// ReleaseSession ends a session. Its id cannot be used again unless the client allows it.
func (s *Server) ReleaseSession(_ context.Context, r *pb.ReleaseSessionRequest) (*pb.ReleaseSessionResponse, error) {
	key := sessionKey{r.GetUserContext().GetUserId(), r.GetSessionId()}
	resp := &pb.ReleaseSessionResponse{SessionId: r.GetSessionId()}
	s.mu.Lock()
	x, ok := s.sessions[key]
	delete(s.sessions, key)
	if !r.GetAllowReconnect() {
		s.released[key] = time.Now()
	}
	s.mu.Unlock()
	if !ok {
		return resp, nil
	}
	resp.ServerSideSessionId = x.serverID
	if err := x.close(); err != nil {
		s.opts.Log.Warn("connect: close of a session failed", "session", key.id, "err", err)
	}
	return resp, nil
}

// sweeper ends what clients have left behind.
func (s *Server) sweeper() {
	defer s.stopped.Done()
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-t.C:
			s.sweep(now)
		}
	}
}

func (s *Server) sweep(now time.Time) {
	s.mu.Lock()
	var idle []*session
	for key, x := range s.sessions {
		if x.idle(now, s.opts.SessionTimeout) {
			idle = append(idle, x)
			delete(s.sessions, key)
			s.released[key] = now
		}
	}
	for key, at := range s.released {
		if now.Sub(at) > releasedLife {
			delete(s.released, key)
		}
	}
	live := make([]*session, 0, len(s.sessions))
	for _, x := range s.sessions {
		live = append(live, x)
	}
	s.mu.Unlock()
	for _, x := range idle {
		if err := x.close(); err != nil {
			s.opts.Log.Warn("connect: close of an idle session failed", "session", x.key.id, "err", err)
		}
	}
	for _, x := range live {
		x.sweep(now, s.opts.DetachedTimeout, tombstoneLife)
	}
}
