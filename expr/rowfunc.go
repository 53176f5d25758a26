package expr

import "github.com/streamflow/streamflow/column"

// RowFunc computes one row from boxed values, in the Go types of Literal.Value. It may keep buffers between calls.
type RowFunc func(args []any) (any, error)

// RegisterRows adds a scalar function that runs row by row: the slow path for what has no vectorised kernel, such as
// functions written in Go by users. It is called while packages are initialised. out gives the type of the result from
// the resolved arguments; make is called once for each program. f's arity is that of the parameters in, written as the
// table's own: "s:text d:x?".
func RegisterRows(group string, f *Function, in string, out func(args []Expr) (column.Type, error), make func(c *Call) (RowFunc, error)) {
	f.in, f.out, f.null, f.flags, f.cost = params(in), out, always, ownNulls, 1000
	f.kernel = func(c *Call) kernel { return rowKernel(f.Name, c, make) }
	register(group, f)
}

func rowKernel(name string, c *Call, make func(c *Call) (RowFunc, error)) kernel {
	fn, makeErr := make(c)
	var row []any
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		b := column.NewBuilder(c.Typ)
		row = resize(row, len(args))
		for i := 0; i < k.n; i++ {
			if makeErr != nil {
				b.AppendNull()
				continue
			}
			for j, a := range args {
				row[j] = nil
				if a.IsValid(i) {
					row[j] = column.Value(a, constRow(a, i))
				}
			}
			v, err := fn(row)
			if err == nil {
				err = b.AppendValue(v)
			}
			if err != nil {
				b.AppendNull()
				k.errs.Rows = append(k.errs.Rows, int32(i))
				k.errs.Errs = append(k.errs.Errs, FunctionFailed(name, err))
			}
		}
		*out = *b.Finish()
		if makeErr != nil {
			for i := 0; i < k.n; i++ {
				k.fail(i, FunctionFailed(name, makeErr))
			}
		}
	}
}
