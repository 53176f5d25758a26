package expr

import (
	"fmt"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func errIndex(i, n int) error {
	return usererr.New("INVALID_ARRAY_INDEX", "22003", "The index %d is out of bounds. The array has %d elements.", i, n).
		WithFix("Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead.")
}

func errElementAt(i, n int) error {
	return usererr.New("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003", "The index %d is out of bounds. The array has %d elements.", i, n).
		WithFix("Use `try_element_at` to tolerate accessing element at invalid index and return NULL instead.")
}

func errZeroIndex() error {
	return usererr.New("INVALID_INDEX_OF_ZERO", "22003", "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).")
}

// build is a kernel that writes its result with a builder, row by row; it says null by b.AppendNull.
func build(f func(k *kctx, b *column.Builder, a []*column.Vector, i int)) func(*Call) kernel {
	return func(c *Call) kernel {
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			b := column.NewBuilder(c.Typ)
			for i := 0; i < k.n; i++ {
				if !k.ok(i) {
					b.AppendNull()
					continue
				}
				f(k, b, args, i)
			}
			valid := out.Valid
			*out = *b.Finish()
			if out.Valid == nil {
				out.Valid = valid
			}
			dropFailed(k, out)
		}
	}
}

// dropFailed keeps rows null that failed while the vector was built apart.
func dropFailed(k *kctx, out *column.Vector) {
	for _, r := range k.errs.Rows {
		out.SetNull(int(r))
	}
}

// GetField is the member of a struct, the value of a map's key, or an array of the members of structs.
func GetField(e Expr, name string) (Expr, error) {
	t := e.DataType()
	switch {
	case t.Kind == column.Map:
		return call("element_at", e, Lit(name))
	case t.Kind == column.Struct:
		for _, f := range t.Fields {
			if strings.EqualFold(f.Name, name) {
				return &Call{Fn: "get_field", Args: []Expr{e, Lit(f.Name)}, Typ: f.Type, Null: e.Nullable() || f.Nullable}, nil
			}
		}
	case t.Kind == column.List && t.Elem().Kind == column.Struct:
		for _, f := range t.Elem().Fields {
			if strings.EqualFold(f.Name, name) {
				return &Call{Fn: "get_field", Args: []Expr{e, Lit(f.Name)}, Typ: column.ListOf(f.Type, f.Nullable || t.Fields[0].Nullable), Null: e.Nullable()}, nil
			}
		}
	default:
		return nil, usererr.New("INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", "Can't extract a value from %q. Need a complex type [STRUCT, ARRAY, MAP] but got %q.", e, strings.ToUpper(t.String()))
	}
	if t.Kind == column.List {
		t = t.Elem()
	}
	var names []string
	for _, f := range t.Fields {
		names = append(names, f.Name)
	}
	return nil, usererr.New("FIELD_NOT_FOUND", "42704", "No such struct field `%s` in %s.", name, strings.Join(names, ", ")).With("fieldName", name).With("fields", strings.Join(names, ", "))
}

// Extract is child[key] for any child: a position of an array (from 0), a key of a map, a member of a struct.
func Extract(child, key Expr) (Expr, error) {
	switch child.DataType().Kind {
	case column.List:
		if key.DataType().Kind == column.String {
			if name, ok := literalText(key); ok {
				return GetField(child, name)
			}
		}
		i, ok := param{class: 'i'}.fit(key)
		if !ok {
			return nil, unexpectedType("[]", 1, key, `"INT"`)
		}
		return &Call{Fn: "get_item", Args: []Expr{child, i}, Typ: child.DataType().Elem(), Null: true}, nil
	case column.Map:
		return call("element_at", child, key)
	}
	name, ok := literalText(key)
	if !ok {
		return nil, usererr.New("INVALID_EXTRACT_FIELD_TYPE", "42000", "Field name should be a non-null string literal, but it's %s.", key)
	}
	return GetField(child, name)
}

func init() {
	nullElem := func(args []Expr) (column.Type, error) {
		t := args[0].DataType()
		if t.Kind == column.List {
			return t.Elem(), nil
		}
		return t, nil
	}
	register("collection",
		&Function{Name: "array", in: params("a=:x*"), out: arrayType, null: never, Doc: "An array of the arguments.", Example: "array(1, 2, 3) -> [1, 2, 3]", cost: 40, flags: ownNulls, kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
			for _, v := range a {
				b.Kid(0).AppendFrom(v, i)
			}
			b.CloseRow()
		})},
		&Function{Name: "struct", in: params("a:x*"), Doc: "A struct of the arguments, named as they are, or col1, col2 …", Example: "struct(1, 'a') -> {1, a}", cost: 5, rewrite: rewriteStruct, flags: ownNulls, kernel: structKernel},
		&Function{Name: "named_struct", in: params("a:name a:x a*"), Usage: "named_struct(name, x, …)", Doc: "A struct of named members.", Example: "named_struct('a', 1, 'b', 2) -> {1, 2}", cost: 5, rewrite: rewriteNamedStruct},
		&Function{Name: "map", Aliases: []string{"create_map"}, in: params("a:key* a:value*"), Usage: "map(key, value, …)", Doc: "A map of keys and values.", Example: "map('a', 1, 'b', 2) -> {a -> 1, b -> 2}", cost: 60, rewrite: rewriteMap, flags: ownNulls, kernel: mapKernel},
		&Function{Name: "get_field", in: params("a:struct s:name"), Doc: "The member of a struct; also written struct.name.", Example: "get_field(named_struct('a', 1), 'a') -> 1", cost: 1, flags: ownNulls, rewrite: func(a []Expr) (Expr, error) {
			name, ok := literalText(a[1])
			if !ok {
				return nil, unexpectedType("get_field", 1, a[1], "constant \"STRING\"")
			}
			return GetField(a[0], name)
		}, kernel: getFieldKernel},
		&Function{Name: "get_item", in: params("A i:index"), out: nullElem, null: always, Usage: "array[index]", Doc: "The element at a position from 0; beyond the array is an error.", Example: "get_item(array(5, 6), 1) -> 6", cost: 20, flags: ownNulls, kernel: itemKernel("get_item")},
		&Function{Name: "get", in: params("A i:index"), out: nullElem, null: always, Doc: "The element at a position from 0, null beyond the array.", Example: "get(array(5, 6), 2) -> NULL", cost: 20, flags: ownNulls, kernel: itemKernel("get")},
		elementAt("element_at", "The element at a position from 1 (from the end when negative), or the value of a map's key (null when it has none)."),
		elementAt("try_element_at", "element_at, but null beyond the array."),
		&Function{Name: "size", Aliases: []string{"cardinality", "array_size"}, in: params("a:collection"), Doc: "The number of elements.", Example: "size(array(1, 2)) -> 2", cost: 2, rewrite: func(a []Expr) (Expr, error) {
			if k := a[0].DataType().Kind; k != column.List && k != column.Map {
				return nil, unexpectedType("size", 0, a[0], `"ARRAY" or "MAP"`)
			}
			return &Call{Fn: "size", Args: a, Typ: column.Of(column.Int32), Null: a[0].Nullable()}, nil
		}, kernel: func(*Call) kernel {
			return func(k *kctx, a []*column.Vector, out *column.Vector) {
				for i := range out.I32 {
					out.I32[i] = a[0].Offs[i+1] - a[0].Offs[i]
				}
			}
		}},
		withElem("array_contains", outOf(column.Bool), "True when an element equals x; null when none does and one is null.", "array_contains(array(1, 2), 2) -> true", func(c *Call) kernel {
			return func(k *kctx, a []*column.Vector, out *column.Vector) {
				for i := range out.Bools {
					if k.ok(i) {
						at, null := find(a[0], i, a[1], i)
						out.Bools[i] = at >= 0
						if at < 0 && null {
							k.null(i)
						}
					}
				}
			}
		}),
		withElem("array_position", outOf(column.Int64), "The position of the first element that equals x, from 1; 0 when there is none.", "array_position(array('a', 'b'), 'b') -> 2", func(c *Call) kernel {
			return func(k *kctx, a []*column.Vector, out *column.Vector) {
				for i := range out.I64 {
					if k.ok(i) {
						at, _ := find(a[0], i, a[1], i)
						out.I64[i] = int64(at + 1)
					}
				}
			}
		}),
		withElem("array_remove", typeOfFirst, "The array without the elements that equal x.", "array_remove(array(1, 2, 1), 1) -> [2]", build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
			elements(a[0], i, func(j int) {
				if !a[0].Kids[0].IsValid(j) || compareValues(a[0].Kids[0], j, a[1], i) != 0 {
					b.Kid(0).AppendFrom(a[0].Kids[0], j)
				}
			})
			b.CloseRow()
		})),
		addElem("array_append", "The array with x at the end.", "array_append(array(1), 2) -> [1, 2]", false),
		addElem("array_prepend", "The array with x at the start.", "array_prepend(array(1), 2) -> [2, 1]", true),
		arrayFn("array_distinct", "Without repeated elements.", "array_distinct(array(1, 2, 1)) -> [1, 2]", func(b *column.Builder, v *column.Vector, idx []int) []int {
			var out []int
			for _, j := range idx {
				if !containsRow(v, out, v, j) {
					out = append(out, j)
				}
			}
			return out
		}),
		arrayFn("array_compact", "Without nulls.", "array_compact(array(1, NULL, 2)) -> [1, 2]", func(b *column.Builder, v *column.Vector, idx []int) []int {
			out := idx[:0]
			for _, j := range idx {
				if v.IsValid(j) {
					out = append(out, j)
				}
			}
			return out
		}),
		arrayFn("array_sort", "In ascending order, nulls last.", "array_sort(array(3, NULL, 1)) -> [1, 3, null]", func(b *column.Builder, v *column.Vector, idx []int) []int {
			sort.SliceStable(idx, func(x, y int) bool { return lessRows(v, idx[x], idx[y], false, false) })
			return idx
		}),
		&Function{Name: "sort_array", in: params("A b:asc?"), out: typeOfFirst, Doc: "In ascending order with nulls first, or in descending order with nulls last.", Example: "sort_array(array(3, 1, 2)) -> [1, 2, 3]", cost: 300, kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
			idx, v := rowsOf(a[0], i), a[0].Kids[0]
			asc := len(a) == 1 || a[1].Bools[i]
			sort.SliceStable(idx, func(x, y int) bool { return lessRows(v, idx[x], idx[y], !asc, asc) })
			appendRows(b, v, idx)
		})},
		&Function{Name: "slice", in: params("A i:start i:len"), out: typeOfFirst, Doc: "The elements from start (from 1, or from the end when negative), len of them.", Example: "slice(array(1, 2, 3, 4), 2, 2) -> [2, 3]", cost: 60, kernel: build(sliceRow)},
		&Function{Name: "array_repeat", in: params("a:x i:n"), out: func(a []Expr) (column.Type, error) {
			return column.ListOf(a[0].DataType(), a[0].Nullable()), nil
		}, Doc: "An array of x n times.", Example: "array_repeat('a', 2) -> [a, a]", cost: 60, flags: ownNulls, kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
			if !a[1].IsValid(i) {
				b.AppendNull()
				return
			}
			n := int(a[1].I32[constRow(a[1], i)])
			if n > maxRepeated {
				k.fail(i, usererr.New("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "54000", "Can't create array with %d elements which exceeding the array size limit %d, in `array_repeat`.", n, maxRepeated))
				b.AppendNull()
				return
			}
			for range n {
				b.Kid(0).AppendFrom(a[0], i)
			}
			b.CloseRow()
		})},
		&Function{Name: "array_join", in: params("A s:sep s:null?"), out: outOf(column.String), Doc: "The elements as text with sep between; nulls are left out or written as the third argument.", Example: "array_join(array('a', NULL, 'b'), ',') -> a,b", cost: 60, flags: zoned,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				first, v := true, a[0].Kids[0]
				elements(a[0], i, func(j int) {
					if !v.IsValid(j) && len(a) < 3 {
						return
					}
					if !first {
						dst = append(dst, a[1].Bytes(i)...)
					}
					first = false
					if v.IsValid(j) {
						dst = appendText(dst, v, j, k.ctx.location())
					} else {
						dst = append(dst, a[2].Bytes(i)...)
					}
				})
				return dst
			})},
		arrayExtreme("array_max", "The greatest element, nulls skipped.", "array_max(array(1, 3, 2)) -> 3", 1),
		arrayExtreme("array_min", "The least element, nulls skipped.", "array_min(array(1, 3, 2)) -> 1", -1),
		twoArrays("array_union", "The elements of both, without repetition.", "array_union(array(1, 2), array(2, 3)) -> [1, 2, 3]", func(b *column.Builder, v *column.Vector, x []int, w *column.Vector, y []int) {
			var kept, kept2 []int
			for _, j := range x {
				if !containsRow(v, kept, v, j) {
					kept = append(kept, j)
				}
			}
			for _, j := range y {
				if !containsRow(v, kept, w, j) && !containsRow(w, kept2, w, j) {
					kept2 = append(kept2, j)
				}
			}
			for _, j := range kept {
				b.Kid(0).AppendFrom(v, j)
			}
			appendRows(b, w, kept2)
		}),
		twoArrays("array_intersect", "The elements that are in both, without repetition.", "array_intersect(array(1, 2), array(2, 3)) -> [2]", func(b *column.Builder, v *column.Vector, x []int, w *column.Vector, y []int) {
			var kept []int
			for _, j := range x {
				if containsRow(w, y, v, j) && !containsRow(v, kept, v, j) {
					kept = append(kept, j)
				}
			}
			appendRows(b, v, kept)
		}),
		twoArrays("array_except", "The elements of the first that are not in the second, without repetition.", "array_except(array(1, 2), array(2, 3)) -> [1]", func(b *column.Builder, v *column.Vector, x []int, w *column.Vector, y []int) {
			var kept []int
			for _, j := range x {
				if !containsRow(w, y, v, j) && !containsRow(v, kept, v, j) {
					kept = append(kept, j)
				}
			}
			appendRows(b, v, kept)
		}),
		&Function{Name: "arrays_overlap", in: params("A=:a A=:b"), out: boolType, null: always, Doc: "True when an element is in both; null when none is and there are nulls.", Example: "arrays_overlap(array(1, 2), array(2)) -> true", cost: 100, kernel: func(*Call) kernel {
			return func(k *kctx, a []*column.Vector, out *column.Vector) {
				for i := range out.Bools {
					if !k.ok(i) {
						continue
					}
					x, y, null := rowsOf(a[0], i), rowsOf(a[1], i), false
					for _, j := range x {
						null = null || !a[0].Kids[0].IsValid(j)
						out.Bools[i] = out.Bools[i] && j != x[0] || a[0].Kids[0].IsValid(j) && containsRow(a[1].Kids[0], y, a[0].Kids[0], j)
						if out.Bools[i] {
							break
						}
					}
					for _, j := range y {
						null = null || !a[1].Kids[0].IsValid(j)
					}
					if len(x) == 0 {
						out.Bools[i] = false
					}
					if !out.Bools[i] && null && len(x) > 0 && len(y) > 0 {
						k.null(i)
					}
				}
			}
		}},
		&Function{Name: "flatten", in: params("A"), Doc: "An array of arrays as one array.", Example: "flatten(array(array(1), array(2, 3))) -> [1, 2, 3]", cost: 100,
			out: func(a []Expr) (column.Type, error) {
				t := a[0].DataType().Elem()
				if t.Kind != column.List {
					return t, unexpectedType("flatten", 0, a[0], `"ARRAY<ARRAY>"`)
				}
				return t, nil
			}, null: always, kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
				inner := a[0].Kids[0]
				for _, j := range rowsOf(a[0], i) {
					if !inner.IsValid(j) {
						b.AppendNull()
						return
					}
				}
				for _, j := range rowsOf(a[0], i) {
					elements(inner, j, func(e int) { b.Kid(0).AppendFrom(inner.Kids[0], e) })
				}
				b.CloseRow()
			})},
		&Function{Name: "arrays_zip", in: params("A+"), Doc: "An array of structs of the elements at the same place.", Example: "arrays_zip(array(1, 2), array('a')) -> [{1, a}, {2, null}]", cost: 150,
			out: func(a []Expr) (column.Type, error) {
				var fields []column.Field
				for j, e := range a {
					fields = append(fields, column.Field{Name: nameOf(e, fmt.Sprint(j)), Type: e.DataType().Elem(), Nullable: true})
				}
				return column.ListOf(column.StructOf(fields...), false), nil
			}, kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
				n := int32(0)
				for _, v := range a {
					n = max(n, v.Offs[i+1]-v.Offs[i])
				}
				for j := int32(0); j < n; j++ {
					for f, v := range a {
						if v.Offs[i]+j < v.Offs[i+1] {
							b.Kid(0).Kid(f).AppendFrom(v.Kids[0], int(v.Offs[i]+j))
						} else {
							b.Kid(0).Kid(f).AppendNull()
						}
					}
					b.Kid(0).CloseRow()
				}
				b.CloseRow()
			})},
	)
}

func nameOf(e Expr, def string) string {
	switch e := e.(type) {
	case *Attr:
		return e.Name
	case *Column:
		return e.Name
	case *Alias:
		return e.Name
	case *Call:
		if e.Fn == "get_field" {
			if n, ok := literalText(e.Args[1]); ok {
				return n
			}
		}
	}
	return def
}

func arrayType(args []Expr) (column.Type, error) {
	if len(args) == 0 {
		return column.ListOf(column.Type{}, false), nil
	}
	null := false
	for _, a := range args {
		null = null || a.Nullable()
	}
	return column.ListOf(args[0].DataType(), null), nil
}

// rowsOf lists the elements of row i of a list.
func rowsOf(v *column.Vector, i int) []int {
	out := make([]int, 0, v.Offs[i+1]-v.Offs[i])
	for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
		out = append(out, int(j))
	}
	return out
}

func elements(v *column.Vector, i int, f func(j int)) {
	for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
		f(int(j))
	}
}

func appendRows(b *column.Builder, v *column.Vector, rows []int) {
	for _, j := range rows {
		b.Kid(0).AppendFrom(v, j)
	}
	b.CloseRow()
}

// containsRow reports whether one of the rows of v equals row j of w; null equals null.
func containsRow(v *column.Vector, rows []int, w *column.Vector, j int) bool {
	for _, r := range rows {
		if v.IsValid(r) == w.IsValid(j) && (!v.IsValid(r) || compareValues(v, r, w, j) == 0) {
			return true
		}
	}
	return false
}

func lessRows(v *column.Vector, x, y int, desc, nullsFirst bool) bool {
	vx, vy := v.IsValid(x), v.IsValid(y)
	if !vx || !vy {
		return vx != vy && vx != nullsFirst
	}
	c := compareValues(v, x, v, y)
	return c < 0 != desc && c != 0
}

// find is the place of the first element of row i of list that equals row j of x, and whether it met a null.
func find(list *column.Vector, i int, x *column.Vector, j int) (at int, null bool) {
	v := list.Kids[0]
	for e := list.Offs[i]; e < list.Offs[i+1]; e++ {
		if !v.IsValid(int(e)) {
			null = true
		} else if compareValues(v, int(e), x, j) == 0 {
			return int(e - list.Offs[i]), null
		}
	}
	return -1, null
}

// withElem is a function of an array and a value of its element type.
func withElem(name string, out func([]Expr) (column.Type, error), doc, example string, kern func(*Call) kernel) *Function {
	f := &Function{Name: name, in: params("A a:x"), out: out, Doc: doc, Example: example, cost: 60, kernel: kern}
	f.rewrite = func(args []Expr) (Expr, error) {
		args, err := elemArgs(f, args)
		if err != nil {
			return nil, err
		}
		t, _ := out(args)
		return &Call{Fn: name, Args: args, Typ: t, Null: args[0].Nullable() || args[1].Nullable() || args[0].DataType().Fields[0].Nullable}, nil
	}
	return f
}

func elemArgs(f *Function, args []Expr) ([]Expr, error) {
	args, err := f.fitArgs(args)
	if err != nil {
		return nil, err
	}
	list := args[0].DataType()
	t, ok := CommonType(list.Elem(), args[1].DataType())
	if !ok {
		return nil, usererr.New("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "42K09", "Cannot resolve `%s`: the array has elements of type %q, but the value is of type %q.",
			f.Name, strings.ToUpper(list.Elem().String()), strings.ToUpper(args[1].DataType().String()))
	}
	return []Expr{Coerce(args[0], column.ListOf(t, list.Fields[0].Nullable)), Coerce(args[1], t)}, nil
}

func addElem(name, doc, example string, front bool) *Function {
	f := &Function{Name: name, in: params("A a:x"), Doc: doc, Example: example, cost: 80, flags: ownNulls}
	f.rewrite = func(args []Expr) (Expr, error) {
		args, err := elemArgs(f, args)
		if err != nil {
			return nil, err
		}
		t := column.ListOf(args[1].DataType(), args[0].DataType().Fields[0].Nullable || args[1].Nullable())
		return &Call{Fn: name, Args: args, Typ: t, Null: args[0].Nullable()}, nil
	}
	f.kernel = build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
		if !a[0].IsValid(i) {
			b.AppendNull()
			return
		}
		if front {
			b.Kid(0).AppendFrom(a[1], i)
		}
		elements(a[0], i, func(j int) { b.Kid(0).AppendFrom(a[0].Kids[0], j) })
		if !front {
			b.Kid(0).AppendFrom(a[1], i)
		}
		b.CloseRow()
	})
	return f
}

// arrayFn is a function that keeps or reorders the elements of an array.
func arrayFn(name, doc, example string, f func(b *column.Builder, v *column.Vector, idx []int) []int) *Function {
	return &Function{Name: name, in: params("A"), out: typeOfFirst, Doc: doc, Example: example, cost: 200, kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
		appendRows(b, a[0].Kids[0], f(b, a[0].Kids[0], rowsOf(a[0], i)))
	})}
}

func twoArrays(name, doc, example string, f func(b *column.Builder, v *column.Vector, x []int, w *column.Vector, y []int)) *Function {
	return &Function{Name: name, in: params("A=:a A=:b"), out: typeOfFirst, Doc: doc, Example: example, cost: 200, kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
		f(b, a[0].Kids[0], rowsOf(a[0], i), a[1].Kids[0], rowsOf(a[1], i))
	})}
}

func arrayExtreme(name, doc, example string, sign int) *Function {
	return &Function{Name: name, in: params("A"), out: func(a []Expr) (column.Type, error) { return a[0].DataType().Elem(), nil }, null: always, Doc: doc, Example: example, cost: 60,
		kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
			best, v := -1, a[0].Kids[0]
			elements(a[0], i, func(j int) {
				if v.IsValid(j) && (best < 0 || sign*compareValues(v, j, v, best) > 0) {
					best = j
				}
			})
			if best < 0 {
				b.AppendNull()
				return
			}
			b.AppendFrom(v, best)
		})}
}

func sliceRow(k *kctx, b *column.Builder, a []*column.Vector, i int) {
	start, length := int(a[1].I32[i]), int(a[2].I32[i])
	rows := rowsOf(a[0], i)
	switch {
	case start == 0:
		k.fail(i, errZeroIndex())
	case length < 0:
		k.fail(i, errBadValue("slice", "length", fmt.Sprint(length)))
	default:
		from := start - 1
		if start < 0 {
			from = len(rows) + start
		}
		if from < 0 || from >= len(rows) {
			b.CloseRow()
			return
		}
		appendRows(b, a[0].Kids[0], rows[from:min(from+length, len(rows))])
		return
	}
	b.AppendNull()
}

func itemKernel(name string) func(*Call) kernel {
	return func(*Call) kernel {
		var sel []int32
		return func(k *kctx, a []*column.Vector, out *column.Vector) {
			k.strict(a)
			sel = resize(sel, k.n)
			var bad []int
			for i := range sel {
				sel[i] = -1
				if !k.ok(i) {
					continue
				}
				n, at := a[0].Offs[i+1]-a[0].Offs[i], a[1].I32[i]
				if at >= 0 && at < n {
					sel[i] = a[0].Offs[i] + at
				} else if name == "get_item" && k.ctx.ANSI {
					bad = append(bad, i)
				}
			}
			takeInto(k, out, a[0].Kids[0], sel)
			for _, i := range bad {
				k.fail(i, errIndex(int(a[1].I32[i]), int(a[0].Offs[i+1]-a[0].Offs[i])))
			}
		}
	}
}

// takeInto makes out the rows sel of src; negative ones are null. k.fail and k.null work on it afterwards.
func takeInto(k *kctx, out, src *column.Vector, sel []int32) {
	if src.Type.Kind == column.Null || src.N == 0 {
		b := column.NewBuilder(out.Type)
		for range sel {
			b.AppendNull()
		}
		*out = *b.Finish()
		return
	}
	*out = *column.Take(nil, src, sel)
}

func elementAt(name, doc string) *Function {
	f := &Function{Name: name, in: params("a:collection a:key"), Doc: doc, Example: name + "(array(5, 6), -1) -> 6", cost: 40, flags: ownNulls}
	f.rewrite = func(a []Expr) (Expr, error) {
		t := a[0].DataType()
		switch t.Kind {
		case column.List:
			i, ok := param{class: 'i'}.fit(a[1])
			if !ok {
				return nil, unexpectedType(name, 1, a[1], `"INT"`)
			}
			return &Call{Fn: name, Args: []Expr{a[0], i}, Typ: t.Elem(), Null: true}, nil
		case column.Map:
			kt, ok := CommonType(t.Fields[0].Type, a[1].DataType())
			if !ok {
				return nil, unexpectedType(name, 1, a[1], `"`+strings.ToUpper(t.Fields[0].Type.String())+`"`)
			}
			m := Coerce(a[0], column.MapOf(kt, t.Fields[1].Type, t.Fields[1].Nullable))
			return &Call{Fn: name, Args: []Expr{m, Coerce(a[1], kt)}, Typ: t.Fields[1].Type, Null: true}, nil
		}
		return nil, unexpectedType(name, 0, a[0], `"ARRAY" or "MAP"`)
	}
	f.kernel = func(c *Call) kernel {
		isMap := c.Args[0].DataType().Kind == column.Map
		return func(k *kctx, a []*column.Vector, out *column.Vector) {
			k.strict(a)
			sel := make([]int32, k.n)
			var bad []int
			for i := range sel {
				sel[i] = -1
				if !k.ok(i) {
					continue
				}
				n := int(a[0].Offs[i+1] - a[0].Offs[i])
				if isMap {
					if at, _ := find(a[0], i, a[1], i); at >= 0 {
						sel[i] = a[0].Offs[i] + int32(at)
					}
					continue
				}
				at := int(a[1].I32[i])
				switch {
				case at > 0 && at <= n:
					sel[i] = a[0].Offs[i] + int32(at) - 1
				case at < 0 && -at <= n:
					sel[i] = a[0].Offs[i] + int32(n+at)
				case at == 0 || name == "element_at" && k.ctx.ANSI:
					bad = append(bad, i)
				}
			}
			takeInto(k, out, a[0].Kids[len(a[0].Kids)-1], sel)
			for _, i := range bad {
				if at := int(a[1].I32[i]); at != 0 {
					k.fail(i, errElementAt(at, int(a[0].Offs[i+1]-a[0].Offs[i])))
				} else {
					k.fail(i, errZeroIndex())
				}
			}
		}
	}
	return f
}

// maxRepeated bounds the arrays that array_repeat makes.
const maxRepeated = 1 << 24
