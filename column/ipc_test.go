package column

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/ipc"
)

func TestBatchMessageRoundTrip(t *testing.T) {
	r := newRand(t)
	var reuse *Batch
	for range 40 {
		b := randomBatch(r, allTypes, r.IntN(300), 50, float64(r.IntN(2))*0.2)
		at := r.IntN(b.N + 1)
		b = b.Slice(at, b.N)
		data := EncodeBatch(make([]byte, 16), b)[16:]
		if n, err := MessageLen(append(data, 1, 2, 3)); err != nil || n != len(data) {
			t.Fatalf("length %d of %d: %v", n, len(data), err)
		}
		if n, err := MessageRows(data); err != nil || n != b.N {
			t.Fatalf("rows %d of %d: %v", n, b.N, err)
		}
		got, err := DecodeBatch(b.Schema, data, reuse)
		if err != nil {
			t.Fatal(err)
		}
		equalRows(t, rows(got), rows(b))
		reuse = got
	}
}

func TestDecodeBatchSharesMemory(t *testing.T) {
	v := NewVector(Of(Int64), 100)
	data := EncodeBatch(nil, NewBatch(NewSchema(Field{Name: "a", Type: Of(Int64)}), 100, v))
	got, err := DecodeBatch(NewSchema(Field{Name: "a", Type: Of(Int64)}), data, nil)
	if err != nil {
		t.Fatal(err)
	}
	got.Cols[0].I64[99] = 0x4142434445464748
	if !bytes.Contains(data, []byte("HGFEDCBA")) {
		t.Fatal("the column is a copy")
	}
}

func TestDecodeBatchOfOtherSchemaFails(t *testing.T) {
	r := newRand(t)
	b := randomBatch(r, []Type{Of(Int64), Of(String)}, 10, 5, 0)
	data := EncodeBatch(nil, b)
	for _, types := range [][]Type{{Of(Int64)}, {Of(Int64), Of(String), Of(Int64)}, {Of(Int64), ListOf(Of(Int64), true)}} {
		other := randomBatch(r, types, 0, 5, 0).Schema
		if _, err := DecodeBatch(other, data, nil); err == nil {
			t.Errorf("read as %s", other)
		}
	}
}

// Arrow's own library must read what EncodeBatch writes: its schema message, our record batch.
func TestBatchMessageIsArrow(t *testing.T) {
	r := newRand(t)
	b := randomBatch(r, allTypes, 100, 50, 0.2)
	var head bytes.Buffer
	w := ipc.NewWriter(&head, ipc.WithSchema(ArrowViewSchema(b.Schema, "UTC")))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stream := head.Bytes()[:head.Len()-8]
	stream = EncodeBatch(stream, b)
	stream = append(stream, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0)
	got, err := ReadIPCStream(stream)
	if err != nil {
		t.Fatal(err)
	}
	equalRows(t, rows(got[0]), rows(b))
}

func TestStreamRoundTrip(t *testing.T) {
	r := newRand(t)
	for range 20 {
		b := randomBatch(r, allTypes, r.IntN(200), 50, 0.2)
		got, err := ReadIPCStream(AppendIPCStream(nil, b, "Europe/Berlin"))
		if err != nil {
			t.Fatal(err)
		}
		if !got[0].Schema.Equal(b.Schema) || !reflect.DeepEqual(got[0].Schema, b.Schema) {
			t.Fatalf("schema %s, want %s", got[0].Schema, b.Schema)
		}
		equalRows(t, rows(got[0]), rows(b))
	}
}

func TestStreamOfSlice(t *testing.T) {
	b := randomBatch(newRand(t), allTypes, 150, 50, 0.2)
	cut := b.Slice(37, 111)
	got, err := ReadIPCStream(AppendIPCStream(nil, cut, "UTC"))
	if err != nil {
		t.Fatal(err)
	}
	equalRows(t, rows(got[0]), rows(cut))
}

func FuzzDecodeBatch(f *testing.F) {
	b := randomBatch(rand.New(rand.NewPCG(1, 1)), fuzzSchema(), 20, 50, 0.2)
	f.Add(EncodeBatch(nil, b))
	f.Add(EncodeBatch(nil, b.Slice(3, 4)))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := DecodeBatch(b.Schema, data, nil)
		if err != nil {
			return
		}
		if got.N < 1000 {
			rows(got)
		}
	})
}

func benchBids() *Batch {
	b := NewBatchBuilder(bidSchema)
	for i := range BatchRows {
		if err := b.AppendRow(int64(i), int64(i*3), int64(100+i%50), "channel-name-"+randomText(rand.New(rand.NewPCG(1, 1)), 4), int64(1700000000000000+i)); err != nil {
			panic(err)
		}
	}
	return b.Finish()
}

var bidSchema = NewSchema(Field{"auction", Of(Int64), true}, Field{"bidder", Of(Int64), true}, Field{"price", Of(Int64), true},
	Field{"channel", Of(String), true}, Field{"dateTime", Of(Timestamp), true})

func BenchmarkEncodeBatch(b *testing.B) {
	batch := benchBids()
	var buf []byte
	for b.Loop() {
		buf = EncodeBatch(buf[:0], batch)
	}
	b.SetBytes(int64(len(buf)))
	perRow(b, batch.N)
}

func BenchmarkDecodeBatch(b *testing.B) {
	batch := benchBids()
	data := EncodeBatch(nil, batch)
	var reuse *Batch
	for b.Loop() {
		var err error
		if reuse, err = DecodeBatch(bidSchema, data, reuse); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(data)))
	perRow(b, batch.N)
}
