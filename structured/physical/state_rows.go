package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// drain makes a reader's next function of work that pushes its output: the work is done at the first call, and what it
// emitted is handed out batch by batch. Emitted batches must own their memory until the next run of the operator.
func drain(work func(emit func(*column.Batch)) error) func() (*column.Batch, error) {
	var queue []*column.Batch
	var out pieces
	done := false
	return func() (*column.Batch, error) {
		if !done {
			done = true
			if err := work(func(b *column.Batch) { queue = append(queue, b) }); err != nil {
				return nil, err
			}
		}
		for {
			if b := out.next(); b != nil {
				return b, nil
			}
			if len(queue) == 0 {
				return nil, io.EOF
			}
			out.set(queue[0])
			queue = queue[1:]
		}
	}
}

func builders(fields []column.Field) []*column.Builder {
	out := make([]*column.Builder, len(fields))
	for i, f := range fields {
		out[i] = column.NewBuilder(f.Type)
	}
	return out
}

func resetBuilders(list []*column.Builder) {
	for _, b := range list {
		b.Reset()
	}
}

func finishBuilders(list []*column.Builder) []*column.Vector {
	out := make([]*column.Vector, len(list))
	for i, b := range list {
		out[i] = b.Finish()
	}
	return out
}

// decodePair decodes a state entry's key and value to builders.
func decodePair(key []byte, keys []*column.Builder, value []byte, vals []*column.Builder) error {
	if err := column.DecodeKey(key, keys); err != nil {
		return err
	}
	return column.DecodeRow(value, vals)
}

// resetAll empties accumulators and makes room for n groups.
func resetAll(accs []expr.Accumulator, n int) {
	for _, a := range accs {
		a.Reset()
		a.Resize(n)
	}
}

// mergeAll merges state columns, those of all accumulators one after the other, into the groups gids.
func mergeAll(accs []expr.Accumulator, gids []uint32, states []*column.Vector) error {
	for _, a := range accs {
		n := len(a.State())
		if err := a.Merge(gids, states[:n], len(gids)); err != nil {
			return err
		}
		states = states[n:]
	}
	return nil
}

func statesOf(accs []expr.Accumulator) []*column.Vector {
	var out []*column.Vector
	for _, a := range accs {
		out = append(out, a.State()...)
	}
	return out
}

// appendResults adds the accumulators' results to the keys in out and emits a copy.
func appendResults(out *column.Batch, accs []expr.Accumulator, emit func(*column.Batch)) error {
	for _, a := range accs {
		v, err := a.Result()
		if err != nil {
			return err
		}
		out.Cols = append(out.Cols, v)
	}
	emit(out.Clone())
	return nil
}

// sequence is 0..n-1 as group ids.
func sequence(dst []uint32, n int) []uint32 {
	for i := 0; i < n; i++ {
		dst = append(dst, uint32(i))
	}
	return dst
}
