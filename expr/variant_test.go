package expr

import (
	"fmt"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// TestVariants holds the edge values of the functions over variants.
func TestVariants(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"parse_json('{\"b\":1,\"a\":[true,null]}')", `{"a":[true,null],"b":1}`}, {"parse_json(NULL)", "NULL"}, {"parse_json('')", "error MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION"},
		{"parse_json('{\"a\":1,\"a\":1}')", "error VARIANT_DUPLICATE_KEY"}, {"try_parse_json('{\"a\":1,\"a\":1}')", "NULL"}, {"try_parse_json('[1')", "NULL"},
		{"typeof(parse_json('1'))", "variant"}, {"is_variant_null(parse_json('null'))", "true"}, {"is_variant_null(cast(NULL as variant))", "false"}, {"is_variant_null(parse_json('0'))", "false"},
		{"is_variant_null(1)", "error DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		// paths and types
		{"variant_get(parse_json('{\"a\":1}'), '$.a')", "1"}, {"typeof(variant_get(parse_json('{\"a\":1}'), '$.a'))", "variant"}, {"typeof(variant_get(parse_json('1'), '$', 'decimal(5,2)'))", "decimal(5,2)"},
		{"variant_get(parse_json('{\"a\":1}'), '$.b', 'int')", "NULL"}, {"variant_get(parse_json('{\"a\":null}'), '$.a', 'int')", "NULL"}, {"variant_get(parse_json('{\"a\":null}'), '$.a')", "null"},
		{"variant_get(parse_json('1'), 'a')", "error INVALID_VARIANT_GET_PATH"}, {"variant_get(parse_json('1'), concat('$', 'a'))", "error INVALID_VARIANT_GET_PATH"},
		{"variant_get(parse_json('1'), '$', 'interval day to second')", "error DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"}, {"variant_get('1', '$')", "error DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		// casts of scalars follow CAST
		{"cast(parse_json('300') as tinyint)", "error INVALID_VARIANT_CAST"}, {"try_cast(parse_json('300') as tinyint)", "NULL"}, {"cast(parse_json('1.9') as int)", "1"}, {"cast(parse_json('\" 12 \"') as int)", "12"},
		{"cast(parse_json('\"x\"') as int)", "error INVALID_VARIANT_CAST"}, {"try_variant_get(parse_json('\"x\"'), '$', 'int')", "NULL"}, {"cast(parse_json('true') as int)", "1"}, {"cast(parse_json('true') as date)", "error INVALID_VARIANT_CAST"},
		{"cast(parse_json('\"2026-01-31\"') as date)", "2026-01-31"}, {"cast(parse_json('1.25') as string)", "1.25"}, {"cast(parse_json('\"a\"') as string)", "a"}, {"cast(parse_json('{\"a\":\"b\"}') as string)", `{"a":"b"}`},
		{"cast(parse_json('[1]') as int)", "error INVALID_VARIANT_CAST"}, {"cast(parse_json('1e2') as decimal(5,1))", "100.0"}, {"cast(parse_json('12345678901234567890') as bigint)", "error INVALID_VARIANT_CAST"},
		// nested types
		{"cast(parse_json('[1,\"2\",null,3.5]') as array<int>)", "[1, 2, null, 3]"}, {"try_variant_get(parse_json('[1,\"x\"]'), '$', 'array<int>')", "[1, null]"}, {"cast(parse_json('[1,\"x\"]') as array<int>)", "error INVALID_VARIANT_CAST"},
		{"cast(parse_json('{\"b\":[1],\"c\":{\"d\":2}}') as struct<a:int,b:array<string>,c:struct<d:double>>)", "{null, [1], {2.0}}"}, {"cast(parse_json('{\"k\":1,\"j\":null}') as map<string,int>)", "{j -> null, k -> 1}"},
		{"cast(parse_json('1') as struct<a:int>)", "error INVALID_VARIANT_CAST"}, {"cast(parse_json('{}') as map<int,int>)", "error DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"}, {"cast(parse_json('[{\"a\":1},2]') as array<variant>)", `[{"a":1}, 2]`},
		// to variant
		{"cast(1.50 as variant)", "1.5"}, {"cast(array(1, NULL) as variant)", "[1,null]"}, {"cast(DATE'2026-01-02' as variant)", `"2026-01-02"`}, {"cast(unhex('00ff') as variant)", `"AP8="`},
		{"cast(TIMESTAMP'2026-01-02 03:04:05.600' as variant)", `"2026-01-02 03:04:05.6+00:00"`}, {"cast(cast(DATE'2026-01-02' as variant) as date)", "2026-01-02"}, {"cast(double('NaN') as variant)", `"NaN"`},
		{"cast(map('a', 1) as variant)", "error DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"}, {"to_variant_object(map('b', 1, 'a', 2))", `{"a":2,"b":1}`}, {"to_variant_object(map(1, 2))", "error DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"},
		{"to_variant_object(array(named_struct('x', parse_json('[1]'))))", `[{"x":[1]}]`},
		// schemas
		{"schema_of_variant(parse_json('null'))", "VOID"}, {"schema_of_variant(parse_json('[1, 2.5]'))", "ARRAY<DECIMAL(21,1)>"}, {"schema_of_variant(parse_json('[1, \"a\"]'))", "ARRAY<VARIANT>"}, {"schema_of_variant(parse_json('[1e1, 1]'))", "ARRAY<DOUBLE>"},
		{"schema_of_variant(parse_json('[{\"a\":1},{\"b c\":[]}]'))", "ARRAY<OBJECT<a: BIGINT, `b c`: ARRAY<VOID>>>"},
		// JSON
		{"to_json(named_struct('v', parse_json('{\"a\":null}'), 'n', 1))", `{"v":{"a":null},"n":1}`}, {"from_json('{\"v\":[1,{}]}', 'v variant')", "{[1,{}]}"}, {"from_json('null', 'variant')", "null"},
		// no order, no hash
		{"parse_json('1') = parse_json('1')", "error DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"}, {"parse_json('1') in (parse_json('1'))", "error DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"}, {"array(parse_json('1')) < array(parse_json('2'))", "error DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"},
		{"hash(parse_json('1'))", "error DATATYPE_MISMATCH.HASH_VARIANT_TYPE"}, {"xxhash64(array(parse_json('1')))", "error DATATYPE_MISMATCH.HASH_VARIANT_TYPE"}, {"max(parse_json('1'))", "error DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"},
	} {
		if got := evalText(t, c.text, testCtx); got != c.want {
			t.Errorf("%s = %s, want %s", c.text, got, c.want)
		}
	}
}

// Values of many types in one column are cast together and keep their rows.
func TestVariantColumn(t *testing.T) {
	b := column.NewBuilder(column.Of(column.Variant))
	var vb column.VariantBuilder
	for _, s := range []string{`{"a":1}`, `{"a":"2"}`, ``, `{"b":9}`, `{"a":3.7}`, `{"b":0,"a":true}`, `{"a":null}`, `{"a":"x"}`} {
		if s == "" {
			b.AppendNull()
			continue
		}
		vb.ParseVariant([]byte(s))
		out, _ := vb.Append(nil)
		b.AppendBytes(out)
	}
	v := b.Finish()
	x := &Column{Name: "v", Typ: v.Type, Null: true}
	e := &Call{Fn: "try_variant_get", Args: []Expr{x, Lit("$.a")}, Typ: column.Of(column.Int32), Null: true}
	p, err := Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time with the memory of the first
		got, err := p.Eval(testCtx, column.NewBatch(column.NewSchema(column.Field{Name: "v", Type: v.Type, Nullable: true}), v.N, v))
		if err != nil {
			t.Fatal(err)
		}
		var rows []any
		for i := range got.N {
			rows = append(rows, column.Value(got, i))
		}
		if s := fmt.Sprint(rows); s != "[1 2 <nil> <nil> 3 1 <nil> <nil>]" {
			t.Errorf("rows are %s", s)
		}
	}
	e.Fn = "variant_get"
	p, _ = Compile(e)
	ctx := *testCtx
	ctx.Rows = &RowErrors{}
	if _, err := p.Eval(&ctx, column.NewBatch(column.NewSchema(column.Field{Name: "v", Type: v.Type, Nullable: true}), v.N, v)); err != nil || fmt.Sprint(ctx.Rows.Rows) != "[7]" {
		t.Errorf("rows %v fail, %v", ctx.Rows.Rows, err)
	}
}

func BenchmarkVariantGet(b *testing.B) {
	build := column.NewBuilder(column.Of(column.Variant))
	var vb column.VariantBuilder
	for i := range column.BatchRows {
		vb.ParseVariant(fmt.Appendf(nil, `{"id":%d,"name":"a name that is long","address":{"city":"Berlin","geo":{"lat":52.5,"lon":13.4}}}`, i))
		out, _ := vb.Append(nil)
		build.AppendBytes(out)
	}
	v := build.Finish()
	batch := column.NewBatch(column.NewSchema(column.Field{Name: "v", Type: v.Type}), v.N, v)
	p, err := Compile(&Call{Fn: "variant_get", Args: []Expr{&Column{Name: "v", Typ: v.Type}, Lit("$.address.geo.lat")}, Typ: column.Of(column.Float64), Null: true})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := p.Eval(testCtx, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*v.N), "ns/row")
}
