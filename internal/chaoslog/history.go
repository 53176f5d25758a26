package chaoslog

import (
	"fmt"
	"sync"
	"time"
)

// Place is a partition of a topic.
type Place struct {
	Topic     string
	Partition int32
}

func (p Place) String() string { return fmt.Sprintf("%s-%d", p.Topic, p.Partition) }

// Outcome is what a client knows of an operation.
type Outcome string

const (
	OK      Outcome = "ok"      // it took effect
	Failed  Outcome = "failed"  // it did not, and never will
	Unknown Outcome = "unknown" // no answer: it may take effect, or not
)

// Send is one value that a producer tried to append.
type Send struct {
	At       time.Duration // since the run began, when the outcome was known
	Producer string
	Seq      int // position among the producer's values for this place
	Place    Place
	Value    string
	Offset   int64 // when OK
	Outcome  Outcome
	Txn      string // the transaction that it is part of, or empty
	From     string // the input value that it was made of, or empty
}

// Txn is a transaction's end.
type Txn struct {
	ID      string
	Commit  bool
	Outcome Outcome
}

// Seen is one record as a reader got it.
type Seen struct {
	Offset int64
	Value  string
	Broken string // why the record is not what a producer sent, or empty
}

// Poll is what one reader got of one partition at once.
type Poll struct {
	At        time.Duration
	Reader    string // a new name for each assignment and each seek
	Committed bool   // it reads committed records only
	Place     Place
	Records   []Seen
}

// Mark is an offset that must never go back for the one who watches it.
type Mark struct {
	At    time.Duration
	Watch string // what it is: "latest by watcher 2", "committed of group g"
	Place Place
	Value int64
}

// FinalRead is the whole of a partition, read at the end from one leader.
type FinalRead struct {
	Place     Place
	Leader    int32
	Committed bool
	Start     int64
	Records   []Seen
}

// History is all that the clients of a run saw. Its methods are safe for concurrent use.
type History struct {
	begin time.Time

	mu     sync.Mutex
	Sends  []Send
	Txns   []Txn
	Polls  []Poll
	Marks  []Mark
	Finals []FinalRead
	Faults []string
	faults int // lines of Faults that are faults
}

// NewHistory begins a history now.
func NewHistory() *History { return &History{begin: time.Now()} }

// Now is the time since the run began.
func (h *History) Now() time.Duration { return time.Since(h.begin) }

func add[T any](h *History, list *[]T, v T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*list = append(*list, v)
}

// AddSend notes a send's outcome.
func (h *History) AddSend(s Send) { s.At = h.Now(); add(h, &h.Sends, s) }

// AddTxn notes a transaction's end.
func (h *History) AddTxn(t Txn) { add(h, &h.Txns, t) }

// AddPoll notes what a reader got.
func (h *History) AddPoll(p Poll) { p.At = h.Now(); add(h, &h.Polls, p) }

// AddMark notes an offset that must not go back. asked is when the question was sent.
func (h *History) AddMark(m Mark) { m.At = h.Now(); add(h, &h.Marks, m) }

// AddFinal notes a whole partition.
func (h *History) AddFinal(f FinalRead) { add(h, &h.Finals, f) }

// AddFault notes what was done to the cluster.
func (h *History) AddFault(format string, args ...any) {
	h.mu.Lock()
	h.faults++
	h.mu.Unlock()
	h.AddNote(format, args...)
}

// AddNote notes, among the faults, how far a run has come.
func (h *History) AddNote(format string, args ...any) {
	add(h, &h.Faults, fmt.Sprintf("%7.3fs %s", h.Now().Seconds(), fmt.Sprintf(format, args...)))
}

// Counts are the figures of a run's table.
type Counts struct{ Sent, Acked, Unknown, Txns, Read, Faults int }

// Counts sums the history up.
func (h *History) Counts() Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := Counts{Sent: len(h.Sends), Txns: len(h.Txns), Faults: h.faults}
	for _, s := range h.Sends {
		switch s.Outcome {
		case OK:
			c.Acked++
		case Unknown:
			c.Unknown++
		}
	}
	for _, p := range h.Polls {
		c.Read += len(p.Records)
	}
	return c
}
