package shuffle

import (
	"bytes"

	"github.com/streamflow/streamflow/column"
)

// dictKeeper lets collectors share dictionaries: the first dictionary of a column is copied, and while later batches bring
// an equal one their rows travel as codes into the copy.
type dictKeeper struct {
	own  []*column.Vector
	cols []*column.Vector // scratch
	vecs []column.Vector
}

// maxDict bounds the dictionaries that are worth comparing for each batch.
const maxDict = 512

// adopt returns b with its coded columns pointing at kept dictionaries, or b itself when it has none.
func (k *dictKeeper) adopt(b *column.Batch) *column.Batch {
	coded := false
	for _, c := range b.Cols {
		coded = coded || c.Codes != nil
	}
	if !coded {
		return b
	}
	if k.own == nil {
		k.own, k.vecs = make([]*column.Vector, len(b.Cols)), make([]column.Vector, len(b.Cols))
	}
	k.cols = append(k.cols[:0], b.Cols...)
	for i, c := range k.cols {
		if c.Codes == nil {
			continue
		}
		if k.own[i] == nil && c.Dict.N <= maxDict {
			k.own[i] = c.Dict.Clone()
		}
		if k.own[i] != nil && sameStrings(k.own[i], c.Dict) {
			k.vecs[i] = *c
			k.vecs[i].Dict = k.own[i]
			k.cols[i] = &k.vecs[i]
			continue
		}
		k.cols[i] = column.Plain(c)
	}
	return column.NewBatch(b.Schema, b.N, k.cols...)
}

func sameStrings(a, b *column.Vector) bool {
	if a.N != b.N {
		return false
	}
	for i := range a.N {
		if a.IsValid(i) != b.IsValid(i) || !bytes.Equal(a.Bytes(i), b.Bytes(i)) {
			return false
		}
	}
	return true
}
