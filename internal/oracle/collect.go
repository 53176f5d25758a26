package oracle

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/streamflow/streamflow/structured"
)

// Result is rows as text; a null is nil. Types are names of SQL types.
type Result struct {
	Columns []string    `json:"columns"`
	Types   []string    `json:"types"`
	Rows    [][]*string `json:"rows"`
}

// Collect runs a query in a session.
func Collect(ctx context.Context, s *structured.Session, sql string) (r Result, err error) {
	df, err := s.SQL(ctx, sql)
	if err != nil {
		return r, err
	}
	return collect(ctx, df)
}

func collect(ctx context.Context, df *structured.DataFrame) (r Result, err error) {
	rows, err := df.Rows(ctx, structured.ExecOptions{})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for _, f := range rows.Schema().Fields {
		r.Columns, r.Types = append(r.Columns, f.Name), append(r.Types, f.Type.String())
	}
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		for i := range b.N {
			row := make([]*string, len(b.Cols))
			for c, v := range b.Cols {
				if v.IsValid(i) {
					s := structured.CellString(v, i, time.UTC)
					row[c] = &s
				}
			}
			r.Rows = append(r.Rows, row)
		}
	}
}
