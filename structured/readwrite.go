package structured

import (
	"context"
	"fmt"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
)

// DataFrameReader says how to read: Read().Format("csv").Option("header", true).Load(path).
type DataFrameReader struct {
	s       *Session
	stream  bool
	format  string
	schema  *column.Schema
	options map[string]string
	err     error
}

// Read begins reading what a source holds now.
func (s *Session) Read() *DataFrameReader { return &DataFrameReader{s: s} }

// ReadStream begins reading a source as it grows.
func (s *Session) ReadStream() *DataFrameReader { return &DataFrameReader{s: s, stream: true} }

// Format is the kind of source: "parquet", "csv", "json", "topic", "kafka" …
func (r *DataFrameReader) Format(name string) *DataFrameReader {
	c := *r
	c.format = name
	return &c
}

// Schema declares the columns as DDL, so that they need not be inferred.
func (r *DataFrameReader) Schema(ddl string) *DataFrameReader {
	c := *r
	var err error
	if c.schema, err = column.ParseDDL(ddl); err != nil {
		c.err = err
	}
	return &c
}

// Option sets an option of the source; numbers and booleans are written as Spark does.
func (r *DataFrameReader) Option(key string, value any) *DataFrameReader {
	c := *r
	c.options = withOption(r.options, key, value)
	return &c
}

func withOption(old map[string]string, key string, value any) map[string]string {
	out := make(map[string]string, len(old)+1)
	for k, v := range old {
		out[k] = v
	}
	out[key] = fmt.Sprint(value)
	return out
}

// Load reads paths, or a source that needs none.
func (r *DataFrameReader) Load(paths ...string) *DataFrame {
	format := r.format
	if format == "" {
		format = defaults[ConfSource]
	}
	return r.s.frame(&logical.UnresolvedTable{Format: format, Paths: paths, Schema: r.schema, Options: r.options, Streaming: r.stream}, r.err)
}

// Parquet, CSV and JSON are Load in that format.
func (r *DataFrameReader) Parquet(paths ...string) *DataFrame {
	return r.Format("parquet").Load(paths...)
}
func (r *DataFrameReader) CSV(paths ...string) *DataFrame  { return r.Format("csv").Load(paths...) }
func (r *DataFrameReader) JSON(paths ...string) *DataFrame { return r.Format("json").Load(paths...) }

// Table reads a table or view of the catalog; a topic is a table by its name.
func (r *DataFrameReader) Table(name string) *DataFrame {
	parts, err := SplitName(name)
	return r.s.frame(&logical.UnresolvedTable{Parts: parts, Options: r.options, Streaming: r.stream}, firstError(r.err, err))
}

// DataFrameWriter says how to write what a query holds now.
type DataFrameWriter struct {
	d           *DataFrame
	format      string
	mode        string
	options     map[string]string
	partitionBy []string
}

// Write begins writing the DataFrame.
func (d *DataFrame) Write() *DataFrameWriter { return &DataFrameWriter{d: d, mode: "error"} }

// Format is the kind of target.
func (w *DataFrameWriter) Format(name string) *DataFrameWriter { c := *w; c.format = name; return &c }

// Mode says what to do with what is there: "append", "overwrite", "error" (the default) or "ignore".
func (w *DataFrameWriter) Mode(mode string) *DataFrameWriter { c := *w; c.mode = mode; return &c }

// Option sets an option of the target.
func (w *DataFrameWriter) Option(key string, value any) *DataFrameWriter {
	c := *w
	c.options = withOption(w.options, key, value)
	return &c
}

// PartitionBy writes a directory for each combination of the columns.
func (w *DataFrameWriter) PartitionBy(names ...string) *DataFrameWriter {
	c := *w
	c.partitionBy = names
	return &c
}

func (w *DataFrameWriter) check() error {
	switch w.mode {
	case "append", "overwrite", "error", "errorifexists", "ignore":
		return nil
	}
	return invalidValue("mode", w.mode, `it is none of "append", "overwrite", "error", "ignore"`)
}

// Save writes to a path.
func (w *DataFrameWriter) Save(ctx context.Context, path string) error {
	if err := w.check(); err != nil {
		return err
	}
	mode := w.mode
	if mode == "errorifexists" {
		mode = "error"
	}
	return w.d.do(ctx, func(p logical.Plan) logical.Plan {
		return &logical.WriteTo{Format: w.format, Path: path, Mode: mode, Options: w.options, PartitionBy: w.partitionBy, Query: p}
	})
}

// Parquet, CSV and JSON are Save in that format.
func (w *DataFrameWriter) Parquet(ctx context.Context, path string) error {
	return w.Format("parquet").Save(ctx, path)
}
func (w *DataFrameWriter) CSV(ctx context.Context, path string) error {
	return w.Format("csv").Save(ctx, path)
}
func (w *DataFrameWriter) JSON(ctx context.Context, path string) error {
	return w.Format("json").Save(ctx, path)
}

// SaveAsTable makes a table of the rows, or adds to it in mode "append", columns by name.
func (w *DataFrameWriter) SaveAsTable(ctx context.Context, name string) error {
	parts, err := SplitName(name)
	if err = firstError(err, w.check()); err != nil {
		return err
	}
	return w.d.do(ctx, func(p logical.Plan) logical.Plan {
		if w.mode == "append" {
			return &logical.InsertInto{Table: parts, ByName: true, Query: p}
		}
		return &logical.CreateTable{Name: parts, Provider: w.format, Options: w.options, IfNotExists: w.mode == "ignore",
			OrReplace: w.mode == "overwrite", As: p}
	})
}

// InsertInto adds the rows to a table that there is, columns by position; mode "overwrite" replaces its content.
func (w *DataFrameWriter) InsertInto(ctx context.Context, name string) error {
	parts, err := SplitName(name)
	if err != nil {
		return err
	}
	return w.d.do(ctx, func(p logical.Plan) logical.Plan {
		return &logical.InsertInto{Table: parts, Overwrite: w.mode == "overwrite", Query: p}
	})
}

// RunOptions say over which part of its topics a program runs.
type RunOptions struct {
	Name     string    // of the program: rows it sets aside become the topics <name>.late and <name>.dead
	Live     bool      // from now on, as a stream; otherwise the whole past up to now
	From, To time.Time // bounds; zero means none
}

// Over runs the DataFrame over history or live. The program is the same either way, and so is its answer.
func (d *DataFrame) Over(o RunOptions) *DataFrame {
	return d.then(nil, func() logical.Plan {
		return &logical.Run{Name: o.Name, Live: o.Live, From: micros(o.From), To: micros(o.To), Child: d.plan}
	})
}

// Run runs one SQL statement over history or live and returns its rows as they come. INSERT INTO run live is a streaming
// query; it has no rows, and ends when its input does.
func (s *Session) Run(ctx context.Context, text string, o RunOptions, opts ExecOptions) (Rows, error) {
	plan := &logical.Run{Name: o.Name, Live: o.Live, From: micros(o.From), To: micros(o.To), Child: &logical.SQLText{Text: text}}
	return s.backend.Execute(ctx, plan, opts)
}

func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := t.UnixMicro()
	return &us
}
