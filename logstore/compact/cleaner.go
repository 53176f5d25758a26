package compact

import (
	"sort"

	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// Txn is an aborted transaction: the offsets of its first record and of its marker.
type Txn struct {
	ProducerID  int64
	First, Last int64
}

// Last is what a partition remembers of a producer: the base offset of its newest batch, or that a marker began its epoch.
type Last struct {
	Base  int64 // -1: the producer has sent nothing in this epoch
	Epoch int16
}

// Facts is what a pass knows of the log beside its batches.
type Facts struct {
	NowMs             int64
	DeleteRetentionMs int64          // how long tombstones live from the first pass that sees them
	Aborted           []Txn          // by marker
	Producers         map[int64]Last // those that the partition still remembers
}

// Cleaner goes over a log from its start, batch by batch, and says what stays. The zero value is not ready; see NewCleaner.
type Cleaner struct {
	facts   Facts
	keys    *Map
	aborted map[int64][]Txn // by producer, in order

	data   map[int64]bool // producers whose transaction under way has data that stays
	opaque bool           // a batch whose keys are not known stays before this place
	gap    gap

	// Counts is what was done since it was last taken.
	Counts segment.Counts
	// Emptied are the aborted transactions all of whose records are gone, since it was last taken.
	Emptied []Txn
	// Changed tells that something was dropped or rewritten since it was last taken.
	Changed bool
}

// gap is offsets whose batches are gone.
type gap struct {
	open       bool
	base, last int64
	epoch      int32
}

// NewCleaner begins a pass. keys knows the last offset of every key from where the log is dirty up to keys.Latest.
func NewCleaner(facts Facts, keys *Map) *Cleaner {
	c := &Cleaner{facts: facts, keys: keys, aborted: map[int64][]Txn{}, data: map[int64]bool{}}
	for _, t := range facts.Aborted {
		c.aborted[t.ProducerID] = append(c.aborted[t.ProducerID], t)
	}
	return c
}

// Note puts the keys of a batch from the offset from on into the map; false when the map is full.
func (c *Cleaner) Note(b record.Batch, from int64) bool {
	if b.Attributes().IsControl() || b.Attributes().IsArrow() || b.Count() == 0 || c.isAborted(b) {
		return true
	}
	it := b.Records()
	for it.Next() {
		if it.Offset >= from && it.Key != nil && !c.keys.Put(it.Key, it.Offset) {
			return false
		}
	}
	return true // what cannot be decoded is opaque, and stays
}

func (c *Cleaner) isAborted(b record.Batch) bool {
	if !b.Attributes().IsTransactional() {
		return false
	}
	list := c.aborted[b.ProducerID()]
	i := sort.Search(len(list), func(i int) bool { return list[i].Last >= b.BaseOffset() })
	return i < len(list) && list[i].First <= b.BaseOffset()
}

// Clean appends what stays of a batch.
func (c *Cleaner) Clean(dst []byte, b record.Batch) ([]byte, error) {
	a := b.Attributes()
	switch {
	case a.IsControl():
		return c.control(dst, b)
	case b.Count() == 0:
		return c.empty(dst, b), nil
	case c.isAborted(b):
		c.Counts.Aborted += int64(b.Count())
		c.Changed = true
		return c.emptied(dst, b), nil
	case a.IsArrow():
		return c.keepOpaque(dst, b), nil
	}
	return c.records(dst, b)
}

// Flush appends what keeps the offsets of the last batches when they are gone: it is called at the end of a segment.
func (c *Cleaner) Flush(dst []byte) []byte {
	if !c.gap.open {
		return dst
	}
	c.Counts.Fillers++
	dst = record.Filler(dst, c.gap.base, c.gap.last, c.gap.epoch)
	c.gap = gap{}
	return dst
}

// keep appends a batch as it is.
func (c *Cleaner) keep(dst []byte, b record.Batch) []byte {
	return append(c.Flush(dst), b...)
}

// keepOpaque appends a batch whose keys are not known.
func (c *Cleaner) keepOpaque(dst []byte, b record.Batch) []byte {
	c.opaque = true
	c.Counts.Opaque += int64(b.Count())
	c.hasData(b)
	return c.keep(dst, b)
}

func (c *Cleaner) hasData(b record.Batch) {
	if b.Attributes().IsTransactional() {
		c.data[b.ProducerID()] = true
	}
}

// drop leaves a batch out; its offsets go into the gap.
func (c *Cleaner) drop(dst []byte, b record.Batch) []byte {
	if c.gap.open && c.gap.epoch != b.LeaderEpoch() {
		dst = c.Flush(dst)
	}
	if !c.gap.open {
		c.gap = gap{open: true, base: b.BaseOffset(), epoch: b.LeaderEpoch()}
	}
	c.gap.last = b.LastOffset()
	return dst
}

// emptied is what stays of a batch without records: nothing, or its header if it is its producer's newest.
func (c *Cleaner) emptied(dst []byte, b record.Batch) []byte {
	if !c.isNewest(b) {
		return c.drop(dst, b)
	}
	c.hasData(b) // its marker must stay: a recovery that reads the header sees a transaction begin
	return record.Empty(c.Flush(dst), b)
}

func (c *Cleaner) isNewest(b record.Batch) bool {
	last, ok := c.facts.Producers[b.ProducerID()]
	return ok && b.ProducerID() >= 0 && last.Base == b.BaseOffset()
}

// empty is a batch that an earlier pass has emptied, or a filler.
func (c *Cleaner) empty(dst []byte, b record.Batch) []byte {
	if c.isNewest(b) {
		c.hasData(b)
		return c.keep(dst, b)
	}
	if b.ProducerID() >= 0 {
		c.Changed = true
	}
	return c.drop(dst, b)
}

// control decides about a control batch. A marker is needed as long as there is data of its transaction, and then for as long
// as a reader may be in the middle of it.
func (c *Cleaner) control(dst []byte, b record.Batch) ([]byte, error) {
	typ, _, err := b.Control()
	if err != nil || typ > record.ControlCommit {
		return c.keep(dst, b), nil
	}
	id := b.ProducerID()
	needed := c.data[id]
	delete(c.data, id)
	if needed || c.beginsEpoch(b) {
		return c.keep(dst, b), nil
	}
	if typ == record.ControlAbort {
		c.noteEmptied(id, b.BaseOffset())
	}
	horizon, ok := b.DeleteHorizon()
	switch {
	case !ok:
		c.Changed = true
		return record.Filter(c.Flush(dst), b, c.newHorizon(), func(int, *record.Record) bool { return true })
	case c.facts.NowMs < horizon:
		return c.keep(dst, b), nil
	}
	c.Changed = true
	c.Counts.Markers++
	return c.drop(dst, b), nil
}

// beginsEpoch tells whether a marker is all that tells of a producer's epoch.
func (c *Cleaner) beginsEpoch(b record.Batch) bool {
	last, ok := c.facts.Producers[b.ProducerID()]
	return ok && last.Base < 0 && last.Epoch == b.ProducerEpoch()
}

func (c *Cleaner) noteEmptied(id, marker int64) {
	list := c.aborted[id]
	i := sort.Search(len(list), func(i int) bool { return list[i].Last >= marker })
	if i < len(list) && list[i].Last == marker {
		c.Emptied = append(c.Emptied, list[i])
	}
}

func (c *Cleaner) newHorizon() int64 { return c.facts.NowMs + c.facts.DeleteRetentionMs }

// verdict is what becomes of a batch's records.
type verdict struct {
	stay       []bool
	kept       int
	tombstones int // that stay
	unseen     bool
	keyless    int64
	superseded int64
	expired    int64
}

func (c *Cleaner) records(dst []byte, b record.Batch) ([]byte, error) {
	v, err := c.judge(b)
	if err != nil {
		return c.keepOpaque(dst, b), nil
	}
	c.Counts.Kept += int64(v.kept)
	c.Counts.Keyless += v.keyless
	c.Counts.Superseded += v.superseded
	c.Counts.Tombstones += v.expired
	if v.kept == 0 {
		c.Changed = true
		return c.emptied(dst, b), nil
	}
	c.hasData(b)
	horizon := record.NoHorizon
	if _, has := b.DeleteHorizon(); !has && v.tombstones > 0 && !v.unseen {
		horizon = c.newHorizon()
	}
	if v.kept == len(v.stay) && horizon == record.NoHorizon {
		return c.keep(dst, b), nil
	}
	c.Changed = true
	return record.Filter(c.Flush(dst), b, horizon, func(i int, _ *record.Record) bool { return v.stay[i] })
}

// judge decides about each record of a batch.
func (c *Cleaner) judge(b record.Batch) (verdict, error) {
	v := verdict{stay: make([]bool, 0, b.Count())}
	horizon, has := b.DeleteHorizon()
	over := has && c.facts.NowMs >= horizon && !c.opaque
	it := b.Records()
	for it.Next() {
		stays := true
		switch {
		case it.Offset > c.keys.Latest: // this pass does not know the keys from here on
			v.unseen = v.unseen || it.Value == nil
		case it.Key == nil:
			v.keyless++
		case c.keys.Get(it.Key) > it.Offset:
			stays = false
			v.superseded++
		case it.Value == nil && over:
			stays = false
			v.expired++
		}
		if stays {
			v.kept++
			if it.Value == nil && it.Key != nil {
				v.tombstones++
			}
		}
		v.stay = append(v.stay, stays)
	}
	return v, it.Err()
}
