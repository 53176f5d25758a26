package columnar

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/record"
)

var schema = column.NewSchema(
	column.Field{Name: "ts", Type: column.Of(column.Timestamp), Nullable: true},
	column.Field{Name: "name", Type: column.Of(column.String), Nullable: true},
	column.Field{Name: "delay", Type: column.Of(column.Int32), Nullable: true},
)

func batch(t testing.TB, n int) *column.Batch {
	t.Helper()
	b := column.NewBatchBuilder(schema)
	for i := range n {
		var delay any
		if i%3 != 0 {
			delay = int64(i)
		}
		if err := b.AppendRow(int64(i)*1000, fmt.Sprintf("station number %d", i), delay); err != nil {
			t.Fatal(err)
		}
	}
	return b.Finish()
}

func encode(t testing.TB, n int) record.Batch {
	t.Helper()
	h := Header{Producer: record.Producer{ID: 7, Epoch: 2, Sequence: 40}, Transactional: true, Timestamp: 1234}
	b, err := Encode([]byte("before"), batch(t, n), h)
	if err != nil {
		t.Fatal(err)
	}
	b.SetBaseOffset(1000)
	b.SetLeaderEpoch(3)
	return b
}

func TestEncodeDecode(t *testing.T) {
	b := encode(t, 200)
	if err := b.Validate(); err != nil {
		t.Fatal(err)
	}
	if b.Count() != 200 || b.LastOffset() != 1199 || !b.Attributes().IsArrow() || !b.Attributes().IsTransactional() {
		t.Fatalf("header: count %d, last offset %d, attributes %#x", b.Count(), b.LastOffset(), b.Attributes())
	}
	got, err := Decode(schema, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := batch(t, 200)
	for i := range want.N {
		if fmt.Sprint(got.Row(i)) != fmt.Sprint(want.Row(i)) {
			t.Fatalf("row %d is %v, want %v", i, got.Row(i), want.Row(i))
		}
	}
}

func TestSchemaMayGainColumns(t *testing.T) {
	wider := column.NewSchema(append(append([]column.Field{}, schema.Fields...), column.Field{Name: "more", Type: column.Of(column.String), Nullable: true})...)
	got, err := Decode(wider, encode(t, 3), nil)
	if err != nil {
		t.Fatal(err)
	}
	if row := got.Row(1); len(row) != 4 || row[2] != int64(1) || row[3] != nil {
		t.Fatalf("row %v", row)
	}
	narrower := column.NewSchema(schema.Fields[:2]...)
	if err := Check(narrower, encode(t, 3)); err == nil {
		t.Fatal("a batch with more columns than the schema is accepted")
	}
}

func TestRowsForKafkaClients(t *testing.T) {
	b := encode(t, 300)
	out, err := AppendRows([]byte("kept"), schema, b)
	if err != nil {
		t.Fatal(err)
	}
	r := record.Batch(out[4:])
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	if r.Attributes().IsArrow() || !r.Attributes().IsTransactional() || r.BaseOffset() != 1000 || r.LastOffset() != 1299 || r.LeaderEpoch() != 3 ||
		r.ProducerID() != 7 || r.ProducerEpoch() != 2 || r.BaseSequence() != 40 || r.MaxTimestamp() != 1234 {
		t.Fatalf("header differs: %v", out[4:65])
	}
	want := batch(t, 300)
	it := r.Records()
	n := 0
	for ; it.Next(); n++ {
		rec := it.Record
		var row map[string]any
		if err := json.Unmarshal(rec.Value, &row); err != nil {
			t.Fatal(err)
		}
		if rec.Offset != 1000+int64(n) || rec.Timestamp != 1234 || rec.Key != nil || len(rec.Headers) != 0 {
			t.Fatalf("record %d: %+v", n, rec)
		}
		if row["name"] != column.Value(want.Cols[1], n) {
			t.Fatalf("record %d: %s", n, rec.Value)
		}
		if _, ok := row["delay"]; ok != (n%3 != 0) {
			t.Fatalf("record %d: %s", n, rec.Value)
		}
	}
	if it.Err() != nil || n != 300 {
		t.Fatalf("%d records, %v", n, it.Err())
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := encode(t, 5)
	plain := record.Pack(nil, record.Meta{Count: 1, Producer: record.NoProducer}, []byte("x"))
	if _, err := Decode(schema, record.Batch(plain), nil); err == nil {
		t.Error("a batch of records is decoded")
	}
	miscounted := append(record.Batch{}, good...)
	miscounted[60] = 4
	if _, err := Decode(schema, miscounted, nil); err == nil {
		t.Error("a header with another count is accepted")
	}
	if _, err := Encode(nil, batch(t, 0), Header{}); err == nil {
		t.Error("a batch of no rows is encoded")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(encode(f, 3).Payload()), int32(3))
	f.Fuzz(func(t *testing.T, payload []byte, count int32) {
		b := record.Batch(record.Pack(nil, record.Meta{Attributes: record.AttrArrow, Count: int(count), Producer: record.NoProducer}, payload))
		out, err := AppendRows(nil, schema, b)
		if err == nil && record.Batch(out).Validate() != nil {
			t.Fatal("made an invalid batch")
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	rows := batch(b, 4096)
	var buf []byte
	for b.Loop() {
		out, err := Encode(buf[:0], rows, Header{Timestamp: 1})
		if err != nil {
			b.Fatal(err)
		}
		buf = out
	}
	b.ReportMetric(4096*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkDecode(b *testing.B) {
	data := encode(b, 4096)
	var reuse *column.Batch
	for b.Loop() {
		var err error
		if reuse, err = Decode(schema, data, reuse); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(4096*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkAppendRows(b *testing.B) {
	data := encode(b, 4096)
	var buf []byte
	for b.Loop() {
		var err error
		if buf, err = AppendRows(buf[:0], schema, data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(4096*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
