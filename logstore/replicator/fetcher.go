package replicator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetcher follows one leader. Its goroutine owns everything but what mu guards.
type fetcher struct {
	r      *Replicator
	o      *Options
	from   source
	ctx    context.Context
	cancel context.CancelFunc
	kick   chan struct{} // the partitions have changed

	session session
	failed  int          // attempts in a row that brought nothing
	moved   []*following // what the last response was about: nothing else can have another position
	out     bool         // some are left out, for a time

	mu    sync.Mutex
	parts map[key]*following
	fresh bool     // parts is not what it was at the last request
	nc    net.Conn // of the fetch under way, if it may be cut short
}

func newFetcher(r *Replicator, s source) *fetcher {
	f := &fetcher{r: r, o: &r.o, from: s, kick: make(chan struct{}, 1), parts: map[key]*following{}}
	f.ctx, f.cancel = context.WithCancel(r.ctx)
	f.session.restart()
	return f
}

// set replaces the partitions. One that is new does not wait until the leader answers the fetch that is under way: that may
// take as long as nothing happens.
func (f *fetcher) set(list []Followed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next, news := make(map[key]*following, len(list)), false
	for _, x := range list {
		k := key{x.TopicID, x.Partition.ID().Partition}
		p := f.parts[k]
		if p == nil || p.Partition != x.Partition || p.Epoch != x.Epoch {
			p = &following{Followed: x, behindSince: time.Now()}
			news = true
		}
		p.throttled.Store(x.Throttled)
		next[k] = p
	}
	f.parts, f.fresh = next, true
	select {
	case f.kick <- struct{}{}:
	default:
	}
	if news && f.nc != nil {
		_ = f.nc.Close()
		f.nc = nil
	}
}

// run fetches until the fetcher is cancelled.
func (f *fetcher) run() {
	for f.ctx.Err() == nil {
		err := f.converse()
		if f.ctx.Err() != nil {
			return
		}
		if err == nil {
			continue
		}
		f.failed++
		if f.failed == 3 {
			f.o.Logger.Warn("replicator: leader not reached", "node", f.from.node, "addr", f.from.addr, "err", err)
		}
		f.pause(f.backoff(f.failed))
	}
}

// backoff doubles, up to 20 times the first, and is spread by a fifth.
func (f *fetcher) backoff(failed int) time.Duration {
	d := min(f.o.Backoff<<min(failed-1, 10), 20*f.o.Backoff)
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}

// pause waits, unless the partitions change.
func (f *fetcher) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.kick:
	case <-f.ctx.Done():
	}
}

// converse holds one connection until something is wrong with it. nil says that it was cut short on purpose.
func (f *fetcher) converse() error {
	if want, wait := f.all(time.Now()); len(want) == 0 {
		f.pause(wait)
		return nil
	}
	ctx, cancel := context.WithTimeout(f.ctx, answerTime)
	nc, err := f.o.Dial(ctx, f.from.addr)
	cancel()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(f.ctx, func() { _ = nc.Close() })
	defer stop()
	defer nc.Close()
	f.restart()
	l := newLink(nc)
	for {
		cut, err := f.exchange(l)
		if cut {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// exchange is one fetch and what follows from it. cut says that set has closed the connection.
func (f *fetcher) exchange(l *link) (cut bool, err error) {
	req, wait := f.request(time.Now())
	f.interruptible(l.nc)
	resp, err := l.ask(req, wait)
	if f.interruptible(nil) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if resp.ErrorCode != 0 {
		err := kerr.ErrorForCode(resp.ErrorCode)
		if errors.Is(err, kerr.FetchSessionIDNotFound) || errors.Is(err, kerr.InvalidFetchSessionEpoch) {
			f.restart()
			return false, nil
		}
		return false, fmt.Errorf("fetch from node %d: %w", f.from.node, err)
	}
	f.failed = 0
	if f.session.answered(resp.SessionID); resp.SessionID == 0 {
		f.restart()
	}
	f.apply(resp)
	return false, nil
}

// interruptible says that set may close nc, or none; true when set has closed the last one.
func (f *fetcher) interruptible(nc net.Conn) (was bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was = nc == nil && f.nc == nil
	f.nc = nc
	return was
}

// restart begins the session anew.
func (f *fetcher) restart() {
	f.session.restart()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = true
}

// request makes the next request, and says how long the leader may hold it.
func (f *fetcher) request(now time.Time) (*kmsg.FetchRequest, time.Duration) {
	wait := f.o.MaxWait
	f.mu.Lock()
	everything := f.fresh || f.out
	f.mu.Unlock()
	var want map[key]position
	if everything {
		var due time.Duration
		want, due = f.all(now)
		wait = max(min(wait, due), time.Millisecond)
	} else {
		want = make(map[key]position, len(f.moved))
		for _, p := range f.moved {
			want[p.key()] = positionOf(p.Partition.FetchState())
		}
	}
	f.moved = f.moved[:0]
	req := f.session.request(f.o, want, everything)
	req.MaxWaitMillis = int32(wait.Milliseconds())
	return req, wait
}

// all is where each partition stands that is to be fetched now, and how soon one is due that is left out.
func (f *fetcher) all(now time.Time) (map[key]position, time.Duration) {
	due := time.Hour
	throttled := f.r.throttle.wait(now)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh, f.out = false, false
	want := make(map[key]position, len(f.parts))
	for k, p := range f.parts {
		wait := max(0, p.retryAt.Sub(now))
		if p.throttled.Load() {
			wait = max(wait, throttled)
			f.out = true // the budget is looked at each time
		}
		if wait > 0 {
			f.out, due = true, min(due, wait)
			continue
		}
		want[k] = positionOf(p.Partition.FetchState())
	}
	return want, due
}

// apply hands a response to its partitions, and waits until what they appended is on disk: they share the fsync.
func (f *fetcher) apply(resp *kmsg.FetchResponse) {
	now := time.Now()
	var waiting []*following
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			rp := &t.Partitions[j]
			p := f.at(key{t.TopicID, rp.Partition})
			if p == nil {
				continue
			}
			f.moved = append(f.moved, p)
			f.take(p, rp, now)
			if p.pending != nil {
				waiting = append(waiting, p)
			}
		}
	}
	for _, p := range waiting {
		_, err := p.pending.Wait(f.ctx)
		p.pending = nil
		f.outcome(p, err)
	}
}

func (f *fetcher) at(k key) *following {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.parts[k]
}
