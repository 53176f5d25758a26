package memory

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// PlanWrite writes rows of the table's columns. Append adds them, update replaces rows of equal keys, or takes them away,
// complete replaces all rows.
func (t *Table) PlanWrite(_ context.Context, req connector.WriteRequest) (connector.Sink, error) {
	staged := req.Schema
	if req.Deletes {
		req.Schema = &column.Schema{Fields: staged.Fields[:len(staged.Fields)-1]}
	}
	if len(req.Schema.Fields) != len(t.fields.Fields) {
		return nil, usererr.New("INSERT_COLUMN_ARITY_MISMATCH", "21S01", "Table %s has %d columns, the rows have %d.", t.name, len(t.fields.Fields), len(req.Schema.Fields))
	}
	for i, f := range t.fields.Fields {
		if got := req.Schema.Fields[i].Type; !got.Equal(f.Type) {
			return nil, usererr.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000", "Column %s of table %s is %s, the rows have %s.", f.Name, t.name, f.Type, got).
				WithFix("Cast it: CAST(%s AS %s).", f.Name, f.Type)
		}
	}
	return &sink{t: t, req: req, staged: staged}, nil
}

type sink struct {
	t      *Table
	req    connector.WriteRequest
	staged *column.Schema
}

func (s *sink) Op() rdd.Operator  { return &Stage{} }
func (s *sink) Guarantee() string { return "exactly-once while the process lives" }

func (s *sink) Begin(context.Context, connector.Tx) (map[string]string, error) { return nil, nil }
func (s *sink) Abort(context.Context, connector.Tx) error                      { return nil }

// Publish applies the staged rows once.
func (s *sink) Publish(_ context.Context, tx connector.Tx, tokens [][]byte) error {
	var rows []*column.Batch
	for _, tok := range tokens {
		list, err := Unpack(s.staged, tok)
		if err != nil {
			return err
		}
		rows = append(rows, list...)
	}
	t := s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.published[tx.Life()]; ok && tx.Query != "" && tx.Batch <= last {
		return nil
	}
	switch {
	case s.req.Mode == connector.Complete, s.req.Overwrite:
		clear(t.parts)
	case s.req.Mode == connector.Update:
		var err error
		if rows, err = t.update(rows, s.req); err != nil {
			return err
		}
		clear(t.parts)
	}
	for _, b := range rows {
		t.append(0, b)
	}
	t.published[tx.Life()] = tx.Batch
	t.wake()
	return nil
}

// Stage is the terminal operator: its token is the rows themselves, batch after batch: length uint64 │ EncodeBatch.
type Stage struct{}

func init() { rdd.Register("memory.Stage", (*Stage)(nil)) }

func (*Stage) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	return &stager{tc: tc, op: tc.Op, in: in[0]}, nil
}

type stager struct {
	tc   *rdd.TaskContext
	op   string
	in   rdd.Reader
	done bool
}

func (s *stager) Next() (*column.Batch, error) {
	if s.done {
		return nil, io.EOF
	}
	s.done = true
	var token []byte
	for {
		b, err := s.in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if b.N == 0 {
			continue
		}
		at := len(token)
		token = column.EncodeBatch(append(token, make([]byte, 8)...), b)
		binary.BigEndian.PutUint64(token[at:], uint64(len(token)-at-8))
	}
	if len(token) > 0 {
		s.tc.Report(s.op, connector.TokenKey, token)
	}
	return nil, io.EOF
}

func (s *stager) Close() error { return s.in.Close() }

// Unpack reads the rows of a token of Stage.
func Unpack(schema *column.Schema, token []byte) ([]*column.Batch, error) {
	var out []*column.Batch
	for len(token) > 0 {
		if len(token) < 8 || binary.BigEndian.Uint64(token) > uint64(len(token)-8) {
			return nil, errors.New("memory: a sink token is cut short")
		}
		n := int(binary.BigEndian.Uint64(token))
		b, err := column.DecodeBatch(schema, token[8:8+n], nil)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
		token = token[8+n:]
	}
	return out, nil
}
