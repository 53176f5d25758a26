package generate

import (
	"encoding/json"
	"fmt"

	"github.com/streamflow/streamflow/column"
)

// Spec describes a source: what tasks get, and what a table opens with.
type Spec struct {
	Kind  string          `json:"kind"` // "rate", "datagen" or "nexmark"
	Pace  pace            `json:"pace"`
	Share share           `json:"share"`
	Conf  json.RawMessage `json:"conf,omitempty"` // of the maker
}

// maker makes rows.
type maker interface {
	schema() *column.Schema
	// rows makes columns of the rows with these numbers. times are when they come, microseconds since the epoch. It may keep
	// neither.
	rows(numbers, times []int64, cols []int) []*column.Vector
}

// maker returns the spec's.
func (s *Spec) maker() (maker, error) {
	switch s.Kind {
	case rateKind:
		return rate{}, nil
	case datagenKind:
		return decodeDatagen(s.Conf)
	case nexmarkKind:
		return decodeNexmark(s.Conf)
	}
	return nil, fmt.Errorf("generate: there is no source %q", s.Kind)
}

// rate is Spark's source of that name: a row's time and its number.
type rate struct{}

const rateKind = "rate"

var rateSchema = column.NewSchema(column.Field{Name: "timestamp", Type: column.Of(column.Timestamp)}, column.Field{Name: "value", Type: column.Of(column.Int64)})

func (rate) schema() *column.Schema { return rateSchema }

func (rate) rows(numbers, times []int64, cols []int) []*column.Vector {
	out := make([]*column.Vector, len(cols))
	for i, c := range cols {
		out[i] = column.NewVector(rateSchema.Fields[c].Type, len(times))
		copy(out[i].I64, [...][]int64{times, numbers}[c])
	}
	return out
}
