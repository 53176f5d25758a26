package expr

import "github.com/streamflow/streamflow/column"

func init() {
	register("collection", &Function{Name: "map_zip_with", in: params("a:left a:right a:function"), Doc: "The map of all keys of two maps; its values are the function of the key and its value on either side, null where it has none.", Example: "map_zip_with(map('a', 1), map('a', 10, 'b', 20), (k, x, y) -> coalesce(x, 0) + y) -> {a -> 11, b -> 20}", cost: 150, flags: ownNulls,
		higher: &higher{from: 2, collections: 2, vars: mapZipVars, eval: mapZipKernel,
			call: func(name string, args []Expr) (Expr, error) {
				key := args[0].DataType().Fields[0].Type
				return &Call{Fn: name, Args: args, Typ: column.MapOf(key, args[2].DataType(), args[2].Nullable()), Null: args[0].Nullable() || args[1].Nullable()}, nil
			}}})
}

func mapZipVars(args []Expr) ([][]column.Field, error) {
	for i := range 2 {
		if args[i] == nil || args[i].DataType().Kind != column.Map {
			return nil, notCollection("map_zip_with", i, args[i], `"MAP"`)
		}
	}
	l, r := args[0].DataType().Fields, args[1].DataType().Fields
	if !l[0].Type.Equal(r[0].Type) {
		return nil, dataDiffTypes("map_zip_with", args[:2])
	}
	x, y := l[1], r[1]
	x.Nullable, y.Nullable = true, true
	return [][]column.Field{{l[0], x, y}}, nil
}

func mapZipKernel(_ *Call, bodies []*body) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		a, b := dense(args[0], k.n), dense(args[1], k.n)
		keys := column.NewBuilder(a.Kids[0].Type)
		var left, right, row []int32
		offs := make([]int32, 1, k.n+1)
		var buf []byte
		for i := 0; i < k.n; i++ {
			if k.ok(i) {
				at := map[string]int{}
				for j := a.Offs[i]; j < a.Offs[i+1]; j++ {
					buf = column.AppendKey(buf[:0], a.Kids[:1], int(j))
					at[string(buf)] = len(row)
					keys.AppendFrom(a.Kids[0], int(j))
					left, right, row = append(left, j), append(right, -1), append(row, int32(i))
				}
				for j := b.Offs[i]; j < b.Offs[i+1]; j++ {
					buf = column.AppendKey(buf[:0], b.Kids[:1], int(j))
					if n, ok := at[string(buf)]; ok {
						right[n] = j
						continue
					}
					keys.AppendFrom(b.Kids[0], int(j))
					left, right, row = append(left, -1), append(right, j), append(row, int32(i))
				}
			}
			offs = append(offs, int32(len(row)))
		}
		all := keys.Finish()
		v := bodies[0].eval(k, args, []*column.Vector{all, column.Take(nil, a.Kids[1], left), column.Take(nil, b.Kids[1], right)}, row)
		listOf(out, offs, all, v)
	}
}
