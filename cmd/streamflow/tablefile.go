package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/file"
)

// tableFile is a Parquet or CSV file whose rows are sent as JSON objects.
type tableFile struct {
	scan     *connector.Scan
	nextPart int // next partition of the scan
	reader   rdd.Reader
	batch    *column.Batch
	row      int

	key, pace int // columns of the batch, -1 for none
	send      int // the first so many columns are sent
	speed     float64
	first     int64 // of the pace column, microseconds
	paced     bool
}

// openTable opens a file to send the columns (all when empty) with a key column and a column that sets the pace.
func openTable(path, columns, key, pace string, speed float64) (records, error) {
	if speed <= 0 {
		return nil, term.Usage("--speed must be positive")
	}
	format := strings.TrimPrefix(filepath.Ext(path), ".")
	opts := map[string]string{}
	if format == "csv" {
		opts = map[string]string{"header": "true", "inferSchema": "true"}
	}
	ctx := context.Background()
	t, err := file.Open(ctx, format, path, []string{path}, nil, opts)
	if err != nil {
		return nil, err
	}
	f := &tableFile{key: -1, pace: -1, speed: speed}
	req, err := f.choose(t.Schema(), path, columns, key, pace)
	if err != nil {
		return nil, err
	}
	f.scan, err = t.PlanScan(ctx, req)
	return f, err
}

// choose finds the columns by name. A scan yields columns in the file's order, so a list in another order is sent in that.
func (f *tableFile) choose(s *column.Schema, path, columns, key, pace string) (connector.ScanRequest, error) {
	want := map[int]bool{}
	find := func(name string) (int, error) {
		i := s.Index(name)
		if i < 0 {
			e := usererr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "File %s has no column %s.", path, name)
			return 0, e.WithFix("Its columns are %s.", s)
		}
		want[i] = true
		return i, nil
	}
	sent := map[int]bool{}
	names := strings.Split(columns, ",")
	if columns == "" {
		names = nil
		for _, fd := range s.Fields {
			names = append(names, fd.Name)
		}
	}
	for _, n := range names {
		i, err := find(strings.TrimSpace(n))
		if err != nil {
			return connector.ScanRequest{}, err
		}
		sent[i] = true
	}
	special := []struct {
		name string
		to   *int
	}{{key, &f.key}, {pace, &f.pace}}
	at := map[int]int{}
	for _, x := range special {
		if x.name == "" {
			continue
		}
		i, err := find(x.name)
		if err != nil {
			return connector.ScanRequest{}, err
		}
		*x.to = i
	}
	req := connector.ScanRequest{Partitions: 1}
	for i := range s.Fields {
		if want[i] {
			at[i] = len(req.Columns)
			req.Columns = append(req.Columns, i)
		}
		if sent[i] {
			f.send = max(f.send, at[i]+1)
		}
	}
	for _, x := range special {
		if x.name != "" {
			*x.to = at[*x.to]
		}
	}
	if f.send != len(sent) {
		return req, term.Usage("--key and --pace columns that are not sent must stand behind the sent ones in the file")
	}
	if f.pace >= 0 && s.Fields[req.Columns[f.pace]].Type.Kind != column.Timestamp {
		return req, term.Usage("--pace needs a timestamp column; %s is %s", pace, s.Fields[req.Columns[f.pace]].Type)
	}
	return req, nil
}

func (f *tableFile) next() (*kgo.Record, time.Duration, error) {
	for f.batch == nil || f.row == f.batch.N {
		if err := f.advance(); err != nil {
			return nil, 0, err
		}
	}
	i := f.row
	f.row++
	r := &kgo.Record{Value: column.AppendJSONRow(nil, f.batch, i, f.send, time.UTC)}
	if f.key >= 0 && f.batch.Cols[f.key].IsValid(i) {
		r.Key = fmt.Append(nil, column.Value(f.batch.Cols[f.key], i))
	}
	return r, f.due(i), nil
}

// due is when a row is to be sent, after the start.
func (f *tableFile) due(i int) time.Duration {
	if f.pace < 0 || !f.batch.Cols[f.pace].IsValid(i) {
		return 0
	}
	t := f.batch.Cols[f.pace].I64[i]
	if !f.paced {
		f.first, f.paced = t, true
	}
	return time.Duration(float64(t-f.first)/f.speed) * time.Microsecond
}

// advance takes the next batch, of the next partition of the scan if need be.
func (f *tableFile) advance() error {
	for {
		if f.reader == nil {
			if f.nextPart == len(f.scan.Splits) {
				return io.EOF
			}
			tc := &rdd.TaskContext{Context: context.Background(), Op: "file", Partition: f.nextPart, Parts: len(f.scan.Splits),
				Binding: &rdd.Binding{Splits: map[string][][]rdd.Split{"file": f.scan.Splits}},
				Emit:    func(string, *column.Batch) error { return nil }, Report: func(string, string, []byte) {}, Count: func(string, string, int64) {}}
			var err error
			if f.reader, err = f.scan.Op.Open(tc, nil); err != nil {
				return err
			}
			f.nextPart++
		}
		b, err := f.reader.Next()
		if err == nil {
			f.batch, f.row = b, 0
			return nil
		}
		if cerr := f.reader.Close(); err != io.EOF || cerr != nil {
			return fmt.Errorf("%w", err)
		}
		f.reader = nil
	}
}

func (f *tableFile) Close() error {
	if f.reader != nil {
		return f.reader.Close()
	}
	return nil
}
