package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// SessionTime gives each row the session that it would be alone: it appends the start, the row's event time, and the end,
// the gap later. The gap is constant, or the interval column GapCol when that is not -1. Rows without event time, or with
// a gap that is null or not positive, belong to no session and are set aside.
type SessionTime struct {
	Time   int
	Gap    int64
	GapCol int
	GapMax int64          // the longest gap of GapCol, as far as it is known
	Out    *column.Schema // the input's columns, start, end
	Env    Env
	From   Provenance

	end  column.Vector
	sel  []int32
	good *column.Batch
	out  column.Batch
}

func (s *SessionTime) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	dead := newAside(tc, connector.Dead, RowsDead, s.From, s.Env.Loc)
	next := func() (*column.Batch, error) {
		for {
			b, err := in[0].Next()
			if err != nil {
				return nil, err
			}
			if b, err = s.fit(b, dead); err != nil {
				return nil, err
			}
			if b.N > 0 {
				return s.assign(b), nil
			}
		}
	}
	return output(tc, in, next, nil), nil
}

// fit is b without the rows that belong to no session.
func (s *SessionTime) fit(b *column.Batch, dead *aside) (*column.Batch, error) {
	s.sel = s.sel[:0]
	for i := 0; i < b.N; i++ {
		switch {
		case !b.Cols[s.Time].IsValid(i):
			dead.add(b, i, nullTime)
		case s.GapCol >= 0 && (!b.Cols[s.GapCol].IsValid(i) || b.Cols[s.GapCol].I64[i] <= 0):
			dead.add(b, i, "session gap is null or not positive")
		default:
			s.sel = append(s.sel, int32(i))
		}
	}
	if len(s.sel) == b.N {
		return b, nil
	}
	s.good = column.TakeBatch(s.good, b, s.sel)
	return s.good, dead.flush()
}

func (s *SessionTime) assign(b *column.Batch) *column.Batch {
	times := b.Cols[s.Time].I64[:b.N]
	s.end.Type, s.end.N = column.Of(column.Timestamp), b.N
	s.end.I64 = resize(s.end.I64, b.N)
	for i, t := range times {
		gap := s.Gap
		if s.GapCol >= 0 {
			gap = b.Cols[s.GapCol].I64[i]
		}
		s.end.I64[i] = satAdd(t, gap)
	}
	start := *b.Cols[s.Time]
	start.Type = column.Of(column.Timestamp)
	s.out = column.Batch{Schema: s.Out, N: b.N, Cols: append(append(s.out.Cols[:0], b.Cols...), &start, &s.end)}
	return &s.out
}
