package codec

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
)

type node interface{ kind() string }

type leaf struct {
	Value any
	Typ   column.Type
}

type branch struct {
	Kids   []node
	Names  map[string]int64
	Next   *branch
	Flags  [3]bool
	F32    float32
	hidden int
	Skip   func() `codec:"-"`
	Loc    *time.Location
	At     time.Time
	Data   []byte
}

func (*leaf) kind() string   { return "leaf" }
func (*branch) kind() string { return "branch" }

func init() {
	Register("codec.leaf", (*leaf)(nil))
	Register("codec.branch", (*branch)(nil))
}

func sample() *branch {
	return &branch{
		Kids: []node{
			&leaf{Value: int64(-7), Typ: column.DecimalOf(10, 2)},
			&leaf{Value: int32(-7), Typ: column.StructOf(column.Field{Name: "a", Type: column.ListOf(column.Of(column.String), true)})},
			&leaf{Value: []any{nil, "x", []byte{}, 1.5, true, column.Dec128{Lo: 1, Hi: -1}}},
			&leaf{Value: [2][]any{{"k"}, {int64(1)}}},
			nil,
			&branch{Names: map[string]int64{}},
		},
		Names: map[string]int64{"z": 1, "a": math.MinInt64, "m": math.MaxInt64},
		Next:  &branch{Kids: []node{}, Data: []byte{}},
		Flags: [3]bool{true, false, true},
		F32:   -0.5,
		Loc:   time.UTC,
		At:    time.Date(2001, 1, 2, 3, 4, 5, 6, time.UTC),
		Data:  bytes.Repeat([]byte("long"), 100),
	}
}

func TestRoundTripKeepsEveryTypeAndNilness(t *testing.T) {
	in := sample()
	in.hidden = 3
	out, err := Decode(Encode(in))
	if err != nil {
		t.Fatal(err)
	}
	in.hidden = 0
	if !reflect.DeepEqual(in, out) {
		t.Fatalf("got  %#v\nwant %#v", out, in)
	}
}

func TestEqualValuesHaveEqualBytes(t *testing.T) {
	want := Encode(sample())
	for range 20 {
		if !bytes.Equal(want, Encode(sample())) {
			t.Fatal("two encodings of one value differ")
		}
	}
}

func TestIntegersOfDifferentGoTypesStayApart(t *testing.T) {
	for _, v := range []any{int(1), int32(1), int64(1), uint8(1), float64(1), true, "1", nil} {
		out, err := Decode(Encode(&leaf{Value: v}))
		if err != nil || !reflect.DeepEqual(out.(*leaf).Value, v) {
			t.Errorf("%T(%v) came back as %T(%v), %v", v, v, out.(*leaf).Value, out.(*leaf).Value, err)
		}
	}
}

// v1 and v2 are one struct in two releases.
type v1 struct{ A, B int }
type v2 struct {
	A, B int
	C    string
}

func TestAFieldAddedAtTheEndIsZeroInOldBytes(t *testing.T) {
	got, err := DecodeAs[v2](EncodeAs(v1{1, 2}))
	if err != nil || got != (v2{A: 1, B: 2}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := DecodeAs[v1](EncodeAs(v2{1, 2, "x"})); err == nil || !strings.Contains(err.Error(), "more fields") {
		t.Fatalf("bytes of a newer release were accepted: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := Encode(sample())
	for name, data := range map[string][]byte{
		"nothing":      nil,
		"version":      append([]byte{9}, good[1:]...),
		"cut":          good[:len(good)/2],
		"left over":    append(bytes.Clone(good), 0),
		"unknown type": {version, 3, 'f', 'o', 'o'},
		"big slice":    {version, 5, 'b', 'y', 't', 'e', 's', 0xff, 0xff, 0xff, 0x7f},
		"map order":    EncodeAs("x")[:1],
	} {
		if v, err := Decode(data); err == nil {
			t.Errorf("%s: decoded to %v", name, v)
		}
	}
	unordered := []byte{version, 3, 1, 'b', 2, 1, 'a', 2}
	if _, err := DecodeAs[map[string]int](unordered); err == nil {
		t.Error("map keys out of order were accepted")
	}
	if _, err := DecodeAs[int8](EncodeAs(300)); err == nil {
		t.Error("300 was accepted as an int8")
	}
	if _, err := DecodeAs[node](Encode("a string")); err == nil {
		t.Error("a string was accepted as a node")
	}
}

func TestRegisterRefusesWhatCannotTravel(t *testing.T) {
	type bad struct{ F func() }
	for name, f := range map[string]func(){
		"func field": func() { Register("bad", (*bad)(nil)) },
		"taken name": func() { Register("codec.leaf", (*v1)(nil)) },
		"two names":  func() { Register("codec.leaf2", (*leaf)(nil)) },
		"unknown":    func() { Encode(v1{}) },
		"cycle":      func() { b := &branch{}; b.Next = b; Encode(b) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(r.(string), "BUG:") {
					t.Errorf("%s: %v", name, r)
				}
			}()
			f()
		}()
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(sample()))
	f.Add(Encode("x"))
	f.Add(Encode([]any{int8(1), map[string]any{"a": uint16(2)}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Decode(data)
		if err != nil {
			return
		}
		again := Encode(v)
		w, err := Decode(again)
		if err != nil {
			t.Fatalf("what was encoded does not decode: %v", err)
		}
		if !bytes.Equal(again, Encode(w)) {
			t.Fatal("not stable")
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	v := sample()
	b.ReportAllocs()
	for b.Loop() {
		Encode(v)
	}
}

func BenchmarkDecode(b *testing.B) {
	data := Encode(sample())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
