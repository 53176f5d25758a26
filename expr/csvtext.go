package expr

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func init() {
	register("csv",
		&Function{Name: "to_csv", in: params("S:struct a:options?"), out: outOf(column.String), flags: zoned, Doc: "The members of a struct as a line of CSV; the option sep is another separator.", Example: "to_csv(named_struct('a', 1, 'b', 'x, y')) -> 1,\"x, y\"", cost: 200,
			kernel: func(c *Call) kernel {
				sep := csvSep(c.Args, 1)
				return rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
					row := constRow(a[0], i)
					for m, kid := range a[0].Kids {
						if m > 0 {
							dst = append(dst, sep...)
						}
						if kid.IsValid(row) {
							dst = appendCSV(dst, string(appendText(nil, kid, row, k.ctx.location())), sep)
						}
					}
					return dst
				})(c)
			}},
		&Function{Name: "from_csv", in: params("s:csv s:schema a:options?"), Doc: "A line of CSV as a struct of a schema in DDL form; a field of another type is null.", Example: "from_csv('1, 0.8', 'a INT, b DOUBLE') -> {1, 0.8}", cost: 500, rewrite: rewriteFromCSV,
			kernel: func(c *Call) kernel {
				sep := csvSep(c.Args, 1)
				return build(func(_ *kctx, b *column.Builder, a []*column.Vector, i int) {
					fields := splitCSV(a[0].Str(i), sep)
					for m := range c.Typ.Fields {
						if m < len(fields) && fields[m] != "" {
							b.Kid(m).AppendString(fields[m])
						} else {
							b.Kid(m).AppendNull()
						}
					}
					b.CloseRow()
				})(c)
			}},
		&Function{Name: "schema_of_csv", in: params("s:csv a:options?"), Doc: "The schema that a constant line of CSV has, as DDL.", Example: "schema_of_csv('1,abc') -> STRUCT<_c0: INT, _c1: STRING>", rewrite: func(a []Expr) (Expr, error) {
			text, ok := literalText(a[0])
			if !ok {
				return nil, unexpectedType("schema_of_csv", 0, a[0], "constant text")
			}
			var members []string
			for i, f := range splitCSV(text, csvSep(a, 1)) {
				members = append(members, fmt.Sprintf("_c%d: %s", i, csvType(f)))
			}
			return Lit("STRUCT<" + strings.Join(members, ", ") + ">"), nil
		}},
	)
	register("json",
		&Function{Name: "schema_of_json", in: params("s:json a:options?"), Doc: "The schema that a constant JSON text has, as DDL.", Example: "schema_of_json('[{\"b\":1,\"a\":[0.5]}]') -> ARRAY<STRUCT<a: ARRAY<DOUBLE>, b: BIGINT>>", rewrite: func(a []Expr) (Expr, error) {
			text, ok := literalText(a[0])
			if !ok {
				return nil, unexpectedType("schema_of_json", 0, a[0], "constant text")
			}
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			var v any
			if err := d.Decode(&v); err != nil {
				return nil, usererr.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", "The text is no JSON: %v.", err)
			}
			return Lit(jsonSchema(v)), nil
		}},
	)
}

// csvSep is the option sep or delimiter of a map of constants.
func csvSep(args []Expr, at int) string {
	if len(args) <= at {
		return ","
	}
	l, err := EvalLiteral(args[at])
	if err != nil {
		return ","
	}
	if m, ok := l.Value.([2][]any); ok {
		for i, k := range m[0] {
			if s, is := m[1][i].(string); is && (k == "sep" || k == "delimiter") && s != "" {
				return s
			}
		}
	}
	return ","
}

func appendCSV(dst []byte, s, sep string) []byte {
	if s != "" && !strings.ContainsAny(s, "\"\n\r") && !strings.Contains(s, sep) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `\"`)...)
	return append(dst, '"')
}

// splitCSV is the fields of one record. Space around fields without quotes does not count.
func splitCSV(s, sep string) []string {
	r := csv.NewReader(strings.NewReader(s))
	r.Comma = []rune(sep)[0]
	r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = -1, true, true
	fields, err := r.Read()
	if err != nil {
		return nil
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields
}

func csvType(s string) string {
	if _, err := strconv.ParseInt(s, 10, 32); err == nil {
		return "INT"
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return "BIGINT"
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return "DOUBLE"
	}
	if _, ok := column.ParseDate(s); ok && len(s) == 10 {
		return "DATE"
	}
	if low := strings.ToLower(s); low == "true" || low == "false" {
		return "BOOLEAN"
	}
	return "STRING"
}

// rewriteFromCSV reads fields as text and casts them, a field that does not fit becoming null.
func rewriteFromCSV(args []Expr) (Expr, error) {
	s, ok := param{class: 's'}.fit(args[0])
	if !ok {
		return nil, unexpectedType("from_csv", 0, args[0], `"STRING"`)
	}
	ddl, ok := literalText(args[1])
	if !ok {
		return nil, usererr.New("INVALID_SCHEMA.NON_STRING_LITERAL", "42K07", "The schema of from_csv must be a constant text, but it is %s.", args[1])
	}
	schema, err := column.ParseDDL(ddl)
	if err != nil {
		t, terr := column.ParseType(ddl)
		if terr != nil || t.Kind != column.Struct {
			return nil, err
		}
		schema = &column.Schema{Fields: t.Fields}
	}
	texts := make([]column.Field, len(schema.Fields))
	to := make([]column.Field, len(schema.Fields))
	for i, f := range schema.Fields {
		if f.Type.IsNested() {
			return nil, usererr.New("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "42K09", "A field of CSV has no type %q.", strings.ToUpper(f.Type.String()))
		}
		texts[i] = column.Field{Name: f.Name, Type: column.Of(column.String), Nullable: true}
		to[i] = column.Field{Name: f.Name, Type: f.Type, Nullable: true}
	}
	c := &Call{Fn: "from_csv", Args: append([]Expr{s}, args[2:]...), Typ: column.StructOf(texts...), Null: true}
	return ResolveCast(&Cast{Child: c, To: column.StructOf(to...), Try: true})
}

// jsonSchema is the type of a JSON value, members in order of name.
func jsonSchema(v any) string {
	switch v := v.(type) {
	case bool:
		return "BOOLEAN"
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return "BIGINT"
		}
		return "DOUBLE"
	case []any:
		elem := "STRING"
		for i, e := range v {
			if t := jsonSchema(e); i == 0 || elem == t {
				elem = t
			} else if (elem == "BIGINT" || elem == "DOUBLE") && (t == "BIGINT" || t == "DOUBLE") {
				elem = "DOUBLE"
			} else {
				elem = "STRING"
			}
		}
		return "ARRAY<" + elem + ">"
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for i, k := range keys {
			keys[i] = k + ": " + jsonSchema(v[k])
		}
		return "STRUCT<" + strings.Join(keys, ", ") + ">"
	}
	return "STRING"
}
