package file

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// lateSplit is a split whose columns can be left unread until rows have been chosen.
type lateSplit interface {
	splitReader
	nextFirst(first []int) (*column.Batch, error)
	rest(sel []int32) (*column.Batch, error)
}

// lateReader is a reader of a format whose splits are lateSplits.
type lateReader struct{ *reader }

// Late implements the question of rdd.Late.
func (r *reader) Late() (rdd.LateReader, bool) {
	return lateReader{r}, r.s.Format == "parquet"
}

func (r lateReader) NextFirst(first []int) (*column.Batch, error) {
	first = r.dataPlaces(first)
	b, err := r.read(func(s splitReader) (*column.Batch, error) { return s.(lateSplit).nextFirst(first) })
	if err != nil {
		return nil, err
	}
	return r.whole(&r.all, b), nil
}

func (r lateReader) Rest(sel []int32) (*column.Batch, error) {
	b, err := r.cur.(lateSplit).rest(sel)
	if err != nil {
		return nil, err
	}
	return r.whole(&r.some, b), nil
}
