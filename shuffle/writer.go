package shuffle

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
)

// Assigner chooses the target partition of each row of a batch: it returns one number in [0, parts) for each, in dst when
// that is large enough.
type Assigner interface {
	Assign(dst []int32, b *column.Batch) []int32
}

// WriterOptions say how a map task writes.
type WriterOptions struct {
	Parts    int
	Assign   Assigner // not needed for one partition
	InMemory bool     // keep the output in memory while the limit allows
	Compress bool     // lz4 for blocks in files
}

// Stats of a written output.
type Stats struct {
	Rows, Bytes, Spilled int64
	Parts                []Size // by target partition
}

// Size is how much was written for a target partition.
type Size struct{ Rows, Bytes int64 }

// Writer writes one map output. It belongs to one goroutine; Commit or Abort ends it.
type Writer struct {
	store *Store
	key   Key
	opts  WriterOptions
	out   *output
	open  []*collector // by target partition, nil where nothing is waiting
	dicts dictKeeper
	stats Stats
	held  int64 // bytes in memory

	targets []int32
	counts  []int32
	order   []int32
}

// reserveStep is the least that is asked of the memory limit at once.
const reserveStep = 64 << 10

// minHeld is what a writer keeps in memory even when nothing is granted: blocks of a few rows would cost more than it.
const minHeld = 128 << 10

// NewWriter starts an output.
func (s *Store) NewWriter(k Key, opts WriterOptions) *Writer {
	if opts.Parts < 1 {
		panic(fmt.Sprintf("BUG: shuffle: %s into %d partitions", k, opts.Parts))
	}
	return &Writer{store: s, key: k, opts: opts, out: &output{key: k, parts: make([][]*collector, opts.Parts)}, stats: Stats{Parts: make([]Size, opts.Parts)},
		open: make([]*collector, opts.Parts), counts: make([]int32, opts.Parts+1)}
}

// Write copies the rows of b to their partitions.
func (w *Writer) Write(b *column.Batch) error {
	if b.N == 0 {
		return nil
	}
	if b.Objects != nil {
		return fmt.Errorf("shuffle: %s: rows of Go values cannot be shuffled, only columns", w.key)
	}
	if w.out.schema == nil {
		w.out.schema = b.Schema
	}
	b = w.dicts.adopt(b)
	w.stats.Rows += int64(b.N)
	if w.opts.Parts == 1 {
		w.order = column.AllRows(w.order[:0], b.N)
		return w.add(0, b, w.order)
	}
	w.partition(b)
	for p := range w.opts.Parts {
		if from, to := w.counts[p], w.counts[p+1]; from < to {
			if err := w.add(p, b, w.order[from:to]); err != nil {
				return err
			}
		}
	}
	return nil
}

// partition sorts the rows by target, keeping their order: the rows for partition p are order[counts[p]:counts[p+1]].
func (w *Writer) partition(b *column.Batch) {
	w.targets = w.opts.Assign.Assign(w.targets, b)
	targets := w.targets[:b.N]
	clear(w.counts)
	for _, t := range targets {
		w.counts[t+1]++
	}
	for p := 1; p <= w.opts.Parts; p++ {
		w.counts[p] += w.counts[p-1]
	}
	if cap(w.order) < b.N {
		w.order = make([]int32, b.N)
	}
	order := w.order[:b.N]
	for row, t := range targets {
		order[w.counts[t]] = int32(row)
		w.counts[t]++
	}
	copy(w.counts[1:], w.counts[:w.opts.Parts]) // each count has moved to its end; move them back by one
	w.counts[0] = 0
	w.order = order
}

// add copies rows to the open collector of a partition, in pieces that keep batches near the target size.
func (w *Writer) add(p int, b *column.Batch, rows []int32) error {
	for len(rows) > 0 {
		c := w.open[p]
		if c == nil {
			c = w.store.collector(w.out.schema)
			w.open[p] = c
		}
		n := min(len(rows), column.ExchangeRows-c.batch.N)
		before := c.bytes
		c.append(b, rows[:n])
		rows = rows[n:]
		w.stats.Parts[p].Rows += int64(n)
		w.stats.Parts[p].Bytes += c.bytes - before
		if c.batch.N == column.ExchangeRows {
			w.seal(p)
		}
		if err := w.grew(c.bytes - before); err != nil {
			return err
		}
	}
	return nil
}

// seal ends the open batch of a partition.
func (w *Writer) seal(p int) {
	c := w.open[p]
	if c == nil {
		return
	}
	c.finish()
	w.open[p] = nil
	w.out.parts[p] = append(w.out.parts[p], c)
}

// grew accounts for n bytes more in memory, and spills when the limit is reached.
func (w *Writer) grew(n int64) error {
	w.stats.Bytes += n
	w.held += n
	if w.held <= max(w.out.bytes, minHeld) {
		return nil
	}
	need := max(w.held-w.out.bytes, reserveStep)
	if w.store.memory.Reserve(need) {
		w.out.bytes += need
		return nil
	}
	return w.spill()
}

// spill moves what is in memory to the output's file.
func (w *Writer) spill() error {
	if w.out.file == nil {
		f, err := createFile(w.store.path(w.key), w.out.schema, w.opts.Parts, w.opts.Compress)
		if err != nil {
			return fmt.Errorf("shuffle: create %s: %w", w.key, err)
		}
		w.out.file = f
	}
	for p := range w.open {
		w.seal(p)
		for _, c := range w.out.parts[p] {
			if err := w.out.file.append(p, &c.batch); err != nil {
				return fmt.Errorf("shuffle: write %s: %w", w.key, err)
			}
		}
	}
	w.stats.Spilled += w.held
	w.store.giveBack(w.out)
	w.held = 0
	return nil
}

// Commit makes the output readable.
func (w *Writer) Commit() (Stats, error) {
	if w.out.schema != nil && (!w.opts.InMemory || w.out.file != nil) {
		if err := w.spill(); err != nil {
			w.Abort()
			return w.stats, err
		}
		if err := w.out.file.finish(); err != nil {
			w.Abort()
			return w.stats, fmt.Errorf("shuffle: commit %s: %w", w.key, err)
		}
	}
	for p := range w.open {
		w.seal(p)
	}
	w.store.publish(w.out)
	return w.stats, nil
}

// Abort forgets the output. It may be called after a failed Commit.
func (w *Writer) Abort() {
	if w.out == nil {
		return
	}
	for p := range w.open {
		w.seal(p)
	}
	w.out.refs = 1
	w.store.mu.Lock()
	w.store.unref(w.out)
	w.store.mu.Unlock()
	w.out = nil
}
