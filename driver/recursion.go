package driver

import (
	"context"
	"io"
	"strconv"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/physical"
)

// Settings, Spark's, that bound recursive queries.
const (
	recursionLevels = "spark.sql.cteRecursionLevelLimit"
	recursionRows   = "spark.sql.cteRecursionRowLimit"
)

// unfolded computes the recursions of an optimised plan and puts their rows in their places. Each level is a query of its own
// over the rows of the level before.
func (s *Session) unfolded(ctx context.Context, p logical.Plan) (logical.Plan, error) {
	var err error
	out := logical.TransformDown(p, func(n logical.Plan) logical.Plan {
		r, ok := n.(*logical.Recursion)
		if !ok || err != nil {
			return n
		}
		var rows []*column.Batch
		if rows, err = s.recurse(ctx, r); err != nil {
			return n
		}
		return &logical.Local{Schema: r.Schema(), Batches: rows, Attrs: r.Attrs}
	})
	return out, err
}

// withoutRecursion is a plan to be explained: recursions stand in it as rows that are not known yet.
func withoutRecursion(p logical.Plan) logical.Plan {
	return logical.TransformDown(p, func(n logical.Plan) logical.Plan {
		if r, ok := n.(*logical.Recursion); ok {
			return &logical.Local{Schema: r.Schema(), Attrs: r.Attrs}
		}
		return n
	})
}

// recurse computes a recursion level by level.
func (s *Session) recurse(ctx context.Context, r *logical.Recursion) ([]*column.Batch, error) {
	maxLevel, maxRows := r.MaxLevel, s.limitOf(recursionRows, 1_000_000)
	if maxLevel == 0 {
		maxLevel = s.limitOf(recursionLevels, 100)
	}
	seen := map[string]bool{}
	last, err := s.level(ctx, r, r.Anchor, seen)
	if err != nil {
		return nil, err
	}
	all, total := last, rowsIn(last)
	for level := int64(1); rowsIn(last) > 0 && (r.Limit == 0 || total < r.Limit); level++ {
		if maxLevel > 0 && level > maxLevel {
			return nil, usererr.New("RECURSION_LEVEL_LIMIT_EXCEEDED", "42836", "Recursion level limit %d reached but query has not exhausted.", maxLevel).With("levelLimit", strconv.FormatInt(maxLevel, 10)).
				WithFix("Bound it, write MAX RECURSION LEVEL n after the name, or SET %s = n.", recursionLevels)
		}
		if maxRows > 0 && total > maxRows {
			return nil, usererr.New("RECURSION_ROW_LIMIT_EXCEEDED", "42836", "Recursion row limit %d reached but query has not exhausted.", maxRows).With("rowLimit", strconv.FormatInt(maxRows, 10)).
				WithFix("Bound it, or SET %s = n.", recursionRows)
		}
		if last, err = s.level(ctx, r, withWork(r, last), seen); err != nil {
			return nil, err
		}
		all, total = append(all, last...), total+rowsIn(last)
	}
	return all, nil
}

func (s *Session) limitOf(key string, def int64) int64 {
	v, ok, err := s.conf.Get(context.Background(), key)
	if err != nil || !ok {
		return def
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return n
	}
	return def
}

// withWork is the step of a recursion over the rows of the last level.
func withWork(r *logical.Recursion, rows []*column.Batch) logical.Plan {
	schema := r.Schema()
	return logical.TransformUp(r.Step, func(n logical.Plan) logical.Plan {
		w, ok := n.(*logical.WorkTable)
		if !ok || w.ID != r.ID {
			return n
		}
		return &logical.Local{Schema: schema, Batches: rows, Attrs: w.Attrs}
	})
}

// level runs one level; of a distinct recursion it keeps the rows that are new.
func (s *Session) level(ctx context.Context, r *logical.Recursion, p logical.Plan, seen map[string]bool) ([]*column.Batch, error) {
	p, err := s.unfolded(ctx, p)
	if err != nil {
		return nil, err
	}
	batches, err := s.collect(ctx, p)
	if err != nil {
		return nil, err
	}
	schema := r.Schema()
	for i, b := range batches {
		b.Schema = schema
		if r.Distinct {
			batches[i] = newRows(b, seen)
		}
	}
	return batches, nil
}

// newRows are the rows of b that were not seen before, each once.
func newRows(b *column.Batch, seen map[string]bool) *column.Batch {
	var sel []int32
	var key []byte
	for i := range b.N {
		key = column.AppendKey(key[:0], b.Cols, i)
		if !seen[string(key)] {
			seen[string(key)] = true
			sel = append(sel, int32(i))
		}
	}
	return column.TakeBatch(nil, b, sel)
}

func rowsIn(list []*column.Batch) (n int64) {
	for _, b := range list {
		n += int64(b.N)
	}
	return n
}

// collect runs a resolved plan and returns its rows.
func (s *Session) collect(ctx context.Context, p logical.Plan) ([]*column.Batch, error) {
	phys, err := s.physical(ctx, p, physical.Options{})
	if err != nil {
		return nil, err
	}
	rows, err := s.engine.run(ctx, phys, batchRun{})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*column.Batch
	for {
		b, err := rows.Next(ctx)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if b.N > 0 {
			out = append(out, b.Clone())
		}
	}
}

// rowsOf runs a query while another is analysed.
func (s *Session) rowsOf(ctx context.Context, p logical.Plan) ([]*column.Batch, error) {
	p, err := s.unfolded(ctx, optimize.Optimize(p))
	if err != nil {
		return nil, err
	}
	return s.collect(ctx, p)
}
