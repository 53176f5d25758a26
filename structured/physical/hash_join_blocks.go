package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// joinBlocks joins a build side that does not fit and cannot be cut by hash: as much of it as memory allows becomes a
// table, the whole probe side passes by, and so on with the next block. What the probe side's own rows are owed (an outer
// join's rows without a partner, a semi join's rows with one) is known after the last block, and costs one more pass.
type joinBlocks struct {
	r     *joinRun
	build rdd.Reader // what is left of it
	probe *spillFile
	own   bool // the probe file was written here and is closed here
	seen  *rowSet
	ended bool // the build side has
	last  bool // the pass over what is owed has begun
}

// openBlocks begins with the block that memory has room for. The probe side is written to a file, to be read again.
func (r *joinRun) openBlocks(held []*column.Batch, build, probe rdd.Reader) error {
	b := &joinBlocks{r: r, build: build, seen: &rowSet{}}
	if in, ok := probe.(*spillReader); ok {
		b.probe = in.s
	} else {
		_, _, schema := r.h.probeSide()
		f, err := newSpillFile(r.tc, schema)
		if err != nil {
			return err
		}
		b.probe, b.own = f, true
		if err := each(probe, f.write); err != nil {
			b.close()
			return err
		}
	}
	r.blocks = b
	return b.block(held)
}

// block starts the pass of the probe side over a block.
func (b *joinBlocks) block(held []*column.Batch) error {
	in, err := b.probe.again()
	if err != nil {
		return err
	}
	b.r.pass = newJoinPass(b.r, b.r.table(held), in)
	b.r.pass.seen = b.seen
	return nil
}

// next starts the next pass, or ends the join by blocks.
func (b *joinBlocks) next() error {
	if !b.ended {
		held, full, err := b.r.hold(b.build, maxSpillDepth+1)
		if err != nil {
			return err
		}
		b.ended = !full
		if len(held) > 0 {
			return b.block(held)
		}
	}
	owed := b.r.h.keepsProbe() || b.r.h.half() && !b.r.h.BuildLeft
	if b.last || !owed {
		b.close()
		b.r.blocks = nil
		return nil
	}
	b.last = true
	if err := b.block(nil); err != nil {
		return err
	}
	b.r.pass.last, b.r.pass.swept = true, true
	return nil
}

func (b *joinBlocks) close() {
	if b.own {
		_ = b.probe.close() // already unlinked: nothing is lost
	}
}

// rowSet is a set of rows by number, a bit each.
type rowSet struct{ words []uint64 }

// add puts row from+i into the set for each i with in[i].
func (s *rowSet) add(from int, in []bool) {
	for n := (from + len(in) + 63) / 64; len(s.words) < n; {
		s.words = append(s.words, 0)
	}
	for i, is := range in {
		if is {
			s.words[(from+i)>>6] |= 1 << (uint(from+i) & 63)
		}
	}
}

// load sets dst[i] to whether row from+i is in the set.
func (s *rowSet) load(dst []bool, from int) {
	for i := range dst {
		w := (from + i) >> 6
		dst[i] = w < len(s.words) && s.words[w]>>(uint(from+i)&63)&1 != 0
	}
}
