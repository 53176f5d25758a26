package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Scan runs a connector's source operator and counts what it reads.
type Scan struct {
	Source rdd.Operator
}

func (s *Scan) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	src, err := s.Source.Open(tc, in)
	if err != nil {
		return nil, err
	}
	op, rows := tc.Op, int64(0)
	counted := func(b *column.Batch, err error) (*column.Batch, error) {
		if err == nil {
			rows += int64(b.N)
		}
		return b, err
	}
	next := func() (*column.Batch, error) { return counted(src.Next()) }
	end := func() { count(tc, op, RowsIn, rows) }
	out := output(tc, []rdd.Reader{src}, next, end).(*reader)
	if late, ok := rdd.Late(src); ok {
		return &lateScan{out, late, counted}, nil
	}
	return out, nil
}

// lateScan is the output of a scan whose source can leave columns unread.
type lateScan struct {
	*reader
	src     rdd.LateReader
	counted func(*column.Batch, error) (*column.Batch, error)
}

// Late implements the question of rdd.Late.
func (s *lateScan) Late() (rdd.LateReader, bool) { return s, true }

func (s *lateScan) NextFirst(first []int) (*column.Batch, error) {
	return s.take(func() (*column.Batch, error) { return s.counted(s.src.NextFirst(first)) })
}

func (s *lateScan) Rest(sel []int32) (*column.Batch, error) { return s.src.Rest(sel) }
