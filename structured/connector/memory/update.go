package memory

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector"
)

// update is the table after changes: without the rows whose keys they have, and with the new ones. Rows without a key are
// taken away one for one.
func (t *Table) update(changes []*column.Batch, req connector.WriteRequest) ([]*column.Batch, error) {
	keys := req.Keys
	if len(keys) == 0 {
		for i := range t.fields.Fields {
			keys = append(keys, i)
		}
	}
	gone := map[string]int{} // how many rows of a key go; all of them when there are keys
	var fresh []*column.Batch
	for _, b := range changes {
		rows, weights := b, []int64(nil)
		if req.Deletes {
			last := len(b.Cols) - 1
			rows, weights = &column.Batch{Schema: t.fields, N: b.N, Cols: b.Cols[:last]}, b.Cols[last].I64
		}
		var sel []int32
		for i := range b.N {
			deleted := weights != nil && weights[i] < 0
			if len(req.Keys) > 0 || deleted {
				gone[rowKey(rows, keys, i)]++
			}
			if !deleted {
				sel = append(sel, int32(i))
			}
		}
		if len(sel) < b.N {
			rows = column.TakeBatch(nil, rows, sel)
		}
		fresh = append(fresh, rows)
	}
	kept, err := t.without(gone, keys, len(req.Keys) > 0)
	return append([]*column.Batch{kept}, fresh...), err
}

// without is all rows but those whose keys are gone.
func (t *Table) without(gone map[string]int, keys []int, all bool) (*column.Batch, error) {
	kept := column.NewBatchBuilder(t.fields)
	for _, chunks := range t.parts {
		for _, c := range chunks {
			_, _, b, err := decode(t.fields, c.data)
			if err != nil {
				return nil, err
			}
			for i := range b.N {
				k := rowKey(b, keys, i)
				if gone[k] == 0 {
					kept.AppendRowFrom(b, i)
				} else if !all {
					gone[k]--
				}
			}
		}
	}
	return kept.Finish(), nil
}

func rowKey(b *column.Batch, keys []int, row int) string {
	cols := make([]*column.Vector, len(keys))
	for i, k := range keys {
		cols[i] = b.Cols[k]
	}
	return string(column.AppendKey(nil, cols, row))
}
