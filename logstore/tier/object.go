package tier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/column/parquet"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// object is a finished object whose end has been read. It holds no connection.
type object struct {
	store Store
	entry Entry
	table *Table
	tail  []byte         // Parquet: the footer
	names *column.Schema // Parquet: its columns
	// footer answers about row groups; it reads nothing more.
	footer *parquet.File
}

// openObject reads the object's end.
func openObject(ctx context.Context, s Store, e Entry) (*object, error) {
	tail, err := s.Get(ctx, e.Key, e.Size-e.Tail, e.Tail)
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(tail, castagnoli) != e.TailCRC {
		return nil, corrupt(e.Key, errors.New("its end fails its CRC"))
	}
	o := &object{store: s, entry: e}
	if e.Kind == Raw {
		o.table, err = rawTable(tail)
	} else {
		o.tail = tail
		src := &ranges{ctx: ctx, o: o}
		var f *parquet.File
		if f, err = parquet.Open(src, e.Size); err == nil {
			o.names, o.footer = f.Schema(), f
			o.table, err = parquetTable(f)
		}
		if src.failed != nil {
			return nil, src.failed
		}
	}
	if err == nil {
		err = o.agrees()
	}
	if err != nil {
		return nil, corrupt(e.Key, err)
	}
	return o, nil
}

// agrees checks that the table is that of the manifest's entry.
func (o *object) agrees() error {
	n := len(o.table.Blocks)
	if n == 0 || o.table.Blocks[0].Base != o.entry.Base || o.table.Blocks[n-1].Next != o.entry.Next {
		return fmt.Errorf("its table is of other offsets than %d to %d", o.entry.Base, o.entry.Next)
	}
	return nil
}

// corrupt gives damage its place.
func corrupt(key string, err error) error {
	ue := usererr.New("CORRUPT_OBJECT", "XX001", "An object of the cold tier is damaged: %v.", err).In(key).
		WithFix("Restore the object from a copy; what other objects hold can be read.")
	return fmt.Errorf("tier: %w: %w", logstore.ErrCorruptMessage, ue)
}

// isDamage tells what corrupt made from other errors.
func isDamage(err error) bool { return errors.Is(err, logstore.ErrCorruptMessage) }

// memory is about what the object takes.
func (o *object) memory() int64 {
	return 3*int64(len(o.tail)) + int64(len(o.table.Blocks))*64 + int64(len(o.table.Snapshot)) + 512
}

// load reads a block: its batches, each of which has passed its CRC.
func (o *object) load(ctx context.Context, i int) ([]byte, error) {
	k := o.table.Blocks[i]
	var b []byte
	var err error
	if o.entry.Kind == Raw {
		b, err = o.store.Get(ctx, o.entry.Key, k.Pos, k.Bytes)
	} else {
		b, err = o.loadBatches(ctx, i)
	}
	if err != nil {
		return nil, err
	}
	if err := checkBlock(b, k); err != nil {
		return nil, corrupt(o.entry.Key, err)
	}
	return b, nil
}

// checkBlock verifies every batch of a block, and that they are the ones the table speaks of.
func checkBlock(b []byte, k Block) error {
	if int64(len(b)) != k.Bytes {
		return fmt.Errorf("%w: the block of offset %d has %d bytes, its table says %d", record.ErrCorrupt, k.Base, len(b), k.Bytes)
	}
	if crc32.Checksum(b, castagnoli) != k.CRC {
		return fmt.Errorf("%w: the block of offset %d fails its CRC", record.ErrCorrupt, k.Base)
	}
	next := k.Base
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if err == nil {
			err = batch.Validate()
		}
		if err == nil && batch.BaseOffset() != next {
			err = fmt.Errorf("%w: offset %d follows %d", record.ErrCorrupt, batch.BaseOffset(), next-1)
		}
		if err != nil {
			return err
		}
		next, b = batch.LastOffset()+1, rest
	}
	if next != k.Next {
		return fmt.Errorf("%w: the block of offset %d ends at %d, its table says %d", record.ErrCorrupt, k.Base, next, k.Next)
	}
	return nil
}

// loadBatches reads the batches of a row group.
func (o *object) loadBatches(ctx context.Context, group int) ([]byte, error) {
	rows, err := o.read(ctx, group, []string{ColBatches})
	if err != nil {
		return nil, err
	}
	rows.SetWindow(1)
	b, err := rows.Next()
	if err != nil {
		return nil, corrupt(o.entry.Key, err)
	}
	v, ok := column.Value(b.Cols[0], 0).([]byte)
	if !ok {
		return nil, corrupt(o.entry.Key, fmt.Errorf("row group %d has no batches", group))
	}
	return v, nil
}

// read fetches some columns of a row group, at once, and reads them.
func (o *object) read(ctx context.Context, group int, columns []string) (*parquet.Rows, error) {
	src := &ranges{ctx: ctx, o: o}
	f, err := parquet.Open(src, o.entry.Size)
	if src.failed != nil {
		return nil, src.failed
	}
	if err != nil {
		return nil, corrupt(o.entry.Key, err)
	}
	at := make([]int, len(columns))
	var want []parquet.Range
	for i, name := range columns {
		if at[i] = o.names.Index(name); at[i] < 0 {
			return nil, fmt.Errorf("tier: %s has no column %s", o.entry.Key, name)
		}
		list, err := f.Ranges(group, at[i])
		if err != nil {
			return nil, corrupt(o.entry.Key, err)
		}
		want = append(want, list...)
	}
	if err := src.fetch(want); err != nil {
		return nil, err
	}
	for i, c := range at {
		if err := o.checkColumn(f, src, group, c); err != nil {
			return nil, corrupt(o.entry.Key, fmt.Errorf("column %s: %w", columns[i], err))
		}
	}
	rows, err := f.Read(group, at)
	if src.failed != nil {
		return nil, src.failed
	}
	if err != nil {
		return nil, corrupt(o.entry.Key, err)
	}
	return rows, nil
}

// checkColumn sums what was fetched of a column.
func (o *object) checkColumn(f *parquet.File, src *ranges, group, col int) error {
	list, err := f.Ranges(group, col)
	if err != nil {
		return err
	}
	crc := uint32(0)
	for _, r := range sortedRanges(list) {
		b := make([]byte, r.To-r.From)
		if c := src.holding(r.From, r.To); c != nil {
			b = c
		} else if _, err := src.ReadAt(b, r.From); err != nil {
			return err
		}
		crc = crc32.Update(crc, castagnoli, b)
	}
	if sums := o.table.Blocks[group].Columns; col >= len(sums) || sums[col] != crc {
		return fmt.Errorf("row group %d fails its CRC", group)
	}
	return nil
}

// ranges is an object's bytes as far as they were fetched; what else is asked for is fetched then.
type ranges struct {
	ctx    context.Context
	o      *object
	have   []chunk
	failed error // the store's, told apart from damage
}

type chunk struct {
	from int64
	b    []byte
}

func (r *ranges) ReadAt(b []byte, off int64) (int, error) {
	if from := r.o.entry.Size - r.o.entry.Tail; off >= from {
		return fill(b, r.o.tail[off-from:])
	}
	if c := r.holding(off, off+int64(len(b))); c != nil {
		return fill(b, c)
	}
	n := min(int64(len(b)), r.o.entry.Size-off)
	got, err := r.o.store.Get(r.ctx, r.o.entry.Key, off, n)
	if err != nil {
		r.failed = err
		return 0, err
	}
	return fill(b, got)
}

// holding is bytes that were fetched, or nil.
func (r *ranges) holding(from, to int64) []byte {
	for _, c := range r.have {
		if from >= c.from && to <= c.from+int64(len(c.b)) {
			return c.b[from-c.from : to-c.from]
		}
	}
	return nil
}

func fill(b, from []byte) (int, error) {
	n := copy(b, from)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// near is the gap over which two ranges are fetched as one: reading it costs less than another request.
const near = 64 << 10

// fetch reads ranges, side by side; those near to each other as one.
func (r *ranges) fetch(want []parquet.Range) error {
	var joined []parquet.Range
	for _, w := range sortedRanges(want) {
		if n := len(joined); n > 0 && w.From <= joined[n-1].To+near {
			joined[n-1].To = max(joined[n-1].To, w.To)
			continue
		}
		joined = append(joined, w)
	}
	chunks, errs := make([]chunk, len(joined)), make([]error, len(joined))
	var wg sync.WaitGroup
	for i, w := range joined {
		wg.Go(func() {
			chunks[i].from = w.From
			chunks[i].b, errs[i] = r.o.store.Get(r.ctx, r.o.entry.Key, w.From, min(w.To, r.o.entry.Size)-w.From)
		})
	}
	wg.Wait()
	r.have = append(r.have, chunks...)
	return errors.Join(errs...)
}

func sortedRanges(list []parquet.Range) []parquet.Range {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b parquet.Range) int { return cmp.Compare(a.From, b.From) })
	return out
}
