package chaoslog

import "sort"

// checkOrder looks for producers whose values stand in another order than they were sent in.
func (c *checker) checkOrder() {
	for k, e := range c.ends {
		if !k.committed {
			continue
		}
		f := e.read
		last := map[string]*Send{}
		for _, r := range f.Records {
			s := c.sends[r.Value]
			if s == nil || s.Producer == "" {
				continue
			}
			if before := last[s.Producer]; before != nil && before.Seq > s.Seq {
				c.report("reordered", f.Place, "%s sent %q before %q; the log has them the other way round", s.Producer, s.Value, before.Value)
			}
			last[s.Producer] = s
		}
	}
}

// checkAborted looks for values of aborted transactions that a read-committed reader saw.
func (c *checker) checkAborted() {
	check := func(p Place, r Seen, who string) {
		s := c.sends[r.Value]
		if s == nil || s.Txn == "" {
			return
		}
		if t, ended := c.txns[s.Txn]; ended && !t.Commit && t.Outcome == OK {
			c.report("aborted read", p, "offset %d: %q of the aborted transaction %s was seen by %s", r.Offset, r.Value, s.Txn, who)
		}
	}
	for _, p := range c.h.Polls {
		if p.Committed {
			for _, r := range p.Records {
				check(p.Place, r, p.Reader)
			}
		}
	}
	for _, f := range c.h.Finals {
		if f.Committed {
			for _, r := range f.Records {
				check(f.Place, r, "the final read")
			}
		}
	}
}

// checkAtomic looks for transactions of which a part is there.
func (c *checker) checkAtomic() {
	type parts struct {
		there, missing []string
		at             Place
	}
	txns := map[string]*parts{}
	for i := range c.h.Sends {
		s := &c.h.Sends[i]
		if s.Txn == "" || s.Outcome != OK {
			continue // a send without an answer may be absent from a transaction that committed without it
		}
		e := c.ends[endKey{s.Place, true}]
		if e == nil {
			continue
		}
		p := txns[s.Txn]
		if p == nil {
			p = &parts{at: s.Place}
			txns[s.Txn] = p
		}
		if _, there := e.values[s.Value]; there {
			p.there = append(p.there, s.Value)
		} else {
			p.missing = append(p.missing, s.Value)
		}
	}
	ids := make([]string, 0, len(txns))
	for id := range txns {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		if p := txns[id]; len(p.there) > 0 && len(p.missing) > 0 {
			c.report("torn txn", p.at, "transaction %s: %q are there, %q are not", id, p.there, p.missing)
		}
	}
}

// checkMoves looks at consume-transform-produce loops: each committed input has exactly one output.
func (c *checker) checkMoves() {
	outputs := map[string][]string{}
	moved := map[string]bool{} // input topics that a loop reads
	for i := range c.h.Sends {
		s := &c.h.Sends[i]
		if s.From == "" {
			continue
		}
		if in := c.sends[s.From]; in != nil {
			moved[in.Place.Topic] = true
		}
		if e := c.ends[endKey{s.Place, true}]; e != nil {
			if _, there := e.values[s.Value]; there {
				outputs[s.From] = append(outputs[s.From], s.Value)
			}
		}
	}
	for k, e := range c.ends {
		if !k.committed || !moved[k.place.Topic] {
			continue
		}
		for _, r := range e.read.Records {
			if n := len(outputs[r.Value]); n != 1 {
				c.report("moved twice", k.place, "%q at offset %d has %d outputs: %q", r.Value, r.Offset, n, outputs[r.Value])
			}
		}
	}
}

// checkBackwards looks for offsets that went back for one reader or one watcher.
func (c *checker) checkBackwards() {
	type key struct {
		who   string
		place Place
	}
	last := map[key]int64{}
	for _, p := range c.h.Polls {
		k := key{p.Reader, p.Place}
		for _, r := range p.Records {
			if before, ok := last[k]; ok && r.Offset <= before {
				c.report("backwards", p.Place, "reader %s got offset %d after %d", p.Reader, r.Offset, before)
			}
			last[k] = r.Offset
		}
	}
	marks := map[key]int64{}
	for _, m := range c.h.Marks {
		k := key{m.Watch, m.Place}
		if before, ok := marks[k]; ok && m.Value < before {
			c.report("backwards", m.Place, "%s was %d at %.3fs, and %d before", m.Watch, m.Value, m.At.Seconds(), before)
		}
		marks[k] = max(marks[k], m.Value)
	}
}
