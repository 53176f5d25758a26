package shuffle

import (
	"io"

	"github.com/streamflow/streamflow/column"
)

// reader yields partitions of an output, one after the other: of each what is in memory, then what is in the file.
type reader struct {
	store  *Store
	out    *output
	schema *column.Schema
	part   int
	end    int
	at     int // next batch in memory
	blocks *blockReader
	done   bool
}

func (r *reader) Next() (*column.Batch, error) {
	for !r.done {
		if cs := r.out.parts[r.part]; r.at < len(cs) {
			r.at++
			return &cs[r.at-1].batch, nil
		}
		b, err := r.nextBlock()
		if err != io.EOF {
			return b, err
		}
		r.blocks.close()
		r.blocks, r.at = nil, 0
		r.part++
		r.done = r.part == r.end
	}
	return nil, io.EOF
}

func (r *reader) nextBlock() (*column.Batch, error) {
	if r.out.file == nil {
		return nil, io.EOF
	}
	if r.blocks == nil {
		b, err := r.out.file.open(r.part, r.schema)
		if err != nil {
			return nil, err
		}
		r.blocks = b
	}
	return r.blocks.next()
}

func (r *reader) Close() error {
	if r.out == nil {
		return nil
	}
	r.blocks.close()
	r.store.mu.Lock()
	r.store.unref(r.out)
	r.store.mu.Unlock()
	r.out, r.done = nil, true
	return nil
}
