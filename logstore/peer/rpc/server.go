package rpc

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore/peer"
)

// Handle answers a question. ctx ends when the caller's patience does, when it gives up, and with the server.
type Handle func(ctx context.Context, from int32, kind string, body []byte) ([]byte, error)

const (
	maxUnderWay  = 1024 // questions of one connection; the next is read when one is answered
	writeTimeout = 10 * time.Second
)

// Server answers the questions of a listener's connections.
type Server struct {
	l      net.Listener
	handle Handle
	log    *slog.Logger
	ctx    context.Context
	stop   context.CancelFunc

	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	running sync.WaitGroup
}

// Serve answers until Close. The listener yields *peer.Conn.
func Serve(l net.Listener, handle Handle, log *slog.Logger) *Server {
	s := &Server{l: l, handle: handle, log: log, conns: map[net.Conn]struct{}{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.running.Go(s.acceptLoop)
	return s
}

// Close ends the listener and every connection, and returns when no handler runs any more.
func (s *Server) Close() error {
	s.stop()
	err := s.l.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}

func (s *Server) acceptLoop() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		if s.ctx.Err() != nil {
			_ = c.Close()
		}
		s.running.Go(func() {
			s.serve(c.(*peer.Conn))
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

// serverConn is one connection; its handlers run at the same time.
type serverConn struct {
	s     *Server
	c     *peer.Conn
	slots chan struct{}

	writing sync.Mutex

	mu       sync.Mutex
	underWay map[uint64]context.CancelFunc
}

func (s *Server) serve(c *peer.Conn) {
	sc := &serverConn{s: s, c: c, slots: make(chan struct{}, maxUnderWay), underWay: map[uint64]context.CancelFunc{}}
	ctx, stop := context.WithCancel(s.ctx)
	var handlers sync.WaitGroup
	err := sc.readLoop(ctx, &handlers)
	stop()
	_ = c.Close()
	handlers.Wait()
	if err != nil && s.ctx.Err() == nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		s.log.Debug("rpc: connection ended", "node", c.From(), "error", err)
	}
}

func (c *serverConn) readLoop(ctx context.Context, handlers *sync.WaitGroup) error {
	r := bufio.NewReaderSize(c.c, 64<<10)
	for {
		f, err := readFrame(r)
		if err != nil {
			return err
		}
		switch f.typ {
		case question:
			err = c.start(ctx, f, handlers)
		case cancel:
			c.finish(f.id)
		case ping:
			err = c.write(appendFrame(nil, pong, f.id))
		default:
			err = errFrameType
		}
		if err != nil {
			return err
		}
	}
}

// start runs the handler of a question.
func (c *serverConn) start(ctx context.Context, f frame, handlers *sync.WaitGroup) error {
	patience, kind, body, err := splitQuestion(f.payload)
	if err != nil {
		return err
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	qctx, stop := context.WithTimeout(ctx, patience)
	c.mu.Lock()
	c.underWay[f.id] = stop
	c.mu.Unlock()
	handlers.Go(func() {
		out, err := c.s.handle(qctx, c.c.From(), kind, body)
		c.finish(f.id)
		<-c.slots
		if ctx.Err() != nil {
			return
		}
		if err := c.write(reply(f.id, out, err)); err != nil {
			_ = c.c.Close()
		}
	})
	return nil
}

func reply(id uint64, out []byte, err error) []byte {
	if err == nil && len(out) > maxFrame {
		err = errFrameSize
	}
	if err != nil {
		return appendFrame(nil, failure, id, EncodeError(err))
	}
	return appendFrame(nil, answer, id, out)
}

// finish ends a handler's context.
func (c *serverConn) finish(id uint64) {
	c.mu.Lock()
	stop := c.underWay[id]
	delete(c.underWay, id)
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (c *serverConn) write(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.c.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.c.Write(b)
	return err
}
