package logstore

import "sync"

// Watcher is told which of many partitions have changed. One goroutine that waits for a thousand partitions asks it once,
// instead of asking each of them.
//
// A change that happens after Watch is never missed: it is noted until Take returns it. Tags are small numbers from 0 on.
type Watcher struct {
	wake chan struct{} // holds a token while changed has something

	mu      sync.Mutex
	changed []int  // tags that Take has not returned
	noted   []bool // by tag: it is in changed
}

// NewWatcher returns a watcher of nothing.
func NewWatcher() *Watcher { return &Watcher{wake: make(chan struct{}, 1)} }

// Wake receives when Take has something to return. It may receive once too often.
func (w *Watcher) Wake() <-chan struct{} { return w.wake }

// Take appends the tags of the partitions that have changed since the last Take.
func (w *Watcher) Take(tags []int) []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	tags = append(tags, w.changed...)
	for _, tag := range w.changed {
		w.noted[tag] = false
	}
	w.changed = w.changed[:0]
	return tags
}

// Mark notes a tag as changed.
func (w *Watcher) Mark(tag int) {
	if !w.note(tag) {
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// note is false when the tag was noted already.
func (w *Watcher) note(tag int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.noted) <= tag {
		w.noted = append(w.noted, false)
	}
	if w.noted[tag] {
		return false
	}
	w.noted[tag] = true
	w.changed = append(w.changed, tag)
	return true
}

// watching is a watcher with the tag that it knows a partition by.
type watching struct {
	watcher *Watcher
	tag     int
}

// Watch tells w, under a tag, of the changes that Changed tells of, until Unwatch. A partition that takes nothing more
// tells at once.
func (p *Partition) Watch(w *Watcher, tag int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers = append(p.watchers, watching{w, tag})
	if p.failed != nil {
		w.Mark(tag)
	}
}

// Unwatch ends Watch.
func (p *Partition) Unwatch(w *Watcher, tag int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, x := range p.watchers {
		if x.watcher == w && x.tag == tag {
			last := len(p.watchers) - 1
			p.watchers[i] = p.watchers[last]
			p.watchers[last] = watching{}
			p.watchers = p.watchers[:last]
			return
		}
	}
}
