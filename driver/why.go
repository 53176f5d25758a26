package driver

import (
	"fmt"
	"time"
)

// Why says where the time of a streaming query goes and what it waits for, over its last batches on this node.
type Why struct {
	Query    string   `json:"query"`
	Status   string   `json:"status"`
	Error    string   `json:"error,omitempty"` // that ended it, or of the failure that is being tried again
	Doing    string   `json:"doing"`           // see stream.Doing
	ForMs    float64  `json:"forMs"`           // it has been doing that
	Findings []string `json:"findings"`        // the same in words, most important first

	Batches    BatchTimes     `json:"batches"`
	Operators  []OperatorTime `json:"operators"`
	Waits      []WaitTime     `json:"waits"`
	Sources    []SourceLag    `json:"sources"`
	Watermarks []EventTime    `json:"watermarks"`
	State      []StateUse     `json:"state"`
}

// BatchTimes are the last batches' durations.
type BatchTimes struct {
	Count   int         `json:"count"`
	Last    int64       `json:"last"` // number of the last one, -1 for none
	P50Ms   float64     `json:"p50Ms"`
	P99Ms   float64     `json:"p99Ms"`
	RowsIn  float64     `json:"rowsInPerSecond"` // over the time from the first to the last of them
	RowsOut float64     `json:"rowsOutPerSecond"`
	Phases  []PhaseTime `json:"phases"`
}

// PhaseTime is a batch's step: its mean, and its share of all batches' time.
type PhaseTime struct {
	Phase string  `json:"phase"`
	Ms    float64 `json:"ms"`
	Share float64 `json:"share"`
}

// OperatorTime is what an operator takes of the tasks' time, summed over the tasks of its stage. The operator "" is moving
// rows between stages and writing down state.
type OperatorTime struct {
	Stage    int     `json:"stage"`
	Operator string  `json:"operator"`
	Ms       float64 `json:"ms"` // a batch
	Share    float64 `json:"share"`
	Rows     float64 `json:"rows"` // put out, a batch
}

// WaitTime is how long the query has been doing one thing since it was started on this node.
type WaitTime struct {
	Doing string  `json:"doing"`
	Ms    float64 `json:"ms"`
	Share float64 `json:"share"`
}

// SourceLag is how far a source's partition has been read.
type SourceLag struct {
	Operator  string `json:"operator"`
	Table     string `json:"table"`
	Partition int    `json:"partition"`
	Read      int64  `json:"read"`      // one past the last offset of the last committed batch
	Available int64  `json:"available"` // one past the last readable offset
	Lag       int64  `json:"lag"`
}

// EventTime is a watermark and the clocks of the partitions that it follows from. Times are empty before the first row.
type EventTime struct {
	Operator  string  `json:"operator"`
	Column    string  `json:"column"`
	Table     string  `json:"table,omitempty"`
	Watermark string  `json:"watermark"`
	DelayMs   float64 `json:"delayMs"`
	HeldBy    []int   `json:"heldBy"` // the partitions whose clock is the least
	Clocks    []Clock `json:"clocks"`
}

// Clock is the largest event time seen in a partition, and how far that is behind the furthest partition.
type Clock struct {
	Partition int     `json:"partition"`
	Clock     string  `json:"clock"`
	BehindMs  float64 `json:"behindMs"`
}

// StateUse is what an operator keeps.
type StateUse struct {
	Operator    string  `json:"operator"`
	Name        string  `json:"name,omitempty"`
	Partitions  int     `json:"partitions"`
	Keys        int64   `json:"keys"`
	Bytes       int64   `json:"bytes"` // in memory
	KeysGrowth  float64 `json:"keysPerSecond"`
	BytesGrowth float64 `json:"bytesPerSecond"`
	Bound       string  `json:"bound"`
}

// Lag is how many offsets are behind, over all partitions.
func (w *Why) Lag() (n int64) {
	for _, s := range w.Sources {
		n += s.Lag
	}
	return n
}

// busy is the share of its life that the query spent in batches.
func (w *Why) busy() float64 {
	for _, x := range w.Waits {
		if x.Doing == "batch" {
			return x.Share
		}
	}
	return 0
}

// explain turns the numbers into sentences.
func (w *Why) explain() {
	say := func(format string, args ...any) { w.Findings = append(w.Findings, fmt.Sprintf(format, args...)) }
	w.Findings = []string{}
	if w.Status != "running" {
		say("The query is %s%s.", w.Status, because(w.Error))
		return
	}
	w.explainWait(say)
	w.explainBatch(say)
	w.explainEventTime(say)
	for _, s := range w.State {
		if s.KeysGrowth >= 1 {
			say("State of %s grows by %.0f keys a second; it keeps %s.", s.Operator, s.KeysGrowth, s.Bound)
		}
	}
}

func because(err string) string {
	if err == "" {
		return ""
	}
	return ": " + err
}

func (w *Why) explainWait(say func(string, ...any)) {
	lag := w.Lag()
	switch w.Doing {
	case "input":
		if lag == 0 {
			say("It waits for input: everything that is there has been read.")
			return
		}
	case "trigger":
		say("It waits for its trigger's interval; %d offsets have come meanwhile.", lag)
		return
	case "disk":
		say("The disk is full: it waits until there is room%s.", because(w.Error))
	case "retry":
		say("Something failed and is tried again after a pause%s.", because(w.Error))
	case "memory":
		say("It catches up, and waits for the memory that other queries which catch up have.")
	case "paused":
		say("It is paused; %d offsets have come meanwhile.", lag)
		return
	}
	if lag == 0 {
		return
	}
	if rate := w.Batches.RowsIn; rate > 0 && w.busy() > 0.9 {
		say("It is %d offsets behind and has been working without a break: at %.0f rows a second that is %s of work.", lag, rate, seconds(float64(lag)/rate))
		return
	}
	say("It is %d offsets behind.", lag)
}

func seconds(s float64) string {
	return (time.Duration(s*1000) * time.Millisecond).Round(10 * time.Millisecond).String()
}

func (w *Why) explainBatch(say func(string, ...any)) {
	var most PhaseTime
	for _, p := range w.Batches.Phases {
		if p.Share > most.Share {
			most = p
		}
	}
	switch most.Phase {
	case "":
		say("No batch has run here yet.")
		return
	case "sync", "commit":
		say("The disk sets the pace: of a batch, %s takes %.0f%% (%.2f ms), which is waiting for a sync.", most.Phase, 100*most.Share, most.Ms)
	default:
		say("Of a batch, %s takes %.0f%% (%.2f ms).", most.Phase, 100*most.Share, most.Ms)
	}
	var op OperatorTime
	for _, o := range w.Operators {
		if o.Share > op.Share {
			op = o
		}
	}
	if op.Share > 0 {
		say("Of the tasks' time, %s in stage %d takes %.0f%%.", opName(op.Operator), op.Stage, 100*op.Share)
	}
}

// opName is how an operator is called in words.
func opName(op string) string {
	if op == "" {
		return "moving rows and writing down state"
	}
	return op
}

// heldMs is how far a partition must be behind to be named.
const heldMs = 1000

func (w *Why) explainEventTime(say func(string, ...any)) {
	for _, e := range w.Watermarks {
		if e.Watermark == "" {
			say("Event time (%s) has not begun: %s.", e.Column, waitsFor(e))
			continue
		}
		for _, c := range e.Clocks {
			if len(e.HeldBy) > 0 && c.Partition == e.HeldBy[0] && c.BehindMs >= heldMs {
				say("Partition %d of %s holds the watermark: its event time is %s behind the furthest partition's.", c.Partition, e.Table, seconds(c.BehindMs/1000))
			}
		}
	}
}

// waitsFor names the partitions that have brought nothing.
func waitsFor(e EventTime) string {
	if len(e.HeldBy) == len(e.Clocks) {
		return "no row has come yet"
	}
	return fmt.Sprintf("partitions %v of %s have brought nothing yet", e.HeldBy, e.Table)
}
