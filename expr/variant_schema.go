package expr

import (
	"sort"
	"strings"

	"github.com/streamflow/streamflow/column"
)

// variantSchema is the type of a variant's value: a struct whose fields are in the order of their names for an object,
// variant where values of an array are of different types.
func variantSchema(r column.VariantRef) column.Type {
	switch kind := r.Kind(); kind {
	case column.VariantObject:
		t := column.Type{Kind: column.Struct}
		for i := range r.Len() {
			if key, v, ok := r.Member(i); ok {
				t.Fields = append(t.Fields, column.Field{Name: string(key), Type: variantSchema(v), Nullable: true})
			}
		}
		return t
	case column.VariantArray:
		elem := column.Of(column.Null)
		for i := range r.Len() {
			if v, ok := r.At(i); ok {
				elem = mergeSchema(elem, variantSchema(v))
			}
		}
		return column.ListOf(elem, true)
	default:
		t, ok := variantType(r, kind)
		if !ok {
			return column.Of(column.String)
		}
		return t
	}
}

// mergeSchema is the schema of values of both schemas: numbers widen, objects get the members of both, and what does not
// go together is variant.
func mergeSchema(a, b column.Type) column.Type {
	switch {
	case a.Kind == column.Struct && b.Kind == column.Struct:
		return mergeObjects(a, b)
	case a.Kind == column.List && b.Kind == column.List:
		return column.ListOf(mergeSchema(a.Elem(), b.Elem()), true)
	case a.Equal(b) || b.Kind == column.Null:
		return a
	case a.Kind == column.Null:
		return b
	case a.IsNumeric() && b.IsNumeric():
		return mergeNumbers(a, b)
	case a.IsTemporal() && b.IsTemporal():
		return commonTime(a, b)
	}
	return column.Of(column.Variant)
}

func mergeNumbers(a, b column.Type) column.Type {
	if a.IsFloat() || b.IsFloat() {
		return column.Of(column.Float64)
	}
	a, b = AsDecimal(a), AsDecimal(b)
	scale := max(a.Scale, b.Scale)
	whole := max(a.Precision-a.Scale, b.Precision-b.Scale)
	if whole+scale > column.MaxPrecision {
		return column.Of(column.Float64)
	}
	return column.DecimalOf(int(whole+scale), int(scale))
}

func mergeObjects(a, b column.Type) column.Type {
	out := column.Type{Kind: column.Struct, Fields: append([]column.Field{}, a.Fields...)}
	at := map[string]int{}
	for i, f := range out.Fields {
		at[f.Name] = i
	}
	for _, f := range b.Fields {
		if i, ok := at[f.Name]; ok {
			out.Fields[i].Type = mergeSchema(out.Fields[i].Type, f.Type)
			continue
		}
		out.Fields = append(out.Fields, f)
	}
	sort.SliceStable(out.Fields, func(i, j int) bool { return out.Fields[i].Name < out.Fields[j].Name })
	return out
}

// appendSchema appends a schema as schema_of_variant gives it.
func appendSchema(dst []byte, t column.Type) []byte {
	switch t.Kind {
	case column.List:
		return append(appendSchema(append(dst, "ARRAY<"...), t.Elem()), '>')
	case column.Struct:
		dst = append(dst, "OBJECT<"...)
		for i, f := range t.Fields {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(append(dst, quotedName(f.Name)...), ": "...)
			dst = appendSchema(dst, f.Type)
		}
		return append(dst, '>')
	}
	return append(dst, upperType(t)...)
}

// quotedName is a name in backquotes when it is no plain word.
func quotedName(name string) string {
	plain := name != ""
	for i, r := range name {
		plain = plain && (r == '_' || r|0x20 >= 'a' && r|0x20 <= 'z' || i > 0 && r >= '0' && r <= '9')
	}
	if plain {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

func schemaOfVariant(*Call) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		t := k.text()
		for i := 0; i < k.n; i++ {
			if k.ok(i) {
				r := args[0].Variant(i)
				if !r.Valid() {
					k.fail(i, errMalformedVariant)
				} else {
					t.buf = appendSchema(t.buf, variantSchema(r))
				}
			}
			t.end(i)
		}
		t.done()
	}
}

// schemaAcc is schema_of_variant_agg. Its state is the schema as DDL.
type schemaAcc struct {
	schemas []column.Type
}

func init() {
	register("aggregate", &Function{Name: "schema_of_variant_agg", Kind: Aggregate, in: params("a:v"), null: never, Doc: "The schema that all variants have in common, as text.",
		Example: "schema_of_variant_agg(parse_json(cast(x as string))) over 1, 2 -> BIGINT", out: variantArg("schema_of_variant_agg", column.Of(column.String)),
		agg: func(*Agg) (aggregator, error) {
			return aggregator{state: []column.Type{column.Of(column.String)}, make: func() Accumulator { return &schemaAcc{} }}, nil
		}})
}

func (s *schemaAcc) Resize(n int) { s.schemas = grow(s.schemas, n) }

func (s *schemaAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if !args[0].IsValid(i) {
			continue
		}
		r := args[0].Variant(constRow(args[0], i))
		if !r.Valid() {
			return errMalformedVariant
		}
		s.schemas[g] = mergeSchema(s.schemas[g], variantSchema(r))
	}
	return nil
}

func (s *schemaAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if !state[0].IsValid(i) {
			continue
		}
		t, err := column.ParseType(state[0].Str(i))
		if err != nil {
			return err
		}
		s.schemas[g] = mergeSchema(s.schemas[g], t)
	}
	return nil
}

func (s *schemaAcc) State() []*column.Vector {
	return []*column.Vector{s.texts(func(t column.Type) string { return t.String() })}
}

func (s *schemaAcc) texts(f func(column.Type) string) *column.Vector {
	b := column.NewBuilder(column.Of(column.String))
	for _, t := range s.schemas {
		b.AppendString(f(t))
	}
	return b.Finish()
}

func (s *schemaAcc) Result() (*column.Vector, error) {
	return s.texts(func(t column.Type) string { return string(appendSchema(nil, t)) }), nil
}

func (s *schemaAcc) Reset() { s.schemas = s.schemas[:0] }

func (s *schemaAcc) Bytes() int64 { return int64(cap(s.schemas)) * 48 }
