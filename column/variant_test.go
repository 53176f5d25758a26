package column

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// variantFrom parses JSON into a variant.
func variantFrom(t testing.TB, json string) []byte {
	t.Helper()
	var b VariantBuilder
	if why, key := b.ParseVariant([]byte(json)); why != "" {
		t.Fatalf("%s: %s %s", json, why, key)
	}
	out, ok := b.Append(nil)
	if !ok {
		t.Fatalf("%s is too large", json)
	}
	return out
}

// The example of the format's description is what the code writes and reads.
func TestVariantFormatExample(t *testing.T) {
	doc, err := os.ReadFile("../docs/format/variant.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```hex\n")
	block, _, _ := strings.Cut(rest, "```")
	var want []byte
	for line := range strings.Lines(block) {
		code, _, _ := strings.Cut(line, "  ")
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(code), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, b...)
	}
	const json = `{"id":7,"tags":["a",2.5]}`
	if got := variantFrom(t, json); !bytes.Equal(got, want) {
		t.Errorf("encoded as\n%s", hex.Dump(got))
	}
	if got, ok := SplitVariant(want).AppendJSON(nil, time.UTC); !ok || string(got) != json {
		t.Errorf("decoded as %s %v", got, ok)
	}
}

func TestVariantJSON(t *testing.T) {
	long := strings.Repeat("x", 70)
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprintf(`"k%03d":%d`, i, i*1000)
	}
	for _, c := range [][2]string{
		{`null`, ""}, {`true`, ""}, {`-1`, ""}, {`127`, ""}, {`-32769`, ""}, {`9223372036854775807`, ""}, {`9223372036854775808`, ""},
		{`1.50`, `1.5`}, {`0.10000000000000000000000000000000000001`, ""}, {`-0.0`, `0`}, {`1e3`, `1000.0`}, {`1E400`, `"Infinity"`},
		{`123456789012345678901234567890123456789`, `1.2345678901234568E38`},
		{`"a\u00fc\ud83d\ude00\n"`, `"aü😀\n"`}, {`"` + long + `"`, ""}, {`[]`, ""}, {`{}`, ""}, {` [ 1 , [ 2 ] ] `, `[1,[2]]`},
		{`{"b":1,"a":{"c":null}}`, `{"a":{"c":null},"b":1}`}, {`{` + strings.Join(many, ",") + `}`, ""}, {`[` + strings.Repeat("1,", 299) + `1]`, ""},
		{strings.Repeat("[", 1000) + strings.Repeat("]", 1000), ""},
	} {
		want := c[1]
		if want == "" {
			want = c[0]
		}
		b := variantFrom(t, c[0])
		if r := SplitVariant(b); !r.Valid() {
			t.Errorf("%.40s is not valid", c[0])
		} else if got, ok := r.AppendJSON(nil, time.UTC); !ok || string(got) != want {
			t.Errorf("%.40s = %.60s %v, want %.60s", c[0], got, ok, want)
		}
	}
	for _, bad := range []string{``, `{`, `[1,]`, `{"a" 1}`, `{a:1}`, `01`, `1.`, `.5`, `1e`, `-`, `tru`, `"a`, "\"\x01\"", `"\x"`, `1 2`, `[1 2]`, `NaN`, `{"a":1,"a":2}`, strings.Repeat("[", 1100)} {
		var b VariantBuilder
		if why, _ := b.ParseVariant([]byte(bad)); why == "" {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestVariantPath(t *testing.T) {
	docs := []string{`{"a":{"b c":[1,{"d":2}]},"x":1}`, `{"a":{"b c":[1,{"d":3}]},"x":1}`, `{"x":1}`, `[1]`, `{"a":[5]}`}
	for _, c := range []struct {
		path string
		want []string
	}{
		{`$.a['b c'][1].d`, []string{"2", "3", "-", "-", "-"}},
		{`$.x`, []string{"1", "1", "1", "-", "-"}},
		{`$[0]`, []string{"-", "-", "-", "1", "-"}},
		{`$["a"][0]`, []string{"-", "-", "-", "-", "5"}},
		{`$.a[1]`, []string{"-", "-", "-", "-", "-"}},
		{`$`, []string{"", "", "", "", ""}},
	} {
		p, ok := ParseVariantPath(c.path)
		if !ok {
			t.Fatalf("%s is refused", c.path)
		}
		for i, d := range docs {
			got := "-"
			if v, ok := p.Find(SplitVariant(variantFrom(t, d))); ok {
				b, _ := v.AppendJSON(nil, time.UTC)
				got = string(b)
			}
			if want := c.want[i]; got != want && want != "" || want == "" && got == "-" {
				t.Errorf("%s of %s = %s, want %s", c.path, d, got, want)
			}
		}
	}
	for _, bad := range []string{``, `a`, `$a`, `$.`, `$[`, `$[x]`, `$['a]`, `$[-1]`, `$.a..b`, `$['a'`} {
		if _, ok := ParseVariantPath(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A part of a variant, and a variant in another, are the same values.
func TestVariantParts(t *testing.T) {
	whole := SplitVariant(variantFrom(t, `{"a":{"z":[1,"x"],"b":{"a":true}},"c":2}`))
	part, _ := whole.Field([]byte("a"))
	b, ok := part.Append(nil)
	got, _ := SplitVariant(b).AppendJSON(nil, time.UTC)
	if want := `{"b":{"a":true},"z":[1,"x"]}`; !ok || string(got) != want {
		t.Errorf("part is %s, want %s", got, want)
	}
	var out VariantBuilder
	key := out.Key([]byte("outer"))
	out.Ref(part)
	out.EndObject(0, []VariantMember{key})
	b, _ = out.Append(nil)
	got, _ = SplitVariant(b).AppendJSON(nil, time.UTC)
	if want := `{"outer":{"b":{"a":true},"z":[1,"x"]}}`; string(got) != want {
		t.Errorf("nested is %s, want %s", got, want)
	}
}

// FuzzVariant reads bytes that need not be variants: nothing panics or runs on, and what is valid has JSON that makes the
// same value again.
func FuzzVariant(f *testing.F) {
	for _, s := range []string{`null`, `{"a":[1,2.5,"x"],"b":{"c":true}}`, `[1e10,"` + strings.Repeat("y", 80) + `"]`} {
		f.Add(variantFrom(f, s))
	}
	// An array whose elements all lie upon itself.
	f.Add([]byte{1, 0, 0, 3, 2, 0, 0, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := SplitVariant(data)
		p, _ := ParseVariantPath("$.a[0].b")
		p.Find(r)
		json, ok := r.AppendJSON(nil, time.UTC)
		if !r.Valid() || !ok {
			return
		}
		var b VariantBuilder
		if why, _ := b.ParseVariant(json); why != "" && why != "duplicate key" && len(r.Value) < 1000 {
			t.Fatalf("%q makes %s, which is %s", data, json, why)
		}
	})
}

func BenchmarkVariantPath(b *testing.B) {
	doc := variantFrom(b, `{"id":12345,"name":"a name that is long","tags":["x","y"],"address":{"city":"Berlin","zip":"10115","geo":{"lat":52.5,"lon":13.4}}}`)
	p, _ := ParseVariantPath("$.address.geo.lat")
	r := SplitVariant(doc)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := p.Find(r); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkVariantParse(b *testing.B) {
	doc := []byte(`{"id":12345,"name":"a name that is long","tags":["x","y"],"address":{"city":"Berlin","zip":"10115","geo":{"lat":52.5,"lon":13.4}}}`)
	var v VariantBuilder
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		v.ParseVariant(doc)
	}
}
