package expr

import "github.com/streamflow/streamflow/column"

// expandInto makes dst n rows of the constant v, reusing dst's memory.
func expandInto(dst, v *column.Vector, n int) {
	st := v.Type.Kind.Storage()
	if st == column.StorageList || st == column.StorageStruct {
		*dst = *column.Expand(v, n)
		return
	}
	valid := dst.Valid
	prep(dst, v.Type, n)
	switch st {
	case column.StorageBool:
		fill(dst.Bools, v.Bools[0])
	case column.StorageI8:
		fill(dst.I8, v.I8[0])
	case column.StorageI16:
		fill(dst.I16, v.I16[0])
	case column.StorageI32:
		fill(dst.I32, v.I32[0])
	case column.StorageI64:
		fill(dst.I64, v.I64[0])
	case column.StorageF32:
		fill(dst.F32, v.F32[0])
	case column.StorageF64:
		fill(dst.F64, v.F64[0])
	case column.StorageDec:
		fill(dst.Dec, v.Dec[0])
	case column.StorageBytes:
		expandText(dst, v, n)
	}
	if hasNulls(v, 1) && v.Type.Kind != column.Null {
		dst.Valid = column.AllValid(valid, n)
		clear(dst.Valid)
	}
}

func fill[T any](s []T, x T) {
	for i := range s {
		s[i] = x
	}
}

func expandText(dst, v *column.Vector, n int) {
	if v.Codes != nil {
		b := v.Bytes(0)
		if len(b) > column.InlineLen {
			dst.Bufs = [][]byte{b}
		}
		fill(dst.Views, column.MakeView(b, 0, 0))
		return
	}
	dst.Bufs = v.Bufs
	fill(dst.Views, v.Views[0])
}

// literalVector is the Const vector of a literal.
func literalVector(l *Literal) *column.Vector {
	if l.Typ.Kind == column.Null {
		return &column.Vector{N: 1, Const: true}
	}
	b := column.NewBuilder(l.Typ)
	if err := b.AppendValue(l.Value); err != nil {
		panic("BUG: literal " + l.String() + ": " + err.Error())
	}
	v := b.Finish()
	v.Const = true
	return v
}

// vectorLiteral is row i of v as a literal.
func vectorLiteral(v *column.Vector, i int) *Literal {
	if !v.IsValid(i) {
		return &Literal{Typ: v.Type}
	}
	if v.Const {
		i = 0
	}
	return &Literal{Value: column.Value(v, i), Typ: v.Type}
}
