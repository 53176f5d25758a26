package expr

import (
	"sort"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

var index = column.Field{Name: "index", Type: column.Of(column.Int32)}

// elementVars are the parameters (x, index) of a lambda over an array.
func elementVars(fn string, at int, withIndex bool) func(args []Expr) ([][]column.Field, error) {
	return func(args []Expr) ([][]column.Field, error) {
		f, err := elementOf(fn, at, args[at])
		if err != nil {
			return nil, err
		}
		if withIndex {
			return [][]column.Field{{f, index}}, nil
		}
		return [][]column.Field{{f}}, nil
	}
}

func elementOf(fn string, at int, e Expr) (column.Field, error) {
	if e == nil || e.DataType().Kind != column.List {
		return column.Field{}, notCollection(fn, at, e, `"ARRAY"`)
	}
	return e.DataType().Fields[0], nil
}

func notCollection(fn string, at int, e Expr, want string) error {
	if e == nil {
		return usererr.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "A function stands where %s wants %s.", fn, want).WithFix("The collection comes first, the function after it.")
	}
	return unexpectedType(fn, at, e, want)
}

// entries are the parameters (key, value) of a lambda over a map.
func entries(fn string) func(args []Expr) ([][]column.Field, error) {
	return func(args []Expr) ([][]column.Field, error) {
		if args[0] == nil || args[0].DataType().Kind != column.Map {
			return nil, notCollection(fn, 0, args[0], `"MAP"`)
		}
		f := args[0].DataType().Fields
		return [][]column.Field{{f[0], f[1]}}, nil
	}
}

// withType makes the node with the type that out gives it.
func withType(out func(args []Expr) column.Type, null nullRule) func(string, []Expr) (Expr, error) {
	return func(name string, args []Expr) (Expr, error) {
		return &Call{Fn: name, Args: args, Typ: out(args), Null: null == always || args[0].Nullable()}, nil
	}
}

// tested is withType for a lambda at a place that must give a boolean.
func tested(out func(args []Expr) column.Type, null nullRule) func(string, []Expr) (Expr, error) {
	return func(name string, args []Expr) (Expr, error) {
		l := args[1].(*Lambda)
		b, fits := param{class: 'b'}.fit(l.Body)
		if !fits {
			return nil, unexpectedType(name, 1, l.Body, `"BOOLEAN"`)
		}
		return withType(out, null)(name, []Expr{args[0], &Lambda{Vars: l.Vars, Body: b}})
	}
}

func misplacedLambda(fn string, i int, is bool) error {
	if is {
		return usererr.New("INVALID_LAMBDA_FUNCTION_CALL.PARAMETER_DOES_NOT_ACCEPT_LAMBDA_FUNCTION", "42K0D", "Argument %d of %s is a function, where a value is wanted.", i+1, fn).WithFix("The functions come last.")
	}
	return usererr.New("INVALID_LAMBDA_FUNCTION_CALL.LAMBDA_FUNCTION_EXPECTED", "42K0D", "Argument %d of %s is a value, where a function is wanted.", i+1, fn).WithFix("Write x -> expression.")
}

func init() {
	first := func(args []Expr) column.Type { return args[0].DataType() }
	boolean := func([]Expr) column.Type { return column.Of(column.Bool) }
	register("collection",
		&Function{Name: "transform", in: params("a:array a:function"), Doc: "The array of what the function makes of each element, and of its position from 0.", Example: "transform(array(1, 2), x -> x + 1) -> [2, 3]", cost: 80, flags: ownNulls,
			higher: &higher{from: 1, collections: 1, vars: elementVars("transform", 0, true), eval: transformKernel,
				call: withType(func(args []Expr) column.Type { return column.ListOf(args[1].DataType(), args[1].Nullable()) }, ifArgs)}},
		&Function{Name: "filter", in: params("a:array a:function"), Doc: "The elements for which the function is true.", Example: "filter(array(1, 2, 3), x -> x > 1) -> [2, 3]", cost: 80, flags: ownNulls,
			higher: &higher{from: 1, collections: 1, vars: elementVars("filter", 0, true), eval: filterKernel, call: tested(first, ifArgs)}},
		&Function{Name: "exists", in: params("a:array a:function"), Doc: "True if the function is true for an element; null if it is for none but null for one.", Example: "exists(array(1, 2), x -> x > 1) -> true", cost: 80, flags: ownNulls,
			higher: &higher{from: 1, collections: 1, vars: elementVars("exists", 0, false), eval: anyKernel(true), call: tested(boolean, always)}},
		&Function{Name: "forall", in: params("a:array a:function"), Doc: "True if the function is true for all elements; null if it is false for none but null for one.", Example: "forall(array(1, 2), x -> x > 1) -> false", cost: 80, flags: ownNulls,
			higher: &higher{from: 1, collections: 1, vars: elementVars("forall", 0, false), eval: anyKernel(false), call: tested(boolean, always)}},
		&Function{Name: "aggregate", Aliases: []string{"reduce"}, in: params("a:array a:start a:merge a:finish?"), Doc: "Start, merged with each element from the first to the last, then finished.", Example: "aggregate(array(1, 2, 3), 0, (s, x) -> s + x, s -> s * 10) -> 60", cost: 200, flags: ownNulls,
			higher: &higher{from: 2, collections: 1, vars: foldVars, eval: foldKernel, call: foldCall}},
		&Function{Name: "zip_with", in: params("a:left a:right a:function"), Doc: "The function of the elements at each position of two arrays; the shorter one goes on with nulls.", Example: "zip_with(array(1, 2), array(10, 20), (x, y) -> x + y) -> [11, 22]", cost: 120, flags: ownNulls,
			higher: &higher{from: 2, collections: 2, vars: zipVars, eval: zipKernel,
				call: func(name string, args []Expr) (Expr, error) {
					return &Call{Fn: name, Args: args, Typ: column.ListOf(args[2].DataType(), args[2].Nullable()), Null: args[0].Nullable() || args[1].Nullable()}, nil
				}}},
		&Function{Name: "map_filter", in: params("a:map a:function"), Doc: "The entries for which the function of key and value is true.", Example: "map_filter(map('a', 1, 'b', 2), (k, v) -> v > 1) -> {b -> 2}", cost: 100, flags: ownNulls,
			higher: &higher{from: 1, collections: 1, vars: entries("map_filter"), eval: filterKernel, call: tested(first, ifArgs)}},
		&Function{Name: "transform_values", in: params("a:map a:function"), Doc: "The map with the function of key and value as its values.", Example: "transform_values(map('a', 1), (k, v) -> v + 1) -> {a -> 2}", cost: 100, flags: ownNulls,
			higher: &higher{from: 1, collections: 1, vars: entries("transform_values"), eval: entriesKernel(1), call: withType(func(args []Expr) column.Type {
				return column.MapOf(args[0].DataType().Fields[0].Type, args[1].DataType(), args[1].Nullable())
			}, ifArgs)}},
		&Function{Name: "transform_keys", in: params("a:map a:function"), Doc: "The map with the function of key and value as its keys, which must stay different and not null.", Example: "transform_keys(map('a', 1), (k, v) -> concat(k, 'x')) -> {ax -> 1}", cost: 100, flags: ownNulls,
			higher: &higher{from: 1, collections: 1, vars: entries("transform_keys"), eval: entriesKernel(0), call: withType(func(args []Expr) column.Type {
				f := args[0].DataType().Fields
				return column.MapOf(args[1].DataType(), f[1].Type, f[1].Nullable)
			}, ifArgs)}},
	)
}

// flat is the elements of all rows of a collection, one after the other.
type flat struct {
	kids []*column.Vector
	row  []int32 // of each element
	at   []int32 // its position in its row
	offs []int32 // where each row begins, in the flat elements
}

// flatten takes the elements of the rows that are not null.
func flatten(k *kctx, v *column.Vector, f *flat) {
	if v.Const {
		v = column.Expand(v, k.n)
	}
	f.row, f.at, f.offs = f.row[:0], f.at[:0], append(f.offs[:0], 0)
	var sel []int32
	for i := 0; i < k.n; i++ {
		if v.IsValid(i) && k.ok(i) {
			for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
				sel, f.row, f.at = append(sel, j), append(f.row, int32(i)), append(f.at, j-v.Offs[i])
			}
		}
		f.offs = append(f.offs, int32(len(sel)))
	}
	f.kids = f.kids[:0]
	for _, kid := range v.Kids {
		f.kids = append(f.kids, column.Take(nil, kid, sel))
	}
}

// positions is the second parameter of a lambda over an array.
func (f *flat) positions() *column.Vector {
	return &column.Vector{Type: index.Type, N: len(f.at), I32: f.at}
}

// listOf makes out the collection of kids, cut into rows as f was.
func listOf(out *column.Vector, offs []int32, kids ...*column.Vector) {
	out.Offs = append(out.Offs[:0], offs...)
	out.Kids = out.Kids[:0]
	for _, kid := range kids {
		out.Kids = append(out.Kids, column.Take(nil, kid, sequence(kid.N)))
	}
}

func sequence(n int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}

func transformKernel(_ *Call, bodies []*body) kernel {
	var f flat
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		flatten(k, args[0], &f)
		listOf(out, f.offs, bodies[0].eval(k, args, append(f.kids, f.positions()), f.row))
	}
}

// filterKernel keeps elements of an array, or entries of a map.
func filterKernel(c *Call, bodies []*body) kernel {
	var f flat
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		flatten(k, args[0], &f)
		vars := f.kids
		if c.Typ.Kind == column.List {
			vars = append(vars, f.positions())
		}
		cond := bodies[0].eval(k, args, vars, f.row)
		var keep []int32
		offs := make([]int32, 1, k.n+1)
		for i := 0; i < k.n; i++ {
			for j := f.offs[i]; j < f.offs[i+1]; j++ {
				if cond.IsValid(int(j)) && cond.Bools[j] {
					keep = append(keep, j)
				}
			}
			offs = append(offs, int32(len(keep)))
		}
		kids := make([]*column.Vector, len(args[0].Kids))
		for i := range kids {
			kids[i] = column.Take(nil, f.kids[i], keep)
		}
		listOf(out, offs, kids...)
	}
}

// anyKernel is exists (deciding = true: one true element decides) and forall (one false element decides).
func anyKernel(deciding bool) func(*Call, []*body) kernel {
	return func(_ *Call, bodies []*body) kernel {
		var f flat
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			flatten(k, args[0], &f)
			cond := bodies[0].eval(k, args, f.kids, f.row)
			for i := 0; i < k.n; i++ {
				decided, unknown := false, false
				for j := f.offs[i]; j < f.offs[i+1]; j++ {
					if !cond.IsValid(int(j)) {
						unknown = true
					} else if cond.Bools[j] == deciding {
						decided = true
					}
				}
				out.Bools[i] = decided == deciding
				if !args[0].IsValid(i) || unknown && !decided {
					k.null(i)
				}
			}
		}
	}
}

func zipVars(args []Expr) ([][]column.Field, error) {
	var vars []column.Field
	for i := range 2 {
		f, err := elementOf("zip_with", i, args[i])
		if err != nil {
			return nil, err
		}
		f.Nullable = true
		vars = append(vars, f)
	}
	return [][]column.Field{vars}, nil
}

func zipKernel(_ *Call, bodies []*body) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		a, b := dense(args[0], k.n), dense(args[1], k.n)
		var left, right, row []int32
		offs := make([]int32, 1, k.n+1)
		for i := 0; i < k.n; i++ {
			if k.ok(i) {
				na, nb := a.Offs[i+1]-a.Offs[i], b.Offs[i+1]-b.Offs[i]
				for j := int32(0); j < max(na, nb); j++ {
					left, right, row = append(left, within(a.Offs[i]+j, j < na)), append(right, within(b.Offs[i]+j, j < nb)), append(row, int32(i))
				}
			}
			offs = append(offs, int32(len(row)))
		}
		v := bodies[0].eval(k, args, []*column.Vector{column.Take(nil, a.Kids[0], left), column.Take(nil, b.Kids[0], right)}, row)
		listOf(out, offs, v)
	}
}

func dense(v *column.Vector, n int) *column.Vector {
	if v.Const {
		return column.Expand(v, n)
	}
	return v
}

// within is a place to take, or none.
func within(at int32, there bool) int32 {
	if there {
		return at
	}
	return -1
}

// entriesKernel replaces the keys (0) or values (1) of maps.
func entriesKernel(part int) func(*Call, []*body) kernel {
	return func(_ *Call, bodies []*body) kernel {
		var f flat
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			flatten(k, args[0], &f)
			v := bodies[0].eval(k, args, f.kids, f.row)
			kids := []*column.Vector{f.kids[0], f.kids[1]}
			kids[part] = v
			if part == 0 {
				checkKeys(k, v, f.offs)
			}
			listOf(out, f.offs, kids...)
		}
	}
}

// checkKeys fails the rows whose new keys are null or not different.
func checkKeys(k *kctx, keys *column.Vector, offs []int32) {
	for i := 0; i < k.n; i++ {
		sorted := sequence(int(offs[i+1] - offs[i]))
		for j := range sorted {
			sorted[j] += offs[i]
			if !keys.IsValid(int(sorted[j])) && k.ok(i) {
				k.fail(i, usererr.New("NULL_MAP_KEY", "2200E", "Cannot use null as map key.").WithFix("Filter such entries first."))
			}
		}
		sort.Slice(sorted, func(a, b int) bool {
			return column.CompareValues(keys, int(sorted[a]), keys, int(sorted[b])) < 0
		})
		for j := 1; j < len(sorted); j++ {
			if column.CompareValues(keys, int(sorted[j-1]), keys, int(sorted[j])) == 0 && k.ok(i) {
				k.fail(i, usererr.New("DUPLICATED_MAP_KEY", "23505", "Duplicate map key was found.").WithFix("Make the new keys different."))
			}
		}
	}
}

// foldVars: the accumulator has the start's type; finish sees it alone.
func foldVars(args []Expr) ([][]column.Field, error) {
	f, err := elementOf("aggregate", 0, args[0])
	if err != nil {
		return nil, err
	}
	if args[1] == nil {
		return nil, notCollection("aggregate", 1, nil, "a value to start from")
	}
	acc := column.Field{Name: "acc", Type: args[1].DataType(), Nullable: true}
	return [][]column.Field{{acc, f}, {acc}}, nil
}

func foldCall(name string, args []Expr) (Expr, error) {
	merge := args[2].(*Lambda)
	start := args[1].DataType()
	if !merge.Body.DataType().Equal(start) {
		if !CanCast(merge.Body.DataType(), start) {
			return nil, unexpectedType(name, 2, merge.Body, `"`+start.String()+`"`)
		}
		merge = &Lambda{Vars: merge.Vars, Body: Coerce(merge.Body, start)}
	}
	out := append([]Expr{}, args...)
	out[2] = merge
	typ := start
	if len(args) > 3 {
		typ = args[3].DataType()
	}
	return &Call{Fn: name, Args: out, Typ: typ, Null: true}, nil
}

// foldKernel merges the j-th elements of all rows at once, for each j.
func foldKernel(_ *Call, bodies []*body) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		list, acc := dense(args[0], k.n), column.Take(nil, dense(args[1], k.n), sequence(k.n))
		for j := int32(0); ; j++ {
			var elems, rows []int32
			for i := 0; i < k.n; i++ {
				if k.ok(i) && list.IsValid(i) && list.Offs[i]+j < list.Offs[i+1] {
					elems, rows = append(elems, list.Offs[i]+j), append(rows, int32(i))
				}
			}
			if len(rows) == 0 {
				break
			}
			next := bodies[0].eval(k, args, []*column.Vector{column.Take(nil, acc, rows), column.Take(nil, list.Kids[0], elems)}, rows)
			acc = replaced(acc, next, rows, k.n)
		}
		if len(bodies) > 1 {
			acc = bodies[1].eval(k, args, []*column.Vector{acc}, sequence(k.n))
		}
		typ := out.Type
		*out = *column.Take(nil, acc, sequence(k.n))
		out.Type = typ
		for i := 0; i < k.n; i++ {
			if !list.IsValid(i) {
				out.SetNull(i)
			}
		}
		dropFailed(k, out)
	}
}

// replaced is v with its rows at replaced by those of next.
func replaced(v, next *column.Vector, at []int32, n int) *column.Vector {
	if len(at) == n {
		return column.Take(nil, next, sequence(n))
	}
	b, j := column.NewBuilder(v.Type), 0
	for i := 0; i < n; i++ {
		if j < len(at) && int(at[j]) == i {
			b.AppendFrom(next, j)
			j++
			continue
		}
		b.AppendFrom(v, i)
	}
	return b.Finish()
}
