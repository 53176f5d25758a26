package expr

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// jsonStep is one step of a JSON path: a member, an element, or every element.
type jsonStep struct {
	name string
	at   int // -1: a member; -2: every element
}

// compilePath reads $.a.b[0]['c'][*].
func compilePath(s string) ([]jsonStep, bool) {
	rest, ok := strings.CutPrefix(s, "$")
	var out []jsonStep
	for ok && rest != "" {
		switch {
		case strings.HasPrefix(rest, "['"):
			var name string
			name, rest, ok = strings.Cut(rest[2:], "']")
			out = append(out, jsonStep{name: name, at: -1})
		case rest[0] == '[':
			var idx string
			idx, rest, ok = strings.Cut(rest[1:], "]")
			if idx == "*" {
				out = append(out, jsonStep{at: -2})
				continue
			}
			n, err := strconv.Atoi(idx)
			ok = ok && err == nil && n >= 0
			out = append(out, jsonStep{at: n})
		case rest[0] == '.':
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			ok = end > 0
			step := jsonStep{name: rest[:end], at: -1}
			if step.name == "*" {
				step.at = -2
			}
			out = append(out, step)
			rest = rest[end:]
		default:
			ok = false
		}
	}
	return out, ok
}

// follow returns the texts of the values that a path leads to.
func follow(s []byte, path []jsonStep, out [][]byte) [][]byte {
	r := &jsonReader{s: s}
	if len(path) == 0 {
		if v, ok := r.value(); ok {
			return append(out, v)
		}
		return out
	}
	step := path[0]
	if step.at == -1 {
		r.object(func(key []byte) bool {
			hit := string(key) == step.name
			v, ok := r.value()
			if ok && hit {
				out = follow(v, path[1:], out)
				return false
			}
			return ok
		})
		return out
	}
	n := 0
	r.array(func() bool {
		v, ok := r.value()
		if ok && (step.at == -2 || n == step.at) {
			out = follow(v, path[1:], out)
		}
		n++
		return ok && n != step.at+1
	})
	return out
}

// appendJSONText appends a value as get_json_object gives it: strings without quotes, the rest as it stands.
func appendJSONText(dst, v []byte) ([]byte, bool) {
	if len(v) > 0 && v[0] == '"' {
		s, ok := (&jsonReader{s: v}).text()
		return append(dst, s...), ok
	}
	if string(v) == "null" {
		return dst, false
	}
	var b bytes.Buffer
	compactJSON(&b, v)
	return append(dst, b.Bytes()...), true
}

// compactJSON drops white space outside strings.
func compactJSON(b *bytes.Buffer, v []byte) {
	in := false
	for i := 0; i < len(v); i++ {
		c := v[i]
		if !in && (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
			continue
		}
		b.WriteByte(c)
		switch {
		case in && c == '\\' && i+1 < len(v):
			i++
			b.WriteByte(v[i])
		case c == '"':
			in = !in
		}
	}
}

func init() {
	register("json",
		&Function{Name: "get_json_object", in: params("s:json s:path"), out: outOf(column.String), null: always, Doc: "The value at a path such as $.a[0].b; null when there is none or the text is no JSON.", Example: "get_json_object('{\"a\":{\"b\":1}}', '$.a.b') -> 1", cost: 200, kernel: func(c *Call) kernel {
			paths := map[string][]jsonStep{}
			return rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				path, ok := paths[a[1].Str(i)]
				if !ok {
					steps, valid := compilePath(strings.Clone(a[1].Str(i)))
					if !valid {
						k.null(i)
						return dst
					}
					path = steps
					paths[strings.Clone(a[1].Str(i))] = steps
				}
				found := follow(a[0].Bytes(i), path, nil)
				if len(found) == 0 {
					k.null(i)
					return dst
				}
				if len(found) > 1 {
					dst = append(dst, '[')
					dst = append(dst, bytes.Join(found, []byte{','})...)
					return append(dst, ']')
				}
				out, ok := appendJSONText(dst, found[0])
				if !ok {
					k.null(i)
				}
				return out
			})(c)
		}},
		&Function{Name: "to_json", in: params("a:x a:options?"), out: outOf(column.String), flags: zoned, Doc: "A struct, map or array as JSON text; null members are left out.", Example: "to_json(named_struct('a', 1, 'b', 'x')) -> {\"a\":1,\"b\":\"x\"}", cost: 200,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				return column.AppendJSONValue(dst, a[0], constRow(a[0], i), k.ctx.location())
			})},
		&Function{Name: "from_json", in: params("s:json s:schema a:options?"), Doc: "JSON text as a value of a schema in DDL form; a member of another type is null.", Example: "from_json('{\"a\":1}', 'a INT') -> {1}", cost: 500, rewrite: rewriteFromJSON, flags: zoned,
			kernel: func(c *Call) kernel {
				return build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
					r := &jsonReader{s: a[0].Bytes(i), loc: k.ctx.location()}
					at := b.Len()
					if r.peek() == 0 {
						b.AppendNull()
						return
					}
					if ok := r.into(b, c.Typ, 0); ok && r.peek() == 0 {
						return
					}
					b.Truncate(at)
					appendMalformed(b, c.Typ)
				})(c)
			}},
		&Function{Name: "json_array_length", in: params("s:json"), out: outOf(column.Int32), null: always, Doc: "The number of elements of a JSON array; null when it is none.", Example: "json_array_length('[1,2]') -> 2", cost: 200,
			kernel: rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				n, r := int64(0), &jsonReader{s: a[0].Bytes(i)}
				if !r.array(func() bool { n++; return r.skip(1) }) || r.peek() != 0 {
					k.null(i)
				}
				return n
			})},
		&Function{Name: "json_object_keys", in: params("s:json"), out: func([]Expr) (column.Type, error) { return column.ListOf(column.Of(column.String), false), nil }, null: always, Doc: "The keys of a JSON object; null when it is none.", Example: "json_object_keys('{\"a\":1,\"b\":2}') -> [a, b]", cost: 200,
			kernel: build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
				var keys [][]byte
				r := &jsonReader{s: a[0].Bytes(i)}
				if !r.object(func(key []byte) bool { keys = append(keys, key); return r.skip(1) }) || r.peek() != 0 {
					b.AppendNull()
					return
				}
				for _, key := range keys {
					b.Kid(0).AppendBytes(key)
				}
				b.CloseRow()
			})},
	)
}

// appendMalformed is what from_json makes of text that is no JSON: a struct of nulls, null for other types.
func appendMalformed(b *column.Builder, t column.Type) {
	if t.Kind != column.Struct {
		b.AppendNull()
		return
	}
	for f := range t.Fields {
		b.Kid(f).AppendNull()
	}
	b.CloseRow()
}

func rewriteFromJSON(args []Expr) (Expr, error) {
	s, ok := param{class: 's'}.fit(args[0])
	if !ok {
		return nil, unexpectedType("from_json", 0, args[0], `"STRING"`)
	}
	ddl, ok := literalText(args[1])
	if !ok {
		return nil, usererr.New("INVALID_SCHEMA.NON_STRING_LITERAL", "42K07", "The schema of from_json must be a constant text, but it is %s.", args[1])
	}
	t, err := column.ParseType(ddl)
	if err != nil {
		schema, err := column.ParseDDL(ddl)
		if err != nil {
			return nil, err
		}
		t = column.StructOf(schema.Fields...)
	}
	t = allNullable(t)
	return &Call{Fn: "from_json", Args: []Expr{s}, Typ: t, Null: true}, nil
}

// allNullable is t with every member nullable: JSON text promises nothing.
func allNullable(t column.Type) column.Type {
	if !t.IsNested() {
		return t
	}
	out := column.Type{Kind: t.Kind, Fields: append([]column.Field{}, t.Fields...)}
	for i := range out.Fields {
		out.Fields[i].Type = allNullable(out.Fields[i].Type)
		out.Fields[i].Nullable = !(t.Kind == column.Map && i == 0)
	}
	return out
}

// jsonTuple looks up several keys of each object.
func (g *Generation) jsonTuple(n int) ([]int32, []*column.Vector, error) {
	builders := make([]*column.Builder, len(g.out))
	for c := range builders {
		builders[c] = column.NewBuilder(column.Of(column.String))
	}
	g.rows = g.rows[:0]
	for i := 0; i < n; i++ {
		g.rows = append(g.rows, int32(i))
		members := map[string][]byte{}
		if g.args[0].IsValid(i) {
			r := &jsonReader{s: g.args[0].Bytes(i)}
			if !r.object(func(key []byte) bool {
				v, ok := r.value()
				members[string(key)] = v
				return ok
			}) {
				clear(members)
			}
		}
		for c, b := range builders {
			key := g.args[c+1]
			v, ok := members[key.Str(i)]
			var s []byte
			if ok && key.IsValid(i) {
				s, ok = appendJSONText(nil, v)
			}
			if !ok {
				b.AppendNull()
				continue
			}
			b.AppendBytes(s)
		}
	}
	return g.rows, finishAll(builders), nil
}
