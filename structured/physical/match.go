package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/pattern"
)

// Match finds row patterns (MATCH_RECOGNIZE, SQL:2016) in rows that are sorted by Keys and then by the pattern's order. It
// works on blocks of whole partitions; StatefulMatch is the same over a stream.
//
//	block ─▶ a machine for each partition ─▶ rounds: requests ─▶ slots as columns ─▶ conditions ─▶ answers
//	                                      └▶ matches ─▶ slots as columns ─▶ measures ─▶ output rows
type Match struct {
	Pattern  pattern.Config
	Keys     []int // PARTITION BY
	Time     int   // column that WITHIN counts by, -1 for none
	Slots    []MatchSlot
	Conds    []MatchExpr // of each variable of the program
	Measures MatchExprs
	AllRows  bool
	Timeouts bool  // attempts that WITHIN ended go to the side output connector.Timeout
	Lead     []int // columns of the input before the measures
	Tail     []int // and after them
	Lookback int   // how many rows before a match slots may reach for
	Out      *column.Schema
	Env      Env
	From     Provenance

	run *matcher
}

// SlotKind is what a MatchSlot holds.
type SlotKind uint8

const (
	ColumnSlot     SlotKind = iota // a column of one row
	AggregateSlot                  // an aggregate over matched rows
	ClassifierSlot                 // the variable that a row is
	NumberSlot                     // the match's number in its partition
)

// MatchSlot is a value that depends on what has been matched: a column of conditions and measures.
type MatchSlot struct {
	Kind   SlotKind
	Col    int       // ColumnSlot: of the input
	Agg    *expr.Agg // AggregateSlot, over the input's columns
	Typ    column.Type
	Vars   []bool // which rows count, by variable; nil for all
	First  bool   // the first of them, else the last
	Offset int    // how many of them on from the first, or back from the last
	Shift  int    // then so many rows on in the partition, back when negative
	Final  bool   // of the whole match also where rows within it are put out
}

// MatchExpr is a condition over columns that are the slots Slots. Without a condition (nil) any row will do.
type MatchExpr struct {
	Cond  expr.Expr
	Slots []int
}

// MatchExprs are expressions over columns that are the slots Slots.
type MatchExprs struct {
	List  []expr.Expr
	Slots []int
}

// ofRow reports whether the slot's value for a row of variable v depends on the row's place alone, not on what was matched
// before it.
func (s *MatchSlot) ofRow(v int) bool {
	return s.Kind == ColumnSlot && !s.First && s.Offset == 0 && (s.Vars == nil || s.Vars[v])
}

func (m *Match) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := m.open(tc); err != nil {
		return nil, err
	}
	r := &matchRun{m: m, blocks: blocks{in: in[0], by: ascending(m.Keys), mem: reserve(tc)}}
	return output(tc, in, r.next, func() {
		r.mem.release()
		m.run.forget()
	}), nil
}

// ascending are sort keys over columns.
func ascending(cols []int) []column.SortKey {
	keys := make([]column.SortKey, len(cols))
	for i, c := range cols {
		keys[i].Col = c
	}
	return keys
}

// open prepares the matcher for a run.
func (m *Match) open(tc *rdd.TaskContext) error {
	if m.run == nil {
		run, err := newMatcher(m)
		if err != nil {
			return err
		}
		m.run = run
	}
	return m.run.open(tc)
}

// matchRun is a run over sorted rows.
type matchRun struct {
	m *Match
	blocks
	out []*column.Batch
}

func (r *matchRun) next() (*column.Batch, error) {
	for len(r.out) == 0 {
		b, err := r.block()
		if err != nil {
			return nil, err
		}
		r.out = nil
		if err := r.m.run.whole(b, func(b *column.Batch) { r.out = append(r.out, b) }); err != nil {
			return nil, err
		}
	}
	b := r.out[0]
	r.out = r.out[1:]
	return b, nil
}

// whole finds the matches in a block of whole partitions.
func (k *matcher) whole(b *column.Batch, emit func(*column.Batch)) error {
	by := ascending(k.m.Keys)
	var parts []matchPart
	for i := 0; i < b.N; {
		from := i
		for i++; i < b.N && column.CompareRows(b, i-1, b, i, by) == 0; i++ {
		}
		parts = append(parts, matchPart{lo: int32(from), m: &pattern.Machine{From: int32(from), Next: int32(from), End: int32(i)}})
	}
	k.begin(b, parts)
	if err := k.find(); err != nil {
		return err
	}
	for _, p := range parts {
		k.search.Finish(p.m)
	}
	return k.emit(emit)
}
