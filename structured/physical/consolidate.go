package physical

import (
	"bytes"

	"github.com/zeebo/xxh3"

	"github.com/streamflow/streamflow/column"
)

// consolidate adds up the weights of equal rows, and leaves out those that come to nothing.
func (j *joinRows) consolidate() {
	var data []byte
	ends := make([]int, 0, j.b.N+1)
	ends = append(ends, 0)
	first := make(map[uint64]int32, j.b.N)
	for i := range j.b.N {
		data = column.AppendRow(data, j.b.Cols, i)
		ends = append(ends, len(data))
		row := data[ends[i]:]
		h := xxh3.Hash(row)
		for {
			k, ok := first[h]
			if !ok {
				first[h] = int32(i)
				break
			}
			if bytes.Equal(data[ends[k]:ends[k+1]], row) {
				j.weights[k] += j.weights[i]
				j.weights[i] = 0
				break
			}
			h++ // another row with this hash
		}
	}
	var sel []int32
	for i, w := range j.weights {
		if w != 0 {
			sel = append(sel, int32(i))
		}
	}
	if len(sel) == j.b.N {
		return
	}
	j.b = column.TakeBatch(nil, j.b, sel)
	for at, i := range sel {
		j.weights[at] = j.weights[i]
	}
	j.weights = j.weights[:len(sel)]
}
