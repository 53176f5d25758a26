package column

// TopK keeps the first k rows, by the keys, of all batches added. Rows that do not come before the worst row kept so far
// are dropped by one comparison; what remains is compacted when the buffer is full. Of equal rows the earlier ones stay.
type TopK struct {
	keys   []SortKey
	k      int
	schema *Schema
	rows   *BatchBuilder
	kept   *Batch // sorted, at most k rows
	sel    []int32
}

// NewTopK returns an empty top-k of batches of the schema.
func NewTopK(schema *Schema, keys []SortKey, k int) *TopK {
	return &TopK{keys: keys, k: max(k, 0), schema: schema, rows: NewBatchBuilder(schema)}
}

// Add considers the rows of b and copies those that may be among the first k.
func (t *TopK) Add(b *Batch) {
	if t.k == 0 {
		return
	}
	t.sel = t.candidates(t.sel, b)
	for _, r := range t.sel {
		t.rows.AppendRowFrom(b, int(r))
	}
	if t.rows.Len() >= max(t.k, BatchRows) {
		t.compact()
	}
}

// candidates are the rows of b that come before the last kept row.
func (t *TopK) candidates(sel []int32, b *Batch) []int32 {
	if t.kept == nil || t.kept.N < t.k {
		return AllRows(sel, b.N)
	}
	sel = t.prefilter(sel[:0], b)
	out, last := sel[:0], t.k-1
	for _, r := range sel {
		if CompareRows(b, int(r), t.kept, last, t.keys) < 0 {
			out = append(out, r)
		}
	}
	return out
}

// prefilter narrows by the first key alone with a comparison kernel when the key is a plain number.
func (t *TopK) prefilter(sel []int32, b *Batch) []int32 {
	if len(t.keys) == 0 {
		return sel
	}
	key := t.keys[0]
	v, w, last := b.Cols[key.Col], t.kept.Cols[key.Col], t.k-1
	if v.Valid != nil || !w.IsValid(last) {
		return AllRows(sel, b.N)
	}
	op := LE
	if key.Desc {
		op = GE
	}
	switch v.Type.Kind.Storage() {
	case StorageI32:
		return SelectConst(sel, op, v.I32, w.I32[last])
	case StorageI64:
		return SelectConst(sel, op, v.I64, w.I64[last])
	}
	return AllRows(sel, b.N)
}

func (t *TopK) compact() {
	all := t.rows.Finish()
	if t.kept != nil {
		all = Concat(t.schema, []*Batch{t.kept, all})
	}
	order := SortIndices(all, t.keys)
	t.kept = TakeBatch(nil, all, order[:min(t.k, len(order))]).Clone()
	t.rows.Reset()
}

// Finish returns the first k rows in order. The top-k is empty afterwards.
func (t *TopK) Finish() *Batch {
	t.compact()
	out := t.kept
	t.kept = nil
	return out
}

// Bytes is about how much memory the kept rows take.
func (t *TopK) Bytes() int64 {
	n := t.rows.Bytes()
	if t.kept != nil {
		n += t.kept.Bytes()
	}
	return n
}
