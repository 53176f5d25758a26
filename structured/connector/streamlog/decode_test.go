package streamlog

import (
	"context"
	"fmt"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/columnar"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/rdd"
)

var tickFields = []column.Field{
	{Name: "k", Type: column.Of(column.Int64), Nullable: true},
	{Name: "s", Type: column.Of(column.String), Nullable: true},
	{Name: "other", Type: column.Of(column.Int64), Nullable: true},
}

// tickScan reads the columns of that position: declared ones are 0 to 2, then topic, partition, offset, timestamp, key.
func tickScan(format string, columns ...int) *TopicScan {
	fields := column.NewSchema(tickFields...)
	return &TopicScan{Topic: "ticks", Format: format, Fields: fields, Schema: column.NewSchema(append(fields.Fields[:3:3], hiddenFields...)...), Columns: columns}
}

// tick is the i-th record.
func tick(i int) (key, value []byte) {
	return fmt.Appendf(nil, "key%d", i), fmt.Appendf(nil, `{"k":%d,"s":"a string that is number %d","other":7}`, i, i)
}

func tickBatch(t testing.TB, from, n int) record.Batch {
	t.Helper()
	b := record.NewBuilder(record.None)
	for i := range n {
		key, value := tick(from + i)
		b.Add(int64(from+i), key, value)
	}
	out, err := b.AppendBatch(nil)
	if err != nil {
		t.Fatal(err)
	}
	batch := record.Batch(out)
	batch.SetBaseOffset(int64(from))
	return batch
}

func task() *rdd.TaskContext {
	return &rdd.TaskContext{Context: context.Background(), Count: func(string, string, int64) {}}
}

// A resident decoder works in the memory of what it returned before; each batch is right while it is valid.
func TestRecordDecoderInReusedMemory(t *testing.T) {
	d := newRecordDecoder(tickScan(JSON, 0, 1, 4, 5, 6, 7))
	at := 0
	for _, n := range []int{3, 5000, 1, 0, 700, 3} {
		if n > 0 {
			if err := d.begin(tickBatch(t, at, n), 2, 0, 1<<60); err != nil {
				t.Fatal(err)
			}
			if b, err := d.next(task()); b != nil || err != nil {
				t.Fatalf("%v %v", b, err)
			}
		}
		b := d.flush()
		if n == 0 {
			if b != nil {
				t.Fatal("rows from nothing")
			}
			continue
		}
		if b.N != n {
			t.Fatalf("%d rows, want %d", b.N, n)
		}
		for i := range n {
			key, _ := tick(at + i)
			want := []any{int64(at + i), fmt.Sprintf("a string that is number %d", at+i), int32(2), int64(at + i), int64(at+i) * 1000, string(key)}
			for c, w := range want {
				got := column.Value(b.Cols[c], i)
				if raw, ok := got.([]byte); ok {
					got = string(raw)
				}
				if fmt.Sprint(got) != fmt.Sprint(w) {
					t.Fatalf("row %d column %d: %v, want %v", i, c, got, w)
				}
			}
		}
		at += n
	}
}

// Columnar rows know their places too, each column alone or together with others.
func TestArrowDecoderPlaces(t *testing.T) {
	bb := column.NewBatchBuilder(column.NewSchema(tickFields...))
	for i := range 10 {
		if err := bb.AppendRow(int64(i), "x", int64(0)); err != nil {
			t.Fatal(err)
		}
	}
	batch, err := columnar.Encode(nil, bb.Finish(), columnar.Header{Timestamp: 5})
	if err != nil {
		t.Fatal(err)
	}
	batch.SetBaseOffset(100)
	for _, columns := range [][]int{{0}, {0, 5}, {6}, {3, 4, 5, 6, 7}} {
		d := newArrowDecoder(tickScan(Arrow, columns...))
		if err := d.begin(batch, 1, 102, 108); err != nil {
			t.Fatal(err)
		}
		b, err := d.next(task())
		if err != nil || b.N != 6 {
			t.Fatalf("%v: %v %v", columns, b, err)
		}
		all := []any{"2", "", "", "ticks", "1", "102", "5000", "<nil>"}
		for i, c := range columns {
			if got := fmt.Sprint(column.Value(b.Cols[i], 0)); got != all[c] {
				t.Errorf("%v: column %d is %s, want %s", columns, c, got, all[c])
			}
		}
	}
}

// BenchmarkSmallBatch is what a micro-batch of ten records costs its scan.
func BenchmarkSmallBatch(b *testing.B) {
	d, batch, tc := newRecordDecoder(tickScan(JSON, 0, 1, 2)), tickBatch(b, 0, 10), task()
	b.ReportAllocs()
	for b.Loop() {
		if err := d.begin(batch, 0, 0, 1<<60); err != nil {
			b.Fatal(err)
		}
		if _, err := d.next(tc); err != nil {
			b.Fatal(err)
		}
		d.flush()
	}
}
