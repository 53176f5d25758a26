package expr

import "github.com/streamflow/streamflow/column"

// dictRun is the memory of an instruction that computes on a dictionary instead of on rows.
type dictRun struct {
	out   column.Vector // results by code
	args  []*column.Vector
	errs  RowErrors
	valid []uint64 // of out

	choice []int16 // of a lazy operation
	codes  []int32
}

// dictGain is how many times shorter than the batch a dictionary must be to be worth the detour.
const dictGain = 2

// runDict evaluates a function of one dictionary-coded string on the dictionary and maps the codes. It reports false
// when that does not apply to this batch.
func (in *instr) runDict() bool {
	src := in.vecs[in.dict]
	if src.Const || src.Codes == nil || src.Dict.N*dictGain > in.k.n || src.Dict.N == 0 {
		return false
	}
	for i, v := range in.vecs {
		if i != in.dict && !v.Const {
			return false
		}
	}
	n := in.k.n
	in.codes.args = append(in.codes.args[:0], in.vecs...)
	in.codes.args[in.dict] = src.Dict
	by := &in.codes.out
	in.compute(in.codes.args, src.Dict.N, by)
	in.codes.errs.Rows = append(in.codes.errs.Rows[:0], in.k.errs.Rows...)
	in.codes.errs.Errs = append(in.codes.errs.Errs[:0], in.k.errs.Errs...)
	in.k.errs.Reset()

	nulls := by.Valid != nil
	in.codes.valid = append(in.codes.valid[:0], by.Valid...) // by.Valid lies where the rows' validity goes
	in.k.n, in.k.out = n, &in.out
	prepCodes(&in.out, by, src.Codes[:n])
	switch {
	case !nulls:
		if src.Valid != nil {
			in.k.valid = append(in.k.valid[:0], src.Valid[:(n+63)/64]...)
			in.out.Valid = in.k.valid
		}
	default:
		in.mapValid(src, in.codes.valid, n)
	}
	in.mapErrors(src, n)
	return true
}

// prepCodes makes out the rows by[codes[i]].
func prepCodes(out, by *column.Vector, codes []int32) {
	n := len(codes)
	if by.Type.Kind.Storage() == column.StorageBytes {
		out.Type, out.N, out.Valid, out.Const = by.Type, n, nil, false
		by.Valid = nil // the rows' own validity says it
		out.Codes, out.Dict, out.Views = codes, by, nil
		return
	}
	prep(out, by.Type, n)
	switch by.Type.Kind.Storage() {
	case column.StorageBool:
		pickCodes(out.Bools, by.Bools, codes)
	case column.StorageI8:
		pickCodes(out.I8, by.I8, codes)
	case column.StorageI16:
		pickCodes(out.I16, by.I16, codes)
	case column.StorageI32:
		pickCodes(out.I32, by.I32, codes)
	case column.StorageI64:
		pickCodes(out.I64, by.I64, codes)
	case column.StorageF32:
		pickCodes(out.F32, by.F32, codes)
	case column.StorageF64:
		pickCodes(out.F64, by.F64, codes)
	case column.StorageDec:
		pickCodes(out.Dec, by.Dec, codes)
	default:
		*out = *column.Take(nil, by, codes)
	}
}

func pickCodes[T any](dst, by []T, codes []int32) {
	for i, c := range codes {
		dst[i] = by[c]
	}
}

func (in *instr) mapValid(src *column.Vector, byValid []uint64, n int) {
	in.k.valid = column.AllValid(in.k.valid, n)
	in.out.Valid = in.k.valid
	for i, c := range src.Codes[:n] {
		if byValid[uint(c)>>6]>>(uint(c)&63)&1 == 0 || !src.IsValid(i) {
			in.k.valid[uint(i)>>6] &^= 1 << (uint(i) & 63)
		}
	}
}

// mapErrors makes the error of a dictionary entry the error of every row that has its code.
func (in *instr) mapErrors(src *column.Vector, n int) {
	if in.codes.errs.Len() == 0 {
		return
	}
	byCode := map[int32]error{}
	for i, r := range in.codes.errs.Rows {
		byCode[r] = in.codes.errs.Errs[i]
	}
	for i, c := range src.Codes[:n] {
		if err := byCode[c]; err != nil && src.IsValid(i) {
			in.k.errs.Rows = append(in.k.errs.Rows, int32(i))
			in.k.errs.Errs = append(in.k.errs.Errs, err)
		}
	}
}
