package expr

import "github.com/streamflow/streamflow/column"

func variantExplode(name string, outer bool) *Function {
	doc := "A row for each member of an object, with its key, or for each element of an array: pos, key, value."
	if outer {
		doc += " Any other value gives one row of nulls."
	}
	f := &Function{Name: name, Kind: Generator, in: params("a:v"), Doc: doc, Example: name + "(parse_json('[1,2]')) -> rows (0, NULL, 1), (1, NULL, 2)", cost: 300}
	f.rewrite = func(args []Expr) (Expr, error) {
		if _, err := variantArg(name, column.Type{})(args); err != nil {
			return nil, err
		}
		return &Generate{Fn: name, Args: []Expr{Coerce(args[0], column.Of(column.Variant))}, Outer: outer, Output: []column.Field{
			{Name: "pos", Type: column.Of(column.Int32), Nullable: outer}, {Name: "key", Type: column.Of(column.String), Nullable: true},
			{Name: "value", Type: column.Of(column.Variant), Nullable: outer}}}, nil
	}
	return f
}

// variants lists the members of objects and the elements of arrays.
func (g *Generation) variants(n int) ([]int32, []*column.Vector, error) {
	pos, key, value := column.NewBuilder(column.Of(column.Int32)), column.NewBuilder(column.Of(column.String)), column.NewBuilder(column.Of(column.Variant))
	g.rows = g.rows[:0]
	var buf []byte
	for i := range n {
		var r column.VariantRef
		if g.args[0].IsValid(i) {
			r = g.args[0].Variant(i)
		}
		kind, count := r.Kind(), 0
		if kind == column.VariantObject || kind == column.VariantArray {
			count = r.Len()
		}
		for j := range count {
			v, ok := r.At(j)
			if kind == column.VariantObject {
				var k []byte
				k, v, ok = r.Member(j)
				key.AppendBytes(k)
			} else {
				key.AppendNull()
			}
			if ok {
				buf, ok = v.Append(buf[:0])
			}
			if !ok {
				return nil, nil, errMalformedVariant
			}
			g.rows = append(g.rows, int32(i))
			pos.AppendI64(int64(j))
			value.AppendBytes(buf)
		}
		if count == 0 && g.outer {
			g.rows = append(g.rows, int32(i))
			pos.AppendNull()
			key.AppendNull()
			value.AppendNull()
		}
	}
	return g.rows, []*column.Vector{pos.Finish(), key.Finish(), value.Finish()}, nil
}

// appendJSONVariant appends a JSON value as a variant; false when it is none.
func appendJSONVariant(b *column.Builder, raw []byte) bool {
	var v column.VariantBuilder
	if why, _ := v.ParseVariant(raw); why != "" {
		return false
	}
	out, ok := v.Append(nil)
	if ok {
		b.AppendBytes(out)
	}
	return ok
}
