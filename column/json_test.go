package column

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func scanAll(t *testing.T, ddl string, recs ...string) (*Batch, []error) {
	t.Helper()
	schema, err := ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	s := NewJSONScanner(schema)
	var errs []error
	for _, r := range recs {
		errs = append(errs, s.Scan([]byte(r)))
	}
	return s.Finish(nil), errs
}

func TestJSONScanValues(t *testing.T) {
	for _, c := range []struct {
		typ, text string
		want      any
	}{
		{"INT", "12", int64(12)}, {"INT", "-2147483648", int64(math.MinInt32)}, {"INT", "null", nil},
		{"BIGINT", "9223372036854775807", int64(math.MaxInt64)}, {"BIGINT", "-9223372036854775808", int64(math.MinInt64)},
		{"BIGINT", "1234567890123456", int64(1234567890123456)}, {"BIGINT", "0", int64(0)}, {"TINYINT", "-128", int64(-128)},
		{"SMALLINT", "32767", int64(32767)},
		{"DOUBLE", "1.5", 1.5}, {"DOUBLE", "1e3", 1000.0}, {"DOUBLE", "-0.1", -0.1}, {"DOUBLE", "12345678901234567890", 12345678901234567890.0},
		{"DOUBLE", "3", 3.0}, {"DOUBLE", `"NaN"`, "NaN"}, {"DOUBLE", `"-Infinity"`, math.Inf(-1)}, {"FLOAT", "0.5", 0.5},
		{"DOUBLE", "0.3", 0.3}, {"DOUBLE", "1.7976931348623157e308", math.MaxFloat64},
		{"STRING", `"abc"`, "abc"}, {"STRING", `"a longer string than fits"`, "a longer string than fits"}, {"STRING", `""`, ""},
		{"STRING", `"a\"b\\c\/d\n\u00e9\ud83d\ude00"`, "a\"b\\c/d\né😀"}, {"STRING", `"\ud800x"`, "\uFFFDx"}, {"STRING", `"é"`, "é"},
		{"STRING", "12", "12"}, {"STRING", `{"x": [1, 2]}`, `{"x": [1, 2]}`}, {"STRING", "true", "true"}, {"STRING", "\"\xff\"", "\uFFFD"},
		{"BOOLEAN", "true", true}, {"BOOLEAN", "false", false}, {"BINARY", `"AQI="`, []byte{1, 2}},
		{"DATE", `"1970-01-02"`, int64(1)}, {"DATE", "3", int64(3)},
		{"TIMESTAMP", `"1970-01-01T00:00:01.5Z"`, int64(1500000)}, {"TIMESTAMP", `"1970-01-01 01:00:00+01:00"`, int64(0)},
		{"TIMESTAMP", "1700000000", int64(1700000000000000)}, {"TIMESTAMP", "1700000000123", int64(1700000000123000)},
		{"TIMESTAMP", "1700000000123456", int64(1700000000123456)}, {"TIMESTAMP", "1700000000123456789", int64(1700000000123456)},
		{"TIMESTAMP", "1700000000.25", int64(1700000000250000)}, {"TIMESTAMP_NTZ", `"1970-01-01T00:00:01"`, int64(1000000)},
		{"DECIMAL(10,2)", "12.345", DecFromInt(1235)}, {"DECIMAL(10,2)", `"7"`, DecFromInt(700)}, {"DECIMAL(10,2)", "-1e2", DecFromInt(-10000)},
		{"DECIMAL(38,0)", "170141183460469231731687303715884105727", nil},
		{"ARRAY<INT>", "[1, null ,3]", []any{int64(1), nil, int64(3)}}, {"ARRAY<INT>", "[ ]", []any{}},
		{"STRUCT<a: INT, b: STRING>", `{"b":"x","c":[1,{"d":2}],"a":5}`, []any{int64(5), "x"}}, {"STRUCT<a: INT>", `{}`, []any{nil}},
		{"MAP<STRING, INT>", `{"k": 1, "l": null}`, [2]any{[]any{"k", "l"}, []any{int64(1), nil}}},
		{"MAP<INT, STRING>", `{"5": "x"}`, [2]any{[]any{int64(5)}, []any{"x"}}},
		{"ARRAY<STRUCT<a: ARRAY<INT>>>", `[{"a":[1]},{"a":null}]`, []any{[]any{[]any{int64(1)}}, []any{nil}}},
		{"INTERVAL DAY TO SECOND", `"1 02:00:00"`, int64(26 * 3600 * 1000000)}, {"INTERVAL YEAR TO MONTH", `"INTERVAL '-1-2' YEAR TO MONTH"`, int64(-14)},
	} {
		b, errs := scanAll(t, "x "+c.typ, `{"x":`+c.text+`}`, ` { "x" : `+c.text+` } `)
		if c.want == nil && c.text != "null" {
			if errs[0] == nil {
				t.Errorf("%s from %s is %v, want an error", c.typ, c.text, Value(b.Cols[0], 0))
			}
			continue
		}
		for i, err := range errs {
			if err != nil {
				t.Errorf("%s from %s: %v", c.typ, c.text, err)
			} else if got := sane(Value(b.Cols[0], i)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s from %s is %#v, want %#v", c.typ, c.text, got, c.want)
			}
		}
	}
}

func TestJSONScanRefuses(t *testing.T) {
	for _, c := range []struct{ typ, text, field, why string }{
		{"INT", "2147483648", "x", "out of range"}, {"INT", `"5"`, "x", `expected int, found the string "5"`}, {"INT", "1.5", "x", "not a whole number"},
		{"INT", "01", "x", "expected int"}, {"INT", "-", "x", "expected int"}, {"INT", "tru", "x", "expected int"}, {"INT", "[1]", "x", "an array"},
		{"BIGINT", "9223372036854775808", "x", "out of range"}, {"BIGINT", "99999999999999999999999", "x", "out of range"}, {"TINYINT", "200", "x", "out of range"},
		{"BOOLEAN", `"true"`, "x", "expected boolean"}, {"DATE", `"2020-13-01"`, "x", "expected date"}, {"TIMESTAMP", `"soon"`, "x", "expected timestamp"},
		{"STRING", `"a`, "x", "not closed"}, {"STRING", `"\q"`, "x", "escape"}, {"STRING", "\"a\nb\"", "x", "control character"}, {"STRING", "nul", "x", "expected a value"},
		{"STRING", `"\u12g4"`, "x", "hexadecimal"}, {"DOUBLE", `"x"`, "x", "expected double"}, {"DOUBLE", "1.", "x", "expected double"}, {"DOUBLE", ".5", "x", "expected double"},
		{"DECIMAL(4,2)", "123.4", "x", "decimal(4,2)"}, {"ARRAY<INT>", `[1,"a"]`, "x", "expected int"}, {"ARRAY<INT>", "[1", "x", "comma or ]"},
		{"STRUCT<a: INT>", `{"a":"b"}`, "x.a", "expected int"}, {"MAP<INT,INT>", `{"a":1}`, "x", "expected int"}, {"INT NOT NULL", "null", "x", "NOT NULL"},
	} {
		b, errs := scanAll(t, "w INT, x "+c.typ+", y STRING", `{"w":1,"y":"a string of some length","x":`+c.text+`}`)
		var e *JSONError
		if !errors.As(errs[0], &e) {
			t.Errorf("%s from %s: %v, want a JSONError", c.typ, c.text, errs[0])
			continue
		}
		if e.Field != c.field || !strings.Contains(e.Reason, c.why) {
			t.Errorf("%s from %s: %q, want field %q and %q", c.typ, c.text, e, c.field, c.why)
		}
		if b.N != 0 {
			t.Errorf("%s from %s left %d rows", c.typ, c.text, b.N)
		}
	}
	for _, text := range []string{"", "[]", "1", `{"w":1`, `{"w":1}x`, `{"w" 1}`, `{w:1}`, `{"w":1,}`, `{"z":tru}`, `{"z":[1,]}`, `{"z":{"a":}}`, "{,}"} {
		if _, errs := scanAll(t, "w INT", text); errs[0] == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestJSONScanKeepsGoodRecordsBetweenBadOnes(t *testing.T) {
	ddl := "a INT, b STRING, c ARRAY<INT>, d STRUCT<e: STRING>, f DOUBLE"
	good := `{"a":%d,"b":"a string number %d","c":[%d],"d":{"e":"%d"},"f":%d.5}`
	bad := []string{`{"a":1,"b":"lost text of a bad record","c":[1,2],"d":{"e":"x"},"f":"no"}`, `{"a":"x"}`, `{"c":[1,"x"]}`, `{"d":{"e":"x"},"c":3}`, `{"b":"unclosed`}
	var recs []string
	for i := range 10_000 {
		recs = append(recs, fmt.Sprintf(good, i, i, i, i, i), bad[i%len(bad)], `{"b":null}`)
	}
	b, errs := scanAll(t, ddl, recs...)
	for i, err := range errs {
		if (err != nil) != (i%3 == 1) {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	if b.N != 20_000 {
		t.Fatalf("%d rows", b.N)
	}
	for i := range 10_000 {
		n := int64(i)
		want := []any{n, fmt.Sprintf("a string number %d", i), []any{n}, []any{fmt.Sprint(i)}, float64(i) + 0.5}
		if got := b.Row(2 * i); !reflect.DeepEqual(got, want) {
			t.Fatalf("row %d is %v", 2*i, got)
		}
		if got := b.Row(2*i + 1); !reflect.DeepEqual(got, make([]any, 5)) {
			t.Fatalf("row %d is %v", 2*i+1, got)
		}
	}
}

func TestJSONScanOrderDuplicatesAndUnknownMembers(t *testing.T) {
	b, errs := scanAll(t, "a INT, b STRING, c ARRAY<INT>", `{"c":[1],"zz":{"a":[{"b":"}"}]},"b":"x","a":1,"a":2,"c":[3,4],"b":null}`, `{"a":1,"a":null}`, `{"\u0061":7}`)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	equalRows(t, rows(b), [][]any{{int64(2), nil, []any{int64(3), int64(4)}}, {nil, nil, nil}, {int64(7), nil, nil}})
}

func TestJSONScanFollowsChangingOrders(t *testing.T) {
	var recs []string
	var want [][]any
	for i := range 50 {
		a, b := fmt.Sprintf(`"a":%d`, i), fmt.Sprintf(`"b":"%d"`, i)
		forms := []string{a + "," + b, b + "," + a, `"x":1,` + b + "," + a, b, `"x":[],"y":2,"z":3,` + a + "," + b, a + `,"b":null`}
		recs = append(recs, "{"+forms[i%len(forms)]+"}")
		row := []any{int64(i), fmt.Sprint(i)}
		switch i % len(forms) {
		case 3:
			row[0] = nil
		case 5:
			row[1] = nil
		}
		want = append(want, row)
	}
	got, errs := scanAll(t, "a INT, b STRING", recs...)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	equalRows(t, rows(got), want)
}

func TestJSONScannerReusesMemoryAndOldBatchStays(t *testing.T) {
	schema, _ := ParseDDL("a BIGINT, s STRING")
	s := NewJSONScanner(schema)
	var prev, old *Batch
	for round := range 5 {
		for i := range 3000 {
			rec := fmt.Sprintf(`{"a":%d,"s":"the text of round %d row %d"}`, i, round, i)
			if i%7 == 0 {
				rec = fmt.Sprintf(`{"a":%d}`, i)
			}
			if err := s.Scan([]byte(rec)); err != nil {
				t.Fatal(err)
			}
		}
		b := s.Finish(old)
		for _, x := range []*Batch{b, prev} {
			if x == nil {
				continue
			}
			for i := range x.N {
				r := round
				if x == prev {
					r--
				}
				var want any = fmt.Sprintf("the text of round %d row %d", r, i)
				if i%7 == 0 {
					want = nil
				}
				if got := Value(x.Cols[1], i); got != want {
					t.Fatalf("round %d: row %d is %v, want %v", round, i, got, want)
				}
			}
		}
		old, prev = prev, b
	}
}

func TestJSONRowRoundTrip(t *testing.T) {
	r := newRand(t)
	for range 20 {
		b := randomBatch(r, allTypes, 60, 50, 0.2)
		s := NewJSONScanner(b.Schema)
		for i := range b.N {
			rec := AppendJSONRow(nil, b, i, len(b.Cols), time.FixedZone("", -5400))
			if !json.Valid(rec) {
				t.Fatalf("not JSON: %s", rec)
			}
			if err := s.Scan(rec); err != nil {
				t.Fatalf("%v: %s", err, rec)
			}
		}
		equalRows(t, jsonRows(s.Finish(nil)), jsonRows(b))
	}
}

// jsonRows are the rows without what JSON text does not carry: members of structs that are null together.
func jsonRows(b *Batch) [][]any { return rows(b) }

func TestAppendJSONRow(t *testing.T) {
	schema, _ := ParseDDL("a INT, s STRING, t TIMESTAMP, d DATE, m DECIMAL(10,2), f DOUBLE, l ARRAY<INT>, n MAP<INT,STRING>, b BINARY, z STRING, h INT")
	b, err := FromRows(schema, []any{int64(1), "a\"\n\u0001é\xff", int64(1500), int64(0), DecFromInt(-5), 1e10, []any{nil, int64(2)},
		[2][]any{{int64(1)}, {"x"}}, []byte("hi"), nil, int64(9)})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":1,"s":"a\"\n\u0001é` + "\uFFFD" + `","t":"1970-01-01T02:00:00.001500+02:00","d":"1970-01-01","m":-0.05,"f":1.0E10,"l":[null,2],"n":{"1":"x"},"b":"aGk="}`
	if got := string(AppendJSONRow(nil, b, 0, 10, time.FixedZone("x", 7200))); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// FuzzJSONScan compares with encoding/json: the same records are accepted and give the same values.
func FuzzJSONScan(f *testing.F) {
	schema, _ := ParseDDL("i BIGINT, s STRING, d DOUBLE, b BOOLEAN, l ARRAY<STRING>, o STRUCT<x: INT>")
	for _, s := range []string{`{"i":1,"s":"x","d":1.5,"b":true,"l":["a"],"o":{"x":1}}`, `{"s":"\ud800\u0041","z":[{},[]]}`, `{"i":null}`, ` { } `,
		`{"i":12345678901234567890}`, `{"d":1e999}`, "{\"s\":\"\xff\"}", `{"s":{"a":1}}`, `{"o":{"x":1,"x":2}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, rec []byte) {
		s := NewJSONScanner(schema)
		err := s.Scan(rec)
		b := s.Finish(nil)
		if b.N != boolInt(err == nil) {
			t.Fatalf("%d rows after %v", b.N, err)
		}
		if !json.Valid(rec) {
			if err == nil {
				t.Fatalf("accepted what is no JSON: %q", rec)
			}
			return
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(rec, &members) != nil || members == nil {
			if err == nil {
				t.Fatalf("accepted what is no object: %q", rec)
			}
			return
		}
		if err != nil {
			return
		}
		checkMembers(t, b, members)
	})
}

func checkMembers(t *testing.T, b *Batch, members map[string]json.RawMessage) {
	t.Helper()
	for name, into := range map[string]any{"i": new(int64), "d": new(float64), "b": new(bool), "s": new(string)} {
		raw, ok := members[name]
		got := Value(b.Cols[b.Schema.Index(name)], 0)
		if !ok || string(raw) == "null" {
			if got != nil {
				t.Fatalf("%s is %v, want null", name, got)
			}
			continue
		}
		if err := json.Unmarshal(raw, into); err != nil {
			continue // a string that names a float, any value as a string
		}
		if want := reflect.ValueOf(into).Elem().Interface(); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is %#v, want %#v", name, got, want)
		}
	}
}

func bidRecords(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, `{"auction":%d,"bidder":%d,"price":%d,"channel":"channel-%d","url":"https://www.nexmark.com/item.htm?query=%d","dateTime":%d,"extra":"abcdefghijklmnopqrstuvw"}`,
			1000+i, 2000+i*7, 100+i*13, i%10, i, 1700000000000+i)
	}
	return out
}

func benchmarkScan(b *testing.B, recs [][]byte) {
	schema, _ := ParseDDL("auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime BIGINT, extra STRING")
	s := NewJSONScanner(schema)
	var reuse *Batch
	size := 0
	for _, r := range recs {
		size += len(r)
	}
	for b.Loop() {
		for _, r := range recs {
			if err := s.Scan(r); err != nil {
				b.Fatal(err)
			}
		}
		reuse = s.Finish(reuse)
	}
	b.SetBytes(int64(size))
	perRow(b, len(recs))
}

func BenchmarkJSONScan(b *testing.B) { benchmarkScan(b, bidRecords(BatchRows)) }

func BenchmarkJSONScanShuffled(b *testing.B) {
	recs := make([][]byte, BatchRows)
	for i := range recs {
		recs[i] = fmt.Appendf(nil, `{ "extra": "abcdefghijklmnopqrstuvw", "dateTime": %d, "price": %d, "bidder": %d, "url": "https://www.nexmark.com/item.htm?query=%d", "auction": %d, "channel": "channel-%d" }`,
			1700000000000+i, 100+i*13, 2000+i*7, i, 1000+i, i%10)
	}
	benchmarkScan(b, recs)
}

func BenchmarkJSONRow(b *testing.B) {
	batch := benchBids()
	var buf []byte
	for b.Loop() {
		buf = buf[:0]
		for i := range batch.N {
			buf = AppendJSONRow(buf, batch, i, len(batch.Cols), time.UTC)
		}
	}
	perRow(b, batch.N)
}
