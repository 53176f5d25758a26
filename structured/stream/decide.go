package stream

import "github.com/streamflow/streamflow/structured/connector"

// Action is what a driver does next with its query.
type Action uint8

const (
	// Wait for data, for the trigger, or for the user.
	Wait Action = iota
	// Finish publishes the last committed batch (again): its entry is replicated, its effects may not be visible yet.
	Finish
	// Recover aborts what the batch after the last committed one may have staged and restores state at the last version.
	Recover
	// Replay runs a planned batch with the ranges that were fixed for it.
	Replay
	// Run runs the next batch.
	Run
	// Done ends the query: its input has ended, or the offsets that it was to reach are committed.
	Done
	// Stop ends the loop because the user asked; the query can be resumed.
	Stop
	// Fenced ends the loop because another driver has the query.
	Fenced
	// Hold runs no batch because the user has paused the query.
	Hold
	// Load runs a batch without input that brings state over from elsewhere.
	Load
)

func (a Action) String() string {
	return [...]string{"wait", "finish", "recover", "replay", "run", "done", "stop", "fenced", "hold", "load"}[a]
}

// Facts is all that the decision depends on.
type Facts struct {
	Epoch     int64  // under which this driver claimed the query
	Record    Record // as replicated now
	Published int64  // last batch that this driver knows to be published; -1 at its start
	Recovered bool   // this driver has carried out Recover
	StopAsked bool
	Sources   []SourceFacts
	Until     map[string]connector.Offsets // available-now: the query is done when these are committed; nil otherwise
	MaxRows   int64                        // cap on offsets taken from one partition by one batch; 0 is no cap
	Due       bool                         // an operator asked for a batch at a time that has come, or event time has moved without rows
	FixRanges bool                         // a sink is only idempotent: ranges are replicated before the batch runs
	Load      string                       // id of the state that is to be brought over before anything is read; "" for none
}

// SourceFacts is what a source has.
type SourceFacts struct {
	ID        string
	Available connector.Offsets
	Ended     bool   // nothing will follow Available
	Held      []bool // partitions that are not read now; nil for none
}

// Decision is what to do, and with which ranges.
type Decision struct {
	Action Action
	Batch  int64
	From   map[string]connector.Offsets
	To     map[string]connector.Offsets
	// Ended: after To nothing follows, so event time moves to its end and everything is closed in this batch.
	Ended bool
}

// Decide is the rule of progress and recovery. It is pure; every case has a script in testdata/decide.
func Decide(f Facts) Decision {
	r := &f.Record
	d := Decision{Batch: r.NextBatch()}
	switch {
	case r.Epoch != f.Epoch:
		return Decision{Action: Fenced}
	case r.Committed != nil && f.Published < r.Committed.Batch:
		return Decision{Action: Finish, Batch: r.Committed.Batch}
	case r.Committed != nil && r.Committed.Ended && (f.Load == "" || r.Loaded == f.Load):
		return Decision{Action: Done, Batch: r.Committed.Batch}
	case !f.Recovered:
		d.Action = Recover
		return d
	case f.Load != "" && r.Loaded != f.Load:
		d.Action = Load
		return d
	case r.Planned != nil && r.Planned.Batch == d.Batch:
		d.Action, d.To, d.Ended = Replay, r.Planned.To, r.Planned.Ended
		d.From = fromOf(f)
		return d
	case f.StopAsked:
		return Decision{Action: Stop, Batch: d.Batch - 1}
	case r.Paused:
		return Decision{Action: Hold, Batch: d.Batch - 1}
	}
	return choose(f, d)
}

// choose picks the ranges of a fresh batch.
func choose(f Facts, d Decision) Decision {
	d.From, d.To = fromOf(f), map[string]connector.Offsets{}
	data, ended, reached := false, true, f.Until != nil
	for _, s := range f.Sources {
		limit := s.Available
		if f.Until != nil {
			limit = minOffsets(limit, f.Until[s.ID])
		}
		to := advance(d.From[s.ID], limit, f.MaxRows)
		for p, held := range s.Held {
			if held && p < len(to) {
				to[p] = at(d.From[s.ID], p)
			}
		}
		d.To[s.ID] = to
		data = data || !equalOffsets(d.From[s.ID], to)
		ended = ended && s.Ended && equalOffsets(to, s.Available)
		reached = reached && covers(to, f.Until[s.ID])
	}
	d.Ended = ended
	switch {
	case data || ended || f.Due && f.Until == nil:
		d.Action = Run
	case reached:
		return Decision{Action: Done, Batch: d.Batch - 1}
	default:
		return Decision{Action: Wait, Batch: d.Batch - 1}
	}
	return d
}

func fromOf(f Facts) map[string]connector.Offsets {
	from := map[string]connector.Offsets{}
	for _, s := range f.Sources {
		from[s.ID] = f.Record.From(s.ID)
	}
	return from
}

// advance moves each partition from from towards to, by max at the most. Partitions that from does not know yet begin at 0.
func advance(from, to connector.Offsets, max int64) connector.Offsets {
	out := make(connector.Offsets, len(to))
	for p, end := range to {
		start := at(from, p)
		switch {
		case end < start:
			out[p] = start
		case max > 0 && end-start > max:
			out[p] = start + max
		default:
			out[p] = end
		}
	}
	return out
}

func at(o connector.Offsets, p int) int64 {
	if p < len(o) {
		return o[p]
	}
	return 0
}

func minOffsets(a, b connector.Offsets) connector.Offsets {
	out := make(connector.Offsets, min(len(a), len(b)))
	for p := range out {
		out[p] = min(a[p], b[p])
	}
	return out
}

func equalOffsets(a, b connector.Offsets) bool { return covers(a, b) && covers(b, a) }

// covers reports whether every partition of a has reached b.
func covers(a, b connector.Offsets) bool {
	for p := range b {
		if at(a, p) < b[p] {
			return false
		}
	}
	return true
}

func offsetsOf(m map[string][]int64) map[string]connector.Offsets {
	out := make(map[string]connector.Offsets, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
