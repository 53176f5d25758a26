package process

import (
	"encoding/hex"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
)

type counter struct {
	n    Value[int64]
	seen Map[string, bool]
	list List[string]
}

type row struct {
	Name string
	V    *int64
	At   time.Time
	Tags []string `sql:"labels"`
	In   struct{ X, YZ float64 }
	Of   map[string]int64
	D    time.Duration
}

func (c *counter) Open(s *State) {
	c.n, c.seen, c.list = NewValue[int64](s, "n", TTL(10*time.Second)), NewMap[string, bool](s, "seen"), NewList[string](s, "list")
}

func (c *counter) Row(x *Context[int64], r row, out Collector[row]) error {
	n, _ := c.n.Get()
	c.n.Put(n + 1)
	c.seen.Put(r.Name, true)
	return out(r)
}

func newCounter() *runner[int64, row, row] {
	return newRunner[int64, row, row](&Definition{}, &counter{}).(*runner[int64, row, row])
}

func example(t testing.TB) []byte {
	t.Helper()
	doc, err := os.ReadFile("../../docs/format/process-state.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```hex\n(.*?)```").FindSubmatch(doc)
	var digits strings.Builder
	for line := range strings.Lines(string(block[1])) {
		code, _, _ := strings.Cut(line, "|")
		digits.WriteString(strings.Join(strings.Fields(code), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func key(k int64) []*column.Vector {
	b := column.NewBuilder(column.Of(column.Int64))
	b.AppendI64(k)
	return []*column.Vector{b.Finish()}
}

func TestTheDocumentedEntry(t *testing.T) {
	r := newCounter()
	if err := r.Begin(key(1), 0, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	c := r.f.(*counter)
	r.entry.At(3_000_000)
	c.n.Put(7)
	c.seen.Put("a", true)
	r.entry.setTimer(EventTime, 5_000_000)
	got, err := r.entry.Append(nil)
	if want := example(t); err != nil || string(got) != string(want) {
		t.Fatalf("%v, written now:\n%s", err, hex.Dump(got))
	}
	if err := r.Begin(key(1), 0, got, 0, nil); err != nil {
		t.Fatal(err)
	}
	r.entry.At(4_000_000)
	if n, ok := c.n.Get(); n != 7 || !ok || r.entry.Next(EventTime) != 5_000_000 || r.entry.Expiry() != 13_000_000 {
		t.Fatalf("%d, %v, timer %d, expiry %d", n, ok, r.entry.Next(EventTime), r.entry.Expiry())
	}
	if again, err := r.entry.Append(nil); err != nil || string(again) != string(got) {
		t.Fatal(err, hex.Dump(again))
	}
	r.entry.At(13_000_000)
	if _, ok := c.n.Get(); ok || r.entry.Expiry() != Never || r.entry.Empty() {
		t.Fatal("the value is still there, or all is gone")
	}
	c.seen.Remove("a")
	r.entry.dropTimer(EventTime, 5_000_000)
	if !r.entry.Empty() {
		t.Fatal("something is left")
	}
}

// FuzzEntry: no bytes make the decoder panic, and what it takes it writes again as it was read.
func FuzzEntry(f *testing.F) {
	f.Add(example(f))
	f.Add([]byte{1, 0, 0, 0})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newCounter()
		if r.Begin(key(1), 0, b, 0, nil) != nil {
			return
		}
		r.entry.At(Never)
		out, err := r.entry.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		again := newCounter()
		if err := again.Begin(key(1), 0, out, 0, nil); err != nil {
			t.Fatalf("% x was written as % x: %v", b, out, err)
		}
	})
}

// TestRowsAreGoValues: rows of all types become Go values and rows again.
func TestRowsAreGoValues(t *testing.T) {
	fields, err := fieldsFor[row]()
	if err != nil {
		t.Fatal(err)
	}
	schema := &column.Schema{Fields: fields}
	if got := schema.String(); !strings.Contains(got, "labels array<string> NOT NULL, in struct<x:double,yz:double>") {
		t.Fatal(got)
	}
	v := int64(5)
	full := row{Name: "long enough not to be stored in place", V: &v, At: time.UnixMicro(1234567).UTC(), Tags: []string{"a", "b"}, Of: map[string]int64{"k": 2}, D: time.Second}
	full.In.X, full.In.YZ = 1.5, -2
	empty := row{At: time.UnixMicro(0).UTC(), Tags: []string{}, Of: map[string]int64{}}
	b := column.NewBatchBuilder(schema)
	w := newRowWriter[row]()
	for _, x := range []row{full, empty} {
		if err := w.write(b.Cols, x); err != nil {
			t.Fatal(err)
		}
	}
	batch := b.Finish()
	got, err := RowsOf[row](&Batch{Schema: schema, Rows: []*column.Batch{batch}})
	if err != nil || !reflect.DeepEqual(got, []row{full, empty}) {
		t.Fatalf("%v\n%+v", err, got)
	}
	if _, err := fieldsFor[struct{ C chan int }](); err == nil {
		t.Error("a channel has no SQL type")
	}
	if _, err := RowsOf[struct{ Nothing int }](&Batch{Schema: schema}); err == nil || !strings.Contains(err.Error(), "no column nothing") {
		t.Error(err)
	}
}

func BenchmarkRow(b *testing.B) {
	r := newCounter()
	schema := &column.Schema{}
	schema.Fields, _ = fieldsFor[row]()
	in := column.NewBatchBuilder(schema)
	w := newRowWriter[row]()
	for range 1000 {
		if err := w.write(in.Cols, row{Name: "name", At: time.UnixMicro(1)}); err != nil {
			b.Fatal(err)
		}
	}
	batch, out := in.Finish(), column.NewBatchBuilder(schema)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Begin(key(1), 0, nil, 0, nil); err != nil {
			b.Fatal(err)
		}
		for i := range batch.N {
			if err := r.Row(batch.Cols, i, int64(i), true, out.Cols); err != nil {
				b.Fatal(err)
			}
		}
		out.Reset()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.N), "ns/row")
}
