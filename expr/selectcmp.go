package expr

import (
	"bytes"

	"github.com/streamflow/streamflow/column"
)

// compareConst is a conjunct side OP literal: it goes from the values of side straight to selected rows.
type compareConst struct {
	op  string
	lit *column.Vector

	dict *column.Vector // the fixed dictionary whose entries pass says whether they satisfy the comparison
	pass []bool
}

var flipped = map[string]string{"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}

// asCompareConst recognises side OP literal and literal OP side.
func asCompareConst(e Expr) (*compareConst, Expr) {
	c, ok := e.(*Call)
	if !ok || len(c.Args) != 2 || flipped[c.Fn] == "" {
		return nil, nil
	}
	side, op := c.Args[0], c.Fn
	l, ok := Transform(c.Args[1], Fold).(*Literal)
	if !ok {
		side, op = c.Args[1], flipped[c.Fn]
		l, ok = Transform(c.Args[0], Fold).(*Literal)
	}
	if !ok || l.Value == nil || l.Typ.IsNested() {
		return nil, nil
	}
	if _, constant := side.(*Literal); constant {
		return nil, nil
	}
	return &compareConst{op: op, lit: literalVector(l)}, side
}

// selectRows writes the rows of sel (nil: all n) for which the comparison is true.
func (c *compareConst) selectRows(o *operand, sel, dst []int32, n int) ([]int32, bool) {
	v := o.v
	if v.Type.Kind == column.Null {
		return dst[:0], true
	}
	if o.pos != nil || v.Const {
		v = spread(o, n, sel)
	}
	if sel == nil {
		dst = resize(dst, n)
	} else {
		dst = resize(dst, len(sel))
	}
	k := c.run(v, sel, dst, n)
	dst = dst[:k]
	if v.Valid != nil {
		dst = dropNulls(dst, v.Valid)
	}
	return dst, true
}

// spread brings a value of gathered rows back to the positions of the batch.
func spread(o *operand, n int, sel []int32) *column.Vector {
	at := make([]int32, n)
	if o.pos != nil {
		for _, r := range sel {
			at[r] = o.pos[r]
		}
	}
	v := o.v
	if v.Const {
		return column.Expand(v, n)
	}
	return column.Take(nil, v, at)
}

func dropNulls(sel []int32, valid []uint64) []int32 {
	k := 0
	for _, r := range sel {
		sel[k] = r
		k += int(valid[uint32(r)>>6] >> (uint32(r) & 63) & 1)
	}
	return sel[:k]
}

func (c *compareConst) run(v *column.Vector, sel, dst []int32, n int) int {
	switch v.Type.Kind.Storage() {
	case column.StorageI8:
		return selectCmp(c.op, v.I8[:n], c.lit.I8[0], sel, dst)
	case column.StorageI16:
		return selectCmp(c.op, v.I16[:n], c.lit.I16[0], sel, dst)
	case column.StorageI32:
		return selectCmp(c.op, v.I32[:n], c.lit.I32[0], sel, dst)
	case column.StorageI64:
		return selectCmp(c.op, v.I64[:n], c.lit.I64[0], sel, dst)
	case column.StorageF32:
		return selectFloat(c.op, v.F32[:n], c.lit.F32[0], sel, dst)
	case column.StorageF64:
		return selectFloat(c.op, v.F64[:n], c.lit.F64[0], sel, dst)
	case column.StorageDec:
		want := dec(c.lit.Dec[0])
		return selectBy(sel, dst, n, wants(c.op), func(i int32) int { return dec(v.Dec[i]).cmp(want) })
	case column.StorageBool:
		want := boolInt(c.lit.Bools[0])
		return selectBy(sel, dst, n, wants(c.op), func(i int32) int { return boolInt(v.Bools[i]) - want })
	}
	return c.selectText(v, sel, dst, n)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *compareConst) selectText(v *column.Vector, sel, dst []int32, n int) int {
	want := c.lit.Bytes(0)
	w := wants(c.op)
	if v.Codes != nil && c.compareDict(v.Dict, n, w, want) {
		return selectCodes(v.Codes[:n], c.pass, sel, dst)
	}
	if c.op == "=" && v.Codes == nil {
		return selectEqual(v, want, sel, dst, n)
	}
	return selectBy(sel, dst, n, w, func(i int32) int { return bytes.Compare(v.Bytes(int(i)), want) })
}

// compareDict compares the entries of a dictionary, those of a fixed one once for all batches; false means that n rows are
// compared with less work.
func (c *compareConst) compareDict(dict *column.Vector, n int, w outcome, want []byte) bool {
	fixed := column.IsFixedDict(dict)
	if fixed && dict == c.dict {
		return true
	}
	if dict.N > n && (!fixed || dict.N > column.DictShare*n) {
		return false
	}
	c.dict = nil
	if fixed {
		c.dict = dict
	}
	c.pass = resize(c.pass, dict.N)
	for i := range c.pass {
		c.pass[i] = w.pass(bytes.Compare(dict.Bytes(i), want))
	}
	return true
}

// selectEqual compares views as two words when the constant is short enough to lie in one.
func selectEqual(v *column.Vector, want []byte, sel, dst []int32, n int) int {
	k := 0
	if len(want) <= column.InlineLen {
		w := column.MakeView(want, 0, 0)
		if sel == nil {
			for i, x := range v.Views[:n] {
				dst[k] = int32(i)
				inc := 0
				if x == w {
					inc = 1
				}
				k += inc
			}
			return k
		}
		for _, r := range sel {
			if v.Views[r] == w {
				dst[k] = r
				k++
			}
		}
		return k
	}
	if sel == nil {
		for i := 0; i < n; i++ {
			if bytes.Equal(v.Bytes(i), want) {
				dst[k] = int32(i)
				k++
			}
		}
		return k
	}
	for _, r := range sel {
		if bytes.Equal(v.Bytes(int(r)), want) {
			dst[k] = r
			k++
		}
	}
	return k
}

func selectCodes(codes []int32, pass []bool, sel, dst []int32) int {
	k := 0
	if sel == nil {
		for i, c := range codes {
			dst[k] = int32(i)
			k += boolInt(pass[c])
		}
		return k
	}
	for _, r := range sel {
		dst[k] = r
		k += boolInt(pass[codes[r]])
	}
	return k
}

// outcome tells which of less, equal and greater satisfy an operator.
type outcome struct{ lt, eq, gt bool }

func wants(op string) outcome {
	switch op {
	case "=":
		return outcome{eq: true}
	case "!=":
		return outcome{lt: true, gt: true}
	case "<":
		return outcome{lt: true}
	case "<=":
		return outcome{lt: true, eq: true}
	case ">":
		return outcome{gt: true}
	default:
		return outcome{eq: true, gt: true}
	}
}

func (w outcome) pass(c int) bool { return c < 0 && w.lt || c == 0 && w.eq || c > 0 && w.gt }

func selectBy(sel, dst []int32, n int, w outcome, compare func(i int32) int) int {
	k := 0
	if sel == nil {
		for i := int32(0); i < int32(n); i++ {
			if w.pass(compare(i)) {
				dst[k] = i
				k++
			}
		}
		return k
	}
	for _, r := range sel {
		if w.pass(compare(r)) {
			dst[k] = r
			k++
		}
	}
	return k
}

// selectFloat compares as SQL does: NaN equals itself and is above everything, so that x > c is "not x <= c".
func selectFloat[T float](op string, v []T, c T, sel, dst []int32) int {
	switch {
	case c != c || sel != nil && (op == ">" || op == ">="):
		return selectBy(sel, dst, len(v), wants(op), func(i int32) int { return compareFloat(v[i], c) })
	case op == ">":
		k := 0
		for i, x := range v {
			dst[k] = int32(i)
			inc := 1
			if x <= c {
				inc = 0
			}
			k += inc
		}
		return k
	case op == ">=":
		k := 0
		for i, x := range v {
			dst[k] = int32(i)
			inc := 1
			if x < c {
				inc = 0
			}
			k += inc
		}
		return k
	}
	return selectCmp(op, v, c, sel, dst)
}

// compareFloat orders floats with NaN last and equal to itself, and -0.0 equal to 0.0.
func compareFloat[T float](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case a != a && b != b:
		return 0
	case a != a:
		return 1
	}
	return -1
}

// selectCmp has one branch-free loop for each operator.
func selectCmp[T column.Number](op string, v []T, c T, sel, dst []int32) int {
	if sel == nil {
		return len(column.SelectConst(dst, cmpOps[op], v, c))
	}
	return selectCmpSel(op, v, c, sel, dst)
}

func selectCmpSel[T column.Number](op string, v []T, c T, sel, dst []int32) int {
	k := 0
	switch op {
	case "=":
		for _, r := range sel {
			dst[k] = r
			inc := 0
			if v[r] == c {
				inc = 1
			}
			k += inc
		}
	case "!=":
		for _, r := range sel {
			dst[k] = r
			inc := 0
			if v[r] != c {
				inc = 1
			}
			k += inc
		}
	case "<":
		for _, r := range sel {
			dst[k] = r
			inc := 0
			if v[r] < c {
				inc = 1
			}
			k += inc
		}
	case "<=":
		for _, r := range sel {
			dst[k] = r
			inc := 0
			if v[r] <= c {
				inc = 1
			}
			k += inc
		}
	case ">":
		for _, r := range sel {
			dst[k] = r
			inc := 0
			if v[r] > c {
				inc = 1
			}
			k += inc
		}
	case ">=":
		for _, r := range sel {
			dst[k] = r
			inc := 0
			if v[r] >= c {
				inc = 1
			}
			k += inc
		}
	}
	return k
}
