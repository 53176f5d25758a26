package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
)

// whySchema is the schema of EXPLAIN STREAMING QUERY.
func whySchema() *column.Schema {
	s := text("section", "what", "value")
	s.Fields = append(s.Fields, column.Field{Name: "share", Type: column.Of(column.Float64), Nullable: true})
	return s
}

// explainQuery is EXPLAIN STREAMING QUERY name [AS JSON].
func (s *Session) explainQuery(ctx context.Context, p *logical.Show, asJSON bool) (structured.Rows, error) {
	w, err := s.engine.Why(ctx, strings.Join(p.Name, "."))
	if err != nil {
		return nil, placed(err, p.Pos, "")
	}
	if asJSON {
		b, err := json.Marshal(w)
		if err != nil {
			return nil, err
		}
		return table(text("json"), []any{string(b)})
	}
	return table(whySchema(), w.rows()...)
}

// rows is the answer as lines of a table.
func (w *Why) rows() [][]any {
	rows := [][]any{{"query", w.Query, w.Status, nil}}
	if w.Doing != "" {
		rows = append(rows, []any{"now", w.Doing, "for " + millis(w.ForMs), nil})
	}
	for _, f := range w.Findings {
		rows = append(rows, []any{"why", f, "", nil})
	}
	for _, x := range w.Waits {
		rows = append(rows, []any{"time", x.Doing, millis(x.Ms), percent(x.Share)})
	}
	rows = append(rows, w.batchRows()...)
	for _, s := range w.Sources {
		rows = append(rows, []any{"source", fmt.Sprintf("%s, partition %d", s.Table, s.Partition), fmt.Sprintf("read up to %d of %d, %d behind", s.Read, s.Available, s.Lag), nil})
	}
	for _, e := range w.Watermarks {
		rows = append(rows, e.rows()...)
	}
	for _, s := range w.State {
		name := s.Operator
		if s.Name != "" {
			name += " (" + s.Name + ")"
		}
		rows = append(rows, []any{"state", name, fmt.Sprintf("%d keys in %d partitions, %d bytes in memory", s.Keys, s.Partitions, s.Bytes), nil},
			[]any{"growth", name, fmt.Sprintf("%+.1f keys/s, %+.0f bytes/s", s.KeysGrowth, s.BytesGrowth), nil}, []any{"bound", name, s.Bound, nil})
	}
	return rows
}

func (w *Why) batchRows() [][]any {
	b := &w.Batches
	if b.Count == 0 {
		return nil
	}
	rows := [][]any{{"batch", fmt.Sprintf("the last %d, up to number %d", b.Count, b.Last), fmt.Sprintf("p50 %s, p99 %s", millis(b.P50Ms), millis(b.P99Ms)), nil},
		{"batch", "rows", fmt.Sprintf("%.0f in, %.0f out a second", b.RowsIn, b.RowsOut), nil}}
	for _, p := range b.Phases {
		rows = append(rows, []any{"step", p.Phase, millis(p.Ms), percent(p.Share)})
	}
	for _, o := range w.Operators {
		rows = append(rows, []any{fmt.Sprintf("stage %d", o.Stage), opName(o.Operator), fmt.Sprintf("%s, %.0f rows", millis(o.Ms), o.Rows), percent(o.Share)})
	}
	return rows
}

func (e *EventTime) rows() [][]any {
	at := e.Watermark
	if at == "" {
		at = "none yet"
	}
	rows := [][]any{{"watermark", fmt.Sprintf("%s of %s", e.Column, e.Table), at, nil}}
	for _, c := range e.Clocks {
		v := "nothing yet"
		if c.Clock != "" {
			v = fmt.Sprintf("%s, %s behind", c.Clock, seconds(c.BehindMs/1000))
		}
		for _, p := range e.HeldBy {
			if p == c.Partition && len(e.HeldBy) < len(e.Clocks) {
				v += ", holds the watermark"
			}
		}
		rows = append(rows, []any{"clock", fmt.Sprintf("%s, partition %d", e.Table, c.Partition), v, nil})
	}
	return rows
}

func millis(ms float64) string {
	if ms >= 10_000 {
		return (time.Duration(ms) * time.Millisecond).Round(100 * time.Millisecond).String()
	}
	return fmt.Sprintf("%.2f ms", ms)
}

// percent is a share with three digits.
func percent(share float64) any { return math.Round(share*1000) / 1000 }
