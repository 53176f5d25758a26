package physical

import (
	"errors"
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
	in   rdd.Reader // the input, then the rows of one part after the other
	mem  *reservation
	keys *column.Schema
	seen *seen
	out  *column.Batch

	depth int       // of the cut that is made when memory refuses
	rows  *spillSet // rows set aside; nil until memory refused
	known *spillSet // the keys that were passed before them
	parts []dedupPart
	cut   bool // in is a part
}

// dedupPart is rows that were set aside, and the keys among them that were passed already.
type dedupPart struct {
	rows, known *spillFile
	depth       int
}

func (r *dedupRun) next() (*column.Batch, error) {
	for {
		b, err := r.in.Next()
		if err == io.EOF {
			if err := r.nextPart(); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if b, err = r.take(b); b != nil || err != nil {
			return b, err
		}
	}
}

// take is the rows of b to be passed, nil for none. Once memory has refused, they are set aside instead.
func (r *dedupRun) take(b *column.Batch) (*column.Batch, error) {
	if r.rows != nil {
		r.seen.hash(b)
		return nil, r.rows.write(b, r.seen.hashes)
	}
	sel := r.seen.add(b)
	if len(sel) == 0 {
		return nil, nil
	}
	if len(sel) < b.N {
		r.out = column.TakeBatch(r.out, b, sel)
		b = r.out
	}
	return b, r.fit()
}

// nextPart goes on with a part of the rows set aside, after the keys that were passed before; io.EOF when there is none.
func (r *dedupRun) nextPart() error {
	if r.rows != nil {
		for i, f := range r.rows.files {
			if f != nil {
				r.parts = append(r.parts, dedupPart{f, r.known.files[i], r.depth + 1})
			} else if r.known.files[i] != nil {
				_ = r.known.files[i].close() // already unlinked: nothing is lost
			}
		}
		r.rows, r.known = nil, nil
	}
	if r.cut {
		_ = r.in.Close() // an unlinked file that was read to its end
		r.in = empty{}
	}
	if len(r.parts) == 0 {
		return io.EOF
	}
	p := r.parts[len(r.parts)-1]
	r.parts = r.parts[:len(r.parts)-1]
	r.depth, r.cut = p.depth, true
	r.seen = newSeen(r.d.Keys, r.keys)
	r.mem.release()
	var err error
	if r.in, err = p.rows.read(); err != nil || p.known == nil {
		return err
	}
	return r.load(p.known)
}

// load puts keys of a file into the set. When they do not fit, the set is cut as after a row too many.
func (r *dedupRun) load(f *spillFile) error {
	in, err := f.read()
	if err != nil {
		return err
	}
	rows := r.seen.cols
	r.seen.cols = leading(len(r.d.Keys))
	err = each(in, func(b *column.Batch) error {
		if r.rows != nil {
			r.seen.hash(b)
			return r.known.write(b, r.seen.hashes)
		}
		r.seen.add(b)
		return r.fit()
	})
	r.seen.cols = rows
	return errors.Join(err, in.Close())
}

// fit makes the set of keys fit into memory.
func (r *dedupRun) fit() error {
	if r.mem.to(r.seen.table.Bytes()) {
		return nil
	}
	cols := r.seen.cols
	defer func() { r.seen = newSeen(cols, r.keys) }()
	r.mem.release()
	if r.d.Partial {
		return nil
	}
	if r.depth > maxSpillDepth {
		return outOfMemory(r.op, r.seen.table.Bytes())
	}
	r.rows, r.known = newSpillSet(r.tc, r.d.Out, r.depth), newSpillSet(r.tc, r.keys, r.depth)
	for from := 0; from < r.seen.table.Len(); from += spillRows {
		to := min(from+spillRows, r.seen.table.Len())
		keys := &column.Batch{Schema: r.keys, N: to - from, Cols: r.seen.table.KeyRange(from, to)}
		if err := r.known.write(keys, r.seen.table.Hashes()[from:to]); err != nil {
			return err
		}
	}
	return nil
}

func (r *dedupRun) close() {
	r.mem.release()
	if r.cut {
		_ = r.in.Close() // an unlinked file: nothing is lost
	}
	if r.rows != nil {
		r.rows.close()
		r.known.close()
	}
	for _, p := range r.parts {
		for _, f := range []*spillFile{p.rows, p.known} {
			if f != nil {
				_ = f.close() // already unlinked: nothing is lost
			}
		}
	}
	r.parts, r.seen = nil, nil
}
