package column

// Take gathers rows: row i of the result is row sel[i] of src, or null where sel[i] < 0. dst, when not nil, is reused;
// string bytes are shared with src, never copied. dst must not be src.
func Take(dst, src *Vector, sel []int32) *Vector {
	return takeRows(dst, src, sel, anyNegative(sel))
}

// TakeBatch gathers rows of every column; see Take.
func TakeBatch(dst, src *Batch, sel []int32) *Batch {
	if dst == nil {
		dst = &Batch{}
	}
	dst.Schema, dst.N, dst.Objects = src.Schema, len(sel), nil
	for len(dst.Cols) < len(src.Cols) {
		dst.Cols = append(dst.Cols, nil)
	}
	dst.Cols = dst.Cols[:len(src.Cols)]
	neg := anyNegative(sel)
	for i, c := range src.Cols {
		dst.Cols[i] = takeRows(dst.Cols[i], c, sel, neg)
	}
	return dst
}

func anyNegative(sel []int32) bool {
	var or int32
	for _, s := range sel {
		or |= s
	}
	return or < 0
}

func takeRows(dst, src *Vector, sel []int32, neg bool) *Vector {
	if dst == nil {
		dst = &Vector{}
	}
	n := len(sel)
	if src.Const {
		src = Expand(src, max(src.N, 1))
	}
	dst.Type, dst.N, dst.Const = src.Type, n, false
	dst.Codes, dst.Dict = nil, nil
	takeValid(dst, src, sel, neg)
	switch src.Type.Kind.Storage() {
	case StorageBool:
		dst.Bools = gather(dst.Bools, src.Bools, sel, neg)
	case StorageI8:
		dst.I8 = gather(dst.I8, src.I8, sel, neg)
	case StorageI16:
		dst.I16 = gather(dst.I16, src.I16, sel, neg)
	case StorageI32:
		dst.I32 = gather(dst.I32, src.I32, sel, neg)
	case StorageI64:
		dst.I64 = gather(dst.I64, src.I64, sel, neg)
	case StorageF32:
		dst.F32 = gather(dst.F32, src.F32, sel, neg)
	case StorageF64:
		dst.F64 = gather(dst.F64, src.F64, sel, neg)
	case StorageDec:
		dst.Dec = gather(dst.Dec, src.Dec, sel, neg)
	case StorageBytes:
		takeBytes(dst, src, sel, neg)
	case StorageList:
		takeLists(dst, src, sel)
	case StorageStruct:
		for len(dst.Kids) < len(src.Kids) {
			dst.Kids = append(dst.Kids, nil)
		}
		dst.Kids = dst.Kids[:len(src.Kids)]
		for i, k := range src.Kids {
			dst.Kids[i] = takeRows(dst.Kids[i], k, sel, neg)
		}
	}
	return dst
}

func gather[T any](dst, src []T, sel []int32, neg bool) []T {
	dst = resize(dst, len(sel))
	if neg {
		gatherOrZero(dst, src, sel)
		return dst
	}
	dst = dst[:len(sel)]
	for i, s := range sel {
		dst[i] = src[s]
	}
	return dst
}

func gatherOrZero[T any](dst, src []T, sel []int32) {
	var zero T
	for i, s := range sel {
		if s < 0 {
			dst[i] = zero
		} else {
			dst[i] = src[s]
		}
	}
}

func takeValid(dst, src *Vector, sel []int32, neg bool) {
	if src.Valid == nil && !neg || src.Type.Kind == Null {
		dst.dropValid()
		return
	}
	words := dst.Valid
	if words == nil {
		words = dst.spare
	}
	words = resize(words, (len(sel)+63)/64)
	for w := range words {
		part := sel[w*64 : min(w*64+64, len(sel))]
		words[w] = takeWord(src.Valid, part)
	}
	dst.Valid, dst.spare = words, nil
}

func takeWord(valid []uint64, sel []int32) uint64 {
	var x uint64
	for i, s := range sel {
		if s >= 0 && (valid == nil || bit(valid, int(s))) {
			x |= 1 << uint(i)
		}
	}
	return x
}

func takeBytes(dst, src *Vector, sel []int32, neg bool) {
	if src.Codes != nil && src.Dict.N > 0 {
		dst.Codes = gather(dst.codeSpare, src.Codes, sel, neg)
		dst.codeSpare = dst.Codes
		dst.Dict, dst.Views, dst.Bufs = src.Dict, dst.Views[:0], nil
		return
	}
	if src.Codes != nil {
		dst.Views, dst.Bufs = resize(dst.Views, len(sel)), nil
		clear(dst.Views)
		return
	}
	dst.Views = gather(dst.Views, src.Views, sel, neg)
	dst.Bufs = src.Bufs
}

func takeLists(dst, src *Vector, sel []int32) {
	dst.Offs = resize(dst.Offs, len(sel)+1)
	total := 0
	dst.Offs[0] = 0
	for i, s := range sel {
		if s >= 0 {
			total += int(src.Offs[s+1] - src.Offs[s])
		}
		dst.Offs[i+1] = int32(total)
	}
	kids := make([]int32, 0, total)
	for _, s := range sel {
		if s >= 0 {
			for j := src.Offs[s]; j < src.Offs[s+1]; j++ {
				kids = append(kids, j)
			}
		}
	}
	for len(dst.Kids) < len(src.Kids) {
		dst.Kids = append(dst.Kids, nil)
	}
	dst.Kids = dst.Kids[:len(src.Kids)]
	for i, k := range src.Kids {
		dst.Kids[i] = takeRows(dst.Kids[i], k, kids, false)
	}
}

// Expand returns a dense vector of n rows for a Const one; other vectors are returned as they are.
func Expand(v *Vector, n int) *Vector {
	if !v.Const {
		return v
	}
	one := *v
	one.Const, one.N = false, 1
	if one.Type.Kind.Storage() == StorageBytes && one.Codes == nil && len(one.Views) == 0 {
		one.Views = make([]View, 1)
	}
	return takeRows(nil, &one, make([]int32, n), false)
}
