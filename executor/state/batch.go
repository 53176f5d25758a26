package state

import "slices"

// begin starts a batch: changes from here on can be taken back.
func (p *Partition) begin() {
	p.seq++
	p.open = true
}

// Rollback takes back what the open batch changed.
func (p *Partition) Rollback() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rollback()
}

func (p *Partition) rollback() {
	for _, u := range slices.Backward(p.undo) {
		u.revert(p)
	}
	created := p.created()
	for _, t := range slices.Backward(p.dropped) {
		p.setTable(t)
	}
	for _, t := range created {
		if t.live == 0 && !t.saved && p.tables[t.bucket] == t {
			p.removeTable(t.bucket)
			p.discard(t)
		}
	}
	p.settle()
}

// revert makes an entry what it was.
func (u *undo) revert(p *Partition) {
	e := &u.t.ents[u.n]
	if u.inserted {
		if e.flags&dead == 0 {
			u.t.live--
		}
		u.t.remove(int(u.n))
		return
	}
	switch was, is := u.flags&dead != 0, e.flags&dead != 0; {
	case is && !was:
		u.t.live++
	case was && !is:
		u.t.live--
	}
	e.flags, e.batch = u.flags, u.batch
	u.t.set(int(u.n), p.undoBytes[u.off:u.off+u.len])
}

// created are the tables that the open batch inserted into, each once.
func (p *Partition) created() []*table {
	var list []*table
	for i := range p.undo {
		if t := p.undo[i].t; p.undo[i].inserted && (len(list) == 0 || list[len(list)-1] != t) {
			list = append(list, t)
		}
	}
	return list
}

// settle forgets the open batch.
func (p *Partition) settle() {
	clear(p.undo)
	clear(p.dropped)
	p.undo, p.undoBytes, p.dropped = p.undo[:0], p.undoBytes[:0], p.dropped[:0]
	p.open, p.last = false, nil
}

// commit makes the open batch's changes the committed version.
func (p *Partition) commit(version int64) error {
	for i := range p.undo {
		u := &p.undo[i]
		e := &u.t.ents[u.n]
		switch {
		case e.flags&dead != 0:
			p.bury(u.t, int(u.n))
		case e.flags&dirty == 0:
			e.flags |= dirty
			u.t.unsaved++
		}
	}
	p.tidy()
	for _, t := range p.dropped {
		if t.saved {
			if err := p.dropStored(t.bucket); err != nil {
				return err
			}
			if now := p.tables[t.bucket]; now != nil {
				now.saved = false
			}
		}
		p.discard(t)
	}
	p.version = version
	p.settle()
	return nil
}

// tidy looks once at each table that the batch changed: empty ones go, wasteful ones are packed, and all are counted.
func (p *Partition) tidy() {
	var last *table
	for i := range p.undo {
		t := p.undo[i].t
		if t == last || p.tables[t.bucket] != t {
			continue // changes mostly come in runs; counting twice does no harm
		}
		last = t
		if t.live == 0 && !t.saved {
			p.removeTable(t.bucket)
			p.discard(t)
			continue
		}
		t.compact()
		p.count(t)
	}
}

// bury removes a deleted entry, and remembers the key until Pebble has forgotten it too. In a partial table the dead entry
// itself does that.
func (p *Partition) bury(t *table, n int) {
	e := &t.ents[n]
	if t.partial && e.flags&inStore != 0 {
		t.waste += int64(e.vcap)
		e.vlen, e.vcap = 0, 0
		if e.flags&dirty == 0 {
			e.flags |= dirty
			t.unsaved++
		}
		return
	}
	if e.flags&dirty != 0 {
		t.unsaved--
	}
	if e.flags&inStore != 0 {
		t.tombs = append(t.tombs, tomb{e.keyGroup, string(t.key(n))})
	}
	t.remove(n)
}
