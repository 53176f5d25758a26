package logstore

import (
	"sort"

	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/wal"
)

// tail is a partition's batches that are not in its segments yet, in offset order. Each keeps the chunk that it lies in.
type tail struct {
	list  []tailBatch
	bytes int64
}

type tailBatch struct {
	base, last int64
	data       record.Batch // filled when the durable end has passed it
	chunk      *wal.Chunk
	filled     bool // a replicated partition's: data is as it stays
}

func (t *tail) push(b tailBatch) {
	b.chunk.Retain()
	t.list = append(t.list, b)
	t.bytes += int64(len(b.data))
}

// from is the index of the batch that holds offset, or of the first behind it.
func (t *tail) from(offset int64) int {
	return sort.Search(len(t.list), func(i int) bool { return t.list[i].last >= offset })
}

// below is the batches that end before offset.
func (t *tail) below(offset int64) []tailBatch { return t.list[:t.from(offset)] }

// cut forgets the batches from the one that holds offset on, and returns their size.
func (t *tail) cut(offset int64) (bytes int64) {
	keep := t.from(offset)
	for i := range t.list[keep:] {
		b := &t.list[keep+i]
		bytes += int64(len(b.data))
		b.chunk.Release()
		*b = tailBatch{}
	}
	t.bytes -= bytes
	t.list = t.list[:keep:keep]
	if keep == 0 {
		t.list = nil
	}
	return bytes
}

// drop forgets the first n batches and returns their size.
func (t *tail) drop(n int) (bytes int64) {
	for i := range t.list[:n] {
		bytes += int64(len(t.list[i].data))
		t.list[i].chunk.Release()
		t.list[i] = tailBatch{}
	}
	t.bytes -= bytes
	if n == len(t.list) {
		t.list = nil // an idle partition holds no memory
	} else {
		t.list = t.list[n:]
	}
	return bytes
}
