package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// KeyRef ties a column to a key filter: of a join's build side, whose values make the filter, or of rows that it may drop.
type KeyRef struct {
	ID  string // of the filter, in rdd.TaskContext.KeyFilters
	Col int
}

// publishKeys makes the filters of a join's build side, which lies in batches of one schema.
func publishKeys(tc *rdd.TaskContext, refs []KeyRef, build ...*column.Batch) {
	if tc.KeyFilters == nil {
		return
	}
	for _, ref := range refs {
		vectors := make([]*column.Vector, 0, len(build))
		for _, b := range build {
			vectors = append(vectors, b.Cols[ref.Col])
		}
		tc.KeyFilters[ref.ID] = column.NewKeyFilter(vectors...)
	}
}

// keyTest drops rows whose keys a filter excludes. A filter that excludes too little is given up: looking costs more then than
// the rows would.
type keyTest struct {
	refs   []KeyRef
	tests  []oneKey
	hashes []uint64
	begun  bool
}

type oneKey struct {
	col          int
	filter       *column.KeyFilter
	seen, passed int
	sel          []int32
}

const (
	enoughSeen  = 1 << 16 // rows after which a filter is judged
	worthPassed = 0.85    // the most of them that may pass
)

// begin looks which filters are there.
func (k *keyTest) begin(tc *rdd.TaskContext) {
	k.begun, k.tests = true, k.tests[:0]
	for _, ref := range k.refs {
		if f := tc.KeyFilters[ref.ID]; f != nil {
			k.tests = append(k.tests, oneKey{col: ref.Col, filter: f})
		}
	}
}

// narrow keeps of sel the rows of b whose keys may be there.
func (k *keyTest) narrow(b *column.Batch, sel []int32) []int32 {
	for i := 0; i < len(k.tests) && len(sel) > 0; i++ {
		t := &k.tests[i]
		t.sel, k.hashes = t.filter.Select(t.sel, k.hashes, b.Cols[t.col], b.N)
		t.seen += b.N
		t.passed += len(t.sel)
		if sel = common(sel, t.sel, b.N); t.seen >= enoughSeen && float64(t.passed) > worthPassed*float64(t.seen) {
			k.tests = append(k.tests[:i], k.tests[i+1:]...)
			i--
		}
	}
	return sel
}

// common are the rows of both lists, which are ascending, of n rows, written over a.
func common(a, b []int32, n int) []int32 {
	switch {
	case len(b) == n:
		return a
	case len(a) == n:
		return append(a[:0], b...)
	}
	out := a[:0]
	for _, row := range a {
		for len(b) > 0 && b[0] < row {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == row {
			out = append(out, row)
		}
	}
	return out
}

// KeyFilterBuild turns the rows of a join's build side into key filters, for tasks of another stage: one row for each.
type KeyFilterBuild struct {
	Keys []KeyRef
}

// keyFilterSchema has the rows that KeyFilterBuild makes.
var keyFilterSchema = column.NewSchema(
	column.Field{Name: "id", Type: column.Of(column.String)}, column.Field{Name: "filter", Type: column.Of(column.Binary)})

func (k *KeyFilterBuild) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	done := false
	mem := reserve(tc)
	next := func() (*column.Batch, error) {
		if done {
			return nil, io.EOF
		}
		done = true
		held, err := k.hold(in[0], mem)
		if err != nil {
			return nil, err
		}
		out := column.NewBatchBuilder(keyFilterSchema)
		for i, ref := range k.Keys {
			if held == nil {
				break // memory refused: nothing is filtered
			}
			out.Cols[0].AppendString(ref.ID)
			out.Cols[1].AppendBytes(column.AppendKeyFilter(nil, column.NewKeyFilter(held[i]...)))
		}
		return out.Finish(), nil
	}
	return output(tc, in, next, mem.release), nil
}

// hold copies the key columns, nil when memory refuses.
func (k *KeyFilterBuild) hold(in rdd.Reader, mem *reservation) ([][]*column.Vector, error) {
	held := make([][]*column.Vector, len(k.Keys))
	bytes, refused := int64(0), false
	err := each(in, func(b *column.Batch) error {
		if refused {
			return nil
		}
		keys := &column.Batch{Schema: &column.Schema{}, N: b.N}
		for _, ref := range k.Keys {
			keys.Cols = append(keys.Cols, b.Cols[ref.Col])
			keys.Schema.Fields = append(keys.Schema.Fields, b.Schema.Fields[ref.Col])
		}
		c := keys.Clone()
		for i, v := range c.Cols {
			held[i] = append(held[i], v)
		}
		bytes += c.Bytes()
		refused = !mem.to(2 * bytes)
		return nil
	})
	if refused {
		held = nil
	}
	return held, err
}

// KeyFilterInput hands key filters of another stage, its second input, to the operators below it, and passes their rows on.
// Each task of that stage has made filters of its share; together they are those of all keys only when none is missing.
type KeyFilterInput struct {
	IDs   []string
	Parts int // tasks that make filters
}

func (k *KeyFilterInput) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	ready := false
	next := func() (*column.Batch, error) {
		if !ready {
			ready = true
			if err := k.take(tc, in[1]); err != nil {
				return nil, err
			}
		}
		return in[0].Next()
	}
	return output(tc, in, next, nil), nil
}

func (k *KeyFilterInput) take(tc *rdd.TaskContext, in rdd.Reader) error {
	parts := map[string][]*column.KeyFilter{}
	err := each(in, func(b *column.Batch) error {
		for i := range b.N {
			f, err := column.DecodeKeyFilter(b.Cols[1].Bytes(i))
			if err != nil {
				return err
			}
			id := b.Cols[0].Str(i)
			parts[id] = append(parts[id], f)
		}
		return nil
	})
	for _, id := range k.IDs {
		if len(parts[id]) == k.Parts && tc.KeyFilters != nil {
			tc.KeyFilters[id] = column.Union(parts[id]...)
		}
	}
	return err
}
