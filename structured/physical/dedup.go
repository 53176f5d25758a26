package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Dedup passes the first row of each combination of Keys in its partition. With Partial set it may pass more than one: it
// only thins rows before an exchange, and forgets what it has seen when memory refuses. Otherwise it then writes the keys
// seen to spill files, cuts the remaining rows by the same hash, and goes through them file by file at the end.
type Dedup struct {
	Keys    []int
	Partial bool
	Out     *column.Schema
}

func (d *Dedup) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	r := &dedupRun{d: d, tc: tc, op: tc.Op, in: in[0], mem: reserve(tc), keys: d.keySchema()}
	r.seen = newSeen(d.Keys, r.keys)
	return output(tc, in, r.next, r.close), nil
}

func (d *Dedup) keySchema() *column.Schema {
	s := &column.Schema{}
	for _, k := range d.Keys {
		s.Fields = append(s.Fields, d.Out.Fields[k])
	}
	return s
}

// seen is a set of keys.
type seen struct {
	cols   []int
	table  *column.GroupTable
	keys   []*column.Vector
	hashes []uint64
	gids   []uint32
	sel    []int32
}

func newSeen(cols []int, schema *column.Schema) *seen {
	types := make([]column.Type, len(schema.Fields))
	for i, f := range schema.Fields {
		types[i] = f.Type
	}
	return &seen{cols: cols, table: column.NewGroupTable(types)}
}

// add returns the rows of b whose keys were not seen before, the first of equal ones.
func (s *seen) add(b *column.Batch) []int32 {
	s.hash(b)
	known := uint32(s.table.Len())
	s.gids = s.table.Insert(s.gids[:0], s.keys, s.hashes, b.N)
	s.sel = s.sel[:0]
	for i, g := range s.gids[:b.N] {
		// Groups are numbered as they appear, so a new key's first row has the next number.
		if g == known {
			known++
			s.sel = append(s.sel, int32(i))
		}
	}
	return s.sel
}

func (s *seen) hash(b *column.Batch) {
	s.keys = s.keys[:0]
	for _, k := range s.cols {
		s.keys = append(s.keys, b.Cols[k])
	}
	s.hashes = column.Hash(s.hashes, s.keys, b.N)
}

// dedupRun is one run of a Dedup.
type dedupRun struct {
	d    *Dedup
	tc   *rdd.TaskContext
	op   string
	in   rdd.Reader
	mem  *reservation
	keys *column.Schema
	seen *seen
	out  *column.Batch

	rows   *spillSet // not nil once rows are set aside
	known  *spillSet // the keys of rows already passed
	ended  bool
	part   int
	replay rdd.Reader
}

func (r *dedupRun) next() (*column.Batch, error) {
	for {
		b, err := r.input()
		if err != nil {
			return b, err
		}
		sel := r.seen.add(b)
		if len(sel) == 0 {
			continue
		}
		if len(sel) < b.N {
			r.out = column.TakeBatch(r.out, b, sel)
			b = r.out
		}
		if err := r.fit(); err != nil {
			return nil, err
		}
		return b, nil
	}
}

// input is the next batch to look at: from the input while it lasts and memory does, then from the spill files.
func (r *dedupRun) input() (*column.Batch, error) {
	for !r.ended {
		b, err := r.in.Next()
		if err == io.EOF {
			r.ended = true
			break
		}
		if err != nil {
			return nil, err
		}
		if r.rows == nil {
			return b, nil
		}
		r.seen.hash(b)
		if err := r.rows.write(b, r.seen.hashes); err != nil {
			return nil, err
		}
	}
	return r.replayed()
}

// replayed reads the rows set aside, part by part, each after the keys that were passed before it.
func (r *dedupRun) replayed() (*column.Batch, error) {
	for r.rows != nil {
		if r.replay != nil {
			b, err := r.replay.Next()
			if err != io.EOF {
				return b, err
			}
			_ = r.replay.Close() // an unlinked file that was read to its end
			r.replay = nil
			r.rows.files[r.part] = nil
			r.part++
		}
		for r.part < spillParts && r.rows.files[r.part] == nil {
			r.part++
		}
		if r.part == spillParts {
			break
		}
		if err := r.load(); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}

// load begins the next part.
func (r *dedupRun) load() error {
	r.seen = newSeen(r.d.Keys, r.keys)
	if f := r.known.files[r.part]; f != nil {
		in, err := f.read()
		if err != nil {
			return err
		}
		all := make([]int, len(r.d.Keys))
		for i := range all {
			all[i] = i
		}
		r.seen.cols = all
		if err := each(in, func(b *column.Batch) error { r.seen.add(b); return nil }); err != nil {
			return err
		}
		r.seen.cols = r.d.Keys
	}
	var err error
	r.replay, err = r.rows.files[r.part].read()
	return err
}

// fit makes the set of keys fit into memory.
func (r *dedupRun) fit() error {
	if r.mem.to(r.seen.table.Bytes()) {
		return nil
	}
	if r.d.Partial {
		r.seen.table.Reset()
		return nil
	}
	if r.rows != nil {
		return outOfMemory(r.op, r.seen.table.Bytes())
	}
	r.rows, r.known = newSpillSet(r.tc, r.d.Out, 0), newSpillSet(r.tc, r.keys, 0)
	keys := &column.Batch{Schema: r.keys, N: r.seen.table.Len(), Cols: r.seen.table.Keys()}
	if err := r.known.write(keys, r.seen.table.Hashes()); err != nil {
		return err
	}
	r.mem.release()
	return nil
}

func (r *dedupRun) close() {
	r.mem.release()
	if r.rows != nil {
		r.rows.close()
		r.known.close()
	}
}
