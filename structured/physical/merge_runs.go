package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
)

// merger merges sorted runs; of equal rows those of an earlier run come first. It plays the runs' first rows against each other in
// a tree of losers, in which a row that was taken is replaced by as many comparisons as the tree is deep:
//
//	           winner
//	      ┌──── loser ────┐
//	  ┌─ loser ─┐     ┌─ loser ─┐
//	run 0     run 1 run 2     run 3
//
// Most comparisons are of one word (column.OrderWords). A run that keeps winning is compared with the best of the others alone.
// Rows are only numbered, and copied column by column when there are enough of them, or before a run reads its next batch.
type merger struct {
	keys   []column.SortKey
	schema *column.Schema
	runs   []mergeRun
	tree   []int // tree[0] is the winner, tree[i] the loser at node i; leaves are nodes len(runs)…
	refill int   // the run whose batch is used up, -1 when none is
	from   []*column.Batch
	src    []int32
	rows   []int32
	out    *column.Batch
}

type mergeRun struct {
	in    *spillReader
	b     *column.Batch // nil at the end
	words []uint64
	row   int
}

// steadyWins is after how many wins in a row a run is compared with the best of the others only.
const steadyWins = 4

func newMerger(files []*spillFile, keys []column.SortKey, schema *column.Schema) (*merger, error) {
	m := &merger{keys: keys, schema: schema, refill: -1, runs: make([]mergeRun, len(files)), from: make([]*column.Batch, len(files))}
	for i, f := range files {
		in, err := f.again()
		if err != nil {
			return nil, err
		}
		m.runs[i].in = in
		if err := m.load(i); err != nil {
			return nil, err
		}
	}
	m.tree = make([]int, max(len(files), 1))
	if len(files) > 0 {
		m.tree[0] = m.play(1)
	}
	return m, nil
}

// load reads the next batch of a run.
func (m *merger) load(i int) error {
	r := &m.runs[i]
	b, err := r.in.Next()
	if err == io.EOF {
		r.b, m.from[i] = nil, nil
		return nil
	}
	if err != nil {
		return err
	}
	for c, v := range b.Cols {
		b.Cols[c] = column.Plain(v)
	}
	r.b, r.row, m.from[i] = b, 0, b
	if len(m.keys) > 0 {
		r.words = column.OrderWords(r.words, b.Cols[m.keys[0].Col], b.N, m.keys[0])
	}
	return nil
}

// play fills the tree below a node and returns its winner.
func (m *merger) play(node int) int {
	if node >= len(m.runs) {
		return node - len(m.runs)
	}
	a, b := m.play(2*node), m.play(2*node+1)
	if m.before(b, a) {
		a, b = b, a
	}
	m.tree[node] = b
	return a
}

// replay finds the winner after run i has another first row.
func (m *merger) replay(i int) {
	winner := i
	for node := (i + len(m.runs)) / 2; node > 0; node /= 2 {
		if m.before(m.tree[node], winner) {
			winner, m.tree[node] = m.tree[node], winner
		}
	}
	m.tree[0] = winner
}

// second is the best of the runs that run i, the winner, has beaten; -1 when there is no other.
func (m *merger) second(i int) int {
	best := -1
	for node := (i + len(m.runs)) / 2; node > 0; node /= 2 {
		if best < 0 || m.before(m.tree[node], best) {
			best = m.tree[node]
		}
	}
	return best
}

// before reports whether the first row of run i comes before that of run j.
func (m *merger) before(i, j int) bool {
	a, b := &m.runs[i], &m.runs[j]
	if a.b == nil || b.b == nil {
		return b.b == nil && (a.b != nil || i < j)
	}
	if len(m.keys) > 0 {
		if x, y := a.words[a.row], b.words[b.row]; x != y {
			return x < y
		}
		if c := column.CompareRows(a.b, a.row, b.b, b.row, m.keys); c != 0 {
			return c < 0
		}
	}
	return i < j
}

func (m *merger) next() (*column.Batch, error) {
	m.src, m.rows = m.src[:0], m.rows[:0]
	wins, last := 0, -1
	for len(m.rows) < column.BatchRows {
		if i := m.refill; i >= 0 {
			if len(m.rows) > 0 {
				break // what was taken of the used batch is copied first
			}
			m.refill = -1
			if err := m.load(i); err != nil {
				return nil, err
			}
			m.replay(i)
			continue
		}
		if len(m.runs) == 0 || m.runs[m.tree[0]].b == nil {
			break
		}
		i := m.tree[0]
		if wins++; i != last {
			wins, last = 1, i
		}
		if wins > steadyWins {
			m.takeWhile(i, m.second(i))
		} else {
			m.take(i)
		}
		if m.refill < 0 {
			m.replay(i)
		}
	}
	if len(m.rows) == 0 {
		return nil, io.EOF
	}
	m.out = column.Interleave(m.out, m.schema, m.from, m.src, m.rows)
	return m.out, nil
}

// take takes the first row of run i.
func (m *merger) take(i int) {
	r := &m.runs[i]
	m.src, m.rows = append(m.src, int32(i)), append(m.rows, int32(r.row))
	if r.row++; r.row == r.b.N {
		m.refill = i
	}
}

// takeWhile takes rows of run i as long as they come before the first row of run j.
func (m *merger) takeWhile(i, j int) {
	m.take(i)
	for m.refill < 0 && len(m.rows) < column.BatchRows && (j < 0 || m.before(i, j)) {
		m.take(i)
	}
}
