package column

import (
	"math"
	"unsafe"
)

// decodeFlat is decode for a layout whose every leaf is a key column, and no list: it fills column after column. Strings stay
// where the arena has them.
func (l *keyLayout) decodeFlat(rows []uint64, from, to int, arena *byteArena, out []*Vector) {
	rows = rows[from*l.width : to*l.width]
	n := to - from
	for k := range l.leaves {
		f := &l.leaves[k]
		v := out[k].Reset(f.typ, n)
		switch f.typ.Kind.Storage() {
		case StorageBool:
			for i := range v.Bools {
				v.Bools[i] = rows[i*l.width+f.word]>>f.shift&1 != 0
			}
		case StorageI8:
			unpackInts(v.I8, rows, f, l.width)
		case StorageI16:
			unpackInts(v.I16, rows, f, l.width)
		case StorageI32:
			unpackInts(v.I32, rows, f, l.width)
		case StorageI64:
			for i := range v.I64 {
				v.I64[i] = int64(rows[i*l.width+f.word])
			}
		case StorageF32:
			for i := range v.F32 {
				v.F32[i] = float32(math.Float64frombits(rows[i*l.width+f.word]))
			}
		case StorageF64:
			for i := range v.F64 {
				v.F64[i] = math.Float64frombits(rows[i*l.width+f.word])
			}
		case StorageDec:
			for i := range v.Dec {
				v.Dec[i] = Dec128{Lo: rows[i*l.width+f.word], Hi: int64(rows[i*l.width+f.word+1])}
			}
		case StorageBytes:
			v.Bufs = arena.bufs[:len(arena.bufs):len(arena.bufs)]
			words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(v.Views))), 2*n)
			for i := range n {
				words[2*i], words[2*i+1] = rows[i*l.width+f.word], rows[i*l.width+f.word+1]
			}
		}
		l.flatNulls(v, rows, f)
	}
}

func (l *keyLayout) flatNulls(v *Vector, rows []uint64, f *keyLeaf) {
	if v.Type.Kind == Null {
		return
	}
	mask, any := uint64(1)<<uint(f.bit), uint64(0)
	for i := 0; i < len(rows); i += l.width {
		any |= rows[i]
	}
	if any&mask == 0 {
		return
	}
	v.MakeValid()
	for i := range v.N {
		if rows[i*l.width]&mask != 0 {
			v.SetNull(i)
		}
	}
}

func unpackInts[T Integer](dst []T, rows []uint64, f *keyLeaf, width int) {
	w, shift := f.word, f.shift&63
	for i := range dst {
		dst[i] = T(rows[i*width+w] >> shift)
	}
}
