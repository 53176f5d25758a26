package codec

import (
	"reflect"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
)

type holder struct {
	Rows *column.Batch
	More *column.Batch
	Vec  *column.Vector
}

func init() { Register("codec.holder", (*holder)(nil)) }

func sampleBatch(t testing.TB) *column.Batch {
	s := column.NewSchema(
		column.Field{Name: "a", Type: column.Of(column.Int32)},
		column.Field{Name: "b", Type: column.ListOf(column.Of(column.String), true), Nullable: true},
		column.Field{Name: "c", Type: column.StructOf(column.Field{Name: "x", Type: column.DecimalOf(20, 3), Nullable: true})},
	)
	b, err := column.FromRows(s,
		[]any{int64(1), []any{"x", nil}, []any{column.Dec128{Lo: 5}}},
		[]any{int64(2), nil, []any{nil}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBatchesTravelWithTheirSchema(t *testing.T) {
	in := &holder{Rows: sampleBatch(t)}
	in.Vec = in.Rows.Cols[1]
	v, err := Decode(Encode(in))
	if err != nil {
		t.Fatal(err)
	}
	out := v.(*holder)
	if out.More != nil || !out.Rows.Schema.Equal(in.Rows.Schema) || out.Rows.N != 2 || out.Vec.N != 2 {
		t.Fatalf("%+v", out)
	}
	for i := range 2 {
		for c := range in.Rows.Cols {
			if got, want := column.Value(out.Rows.Cols[c], i), column.Value(in.Rows.Cols[c], i); !reflect.DeepEqual(got, want) {
				t.Errorf("row %d column %d: %v, want %v", i, c, got, want)
			}
		}
		if got, want := column.Value(out.Vec, i), column.Value(in.Vec, i); !reflect.DeepEqual(got, want) {
			t.Errorf("row %d of the vector: %v, want %v", i, got, want)
		}
	}
}

func TestGoValuesInABatchDoNotTravel(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.HasPrefix(r.(string), "BUG:") {
			t.Error(r)
		}
	}()
	Encode(&holder{Rows: &column.Batch{N: 1, Objects: []int{1}}})
}

func TestABatchOfAnImpossibleTypeIsRefused(t *testing.T) {
	bad := &column.Schema{Fields: []column.Field{{Name: "l", Type: column.Type{Kind: column.List}}}}
	e := encoder{buf: []byte{version}}
	e.value(reflect.ValueOf(&bad).Elem(), 0)
	e.str("")
	data := append([]byte{version, 1}, e.buf[1:]...)
	if _, err := DecodeAs[*column.Batch](data); err == nil || !strings.Contains(err.Error(), "members") {
		t.Error(err)
	}
}

func FuzzBatch(f *testing.F) {
	f.Add(Encode(&holder{Rows: sampleBatch(f)}))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Decode(data)
		if err != nil {
			return
		}
		if h, ok := v.(*holder); ok && h.Rows != nil && h.Rows.N < 1000 {
			for _, c := range h.Rows.Cols {
				for i := range h.Rows.N {
					column.Value(c, i)
				}
			}
		}
	})
}
