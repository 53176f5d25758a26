package connect

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/google/uuid"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
)

// sessionKey names a session: the first request that carries a new one makes it.
type sessionKey struct{ user, id string }

// keptErrors is how many errors a session remembers for FetchErrorDetails.
const keptErrors = 64

// session is what the server knows of a client's session beside the backend's own.
type session struct {
	key      sessionKey
	serverID string // constant for the session's life: clients close themselves when it changes
	backend  structured.Backend

	mu        sync.Mutex
	closed    bool
	lastUsed  time.Time
	ops       map[string]*operation
	ended     map[string]time.Time // ids of operations that are gone, so that a retry is told and not run again
	artifacts map[string][]byte
	cached    map[string]logical.Plan
	levels    map[string]*pb.StorageLevel // by plan, what persist was called with
	errs      map[string]*usererr.Error
	errOrder  *list.List
	bus       *listenerBus
	reset     map[string]bool // runs that had ended at the last resetTerminated
}

func newSession(key sessionKey, b structured.Backend, now time.Time) *session {
	return &session{key: key, serverID: uuid.NewString(), backend: b, lastUsed: now, ops: map[string]*operation{}, ended: map[string]time.Time{},
		artifacts: map[string][]byte{}, cached: map[string]logical.Plan{}, levels: map[string]*pb.StorageLevel{},
		errs: map[string]*usererr.Error{}, errOrder: list.New(),
		reset: map[string]bool{}}
}

// decoder is a decoder over the session's cached things.
func (s *session) decoder(ctx context.Context) *decoder {
	source, _, _ := s.backend.Conf().Get(ctx, structured.ConfSource)
	d := &decoder{artifact: s.artifact, cached: s.cachedPlan, source: source}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.levels) > 0 {
		d.persisted = s.persistedKey
	}
	return d
}

// persistedKey is the key under which the backend keeps the rows of a relation that persist was called with.
func (s *session) persistedKey(r *pb.Relation) (string, bool) {
	key, err := canonical(&pb.Plan{OpType: &pb.Plan_Root{Root: r}})
	if err != nil {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.levels[string(key)]
	return cacheKey(key), ok
}

func cacheKey(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return "plan:" + hex.EncodeToString(sum[:])
}

func (s *session) artifact(name string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.artifacts[name]
	return data, ok
}

// file is an uploaded file: PySpark's addArtifact(path, file=True) keeps it below files/.
func (s *session) file(name string) ([]byte, bool) {
	if data, ok := s.artifact("files/" + name); ok {
		return data, true
	}
	return s.artifact(name)
}

func (s *session) cachedPlan(id string) (logical.Plan, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.cached[id]
	return p, ok
}

func (s *session) stamp(r *pb.ExecutePlanResponse) {
	r.SessionId, r.ServerSideSessionId = s.key.id, s.serverID
}

// keepError remembers an error for FetchErrorDetails, the oldest one goes.
func (s *session) keepError(id string, e *usererr.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs[id] = e
	s.errOrder.PushBack(id)
	for s.errOrder.Len() > keptErrors {
		delete(s.errs, s.errOrder.Remove(s.errOrder.Front()).(string))
	}
}

func (s *session) keptError(id string) *usererr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errs[id]
}

// fail is err as an RPC of this session answers it.
func (s *session) fail(err error) error { return toStatus(err, s.keepError) }

func (s *session) touch(now time.Time) {
	s.mu.Lock()
	s.lastUsed = now
	s.mu.Unlock()
}

// begin registers an operation. An id that runs or has run is refused, which makes a client's retries harmless.
func (s *session) begin(o *operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return sessionClosed()
	}
	if _, ok := s.ops[o.id]; ok {
		return handleError("INVALID_HANDLE.OPERATION_ALREADY_EXISTS", "The handle %s is invalid. Operation already exists.", o.id).With("handle", o.id)
	}
	if _, ok := s.ended[o.id]; ok {
		return handleError("INVALID_HANDLE.OPERATION_ABANDONED", "The handle %s is invalid. Operation was considered abandoned because of inactivity and removed.", o.id).With("handle", o.id)
	}
	s.ops[o.id] = o
	return nil
}

func (s *session) operation(id string) (*operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.ops[id]; ok {
		return o, nil
	}
	if _, ok := s.ended[id]; ok {
		return nil, handleError("INVALID_HANDLE.OPERATION_ABANDONED", "The handle %s is invalid. Operation was considered abandoned because of inactivity and removed.", id).With("handle", id)
	}
	return nil, handleError("INVALID_HANDLE.OPERATION_NOT_FOUND", "The handle %s is invalid. Operation not found.", id).With("handle", id)
}

// end forgets an operation and stops it if it still runs.
func (s *session) end(id string, now time.Time) {
	s.mu.Lock()
	o, ok := s.ops[id]
	if ok {
		delete(s.ops, id)
		s.ended[id] = now
	}
	s.mu.Unlock()
	if ok {
		o.cancel()
	}
}

// interrupt cancels the operations that match and returns their ids. They stay until their readers have seen the end.
func (s *session) interrupt(match func(*operation) bool) []string {
	s.mu.Lock()
	var hit []*operation
	for _, o := range s.ops {
		if match(o) {
			hit = append(hit, o)
		}
	}
	s.mu.Unlock()
	var ids []string
	for _, o := range hit {
		if done, _ := o.state(); !done {
			o.cancel()
			ids = append(ids, o.id)
		}
	}
	return ids
}

// sweep ends operations that no client has drained for a while, and forgets ids that no retry can name any more.
func (s *session) sweep(now time.Time, detached, tombstones time.Duration) {
	s.mu.Lock()
	var stale []string
	for id, o := range s.ops {
		if _, idle := o.state(); !idle.IsZero() && now.Sub(idle) > detached {
			stale = append(stale, id)
		}
	}
	for id, at := range s.ended {
		if now.Sub(at) > tombstones {
			delete(s.ended, id)
		}
	}
	s.mu.Unlock()
	for _, id := range stale {
		s.end(id, now)
	}
}

// idle reports whether nothing happened for the time and nothing runs.
func (s *session) idle(now time.Time, timeout time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ops) == 0 && s.bus == nil && now.Sub(s.lastUsed) > timeout
}

// close ends the session with everything that runs in it.
func (s *session) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	ops := s.ops
	s.ops = map[string]*operation{}
	s.mu.Unlock()
	for _, o := range ops {
		o.cancel()
	}
	return s.backend.Close()
}

func sessionClosed() error {
	return handleError("INVALID_HANDLE.SESSION_CLOSED", "The handle is invalid. Session was closed.")
}

// forget makes awaitAnyTermination pass over a run that has ended.
func (s *session) forget(run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset[run] = true
}

func (s *session) wasReset(run string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reset[run]
}
