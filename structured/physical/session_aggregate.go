package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// SessionAggregate merges rows into sessions: rows of equal Keys that overlap in time, each lying in [Start, End). Its
// input is sorted by Keys and Start. It puts out each session's keys, start, end, and its states, or results when Final.
//
//	row   [--)      [---)
//	row     [----)             gap
//	      └─one───┘ └two┘
type SessionAggregate struct {
	Keys       []int
	Start, End int
	Aggs       []AggSpec
	Final      bool
	State      *column.Schema // keys, start, end, states
	Out        *column.Schema // State, or keys, start, end, results when Final
}

func (s *SessionAggregate) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	m, err := newSessions(s)
	if err != nil {
		return nil, err
	}
	var out pieces
	ended := false
	next := func() (*column.Batch, error) {
		for {
			if b := out.next(); b != nil {
				return b, nil
			}
			if ended {
				return nil, io.EOF
			}
			b, err := in[0].Next()
			switch {
			case err == io.EOF:
				ended = true
				b, err = m.take(true)
			case err != nil:
				return b, err
			case b.N > 0:
				if err = m.add(b); err == nil {
					b, err = m.take(false)
				}
			}
			if err != nil {
				return nil, err
			}
			out.set(b)
		}
	}
	return output(tc, in, next, nil), nil
}

// sessions builds sessions from sorted rows. All but the last are complete.
type sessions struct {
	s       *SessionAggregate
	accs    []expr.Accumulator
	g       groups // only accumulate is used: it knows constants and merging
	head    *column.BatchBuilder
	ends    []int64
	last    *column.Batch // the row that began or extended the open session, one row of keys
	lastRow int
}

func newSessions(s *SessionAggregate) (*sessions, error) {
	accs, err := accumulators(s.Aggs)
	if err != nil {
		return nil, err
	}
	head := &column.Schema{Fields: s.State.Fields[:len(s.Keys)+1]}
	return &sessions{s: s, accs: accs, g: groups{aggs: s.Aggs, accs: accs}, head: column.NewBatchBuilder(head)}, nil
}

// add puts the rows of b into sessions.
func (m *sessions) add(b *column.Batch) error {
	starts, ends := b.Cols[m.s.Start].I64, b.Cols[m.s.End].I64
	m.g.gids = resize(m.g.gids, b.N)
	prev, prevRow := m.last, m.lastRow
	for i := 0; i < b.N; i++ {
		n := len(m.ends)
		if n > 0 && m.sameKeys(prev, prevRow, b, i) && starts[i] < m.ends[n-1] {
			m.ends[n-1] = max(m.ends[n-1], ends[i])
		} else {
			m.open(b, i)
			n++
		}
		m.g.gids[i] = uint32(n - 1)
		prev, prevRow = b, i
	}
	m.remember(b)
	for i, a := range m.accs {
		a.Resize(len(m.ends))
		if err := m.g.accumulate(i, b); err != nil {
			return err
		}
	}
	return nil
}

// open begins a session with row i.
func (m *sessions) open(b *column.Batch, i int) {
	for k, c := range m.s.Keys {
		m.head.Cols[k].AppendFrom(b.Cols[c], i)
	}
	m.head.Cols[len(m.s.Keys)].AppendI64(b.Cols[m.s.Start].I64[i])
	m.ends = append(m.ends, b.Cols[m.s.End].I64[i])
}

func (m *sessions) sameKeys(a *column.Batch, i int, b *column.Batch, j int) bool {
	for k, c := range m.s.Keys {
		ca := c
		if a == m.last {
			ca = k
		}
		if column.CompareValues(a.Cols[ca], i, b.Cols[c], j) != 0 {
			return false
		}
	}
	return true
}

// remember keeps the keys of the last row beyond its batch.
func (m *sessions) remember(b *column.Batch) {
	if b.N == 0 {
		return
	}
	row := []int32{int32(b.N - 1)}
	m.last = &column.Batch{Schema: &column.Schema{}, N: 1}
	for _, c := range m.s.Keys {
		m.last.Cols = append(m.last.Cols, column.Take(nil, b.Cols[c], row).Clone())
	}
	m.lastRow = 0
}

// take returns the finished sessions once there are enough of them, or all at the end; nil when there is nothing to take.
func (m *sessions) take(all bool) (*column.Batch, error) {
	n := len(m.ends)
	if n == 0 || !all && n <= column.BatchRows {
		return nil, nil
	}
	out := m.head.Finish()
	out.Schema = m.s.Out
	end := column.NewVector(column.Of(column.Timestamp), n)
	copy(end.I64, m.ends)
	out.Cols = append(out.Cols, end)
	states := statesOf(m.accs)
	if m.s.Final {
		for _, a := range m.accs {
			v, err := a.Result()
			if err != nil {
				return nil, err
			}
			out.Cols = append(out.Cols, v)
		}
	} else {
		out.Cols = append(out.Cols, states...)
	}
	out = out.Clone()
	if all {
		return out, m.restart(nil, 0, states)
	}
	return out.Slice(0, n-1), m.restart(out, n-1, states)
}

// restart empties the sessions but for the open one, row i of out.
func (m *sessions) restart(out *column.Batch, i int, states []*column.Vector) error {
	kept := make([]*column.Vector, len(states))
	if out != nil {
		for c, v := range states {
			kept[c] = column.Take(nil, v, []int32{int32(i)}).Clone()
		}
	}
	end := int64(0)
	if out != nil {
		end = m.ends[i]
	}
	m.head.Reset()
	m.ends = m.ends[:0]
	resetAll(m.accs, 0)
	if out == nil {
		return nil
	}
	for c, b := range m.head.Cols {
		b.AppendFrom(out.Cols[c], i)
	}
	m.ends = append(m.ends, end)
	for _, a := range m.accs {
		a.Resize(1)
	}
	return mergeAll(m.accs, []uint32{0}, kept)
}
