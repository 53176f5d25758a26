package expr

import (
	"github.com/streamflow/streamflow/column"
)

func rewriteIn(args []Expr) (Expr, error) {
	t := args[0].DataType()
	narrow := true
	for _, a := range args[1:] {
		narrow = narrow && narrowLiteral(a, t) != nil
	}
	if !narrow {
		for _, a := range args[1:] {
			c, ok := CommonType(t, a.DataType())
			if !ok {
				return nil, dataDiffTypes("in", args)
			}
			t = c
		}
	}
	out := &Call{Fn: "in", Typ: column.Of(column.Bool)}
	for _, a := range args {
		out.Args = append(out.Args, Coerce(a, t))
		out.Null = out.Null || a.Nullable()
	}
	return out, checkOrdered("in", t)
}

// inKernel looks the value up in a set when all items are literals, and compares one by one otherwise.
func inKernel(c *Call) kernel {
	items, hasNull, ok := literalItems(c.Args[1:])
	if !ok {
		return inScan
	}
	switch t := c.Args[0].DataType(); t.Kind.Storage() {
	case column.StorageI8, column.StorageI16, column.StorageI32, column.StorageI64:
		return inInts(items, hasNull)
	case column.StorageBytes:
		return inText(items, hasNull)
	}
	return inScan
}

func literalItems(args []Expr) (values []any, hasNull, ok bool) {
	for _, a := range args {
		l, isLit := Transform(a, Fold).(*Literal)
		if !isLit {
			return nil, false, false
		}
		if l.Value == nil {
			hasNull = true
			continue
		}
		values = append(values, l.Value)
	}
	return values, hasNull, true
}

func inInts(items []any, hasNull bool) kernel {
	set := make(map[int64]struct{}, len(items))
	list := make([]int64, 0, len(items))
	for _, v := range items {
		set[v.(int64)] = struct{}{}
		list = append(list, v.(int64))
	}
	const short = 8 // up to here comparing beats hashing
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		k.strict(args[:1])
		for i := range out.Bools {
			x := intAt(args[0], i)
			found := false
			if len(list) <= short {
				for _, y := range list {
					found = found || x == y
				}
			} else {
				_, found = set[x]
			}
			out.Bools[i] = found
			if hasNull && !found {
				k.null(i)
			}
		}
	}
}

func inText(items []any, hasNull bool) kernel {
	set := make(map[string]struct{}, len(items))
	for _, v := range items {
		switch v := v.(type) {
		case string:
			set[v] = struct{}{}
		case []byte:
			set[string(v)] = struct{}{}
		}
	}
	var byCode []bool
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		v := args[0]
		k.strict(args[:1])
		if v.Codes != nil && !v.Const && v.Dict.N <= k.n {
			byCode = resize(byCode, v.Dict.N)
			for i := range byCode {
				_, byCode[i] = set[v.Dict.Str(i)]
			}
			for i, c := range v.Codes[:k.n] {
				out.Bools[i] = byCode[c]
			}
		} else {
			for i := range out.Bools {
				_, out.Bools[i] = set[v.Str(i)]
			}
		}
		if hasNull {
			for i, found := range out.Bools {
				if !found {
					k.null(i)
				}
			}
		}
	}
}

func inScan(k *kctx, args []*column.Vector, out *column.Vector) {
	k.strict(args[:1])
	for i := range out.Bools {
		out.Bools[i] = false
		if !k.ok(i) {
			continue
		}
		unknown := false
		for _, a := range args[1:] {
			if !a.IsValid(i) {
				unknown = true
			} else if compareValues(args[0], i, a, i) == 0 {
				out.Bools[i], unknown = true, false
				break
			}
		}
		if unknown {
			k.null(i)
		}
	}
}
