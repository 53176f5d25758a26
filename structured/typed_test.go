package structured

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
)

type trip struct {
	City  string
	Fare  float64 `col:"fare_eur"`
	Seats uint8
	Tip   *float64
	Tags  []string
	Extra map[string]int64
	At    time.Time
	Where struct{ Lat, Lon float32 }
	Skip  int `col:"-"`
}

func tripRow(change func([]any)) Row {
	fields := []column.Field{{Name: "city"}, {Name: "FARE_EUR"}, {Name: "seats"}, {Name: "tip"}, {Name: "tags"}, {Name: "extra"}, {Name: "at"}, {Name: "where"}}
	place := Row{[]column.Field{{Name: "lat"}, {Name: "lon"}}, []any{52.5, int64(13)}}
	values := []any{"Berlin", 12.5, int64(4), nil, []any{"a", "b"}, []KeyValue{{"x", int64(1)}}, time.Unix(5, 0).UTC(), place}
	if change != nil {
		change(values)
	}
	return Row{fields, values}
}

func TestRowAsStruct(t *testing.T) {
	got, err := As[trip](tripRow(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := trip{City: "Berlin", Fare: 12.5, Seats: 4, Tags: []string{"a", "b"}, Extra: map[string]int64{"x": 1}, At: time.Unix(5, 0).UTC()}
	want.Where.Lat, want.Where.Lon = 52.5, 13
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	tip := 1.5
	if got, err = As[trip](tripRow(func(v []any) { v[3] = tip })); err != nil || got.Tip == nil || *got.Tip != tip {
		t.Errorf("tip %v: %v", got.Tip, err)
	}
}

func TestRowThatFitsNoStruct(t *testing.T) {
	for _, c := range []struct {
		change func([]any)
		want   string
	}{
		{func(v []any) { v[0] = nil }, "use a pointer"},
		{func(v []any) { v[2] = int64(300) }, "does not fit uint8"},
		{func(v []any) { v[1] = "much" }, "does not fit float64"},
		{func(v []any) { v[4] = []any{int64(1)} }, "does not fit string"},
	} {
		if _, err := As[trip](tripRow(c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := As[struct{ Nope int }](tripRow(nil)); err == nil || !strings.Contains(err.Error(), "city, FARE_EUR") {
		t.Errorf("a missing column: %v", err)
	}
	if _, err := As[int](tripRow(nil)); err == nil {
		t.Error("a row became an int")
	}
}
