package stats

import (
	"slices"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// TestPlace: places stand in the order of the values.
func TestPlace(t *testing.T) {
	dec := func(s string) column.Dec128 {
		d, ok := column.ParseDecimal(s, 10, 2)
		if !ok {
			t.Fatal(s)
		}
		return d
	}
	for _, c := range []struct {
		typ    column.Type
		values []any
	}{
		{column.Of(column.Int32), []any{int64(-5), int64(0), int64(7)}},
		{column.Of(column.Float64), []any{-1.5, 0.0, 2.25}},
		{column.DecimalOf(10, 2), []any{dec("-1.50"), dec("0.01"), dec("12.00")}},
		{column.Of(column.String), []any{"", "a", "ab", "b", "é"}},
		{column.Of(column.Bool), []any{false, true}},
	} {
		var places []float64
		for _, v := range c.values {
			at, ok := Place(v, c.typ)
			if !ok {
				t.Errorf("%v of %v has no place", v, c.typ)
			}
			places = append(places, at)
		}
		if !slices.IsSorted(places) || places[0] == places[len(places)-1] {
			t.Errorf("%v: %v stand at %v", c.typ, c.values, places)
		}
	}
	if at, _ := Place(dec("12.25"), column.DecimalOf(10, 2)); at != 12.25 {
		t.Errorf("12.25 stands at %v", at)
	}
	if _, ok := Place([]any{int64(1)}, column.ListOf(column.Of(column.Int32), false)); ok {
		t.Error("a list has a place")
	}
}

// TestCollector holds what chunks add up to.
func TestCollector(t *testing.T) {
	for _, c := range []struct {
		name   string
		typ    column.Type
		chunks []Chunk
		want   Column
	}{
		{"whole numbers have no more values than their range", column.Of(column.Int64),
			[]Chunk{{Rows: 100, Min: int64(1), Max: int64(20)}, {Rows: 100, Min: int64(15), Max: int64(30)}},
			Column{Distinct: 30, Low: 1, High: 30, Ranged: true}},
		{"nor than rows", column.Of(column.Int64), []Chunk{{Rows: 10, Nulls: 4, Min: int64(1), Max: int64(1000)}},
			Column{Distinct: 6, Nulls: 4, Low: 1, High: 1000, Ranged: true}},
		{"few values in each chunk are the same ones", column.Of(column.String), []Chunk{{Rows: 1000, Min: "a", Max: "e", Distinct: 5, Bytes: 20000}, {Rows: 1000, Min: "a", Max: "e", Distinct: 4, Bytes: 20000}},
			Column{Distinct: 5, Low: 'a' << 40, High: 'e' << 40, Ranged: true, Width: 20}},
		{"a chunk that does not tell", column.Of(column.Int64), []Chunk{{Rows: 10, Min: int64(1), Max: int64(2)}, {Rows: 10, Nulls: -1}},
			Column{Nulls: -1, Distinct: 20}},
		{"only nulls", column.Of(column.Int64), []Chunk{{Rows: 10, Nulls: 10}}, Column{Nulls: 10}},
	} {
		sum := NewCollector(c.typ)
		for _, k := range c.chunks {
			sum.Add(k)
		}
		if got := sum.Column(); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestMerge: rows and bounds are the fresh source's, counts of different values those that were counted.
func TestMerge(t *testing.T) {
	fresh := &Table{Rows: 20, Columns: map[string]Column{"a": {Distinct: 20, Nulls: -1, Low: 1, High: 9, Ranged: true}}}
	older := &Table{Rows: 10, Columns: map[string]Column{"a": {Distinct: 3, Counted: true, Nulls: 2, Low: 1, High: 5, Ranged: true}, "b": {Distinct: 4}}}
	got := Merge(fresh, older)
	if got.Rows != 20 || got.Columns["a"] != (Column{Distinct: 3, Counted: true, Nulls: 2, Low: 1, High: 9, Ranged: true}) || got.Columns["b"].Distinct != 4 {
		t.Errorf("got %+v", got)
	}
	if Merge(nil, older) != older || Merge(fresh, nil) != fresh {
		t.Error("one source alone is not what it says")
	}
}
