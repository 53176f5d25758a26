package column

import "bytes"

// Clone is a deep copy that shares no memory with b; only the bytes that its strings use are copied.
func (b *Batch) Clone() *Batch {
	out := &Batch{Schema: b.Schema, N: b.N, Objects: b.Objects, Cols: make([]*Vector, len(b.Cols))}
	for i, c := range b.Cols {
		out.Cols[i] = c.Clone()
	}
	return out
}

// CloneAfter is Clone for one of many batches that are kept: coded columns share the dictionary of the copy made before,
// prev, where it is equal and small, and give a dictionary up that is larger than the batch. prev may be nil.
func (b *Batch) CloneAfter(prev *Batch) *Batch {
	out := &Batch{Schema: b.Schema, N: b.N, Objects: b.Objects, Cols: make([]*Vector, len(b.Cols))}
	for i, c := range b.Cols {
		switch {
		case c.Codes == nil:
			out.Cols[i] = c.Clone()
		case c.Dict.N > b.N:
			out.Cols[i] = Plain(c).Clone()
		case prev != nil && prev.Cols[i].Codes != nil && c.Dict.N <= sharedDict && sameStrings(prev.Cols[i].Dict, c.Dict):
			out.Cols[i] = &Vector{Type: c.Type, N: c.N, Valid: clone(c.Valid), Codes: clone(c.Codes), Dict: prev.Cols[i].Dict}
		default:
			out.Cols[i] = c.Clone()
		}
	}
	return out
}

// sharedDict is the largest dictionary that is worth comparing for each batch.
const sharedDict = 512

func sameStrings(a, b *Vector) bool {
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

// Clone is a deep copy of the vector; see Batch.Clone.
func (v *Vector) Clone() *Vector {
	out := &Vector{Type: v.Type, N: v.N, Const: v.Const}
	out.Valid = clone(v.Valid)
	out.Bools, out.I8, out.I16, out.I32, out.I64 = clone(v.Bools), clone(v.I8), clone(v.I16), clone(v.I32), clone(v.I64)
	out.F32, out.F64, out.Dec = clone(v.F32), clone(v.F64), clone(v.Dec)
	if v.Type.Kind.Storage() != StorageBytes {
		out.Offs = clone(v.Offs)
		for _, k := range v.Kids {
			out.Kids = append(out.Kids, k.Clone())
		}
		return out
	}
	if v.Codes != nil {
		out.Codes, out.Dict = clone(v.Codes), v.Dict.Clone()
		return out
	}
	out.Views, out.Bufs = compactViews(make([]View, 0, len(v.Views)), v)
	return out
}

func clone[T any](s []T) []T {
	if s == nil {
		return nil
	}
	return append(make([]T, 0, len(s)), s...)
}

// compactViews copies the views of v's valid rows and the bytes they use; views of null rows become empty.
func compactViews(dst []View, v *Vector) ([]View, [][]byte) {
	total := 0
	for i := range v.Views {
		if n := int(v.Views[i].Len); n > InlineLen && (v.Valid == nil || bit(v.Valid, i)) {
			total += n
		}
	}
	var bufs [][]byte
	var buf []byte
	for i := range v.Views {
		w := v.Views[i]
		switch {
		case v.Valid != nil && !bit(v.Valid, i):
			w = View{}
		case w.Len > InlineLen:
			if len(buf)+int(w.Len) > cap(buf) {
				buf = make([]byte, 0, max(int(w.Len), min(total, 1<<30)))
				bufs = append(bufs, nil)
			}
			from := len(buf)
			buf = append(buf, v.Bufs[w.buf][w.off:w.off+w.Len]...)
			w.buf, w.off = uint32(len(bufs)-1), uint32(from)
			bufs[len(bufs)-1] = buf
			total -= int(w.Len)
		}
		dst = append(dst, w)
	}
	return dst, bufs
}

// Slice is rows from … to-1 of the batch, sharing its memory.
func (b *Batch) Slice(from, to int) *Batch {
	out := &Batch{Schema: b.Schema, N: to - from, Objects: b.Objects, Cols: make([]*Vector, len(b.Cols))}
	for i, c := range b.Cols {
		out.Cols[i] = c.Slice(from, to)
	}
	return out
}

// Slice is rows from … to-1 of the vector, sharing its memory. The first offset of a sliced list need not be 0.
func (v *Vector) Slice(from, to int) *Vector {
	out := &Vector{Type: v.Type, N: to - from, Const: v.Const, Bufs: v.Bufs, Dict: v.Dict}
	if v.Const {
		*out = *v
		out.N = to - from
		return out
	}
	out.Valid = sliceBits(v.Valid, from, to-from)
	switch v.Type.Kind.Storage() {
	case StorageBool:
		out.Bools = v.Bools[from:to]
	case StorageI8:
		out.I8 = v.I8[from:to]
	case StorageI16:
		out.I16 = v.I16[from:to]
	case StorageI32:
		out.I32 = v.I32[from:to]
	case StorageI64:
		out.I64 = v.I64[from:to]
	case StorageF32:
		out.F32 = v.F32[from:to]
	case StorageF64:
		out.F64 = v.F64[from:to]
	case StorageDec:
		out.Dec = v.Dec[from:to]
	case StorageBytes:
		if v.Codes != nil {
			out.Codes = v.Codes[from:to]
		} else {
			out.Views = v.Views[from:to]
		}
	case StorageList:
		out.Offs, out.Kids = v.Offs[from:to+1], v.Kids
	case StorageStruct:
		for _, k := range v.Kids {
			out.Kids = append(out.Kids, k.Slice(from, to))
		}
	}
	return out
}

// Concat is the rows of all batches one after the other. Fixed-width values are copied, string bytes are shared, so the
// result lives as long as the batches do.
func Concat(schema *Schema, batches []*Batch) *Batch {
	out := &Batch{Schema: schema, Cols: make([]*Vector, schema.Len())}
	for _, b := range batches {
		out.N += b.N
	}
	parts := make([]*Vector, len(batches))
	for i, f := range schema.Fields {
		for j, b := range batches {
			parts[j] = b.Cols[i]
		}
		out.Cols[i] = concatVectors(f.Type, parts)
	}
	return out
}

func concatVectors(t Type, parts []*Vector) *Vector {
	n, nulls := 0, false
	for _, p := range parts {
		n += p.N
		nulls = nulls || p.Valid != nil
	}
	out := &Vector{Type: t, N: n}
	if nulls {
		out.Valid = make([]uint64, (n+63)/64)
		at := 0
		for _, p := range parts {
			appendBits(out.Valid, at, p.Valid, p.N)
			at += p.N
		}
	}
	switch t.Kind.Storage() {
	case StorageBool:
		out.Bools = join(parts, n, func(v *Vector) []bool { return v.Bools })
	case StorageI8:
		out.I8 = join(parts, n, func(v *Vector) []int8 { return v.I8 })
	case StorageI16:
		out.I16 = join(parts, n, func(v *Vector) []int16 { return v.I16 })
	case StorageI32:
		out.I32 = join(parts, n, func(v *Vector) []int32 { return v.I32 })
	case StorageI64:
		out.I64 = join(parts, n, func(v *Vector) []int64 { return v.I64 })
	case StorageF32:
		out.F32 = join(parts, n, func(v *Vector) []float32 { return v.F32 })
	case StorageF64:
		out.F64 = join(parts, n, func(v *Vector) []float64 { return v.F64 })
	case StorageDec:
		out.Dec = join(parts, n, func(v *Vector) []Dec128 { return v.Dec })
	case StorageBytes:
		concatBytes(out, parts)
	case StorageList:
		concatLists(out, parts)
	case StorageStruct:
		out.Kids = concatKids(t, parts)
	}
	return out
}

func join[T any](parts []*Vector, n int, of func(*Vector) []T) []T {
	out := hugeSlice[T](n)[:0]
	for _, p := range parts {
		out = append(out, of(p)[:p.N]...)
	}
	return out
}

func concatKids(t Type, parts []*Vector) []*Vector {
	kids := make([]*Vector, len(t.Fields))
	of := make([]*Vector, len(parts))
	for i, f := range t.Fields {
		for j, p := range parts {
			of[j] = p.Kids[i]
		}
		kids[i] = concatVectors(f.Type, of)
	}
	return kids
}

func concatLists(out *Vector, parts []*Vector) {
	out.Offs = append(make([]int32, 0, out.N+1), 0)
	trimmed := make([]*Vector, len(parts))
	for j, p := range parts {
		base, from := out.Offs[len(out.Offs)-1], p.Offs[0]
		for _, o := range p.Offs[1 : p.N+1] {
			out.Offs = append(out.Offs, base+o-from)
		}
		t := *p
		t.Kids = make([]*Vector, len(p.Kids))
		for i, k := range p.Kids {
			t.Kids[i] = k.Slice(int(from), int(p.Offs[p.N]))
		}
		trimmed[j] = &t
	}
	out.Kids = concatKids(out.Type, trimmed)
}

// concatBytes keeps a dictionary that all parts share, else renumbers the buffers of the parts' views.
func concatBytes(out *Vector, parts []*Vector) {
	if len(parts) > 0 && sameDict(parts) {
		out.Dict = parts[0].Dict
		out.Codes = join(parts, out.N, func(v *Vector) []int32 { return v.Codes })
		return
	}
	out.Views = hugeSlice[View](out.N)[:0]
	for _, p := range parts {
		base := uint32(len(out.Bufs))
		if p.Codes != nil {
			out.Bufs = append(out.Bufs, p.Dict.Bufs...)
			for i, c := range p.Codes[:p.N] {
				w := View{}
				if p.IsValid(i) {
					w = p.Dict.Views[c].Shifted(base)
				}
				out.Views = append(out.Views, w)
			}
			continue
		}
		out.Bufs = append(out.Bufs, p.Bufs...)
		for _, w := range p.Views[:p.N] {
			out.Views = append(out.Views, w.Shifted(base))
		}
	}
}

func sameDict(parts []*Vector) bool {
	for _, p := range parts {
		if p.Codes == nil || p.Dict != parts[0].Dict {
			return false
		}
	}
	return true
}

// Shifted is the view with its buffer number, if it has one, raised by base.
func (w View) Shifted(base uint32) View {
	if w.Len > InlineLen {
		w.buf += base
	}
	return w
}

// Plain returns v with a dictionary turned into views over the dictionary's bytes; other vectors are returned as they are.
func Plain(v *Vector) *Vector {
	if v.Codes == nil {
		return v
	}
	out := &Vector{Type: v.Type, N: v.N, Valid: v.Valid, Const: v.Const, Bufs: v.Dict.Bufs, Views: make([]View, len(v.Codes))}
	if v.Dict.N == 0 {
		return out
	}
	for i, c := range v.Codes {
		out.Views[i] = v.Dict.Views[c]
	}
	return out
}
