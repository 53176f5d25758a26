package stream

import (
	"maps"
	"sync"
	"time"
)

// Doing is what a query's loop does at a moment.
type Doing string

// What a loop does: it works on a batch, or waits.
const (
	InBatch       Doing = "batch"   // choosing, running, committing or publishing
	ForInput      Doing = "input"   // everything that is there has been read
	ForTrigger    Doing = "trigger" // the interval of the trigger has not passed
	ForRetry      Doing = "retry"   // something failed and is tried again after a pause
	ForDisk       Doing = "disk"    // the disk is full
	ForMemory     Doing = "memory"  // other queries that catch up have the memory
	WhilePaused   Doing = "paused"  // by its user
	notBegun      Doing = ""
	activityKinds       = 8
)

// Activity is what a loop does now, since when, and how long it has done each thing.
type Activity struct {
	Doing  Doing
	Since  time.Time
	Totals map[Doing]time.Duration // what is going on included
	Error  string                  // of the last failure that is being tried again
}

// activity follows a loop. Its methods may be called from any goroutine.
type activity struct {
	mu     sync.Mutex
	doing  Doing
	since  time.Time
	totals map[Doing]time.Duration
	err    string
}

// turn notes that the loop does something else from now on.
func (a *activity) turn(to Doing) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.totals == nil {
		a.totals = make(map[Doing]time.Duration, activityKinds)
	}
	if a.doing != notBegun {
		a.totals[a.doing] += now.Sub(a.since)
	}
	a.doing, a.since = to, now
}

func (a *activity) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = ""
	if err != nil {
		a.err = err.Error()
	}
}

// Activity is what the loop does now.
func (l *Loop) Activity() Activity {
	a, now := &l.activity, time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	out := Activity{Doing: a.doing, Since: a.since, Totals: maps.Clone(a.totals), Error: a.err}
	if out.Totals == nil {
		out.Totals = map[Doing]time.Duration{}
	}
	if a.doing != notBegun {
		out.Totals[a.doing] += now.Sub(a.since)
	}
	return out
}
