package shuffle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// limit is a memory that has room for so many bytes.
type limit struct{ max, used int64 }

func (l *limit) Reserve(n int64) bool {
	if l.used+n > l.max {
		return false
	}
	l.used += n
	return true
}
func (l *limit) Release(n int64) { l.used -= n }

// modulo sends row i to partition I64[i] % n of the first column.
type modulo int64

func (m modulo) Assign(dst []int32, b *column.Batch) []int32 {
	dst = dst[:0]
	for _, x := range b.Cols[0].I64 {
		dst = append(dst, int32(x%int64(m)))
	}
	return dst
}

var schema = column.NewSchema(
	column.Field{Name: "id", Type: column.Of(column.Int64)},
	column.Field{Name: "name", Type: column.Of(column.String), Nullable: true},
	column.Field{Name: "price", Type: column.DecimalOf(10, 2), Nullable: true},
	column.Field{Name: "ok", Type: column.Of(column.Bool)},
	column.Field{Name: "tags", Type: column.ListOf(column.Of(column.String), true), Nullable: true},
	column.Field{Name: "nothing", Type: column.Of(column.Null), Nullable: true},
)

// makeBatch has n rows with ids from first on, with nulls, short and long strings, and lists.
func makeBatch(first, n int) *column.Batch {
	b := column.NewBatchBuilder(schema)
	for i := first; i < first+n; i++ {
		name, price, tags := any(fmt.Sprintf("name %d", i)), any(column.Dec128{Lo: uint64(i)}), any([]any{"t", nil, fmt.Sprint(i)})
		switch i % 5 {
		case 1:
			name = nil
		case 2:
			name = fmt.Sprintf("a name that does not fit in place, of row %d", i)
		case 3:
			price = nil
		case 4:
			tags = nil
		}
		if err := b.AppendRow(int64(i), name, price, i%2 == 0, tags, nil); err != nil {
			panic(err)
		}
	}
	return b.Finish()
}

func rowText(b *column.Batch, i int) string {
	s := ""
	for _, c := range b.Cols {
		s += fmt.Sprint(column.Value(c, i), "|")
	}
	return s
}

func readAll(t testing.TB, s *Store, k Key, part Span) []string {
	t.Helper()
	r, err := s.Fetch(k, part, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rows []string
	for {
		b, err := r.Next()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.N == 0 || b.N > column.ExchangeRows {
			t.Fatalf("a batch of %d rows", b.N)
		}
		for i := range b.N {
			rows = append(rows, rowText(b, i))
		}
	}
}

func TestRowsComeBackByPartitionAndInOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		max  int64
		opts WriterOptions
	}{
		{"memory", 1 << 40, WriterOptions{InMemory: true}},
		{"files", 1 << 40, WriterOptions{}},
		{"compressed", 1 << 40, WriterOptions{Compress: true}},
		{"spilling", 300 << 10, WriterOptions{InMemory: true}},
		{"no memory at all", 0, WriterOptions{InMemory: true, Compress: true}},
	} {
		for _, parts := range []int{1, 3, 16} {
			t.Run(fmt.Sprintf("%s/%d", c.name, parts), func(t *testing.T) {
				memory := &limit{max: c.max}
				s, err := Open(filepath.Join(t.TempDir(), "shuffle"), memory)
				if err != nil {
					t.Fatal(err)
				}
				c.opts.Parts, c.opts.Assign = parts, modulo(parts)
				k := Key{Job: "job/1", Shuffle: "s0", Map: 7}
				w := s.NewWriter(k, c.opts)
				want := make([][]string, parts)
				for n, first := 0, 0; n < 20; n++ {
					b := makeBatch(first, 500)
					for i := range b.N {
						p := (first + i) % parts
						want[p] = append(want[p], rowText(b, i))
					}
					if err := w.Write(b); err != nil {
						t.Fatal(err)
					}
					clobber(b)
					first += b.N
				}
				stats, err := w.Commit()
				if err != nil || stats.Rows != 10_000 {
					t.Fatal(stats, err)
				}
				if spilled := stats.Spilled > 0; spilled != (c.name != "memory") {
					t.Errorf("spilled %d of %d bytes", stats.Spilled, stats.Bytes)
				}
				for p := range parts {
					if !slices.Equal(readAll(t, s, k, One(p)), want[p]) {
						t.Errorf("partition %d differs", p)
					}
				}
				if got := readAll(t, s, k, Span{0, parts}); !slices.Equal(got, slices.Concat(want...)) {
					t.Error("the whole output differs")
				}
				if got := readAll(t, s, k, Span{parts / 3, parts - parts/3}); !slices.Equal(got, slices.Concat(want[parts/3:parts-parts/3]...)) {
					t.Error("the partitions in the middle differ")
				}
				total := int64(0)
				for p, size := range stats.Parts {
					if total += size.Bytes; size.Rows != int64(len(want[p])) {
						t.Errorf("partition %d is said to have %d rows of %d", p, size.Rows, len(want[p]))
					}
				}
				if total != stats.Bytes {
					t.Errorf("partitions of %d bytes, the output of %d", total, stats.Bytes)
				}
				s.DropJob("job/1")
				if memory.used != 0 {
					t.Errorf("%d bytes are still reserved", memory.used)
				}
				if left, _ := filepath.Glob(filepath.Join(s.dir, "*", "*", "*")); len(left) > 0 {
					t.Errorf("files are left: %v", left)
				}
			})
		}
	}
}

// clobber overwrites a batch's memory, as its owner may once it was written.
func clobber(b *column.Batch) {
	for _, c := range b.Cols {
		clear(c.I64)
		clear(c.Dec)
		clear(c.Views)
		for _, buf := range c.Bufs {
			clear(buf)
		}
		for i := range c.Valid {
			c.Valid[i] = 0
		}
	}
}

func newStore(t testing.TB) *Store {
	s, err := Open(filepath.Join(t.TempDir(), "shuffle"), &limit{max: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t testing.TB, s *Store, k Key, opts WriterOptions, batches ...*column.Batch) {
	t.Helper()
	w := s.NewWriter(k, opts)
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

var strSchema = column.NewSchema(column.Field{Name: "id", Type: column.Of(column.Int64)}, column.Field{Name: "s", Type: column.Of(column.String), Nullable: true})

// coded is a batch whose strings are codes into dict.
func coded(dict []string, codes ...int32) *column.Batch {
	d := column.NewBuilder(column.Of(column.String))
	for _, s := range dict {
		d.AppendString(s)
	}
	ids := column.NewBuilder(column.Of(column.Int64))
	for i := range codes {
		ids.AppendI64(int64(i))
	}
	n := len(codes)
	return column.NewBatch(strSchema, n, ids.Finish(), &column.Vector{Type: column.Of(column.String), N: n, Codes: codes, Dict: d.Finish()})
}

func TestDictionariesAreKeptWhileTheyAgree(t *testing.T) {
	s := newStore(t)
	opts := WriterOptions{Parts: 1, InMemory: true}
	k := Key{Job: "same"}
	long := "a string that does not fit in place"
	write(t, s, k, opts, coded([]string{"x", long}, 0, 1, 0), coded([]string{"x", long}, 1, 1))
	r, _ := s.Fetch(k, One(0), strSchema)
	b, err := r.Next()
	if err != nil || b.N != 5 || b.Cols[1].Codes == nil {
		t.Fatalf("the dictionary was lost: %+v, %v", b, err)
	}
	r.Close()
	k.Job = "different"
	write(t, s, k, opts, coded([]string{"x", long}, 0, 1, 0), coded([]string{"y"}, 0), coded([]string{"x", long}, 1))
	r, _ = s.Fetch(k, One(0), strSchema)
	defer r.Close()
	b, err = r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range b.N {
		got = append(got, string(b.Cols[1].Bytes(i)))
	}
	if !slices.Equal(got, []string{"x", long, "x", "y", long}) {
		t.Error(got)
	}
}

func TestBatchesAreNoLargerThanTheAim(t *testing.T) {
	s := newStore(t)
	b := column.NewBatchBuilder(strSchema)
	for i := range 150_000 {
		b.Cols[0].AppendI64(int64(i))
		b.Cols[1].AppendNull()
	}
	write(t, s, Key{}, WriterOptions{Parts: 1, InMemory: true}, b.Finish())
	r, _ := s.Fetch(Key{}, One(0), strSchema)
	defer r.Close()
	var sizes []int
	for {
		b, err := r.Next()
		if err != nil {
			break
		}
		sizes = append(sizes, b.N)
		if b.Cols[1].IsValid(0) || b.Cols[1].IsValid(b.N-1) {
			t.Error("a null came back as something")
		}
	}
	if !slices.Equal(sizes, []int{65536, 65536, 150_000 - 2*65536}) {
		t.Error(sizes)
	}
}

func TestWhatIsNotThereIsLost(t *testing.T) {
	s := newStore(t)
	write(t, s, Key{Job: "j"}, WriterOptions{Parts: 2, Assign: modulo(2)}, makeBatch(0, 100))
	if _, err := s.Fetch(Key{Job: "j", Attempt: 1}, One(0), schema); !errors.Is(err, ErrLost) {
		t.Error(err)
	}
	w := s.NewWriter(Key{Job: "j", Map: 1}, WriterOptions{Parts: 1})
	w.Write(makeBatch(0, 10))
	if _, err := s.Fetch(Key{Job: "j", Map: 1}, One(0), schema); !errors.Is(err, ErrLost) {
		t.Error("an output could be read before its commit")
	}
	w.Abort()
	s.Drop(Key{Job: "j"})
	if _, err := s.Fetch(Key{Job: "j"}, One(0), schema); !errors.Is(err, ErrLost) {
		t.Error(err)
	}
	if _, err := os.Stat(s.dir); err == nil {
		if left, _ := filepath.Glob(filepath.Join(s.dir, "*", "*", "*")); len(left) > 0 {
			t.Errorf("files are left: %v", left)
		}
	}
}

func TestAReaderOutlivesTheDrop(t *testing.T) {
	memory := &limit{max: 1 << 40}
	s, err := Open(filepath.Join(t.TempDir(), "shuffle"), memory)
	if err != nil {
		t.Fatal(err)
	}
	k := Key{Job: "j"}
	write(t, s, k, WriterOptions{Parts: 1, InMemory: true}, makeBatch(0, 1000))
	r, err := s.Fetch(k, One(0), schema)
	if err != nil {
		t.Fatal(err)
	}
	s.DropJob("j")
	write(t, s, Key{Job: "next"}, WriterOptions{Parts: 1, InMemory: true}, makeBatch(5000, 1000)) // must not reuse its memory
	b, err := r.Next()
	if err != nil || b.N != 1000 || b.Cols[0].I64[999] != 999 {
		t.Fatal(b, err)
	}
	r.Close()
	s.DropJob("next")
	if memory.used != 0 {
		t.Errorf("%d bytes are still reserved", memory.used)
	}
}

// TestEveryFlippedBitIsFound flips bits all over the data and index files.
func TestEveryFlippedBitIsFound(t *testing.T) {
	for _, compress := range []bool{false, true} {
		s := newStore(t)
		k := Key{Job: "j", Shuffle: "s"}
		write(t, s, k, WriterOptions{Parts: 2, Assign: modulo(2), Compress: compress}, makeBatch(0, 50))
		want := readAll(t, s, k, Span{0, 2})
		r := rand.New(rand.NewPCG(1, 2))
		for _, ext := range []string{".data", ".index"} {
			path := s.path(k) + ext
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for range 150 {
				bad := slices.Clone(good)
				at := r.IntN(len(bad))
				bad[at] ^= 1 << r.IntN(8)
				if err := os.WriteFile(path, bad, 0o644); err != nil {
					t.Fatal(err)
				}
				if got, err := tryRead(s, k); err == nil {
					t.Fatalf("%s: byte %d was changed, and nobody noticed: %v", ext, at, slices.Equal(got, want))
				} else if !errors.Is(err, ErrLost) {
					t.Fatalf("%s: byte %d: %v", ext, at, err)
				}
			}
			for cut := 0; cut < len(good); cut += 1 + len(good)/50 {
				os.WriteFile(path, good[:cut], 0o644)
				if _, err := tryRead(s, k); !errors.Is(err, ErrLost) {
					t.Fatalf("%s cut to %d bytes: %v", ext, cut, err)
				}
			}
			os.WriteFile(path, good, 0o644)
		}
		os.Remove(s.path(k) + ".index")
		if _, err := tryRead(s, k); !errors.Is(err, ErrLost) {
			t.Fatal(err)
		}
	}
}

func tryRead(s *Store, k Key) (rows []string, err error) {
	r, err := s.Fetch(k, Span{0, 2}, schema)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		b, err := r.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range b.N {
			rows = append(rows, rowText(b, i))
		}
	}
}

func TestADirectoryThatCannotBeWrittenIsAnError(t *testing.T) {
	s := newStore(t)
	if err := os.WriteFile(s.dir, nil, 0o644); err != nil { // a file is in the way
		t.Fatal(err)
	}
	w := s.NewWriter(Key{}, WriterOptions{Parts: 1})
	if err := w.Write(makeBatch(0, 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(); err == nil {
		t.Error("rows were written to nowhere")
	}
	if s.Len() != 0 {
		t.Error("an output that was not written can be read")
	}
}

func FuzzIndex(f *testing.F) {
	f.Add(encodeIndex([][]block{{{8, 40}}, nil, {{48, 30}, {78, 28}}}, 106), 2)
	f.Fuzz(func(t *testing.T, b []byte, part int) {
		blocks, err := decodeIndex(b, part)
		if err == nil && len(blocks)*16 > len(b) {
			t.Fatal("more blocks than bytes")
		}
	})
}

func FuzzBlock(f *testing.F) {
	s := newStore(f)
	k := Key{Job: "j"}
	write(f, s, k, WriterOptions{Parts: 1, Compress: true}, makeBatch(0, 20))
	data, err := os.ReadFile(s.path(k) + ".data")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[len(dataMagic):])
	f.Fuzz(func(t *testing.T, b []byte) {
		fixChecksum(b) // get past the first guard
		r := blockReader{schema: schema}
		payload, rows, err := r.unpack(b)
		if err != nil {
			return
		}
		if batch, err := column.DecodeBatch(schema, slices.Clone(payload), nil); err == nil && batch.N == rows {
			for i := range min(batch.N, 100) {
				rowText(batch, i)
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	num := column.NewSchema(column.Field{Name: "id", Type: column.Of(column.Int64)}, column.Field{Name: "v", Type: column.Of(column.Float64)},
		column.Field{Name: "s", Type: column.Of(column.String)}, column.Field{Name: "long", Type: column.Of(column.String)})
	bb := column.NewBatchBuilder(num)
	for i := range column.BatchRows {
		bb.AppendRow(int64(i*7919), float64(i), fmt.Sprint("k", i%100), fmt.Sprintf("a string that is longer than twelve bytes %d", i))
	}
	batch := bb.Finish()
	for _, c := range []struct {
		name string
		opts WriterOptions
	}{{"memory", WriterOptions{InMemory: true}}, {"file", WriterOptions{}}, {"lz4", WriterOptions{Compress: true}}} {
		for _, parts := range []int{1, 4, 64} {
			b.Run(fmt.Sprintf("%s/parts=%d", c.name, parts), func(b *testing.B) {
				s := newStore(b)
				c.opts.Parts, c.opts.Assign = parts, modulo(parts)
				rows := 0
				for b.Loop() {
					w := s.NewWriter(Key{Job: "j"}, c.opts)
					for range 16 {
						w.Write(batch)
						rows += batch.N
					}
					w.Commit()
					for p := range parts {
						r, _ := s.Fetch(Key{Job: "j"}, One(p), num)
						for {
							if _, err := r.Next(); err != nil {
								break
							}
						}
						r.Close()
					}
					s.DropJob("j")
				}
				b.ReportMetric(float64(rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
			})
		}
	}
}

func fixChecksum(b []byte) {
	if len(b) >= blockHead {
		binary.LittleEndian.PutUint32(b[20:], crc32.Update(crc32.Checksum(b[:20], castagnoli), castagnoli, b[blockHead:]))
	}
}
