package kafka

import (
	"context"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
)

// fetchSet is the partitions of a fetch, in one request or over a session. Those that may have something to tell are hot: a
// request looks at them only. A hot one that has nothing cools; a watched one that changes is hot again.
//
//	every partition with an error, with records to read, or with borders that the client has not been told, is hot
type fetchSet struct {
	all     []*fetchPart // by tag; nil where one was forgotten
	free    []int        // those tags
	hot     []*fetchPart // those that had records last, last
	watcher *logstore.Watcher
	tags    []int        // for watcher.Take
	out     []*fetchPart // for fetchCall.told

	index   map[fetchKey]*fetchPart // of a session
	replica bool                    // a follower's: watched for what ReplicaChanged tells
	sweptMs int64
	topics  <-chan struct{} // closed when topics have changed since they were resolved
}

// fetchKey names a partition as requests do: by topic id from version 13 on, else by name.
type fetchKey struct {
	name      string
	id        uuid.UUID
	partition int32
}

// add puts a partition into the set.
func (s *fetchSet) add(p *fetchPart) {
	p.toldHigh, p.toldStart = -1, -1
	if n := len(s.free); n > 0 {
		p.tag = s.free[n-1]
		s.free = s.free[:n-1]
		s.all[p.tag] = p
	} else {
		p.tag = len(s.all)
		s.all = append(s.all, p)
	}
	if s.index != nil {
		s.index[p.fetchKey] = p
	}
	s.warm(p)
}

// forget takes a partition out of the set.
func (s *fetchSet) forget(p *fetchPart) {
	s.unwatch(p)
	s.all[p.tag] = nil
	s.free = append(s.free, p.tag)
	delete(s.index, p.fetchKey)
	for i, h := range s.hot {
		if h == p {
			s.hot = append(s.hot[:i], s.hot[i+1:]...)
			break
		}
	}
	p.hot = false
}

func (s *fetchSet) size() int { return len(s.all) - len(s.free) }

// warm makes a partition hot.
func (s *fetchSet) warm(p *fetchPart) {
	if !p.hot {
		p.hot = true
		s.hot = append(s.hot, p)
	}
}

func (s *fetchSet) warmAll() {
	for _, p := range s.all {
		if p != nil {
			s.warm(p)
		}
	}
}

// heat makes those hot that have changed.
func (s *fetchSet) heat() {
	if s.watcher == nil {
		return
	}
	s.tags = s.watcher.Take(s.tags[:0])
	for _, tag := range s.tags {
		if tag < len(s.all) && s.all[tag] != nil {
			s.warm(s.all[tag])
		}
	}
}

// settle is called when a response has been made of what was read: hot partitions with nothing more to tell cool, and those
// that had records go behind the others, so that all get their turn.
func (s *fetchSet) settle(committed bool) {
	var had []*fetchPart
	keep := s.hot[:0]
	for _, p := range s.hot {
		switch {
		case p.size() > 0:
			had = append(had, p)
		case p.err != nil || p.diverging != nil || p.untold() || p.from < p.readable(committed):
			keep = append(keep, p)
		default:
			p.hot = false
		}
	}
	s.hot = append(keep, had...)
}

// readable is where records end for the client.
func (p *fetchPart) readable(committed bool) int64 {
	if committed {
		return p.res.LastStable
	}
	return p.res.HighWatermark
}

// untold is whether the partition's borders are not those that the session's client was told last.
func (p *fetchPart) untold() bool {
	return p.res.HighWatermark != p.toldHigh || p.res.LogStart != p.toldStart
}

// watchAll watches all partitions; false when they were watched already.
func (s *fetchSet) watchAll() (now bool) {
	if s.watcher != nil {
		return false
	}
	s.watcher = logstore.NewWatcher()
	for _, p := range s.all {
		if p != nil {
			s.watch(p)
		}
	}
	return true
}

func (s *fetchSet) unwatchAll() {
	if s.watcher == nil {
		return
	}
	for _, p := range s.all {
		if p != nil {
			s.unwatch(p)
		}
	}
	s.watcher = nil
}

func (s *fetchSet) watch(p *fetchPart) {
	if p.watched != nil || p.part == nil {
		return
	}
	if p.watched = p.part; s.replica {
		p.part.WatchReplica(s.watcher, p.tag)
	} else {
		p.part.Watch(s.watcher, p.tag)
	}
}

func (s *fetchSet) unwatch(p *fetchPart) {
	if p.watched == nil {
		return
	}
	if s.replica {
		p.watched.UnwatchReplica(s.watcher, p.tag)
	} else {
		p.watched.Unwatch(s.watcher, p.tag)
	}
	p.watched = nil
}

// wait returns when one of the partitions has changed, or ctx is done.
func (s *fetchSet) wait(ctx context.Context) {
	select {
	case <-s.watcher.Wake():
	case <-ctx.Done():
	}
}
