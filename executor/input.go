package executor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/shuffle"
)

// empty is the reader of a partition that is not there.
type empty struct{}

func (empty) Next() (*column.Batch, error) { return nil, io.EOF }
func (empty) Close() error                 { return nil }

// shuffleInput reads a task's share of every source, in the order of the map partitions. A source that fails is noted in
// the task, so that the scheduler learns of the loss however an operator words its error.
type shuffleInput struct {
	task   *task
	spec   *rdd.InputSpec
	parts  shuffle.Span
	schema *column.Schema
	next   int // the map output to open next
	end    int
	cur    shuffle.Reader
}

// newShuffleInput is the share of one partition.
func newShuffleInput(t *task, spec *rdd.InputSpec, part int, schema *column.Schema) *shuffleInput {
	r := &shuffleInput{task: t, spec: spec, parts: shuffle.One(part), schema: schema, end: len(spec.Sources)}
	switch {
	case spec.Broadcast:
		r.parts = shuffle.One(0) // its only partition
	case part < len(spec.Reads):
		read := spec.Reads[part]
		r.parts = shuffle.Span{First: read.First, End: read.End}
		r.next, r.end = read.Maps(len(spec.Sources))
	}
	return r
}

func (r *shuffleInput) Next() (*column.Batch, error) {
	for {
		if r.cur == nil {
			if r.next == r.end {
				return nil, io.EOF
			}
			cur, err := r.open(r.spec.Sources[r.next])
			if err != nil {
				return nil, r.lost(r.next, err)
			}
			r.cur = cur
			r.next++
		}
		b, err := r.cur.Next()
		if err == nil {
			return b, nil
		}
		if err != io.EOF {
			return nil, r.lost(r.next-1, err)
		}
		r.cur.Close()
		r.cur = nil
	}
}

func (r *shuffleInput) open(src rdd.Source) (shuffle.Reader, error) {
	k := shuffle.Key{Job: r.task.spec.Job, Shuffle: r.spec.Shuffle, Map: src.MapPart, Attempt: src.Attempt}
	if src.Executor == r.task.x.opts.ID {
		return r.task.x.shuffle.Fetch(k, r.parts, r.schema)
	}
	peer, err := r.task.x.peer(src.Executor)
	if err != nil {
		return nil, err
	}
	return peer.Fetch(k, r.parts, r.schema)
}

func (r *shuffleInput) lost(source int, err error) error {
	src := r.spec.Sources[source]
	err = fmt.Errorf("executor: read map output %d of %s from %s: %w", src.MapPart, r.spec.Shuffle, src.Executor, err)
	if errors.Is(err, shuffle.ErrLost) && r.task.lost == nil {
		r.task.lost = &rdd.LostInput{Shuffle: r.spec.Shuffle, Source: src}
	}
	return err
}

func (r *shuffleInput) Close() error {
	if r.cur != nil {
		r.cur.Close()
		r.cur = nil
	}
	r.next = r.end
	return nil
}

// guarded stops a chain of operators when the task is cancelled, at the next batch from a leaf.
type guarded struct {
	ctx context.Context
	in  rdd.Reader
}

func (g *guarded) Next() (*column.Batch, error) {
	if err := g.ctx.Err(); err != nil {
		return nil, context.Cause(g.ctx)
	}
	return g.in.Next()
}

func (g *guarded) Close() error { return g.in.Close() }
