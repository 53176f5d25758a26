package column

import "errors"

var errShape = errors.New("column: a column of the batch is malformed")

// check reports whether a batch from outside holds what its row count and offsets promise, so that kernels need not ask.
func (b *Batch) check() error {
	for _, v := range b.Cols {
		if v.N != b.N || !v.sound() {
			return errShape
		}
	}
	return nil
}

// sound reports whether v has storage for its N rows and offsets that stay within its children.
func (v *Vector) sound() bool {
	if v.Valid != nil && len(v.Valid) < (v.N+63)/64 {
		return false
	}
	switch v.Type.Kind {
	case Null:
		return true
	case List, Map:
		return v.soundOffsets()
	case Struct:
		return v.soundKids(v.N)
	}
	return v.stored() >= v.N
}

func (v *Vector) soundOffsets() bool {
	if len(v.Offs) <= v.N || v.Offs[0] < 0 {
		return false
	}
	for i := range v.N {
		if v.Offs[i] > v.Offs[i+1] {
			return false
		}
	}
	return v.soundKids(int(v.Offs[v.N]))
}

// soundKids reports whether the type's children are there, each with at least n rows.
func (v *Vector) soundKids(n int) bool {
	if len(v.Kids) != len(v.Type.Fields) {
		return false
	}
	for _, k := range v.Kids {
		if k.N < n || !k.sound() {
			return false
		}
	}
	return true
}

// stored is the number of rows that a column without children has storage for.
func (v *Vector) stored() int {
	return max(len(v.Bools), len(v.I8), len(v.I16), len(v.I32), len(v.I64), len(v.F32), len(v.F64), len(v.Dec), len(v.Views), len(v.Codes))
}
