package expr

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func init() {
	one := func(name, in, doc, example string, out column.Kind, k func(*Call) kernel) *Function {
		return &Function{Name: name, in: params(in), out: outOf(out), Doc: doc, Example: example, cost: 200, kernel: k}
	}
	parse := func(name, doc, example string, try bool) *Function {
		f := one(name, "s:json", doc, example, column.Variant, parseJSON(try))
		if try {
			f.null = always
		}
		return f
	}
	get := func(name, doc, example string, try bool) *Function {
		return &Function{Name: name, in: params("a:v s:path a:type?"), Doc: doc, Example: example, cost: 200, flags: zoned, rewrite: rewriteVariantGet(name),
			kernel: func(c *Call) kernel { return variantGet(c, try) }}
	}
	isNull := one("is_variant_null", "a:v", "Whether a variant holds JSON's null; false for NULL.", "is_variant_null(parse_json('null')) -> true", column.Bool, isVariantNull)
	isNull.null, isNull.flags = never, ownNulls
	isNull.out = variantArg("is_variant_null", column.Of(column.Bool))
	schema := one("schema_of_variant", "a:v", "The schema of a variant as text.", "schema_of_variant(parse_json('[{\"b\":true,\"a\":0}]')) -> ARRAY<OBJECT<a: BIGINT, b: BOOLEAN>>", column.String, schemaOfVariant)
	schema.out = variantArg("schema_of_variant", column.Of(column.String))
	register("variant",
		parse("parse_json", "JSON text as a variant; text that is no JSON is an error.", "parse_json('{\"a\": [1, 2.50]}') -> {\"a\":[1,2.5]}", false),
		parse("try_parse_json", "parse_json, or null when the text is no JSON.", "try_parse_json('{a') -> NULL", true),
		&Function{Name: "to_variant_object", in: params("a:x"), Doc: "A value as a variant: structs and maps become objects, arrays arrays.", Example: "to_variant_object(named_struct('b', 2, 'a', 1)) -> {\"a\":1,\"b\":2}", cost: 200,
			out: toVariantObject, kernel: toVariant},
		get("variant_get", "The value at a path such as $.a[0]['b c'] of a variant, cast to a type (variant when there is none given); null where the path leads nowhere.", "variant_get(parse_json('{\"a\":{\"b\":[1,2]}}'), '$.a.b[1]', 'int') -> 2", false),
		get("try_variant_get", "variant_get, or null where the value cannot be cast.", "try_variant_get(parse_json('{\"a\":\"x\"}'), '$.a', 'int') -> NULL", true),
		isNull, schema,
	)
}

// variantArg is the result type of a function whose first argument must be a variant.
func variantArg(fn string, out column.Type) func([]Expr) (column.Type, error) {
	return func(args []Expr) (column.Type, error) {
		if k := args[0].DataType().Kind; k != column.Variant && k != column.Null {
			return out, unexpectedType(fn, 0, args[0], `"VARIANT"`)
		}
		return out, nil
	}
}

func toVariantObject(args []Expr) (column.Type, error) {
	if t := args[0].DataType(); !variantable(t, true) {
		return t, usererr.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09", "Cannot resolve \"to_variant_object(%s)\" due to data type mismatch: cannot cast %q to \"VARIANT\".",
			args[0], upperType(t)).With("srcType", upperType(t)).With("targetType", "VARIANT").WithFix("Intervals, and maps whose keys are no strings, have no form as variant.")
	}
	return column.Of(column.Variant), nil
}

func upperType(t column.Type) string { return strings.ToUpper(t.String()) }

// parseJSON reads each row's text. The result is the text's value; not a row is copied twice.
func parseJSON(try bool) func(*Call) kernel {
	return func(*Call) kernel {
		b := &column.VariantBuilder{}
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			t := k.text()
			for i := 0; i < k.n; i++ {
				if k.ok(i) {
					why, key := b.ParseVariant(args[0].Bytes(i))
					switch {
					case why == "":
						t.variant(i, b, "parse_json")
					case try:
						k.null(i)
					default:
						k.fail(i, errNotJSON(why, key, args[0].Str(i)))
					}
				}
				t.end(i)
			}
			t.done()
		}
	}
}

func errNotJSON(why, key, text string) error {
	if why == "duplicate key" {
		return usererr.New("VARIANT_DUPLICATE_KEY", "22023", "Failed to build variant because of a duplicate object key `%s`.", key).With("key", key)
	}
	text = strings.Clone(text)
	return usererr.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", "Malformed records are detected in record parsing: %s.", text).
		With("badRecord", text).WithFix("Use `try_parse_json` to get NULL for text that is no JSON.")
}

func errVariantSize(fn string) error {
	return usererr.New("VARIANT_SIZE_LIMIT", "22023", "Cannot build variant bigger than 16.0 MiB in %s.", fn).
		With("sizeLimit", "16.0 MiB").With("functionName", "`"+fn+"`").WithFix("Avoid large input strings to this expression, for example by adding function calls that check their length.")
}

// rewriteVariantGet makes a call of variant and path whose type is the one that the third argument names.
func rewriteVariantGet(fn string) func([]Expr) (Expr, error) {
	return func(args []Expr) (Expr, error) {
		if k := args[0].DataType().Kind; k != column.Variant && k != column.Null {
			return nil, unexpectedType(fn, 0, args[0], `"VARIANT"`)
		}
		path, ok := param{class: 's'}.fit(args[1])
		if !ok {
			return nil, unexpectedType(fn, 1, args[1], `"STRING"`)
		}
		if s, ok := literalText(path); ok {
			if _, ok := column.ParseVariantPath(s); !ok {
				return nil, errVariantPath(s, fn)
			}
		}
		t := column.Of(column.Variant)
		if len(args) == 3 {
			name, ok := literalText(args[2])
			if !ok {
				return nil, usererr.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", "Cannot resolve %q due to data type mismatch: the input type must be a constant STRING, but it is %s.", fn, args[2]).
					With("inputName", "type")
			}
			var err error
			if t, err = column.ParseType(name); err != nil {
				return nil, err
			}
		}
		t = allNullable(t)
		if !castableFromVariant(t) {
			return nil, usererr.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09", "Cannot resolve %q due to data type mismatch: cannot cast \"VARIANT\" to %q.", fn, upperType(t)).
				With("srcType", "VARIANT").With("targetType", upperType(t))
		}
		return &Call{Fn: fn, Args: []Expr{Coerce(args[0], column.Of(column.Variant)), path}, Typ: t, Null: true}, nil
	}
}

func errVariantPath(path, fn string) error {
	return usererr.New("INVALID_VARIANT_GET_PATH", "22023", "The path `%s` is not a valid variant extraction path in `%s`.", path, fn).
		With("path", path).With("functionName", "`"+fn+"`").WithFix("A valid path should start with `$` and is followed by zero or more segments like `[123]`, `.name`, `['name']`, or `[\"name\"]`.")
}

// variantGet follows a path, which is the same for all rows as a rule, and casts what it leads to.
func variantGet(c *Call, try bool) kernel { return fromVariant(c, c.Typ, try) }

// fromVariant is the kernel of a cast from VARIANT, c nil, and of variant_get.
func fromVariant(c *Call, to column.Type, try bool) kernel {
	bad := &variantFailures{}
	cast := newVariantCast(to, bad)
	root, _ := column.ParseVariantPath("$")
	paths := map[string]*column.VariantPath{}
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		bad.rows, bad.errs, bad.loc = bad.rows[:0], bad.errs[:0], k.ctx.location()
		cast.reset()
		var wrong variantFailures
		for i := 0; i < k.n; i++ {
			path := root
			if c != nil && k.ok(i) {
				if path = pathOf(paths, args[1], i); path == nil {
					wrong.add(int32(i), errVariantPath(strings.Clone(args[1].Str(i)), c.Fn))
				}
			}
			if !k.ok(i) || path == nil {
				cast.null()
				continue
			}
			cast.addOrNull(path, args[0].Variant(i), int32(i))
		}
		v := cast.finish(k.ctx)
		*out = *v
		if !try {
			wrong.rows, wrong.errs = append(wrong.rows, bad.rows...), append(wrong.errs, bad.errs...)
		}
		wrong.report(k, out)
	}
}

// mostPaths bounds the paths that a kernel remembers.
const mostPaths = 1000

// pathOf is the path of row i, nil when it is none.
func pathOf(paths map[string]*column.VariantPath, v *column.Vector, i int) *column.VariantPath {
	p, ok := paths[v.Str(i)]
	if ok {
		return p
	}
	s := strings.Clone(v.Str(i))
	p, ok = column.ParseVariantPath(s)
	if !ok {
		p = nil
	}
	if len(paths) >= mostPaths {
		clear(paths)
	}
	paths[s] = p
	return p
}

func isVariantNull(*Call) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i := range out.Bools {
			out.Bools[i] = args[0].IsValid(i) && args[0].Variant(i).IsNull()
		}
	}
}
