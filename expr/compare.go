package expr

import (
	"bytes"

	"github.com/streamflow/streamflow/column"
)

var cmpOps = map[string]column.CmpOp{"=": column.EQ, "!=": column.NE, "<": column.LT, "<=": column.LE, ">": column.GT, ">=": column.GE}

func init() {
	compare := func(op, usage, doc, example string, aliases ...string) *Function {
		return &Function{Name: op, Aliases: aliases, in: params("a:x a:y"), Usage: usage, Doc: doc, Example: example, cost: 1, flags: raw,
			rewrite: func(args []Expr) (Expr, error) {
				sides, err := compareArgs(op, args)
				if err != nil {
					return nil, err
				}
				return &Call{Fn: op, Args: sides, Typ: column.Of(column.Bool), Null: args[0].Nullable() || args[1].Nullable()}, nil
			},
			kernel: func(c *Call) kernel { return compareKernel(op, c.Args[0].DataType()) }}
	}
	register("operators",
		compare("=", "x = y", "True when equal; null when a side is null. NaN equals NaN.", "1 = 1.0 -> true", "=="),
		compare("!=", "x != y", "True when different.", "'a' <> 'b' -> true", "<>"),
		compare("<", "x < y", "True when x comes before y.", "1 < 2 -> true"),
		compare("<=", "x <= y", "True when x does not come after y.", "2 <= 2 -> true"),
		compare(">", "x > y", "True when x comes after y.", "DATE'2026-01-02' > DATE'2026-01-01' -> true"),
		compare(">=", "x >= y", "True when x does not come before y.", "'b' >= 'a' -> true"),
		&Function{Name: "<=>", Aliases: []string{"equal_null"}, in: params("a:x a:y"), Usage: "x <=> y", Doc: "Equality that takes null as a value: null <=> null is true.", Example: "NULL <=> NULL -> true",
			cost: 2, flags: ownNulls, rewrite: rewriteNullSafe, kernel: func(*Call) kernel { return nullSafeEqual }},
		&Function{Name: "between", in: params("a:x a:low a:high"), Usage: "x between low and high", Doc: "low <= x and x <= high.", Example: "5 between 1 and 10 -> true",
			rewrite: func(a []Expr) (Expr, error) {
				lo, err := call(">=", a[0], a[1])
				if err != nil {
					return nil, err
				}
				hi, err := call("<=", a[0], a[2])
				if err != nil {
					return nil, err
				}
				return call("and", lo, hi)
			}},
	)
}

func rewriteNullSafe(args []Expr) (Expr, error) {
	sides, err := compareArgs("<=>", args)
	if err != nil {
		return nil, err
	}
	return &Call{Fn: "<=>", Args: sides, Typ: column.Of(column.Bool)}, nil
}

func nullSafeEqual(k *kctx, args []*column.Vector, out *column.Vector) {
	a, b := args[0], args[1]
	for i := range out.Bools {
		va, vb := a.IsValid(i), b.IsValid(i)
		out.Bools[i] = va == vb && (!va || compareValues(a, i, b, i) == 0)
	}
}

func compareKernel(op string, t column.Type) kernel {
	c := cmpOps[op]
	switch t.Kind.Storage() {
	case column.StorageI8:
		return compareInts[int8](c)
	case column.StorageI16:
		return compareInts[int16](c)
	case column.StorageI32:
		return compareInts[int32](c)
	case column.StorageI64:
		return compareInts[int64](c)
	case column.StorageF32:
		return compareFloats[float32](op)
	case column.StorageF64:
		return compareFloats[float64](op)
	case column.StorageBytes:
		return compareText(op)
	}
	w := wants(op)
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i := range out.Bools {
			if k.ok(i) {
				out.Bools[i] = w.pass(compareValues(args[0], i, args[1], i))
			}
		}
	}
}

func compareInts[T integer](c column.CmpOp) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		a, b := slice[T](args[0]), slice[T](args[1])
		n := len(out.Bools)
		switch {
		case args[1].Const && !args[0].Const:
			column.CompareConst(out.Bools, c, a[:n], b[0])
		case args[0].Const && !args[1].Const:
			column.CompareConst(out.Bools, c.Swap(), b[:n], a[0])
		default:
			column.Compare(out.Bools, c, a[:n], b[:n])
		}
	}
}

func compareFloats[T float](op string) kernel {
	w, c := wants(op), cmpOps[op]
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		a, b := slice[T](args[0]), slice[T](args[1])
		n := len(out.Bools)
		if y := args[1]; y.Const && !args[0].Const && b[0] == b[0] {
			floatConst(out.Bools, op, c, a[:n], b[0])
			return
		}
		for i := range out.Bools {
			out.Bools[i] = w.pass(compareFloat(a[constRow(args[0], i)], b[constRow(args[1], i)]))
		}
	}
}

// floatConst compares with a constant that is no NaN. A NaN is above it: x > c is "not x <= c".
func floatConst[T float](dst []bool, op string, c column.CmpOp, v []T, y T) {
	switch op {
	case ">":
		for i, x := range v {
			dst[i] = !(x <= y)
		}
	case ">=":
		for i, x := range v {
			dst[i] = !(x < y)
		}
	default:
		column.CompareConst(dst, c, v, y)
	}
}

func compareText(op string) kernel {
	w := wants(op)
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		a, b := args[0], args[1]
		if op == "=" || op == "!=" {
			if b.Const && !a.Const && a.Codes == nil {
				equalConst(out.Bools, a, b.Bytes(0), w.eq)
				return
			}
			for i := range out.Bools {
				out.Bools[i] = bytes.Equal(a.Bytes(i), b.Bytes(i)) == w.eq
			}
			return
		}
		for i := range out.Bools {
			out.Bools[i] = w.pass(bytes.Compare(a.Bytes(i), b.Bytes(i)))
		}
	}
}

// equalConst compares views as words where the constant lies in its view, and lengths first where it does not.
func equalConst(dst []bool, v *column.Vector, want []byte, eq bool) {
	views := v.Views[:len(dst)]
	if len(want) <= column.InlineLen {
		w := column.MakeView(want, 0, 0)
		for i := range views {
			dst[i] = views[i] == w == eq
		}
		return
	}
	n := uint32(len(want))
	for i := range views {
		dst[i] = (views[i].Len == n && bytes.Equal(v.Bytes(i), want)) == eq
	}
}

// compareValues orders row i of a against row j of b, both valid and of one type; either may be Const.
func compareValues(a *column.Vector, i int, b *column.Vector, j int) int {
	return column.CompareValues(a, constRow(a, i), b, constRow(b, j))
}
