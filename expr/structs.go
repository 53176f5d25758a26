package expr

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func rewriteStruct(args []Expr) (Expr, error) {
	fields := make([]column.Field, len(args))
	kids := make([]Expr, len(args))
	for i, a := range args {
		name := nameOf(a, fmt.Sprintf("col%d", i+1))
		if al, ok := a.(*Alias); ok {
			a = al.Child
		}
		kids[i] = a
		fields[i] = column.Field{Name: name, Type: a.DataType(), Nullable: a.Nullable()}
	}
	return &Call{Fn: "struct", Args: kids, Typ: column.StructOf(fields...)}, nil
}

func rewriteNamedStruct(args []Expr) (Expr, error) {
	if len(args)%2 != 0 {
		return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `named_struct` requires 2n (n > 0) parameters but the actual number is %d.", len(args)).
			WithFix("It is written named_struct(name, x, …).")
	}
	out := &Call{Fn: "struct"}
	var fields []column.Field
	for i := 0; i < len(args); i += 2 {
		name, ok := literalText(args[i])
		if !ok {
			return nil, unexpectedType("named_struct", i, args[i], "constant \"STRING\"")
		}
		out.Args = append(out.Args, args[i+1])
		fields = append(fields, column.Field{Name: name, Type: args[i+1].DataType(), Nullable: args[i+1].Nullable()})
	}
	out.Typ = column.StructOf(fields...)
	return out, nil
}

func structKernel(*Call) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		out.Kids = append(out.Kids[:0], args...)
		for i, a := range args {
			if a.Const {
				out.Kids[i] = column.Expand(a, k.n)
			}
		}
	}
}

// getFieldKernel is the member of a struct, or the members of the structs of an array, with the nulls of the parent.
func getFieldKernel(c *Call) kernel {
	name, _ := literalText(c.Args[1])
	t := c.Args[0].DataType()
	inList := t.Kind == column.List
	if inList {
		t = t.Elem()
	}
	at := (&column.Schema{Fields: t.Fields}).Index(name)
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		v := args[0]
		if v.Const && k.n > 1 {
			v = column.Expand(v, k.n)
		}
		if inList {
			*out = column.Vector{Type: c.Typ, N: v.N, Valid: v.Valid, Offs: v.Offs, Kids: []*column.Vector{nullWhere(v.Kids[0].Kids[at], v.Kids[0])}}
		} else {
			*out = *nullWhere(v.Kids[at], v)
		}
		if out.Valid != nil { // a row that failed below is made null here, which must not change the struct
			k.valid = append(k.valid[:0], out.Valid...)
			out.Valid = k.valid
		}
	}
}

func rewriteMap(args []Expr) (Expr, error) {
	if len(args)%2 != 0 {
		return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `map` requires 2n (n > 0) parameters but the actual number is %d.", len(args)).
			WithFix("It is written map(key, value, …).")
	}
	var kt, vt column.Type
	null := false
	for i, a := range args {
		at := &kt
		if i%2 == 1 {
			at = &vt
			null = null || a.Nullable()
		}
		t, ok := CommonType(*at, a.DataType())
		if !ok {
			return nil, dataDiffTypes("map", args)
		}
		*at = t
	}
	out := &Call{Fn: "map", Typ: column.MapOf(kt, vt, null)}
	for i, a := range args {
		out.Args = append(out.Args, Coerce(a, [...]column.Type{kt, vt}[i%2]))
	}
	return out, nil
}

func errNullKey() error {
	return usererr.New("NULL_MAP_KEY", "2200E", "Cannot use null as map key.")
}

func errDuplicateKey(key string) error {
	return usererr.New("DUPLICATED_MAP_KEY", "23505", "Duplicate map key %s was found, please check the input data.", key)
}

// mapRow collects the entries of one map and refuses null and repeated keys.
type mapRow struct {
	k    *kctx
	i    int
	b    *column.Builder
	keys []struct {
		v *column.Vector
		j int
	}
	bad bool
}

func (m *mapRow) add(keys *column.Vector, kj int, vals *column.Vector, vj int) {
	if m.bad {
		return
	}
	if !keys.IsValid(kj) {
		m.k.fail(m.i, errNullKey())
		m.bad = true
		return
	}
	for _, e := range m.keys {
		if compareValues(e.v, e.j, keys, kj) == 0 {
			m.k.fail(m.i, errDuplicateKey(string(appendText(nil, keys, kj, m.k.ctx.location()))))
			m.bad = true
			return
		}
	}
	m.keys = append(m.keys, struct {
		v *column.Vector
		j int
	}{keys, kj})
	m.b.Kid(0).AppendFrom(keys, kj)
	m.b.Kid(1).AppendFrom(vals, vj)
}

func mapOf(f func(k *kctx, m *mapRow, a []*column.Vector, i int)) func(*Call) kernel {
	return build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
		m := &mapRow{k: k, i: i, b: b}
		f(k, m, a, i)
		b.CloseRow()
	})
}

var mapKernel = mapOf(func(k *kctx, m *mapRow, a []*column.Vector, i int) {
	for j := 0; j+1 < len(a); j += 2 {
		m.add(a[j], i, a[j+1], i)
	}
})

func init() {
	register("collection",
		&Function{Name: "map_keys", in: params("M"), Doc: "The keys as an array.", Example: "map_keys(map('a', 1)) -> [a]", cost: 5,
			out: func(a []Expr) (column.Type, error) {
				return column.ListOf(a[0].DataType().Fields[0].Type, false), nil
			},
			kernel: mapSide(0)},
		&Function{Name: "map_values", in: params("M"), Doc: "The values as an array.", Example: "map_values(map('a', 1)) -> [1]", cost: 5,
			out: func(a []Expr) (column.Type, error) {
				f := a[0].DataType().Fields[1]
				return column.ListOf(f.Type, f.Nullable), nil
			}, kernel: mapSide(1)},
		&Function{Name: "map_entries", in: params("M"), Doc: "The entries as an array of structs of key and value.", Example: "map_entries(map('a', 1)) -> [{a, 1}]", cost: 10,
			out: func(a []Expr) (column.Type, error) {
				return column.ListOf(column.StructOf(a[0].DataType().Fields...), false), nil
			},
			kernel: func(c *Call) kernel {
				return func(k *kctx, a []*column.Vector, out *column.Vector) {
					valid := out.Valid
					entry := &column.Vector{Type: c.Typ.Elem(), N: a[0].Kids[0].N, Kids: a[0].Kids}
					*out = column.Vector{Type: c.Typ, N: k.n, Valid: valid, Offs: a[0].Offs, Kids: []*column.Vector{entry}}
				}
			}},
		&Function{Name: "map_contains_key", in: params("M a:key"), Doc: "True when the map has the key.", Example: "map_contains_key(map('a', 1), 'a') -> true", rewrite: func(a []Expr) (Expr, error) {
			keys, err := call("map_keys", a[0])
			if err != nil {
				return nil, err
			}
			return call("array_contains", keys, a[1])
		}},
		&Function{Name: "map_from_arrays", in: params("A:keys A:values"), Doc: "A map of an array of keys and one of values.", Example: "map_from_arrays(array('a'), array(1)) -> {a -> 1}", cost: 100,
			out: func(a []Expr) (column.Type, error) {
				k, v := a[0].DataType(), a[1].DataType()
				return column.MapOf(k.Elem(), v.Elem(), v.Fields[0].Nullable), nil
			},
			kernel: mapOf(func(k *kctx, m *mapRow, a []*column.Vector, i int) {
				n := a[0].Offs[i+1] - a[0].Offs[i]
				if n != a[1].Offs[i+1]-a[1].Offs[i] {
					k.fail(i, errBadValue("map_from_arrays", "values", "the arrays have different lengths"))
					return
				}
				for j := int32(0); j < n; j++ {
					m.add(a[0].Kids[0], int(a[0].Offs[i]+j), a[1].Kids[0], int(a[1].Offs[i]+j))
				}
			})},
		&Function{Name: "map_from_entries", in: params("A:entries"), Doc: "A map of an array of structs of key and value.", Example: "map_from_entries(array(struct('a', 1))) -> {a -> 1}", cost: 100,
			out: func(a []Expr) (column.Type, error) {
				e := a[0].DataType().Elem()
				if e.Kind != column.Struct || len(e.Fields) != 2 {
					return e, unexpectedType("map_from_entries", 0, a[0], `"ARRAY<STRUCT<key, value>>"`)
				}
				return column.MapOf(e.Fields[0].Type, e.Fields[1].Type, e.Fields[1].Nullable), nil
			},
			kernel: mapOf(func(k *kctx, m *mapRow, a []*column.Vector, i int) {
				e := a[0].Kids[0]
				elements(a[0], i, func(j int) { m.add(e.Kids[0], j, e.Kids[1], j) })
			})},
		&Function{Name: "map_concat", in: params("M=+"), out: typeOfFirst, Doc: "The entries of all maps; a key that occurs twice is an error.", Example: "map_concat(map('a', 1), map('b', 2)) -> {a -> 1, b -> 2}", cost: 150,
			kernel: mapOf(func(k *kctx, m *mapRow, a []*column.Vector, i int) {
				for _, v := range a {
					elements(v, i, func(j int) { m.add(v.Kids[0], j, v.Kids[1], j) })
				}
			})},
		&Function{Name: "str_to_map", in: params("s:text s:pair? s:kv?"), out: func([]Expr) (column.Type, error) {
			s := column.Of(column.String)
			return column.MapOf(s, s, true), nil
		}, Doc: "A map of text such as a:1,b:2, cut by pair (,) and kv (:).", Example: "str_to_map('a:1,b:2') -> {a -> 1, b -> 2}", cost: 200,
			kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
				pair, kv := ",", ":"
				if len(a) > 1 {
					pair = a[1].Str(i)
				}
				if len(a) > 2 {
					kv = a[2].Str(i)
				}
				seen := map[string]bool{}
				for _, e := range strings.Split(a[0].Str(i), pair) {
					key, val, ok := strings.Cut(e, kv)
					if seen[key] {
						k.fail(i, errDuplicateKey(strings.Clone(key)))
						continue
					}
					seen[key] = true
					b.Kid(0).AppendString(key)
					if ok {
						b.Kid(1).AppendString(val)
					} else {
						b.Kid(1).AppendNull()
					}
				}
				b.CloseRow()
			})},
		&Function{Name: "concat", Aliases: []string{"||"}, in: params("a:x*"), Doc: "Joins strings, binaries or arrays; also written x || y.", Example: "concat('a', 'b') -> ab", cost: 20, rewrite: rewriteConcat, kernel: concatKernel},
		&Function{Name: "reverse", in: params("a:x"), Doc: "A string or array from back to front.", Example: "reverse('abc') -> cba", cost: 40, rewrite: func(a []Expr) (Expr, error) {
			e := a[0]
			if e.DataType().Kind != column.List {
				var ok bool
				if e, ok = (param{class: 's'}).fit(e); !ok {
					return nil, unexpectedType("reverse", 0, a[0], `"STRING" or "ARRAY"`)
				}
			}
			return &Call{Fn: "reverse", Args: []Expr{e}, Typ: e.DataType(), Null: e.Nullable()}, nil
		}, kernel: reverseKernel},
		&Function{Name: "sequence", in: params("a:start a:stop a:step?"), Doc: "The numbers, dates or timestamps from start to stop by step (1 or -1; one day).", Example: "sequence(1, 3) -> [1, 2, 3]", cost: 300, rewrite: rewriteSequence, flags: zoned, kernel: sequenceKernel},
		&Function{Name: "array_insert", in: params("A i:pos a:x"), Doc: "The array with x at position pos, from 1.", Example: "array_insert(array(1, 3), 2, 2) -> [1, 2, 3]", cost: 100, flags: ownNulls, rewrite: func(a []Expr) (Expr, error) {
			pair, err := elemArgs(byName["array_append"], []Expr{a[0], a[2]})
			if err != nil {
				return nil, err
			}
			pos, ok := param{class: 'i'}.fit(a[1])
			if !ok {
				return nil, unexpectedType("array_insert", 1, a[1], `"INT"`)
			}
			return &Call{Fn: "array_insert", Args: []Expr{pair[0], pos, pair[1]}, Typ: column.ListOf(pair[1].DataType(), true), Null: true}, nil
		}, kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
			if !a[0].IsValid(i) || !a[1].IsValid(i) {
				b.AppendNull()
				return
			}
			rows, at := rowsOf(a[0], i), int(a[1].I32[i])
			if at == 0 || at > maxInsert || at < -maxInsert {
				k.fail(i, errZeroIndex())
				b.AppendNull()
				return
			}
			if at < 0 {
				at = max(len(rows)+at+2, 1)
			}
			for j := 1; j <= max(len(rows)+1, at); j++ {
				switch {
				case j == at:
					b.Kid(0).AppendFrom(a[2], i)
				case j < at && j <= len(rows):
					b.Kid(0).AppendFrom(a[0].Kids[0], rows[j-1])
				case j > at && j-2 < len(rows):
					b.Kid(0).AppendFrom(a[0].Kids[0], rows[j-2])
				default:
					b.Kid(0).AppendNull()
				}
			}
			b.CloseRow()
		})},
	)
}

func mapSide(side int) func(*Call) kernel {
	return func(c *Call) kernel {
		return func(k *kctx, a []*column.Vector, out *column.Vector) {
			valid := out.Valid
			*out = column.Vector{Type: c.Typ, N: k.n, Valid: valid, Offs: a[0].Offs, Kids: []*column.Vector{a[0].Kids[side]}}
		}
	}
}

func rewriteConcat(args []Expr) (Expr, error) {
	if len(args) == 0 {
		return Lit(""), nil
	}
	kind, t := column.String, args[0].DataType()
	allBinary := true
	for _, a := range args {
		allBinary = allBinary && a.DataType().Kind == column.Binary
	}
	switch {
	case t.Kind == column.List:
		kind = column.List
		for _, a := range args[1:] {
			c, ok := CommonType(t, a.DataType())
			if !ok {
				return nil, dataDiffTypes("concat", args)
			}
			t = c
		}
	case allBinary:
		kind, t = column.Binary, column.Of(column.Binary)
	default:
		t = column.Of(column.String)
	}
	out := &Call{Fn: "concat", Typ: t}
	for i, a := range args {
		if kind == column.String && !implicit(a.DataType(), t) && a.DataType().Kind != column.Binary {
			return nil, unexpectedType("concat", i, a, `"STRING", "BINARY" or "ARRAY"`)
		}
		out.Args = append(out.Args, Coerce(a, t))
		out.Null = out.Null || a.Nullable()
	}
	return out, nil
}

func concatKernel(c *Call) kernel {
	if c.Typ.Kind == column.List {
		return build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
			for _, v := range a {
				elements(v, i, func(j int) { b.Kid(0).AppendFrom(v.Kids[0], j) })
			}
			b.CloseRow()
		})(c)
	}
	return rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
		for _, v := range a {
			dst = append(dst, v.Bytes(i)...)
		}
		return dst
	})(c)
}

func reverseKernel(c *Call) kernel {
	if c.Typ.Kind == column.List {
		return build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
			for j := a[0].Offs[i+1] - 1; j >= a[0].Offs[i]; j-- {
				b.Kid(0).AppendFrom(a[0].Kids[0], int(j))
			}
			b.CloseRow()
		})(c)
	}
	return eachText(func(dst, s []byte) []byte {
		runes := []rune(string(s))
		for i := len(runes) - 1; i >= 0; i-- {
			dst = append(dst, string(runes[i])...)
		}
		return dst
	})
}

func rewriteSequence(args []Expr) (Expr, error) {
	t, ok := CommonType(args[0].DataType(), args[1].DataType())
	if !ok || !t.IsInteger() && !t.IsTemporal() {
		return nil, unexpectedType("sequence", 0, args[0], `"INTEGRAL", "DATE" or "TIMESTAMP"`)
	}
	out := &Call{Fn: "sequence", Args: []Expr{Coerce(args[0], t), Coerce(args[1], t)}, Typ: column.ListOf(t, false)}
	if len(args) == 3 {
		step := args[2]
		if l, isLit := step.(*Literal); isLit && t.IsTemporal() && l.Typ.Kind == column.String {
			iv, ok := ParseInterval(l.Value.(string))
			switch {
			case ok && iv.Micros == 0:
				step = &Literal{int64(iv.Months), column.Of(column.IntervalYM)}
			case ok && iv.Months == 0:
				step = &Literal{iv.Micros, column.Of(column.IntervalDT)}
			}
		}
		if t.IsInteger() {
			step = Coerce(step, t)
		} else if !isInterval(step.DataType().Kind) {
			return nil, unexpectedType("sequence", 2, step, `"INTERVAL"`)
		}
		out.Args = append(out.Args, step)
	}
	for _, a := range out.Args {
		out.Null = out.Null || a.Nullable()
	}
	return out, nil
}

// maxInsert bounds the nulls that array_insert fills up with.
const maxInsert = 1 << 16

// maxSequence bounds the arrays that sequence makes.
const maxSequence = 1 << 22

func sequenceKernel(c *Call) kernel {
	elem := c.Typ.Elem()
	return build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
		start, stop := intAt(a[0], i), intAt(a[1], i)
		next := sequenceStep(k, elem, a, i, start <= stop)
		if next == nil {
			k.fail(i, errBadValue("sequence", "step", "it does not lead from start to stop"))
			b.AppendNull()
			return
		}
		n := 0
		for v := start; start <= stop && v <= stop || start > stop && v >= stop; n++ {
			if n == maxSequence {
				k.fail(i, errBadValue("sequence", "stop", "the array would be too long"))
				break
			}
			b.Kid(0).AppendI64(v)
			w := next(n + 1)
			if (w > v) != (start <= stop) {
				break
			}
			v = w
		}
		b.CloseRow()
	})(c)
}

// sequenceStep returns the function from n to the n-th value after start, nil when the step has the wrong sign.
func sequenceStep(k *kctx, t column.Type, a []*column.Vector, i int, up bool) func(n int) int64 {
	start := intAt(a[0], i)
	step := int64(1)
	if !up {
		step = -1
	}
	months := false
	switch {
	case len(a) == 3:
		step = intAt(a[2], i)
		months = a[2].Type.Kind == column.IntervalYM
		if t.Kind == column.Date && !months {
			step /= microsDay
		}
	case t.Kind == column.Timestamp || t.Kind == column.TimestampNTZ:
		step *= microsDay
	}
	if step == 0 && start != intAt(a[1], i) || step != 0 && (step > 0) != up && start != intAt(a[1], i) {
		return nil
	}
	if !months {
		return func(n int) int64 { return start + int64(n)*step }
	}
	if t.Kind == column.Date {
		return func(n int) int64 { return int64(addMonths(int(start), int64(n)*step)) }
	}
	return func(n int) int64 {
		return moveLocal(k, a[0], i, func(local int64) int64 { return addMonthsLocal(local, int64(n)*step) })
	}
}
