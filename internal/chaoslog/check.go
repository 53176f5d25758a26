package chaoslog

import (
	"fmt"
	"sort"
)

// Anomaly is one thing that must not have been seen.
type Anomaly struct {
	Kind  string
	Place Place
	What  string
}

func (a Anomaly) String() string { return fmt.Sprintf("%s in %s: %s", a.Kind, a.Place, a.What) }

// Check compares a history with what the log promises, and returns every anomaly, in a stable order.
func Check(h *History) []Anomaly {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := newChecker(h)
	c.checkOffsets()
	c.checkFinals()
	c.checkLost()
	c.checkOrder()
	c.checkAborted()
	c.checkAtomic()
	c.checkMoves()
	c.checkBackwards()
	sort.SliceStable(c.found, func(i, j int) bool { return c.found[i].String() < c.found[j].String() })
	return c.found
}

type checker struct {
	h     *History
	sends map[string]*Send           // by value
	txns  map[string]Txn             // by id
	at    map[Place]map[int64]string // which value stands where, from every source
	ends  map[endKey]*end
	found []Anomaly
}

// end is a partition as it was first read at the end: what all its leaders must agree on.
type end struct {
	read   FinalRead
	values map[string]int64 // value -> offset
}

type endKey struct {
	place     Place
	committed bool
}

func newChecker(h *History) *checker {
	c := &checker{h: h, sends: map[string]*Send{}, txns: map[string]Txn{}, at: map[Place]map[int64]string{}, ends: map[endKey]*end{}}
	for i := range h.Sends {
		c.sends[h.Sends[i].Value] = &h.Sends[i]
	}
	for _, t := range h.Txns {
		c.txns[t.ID] = t
	}
	return c
}

func (c *checker) report(kind string, p Place, format string, args ...any) {
	c.found = append(c.found, Anomaly{kind, p, fmt.Sprintf(format, args...)})
}

// fate is what became of a send, its transaction included.
func (c *checker) fate(s *Send) Outcome {
	if s.Txn == "" || s.Outcome == Failed {
		return s.Outcome
	}
	t, ended := c.txns[s.Txn]
	switch {
	case !ended || t.Outcome == Unknown:
		return Unknown
	case t.Commit && t.Outcome == OK:
		return s.Outcome
	}
	return Failed
}

// checkOffsets looks for offsets with two values and for values that nobody sent, in acknowledgements and in reads.
func (c *checker) checkOffsets() {
	for i := range c.h.Sends {
		if s := &c.h.Sends[i]; s.Outcome == OK {
			c.stands(s.Place, s.Offset, s.Value, "acknowledged to "+s.Producer)
		}
	}
	for _, p := range c.h.Polls {
		for _, r := range p.Records {
			c.saw(p.Place, r, "read by "+p.Reader)
		}
	}
	for _, f := range c.h.Finals {
		for _, r := range f.Records {
			c.saw(f.Place, r, fmt.Sprintf("read at the end from node %d", f.Leader))
		}
	}
}

func (c *checker) saw(p Place, r Seen, how string) {
	if r.Broken != "" {
		c.report("torn", p, "offset %d %s: %s", r.Offset, how, r.Broken)
		return
	}
	c.stands(p, r.Offset, r.Value, how)
	s := c.sends[r.Value]
	switch {
	case s == nil:
		c.report("phantom", p, "offset %d holds %q, which nobody sent, %s", r.Offset, r.Value, how)
	case s.Place != p:
		c.report("phantom", p, "offset %d holds %q, which was sent to %s, %s", r.Offset, r.Value, s.Place, how)
	case s.Outcome == Failed && s.Txn == "":
		c.report("phantom", p, "offset %d holds %q, whose send was refused, %s", r.Offset, r.Value, how)
	}
}

func (c *checker) stands(p Place, offset int64, value, how string) {
	log := c.at[p]
	if log == nil {
		log = map[int64]string{}
		c.at[p] = log
	}
	if other, ok := log[offset]; ok && other != value {
		c.report("inconsistent", p, "offset %d held %q, and then %q, %s", offset, other, value, how)
	}
	log[offset] = value
}

// checkFinals looks for values at two offsets, and for leaders that disagree.
func (c *checker) checkFinals() {
	for _, f := range c.h.Finals {
		k := endKey{f.Place, f.Committed}
		if e := c.ends[k]; e != nil {
			c.compare(e.read, f)
			continue
		}
		e := &end{read: f, values: map[string]int64{}}
		c.ends[k] = e
		for _, r := range f.Records {
			if at, twice := e.values[r.Value]; twice {
				c.report("duplicate", f.Place, "%q stands at %d and at %d", r.Value, at, r.Offset)
			}
			e.values[r.Value] = r.Offset
		}
	}
}

func (c *checker) compare(a, b FinalRead) {
	if len(a.Records) != len(b.Records) {
		c.report("diverged", a.Place, "node %d served %d records, node %d served %d", a.Leader, len(a.Records), b.Leader, len(b.Records))
		return
	}
	for i := range a.Records {
		if a.Records[i] != b.Records[i] {
			c.report("diverged", a.Place, "node %d served %v, node %d served %v", a.Leader, a.Records[i], b.Leader, b.Records[i])
			return
		}
	}
}

// checkLost looks for acknowledged values that are not where they were said to be.
func (c *checker) checkLost() {
	for i := range c.h.Sends {
		s := &c.h.Sends[i]
		if c.fate(s) != OK {
			continue
		}
		e := c.ends[endKey{s.Place, true}]
		if e == nil {
			c.report("lost", s.Place, "%q was acknowledged, and the partition could not be read at the end", s.Value)
			continue
		}
		if at, there := e.values[s.Value]; !there {
			c.report("lost", s.Place, "%q of %s was acknowledged at offset %d at %.3fs and is not there", s.Value, s.Producer, s.Offset, s.At.Seconds())
		} else if at != s.Offset {
			c.report("duplicate", s.Place, "%q was acknowledged at offset %d and stands at %d", s.Value, s.Offset, at)
		}
	}
}
