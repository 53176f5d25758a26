package file

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// csvFormat reads and writes separated values as Spark does: records are lines (unless multiLine), fields may be quoted.
type csvFormat struct{}

// CSV is the provider of csv files.
var CSV = register(csvFormat{})

func (csvFormat) name() string { return "csv" }

// inferRows is how many records a schema is inferred from.
const inferRows = 10_000

func (csvFormat) infer(_ context.Context, files []entry, opt Options) (*column.Schema, error) {
	var names []string
	var kinds []column.Type
	rows := 0
	for _, f := range files {
		r, err := openRecords(f.path, opt)
		if err != nil {
			return nil, err
		}
		err = sampleCSV(r, opt, &names, &kinds, &rows)
		if e := r.close(); err == nil {
			err = e
		}
		if err != nil {
			return nil, err
		}
		if rows >= inferRows || !opt.InferSchema && rows > 0 {
			break
		}
	}
	s := &column.Schema{}
	for i, n := range names {
		t := column.Of(column.String)
		if opt.InferSchema && kinds[i].Kind != column.Null {
			t = kinds[i]
		}
		s.Fields = append(s.Fields, column.Field{Name: n, Type: t, Nullable: true})
	}
	return s, nil
}

// sampleCSV widens the kinds by the records of one file.
func sampleCSV(r *csvRecords, opt Options, names *[]string, kinds *[]column.Type, rows *int) error {
	first := true
	for *rows < inferRows {
		fields, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if first && opt.Header {
			first = false
			if *names == nil {
				*names = headerNames(fields)
			}
			continue
		}
		first = false
		for i := len(*names); *rows == 0 && !opt.Header && i < len(fields); i++ {
			*names = append(*names, fmt.Sprintf("_c%d", i))
		}
		for len(*kinds) < len(*names) {
			*kinds = append(*kinds, column.Type{})
		}
		*rows++
		for i := range *kinds {
			if i < len(fields) && !isNullField(fields[i], opt) {
				(*kinds)[i] = widen((*kinds)[i], string(fields[i].text), opt.Location)
			}
		}
	}
	return nil
}

func headerNames(fields []csvField) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = string(f.text)
		if names[i] == "" {
			names[i] = fmt.Sprintf("_c%d", i)
		}
	}
	return names
}

func (csvFormat) splits(_ context.Context, files []entry, _ *column.Schema, _ []int, _ []expr.Expr, opt Options) ([]rdd.Split, string, error) {
	s, err := spans(files, opt.MultiLine)
	return s, "", err
}

// open reads the records of a span into the columns asked for.
func (csvFormat) open(r *reader, data []byte) (splitReader, error) {
	lines, err := openLines(data)
	if err != nil {
		return nil, err
	}
	c := &csvReader{r: r, records: &csvRecords{lines: lines, opt: r.s.Options}, rows: column.NewBatchBuilder(r.out())}
	c.at = make([]int, len(r.s.Schema.Fields))
	for i := range c.at {
		c.at[i] = -1
	}
	for i, col := range r.s.Columns {
		c.at[col] = i
	}
	if r.s.Options.Header && lines.at == 0 {
		if _, err := c.records.next(); err != nil && err != io.EOF {
			return nil, err
		}
	}
	return c, nil
}

type csvReader struct {
	r       *reader
	records *csvRecords
	at      []int // place of each column of the schema in the output, -1 when it is not asked for
	rows    *column.BatchBuilder
	n       int
}

func (c *csvReader) next() (*column.Batch, error) {
	c.rows.Reset()
	c.n = 0
	for c.n < column.BatchRows {
		fields, err := c.records.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = c.record(fields)
		}
		if err != nil {
			return nil, err
		}
	}
	if c.n == 0 {
		return nil, io.EOF
	}
	b := c.rows.Finish()
	b.N = c.n
	return b, nil
}

// record appends one record according to the mode.
func (c *csvReader) record(fields []csvField) error {
	var bad error
	if len(fields) != len(c.at) {
		bad = fmt.Errorf("%d fields, want %d", len(fields), len(c.at))
	}
	for i, to := range c.at {
		if to < 0 {
			continue
		}
		if i >= len(fields) || isNullField(fields[i], c.r.s.Options) {
			c.rows.Cols[to].AppendNull()
			continue
		}
		if !appendText(c.rows.Cols[to], c.r.s.Schema.Fields[i].Type, fields[i].text, c.r.s.Options.Location) {
			c.rows.Cols[to].AppendNull()
			bad = fmt.Errorf("%q in column %s is not %s", fields[i].text, c.r.s.Schema.Fields[i].Name, c.r.s.Schema.Fields[i].Type)
		}
	}
	if bad == nil || c.r.s.Options.Mode == permissive {
		c.n++
		return nil
	}
	c.rows.Truncate(c.n)
	where := fmt.Sprintf("%s:%d", c.records.lines.path, c.records.lines.n)
	if c.r.s.Options.Mode == failFast {
		return malformed(c.records.lines.path, c.records.lines.n, "%v", bad)
	}
	return c.r.setAside(joinFields(fields, c.r.s.Options), fmt.Errorf("%s: %w", where, bad))
}

func joinFields(fields []csvField, opt Options) []byte {
	texts := make([][]byte, len(fields))
	for i, f := range fields {
		texts[i] = f.text
	}
	return bytes.Join(texts, []byte(opt.Sep))
}

func (c *csvReader) close() error { return c.records.close() }

// csvWriter writes batches as separated values.
type csvWriter struct {
	w      io.Writer
	finish func() error
	schema *column.Schema
	opt    Options
	buf    []byte
}

func (csvFormat) writer(w io.Writer, schema *column.Schema, opt Options) (writer, error) {
	for _, f := range schema.Fields {
		if f.Type.IsNested() {
			return nil, unsupportedType("csv", f)
		}
	}
	out, finish, err := behindCompressor(w, opt)
	if err != nil {
		return nil, err
	}
	c := &csvWriter{w: out, finish: finish, schema: schema, opt: opt}
	if opt.Header {
		for i, f := range schema.Fields {
			c.sep(i)
			c.text([]byte(f.Name))
		}
		c.buf = append(c.buf, '\n')
	}
	return c, nil
}

func (c *csvWriter) sep(i int) {
	if i > 0 {
		c.buf = append(c.buf, c.opt.Sep...)
	}
}

func (c *csvWriter) write(b *column.Batch) error {
	for i := 0; i < b.N; i++ {
		for k, v := range b.Cols {
			c.sep(k)
			c.value(v, i)
		}
		c.buf = append(c.buf, '\n')
		if len(c.buf) > 64<<10 {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *csvWriter) value(v *column.Vector, i int) {
	if !v.IsValid(i) {
		c.buf = append(c.buf, c.opt.NullValue...)
		return
	}
	if k := v.Type.Kind; k == column.String || k == column.Binary {
		c.text(v.Bytes(i))
		return
	}
	c.buf = appendValue(c.buf, v, i, c.opt.Location)
}

// text writes a field, quoted when it must be: also when it would be read as null.
func (c *csvWriter) text(s []byte) {
	q := c.opt.quote()
	if q == 0 || string(s) != c.opt.NullValue && len(s) > 0 && !bytes.ContainsAny(s, c.opt.Sep+"\n\r"+c.opt.Quote+c.opt.Escape) {
		c.buf = append(c.buf, s...)
		return
	}
	c.buf = append(c.buf, q)
	for _, b := range s {
		if b == q || b == c.opt.escape() {
			c.buf = append(c.buf, c.escapeOf(b))
		}
		c.buf = append(c.buf, b)
	}
	c.buf = append(c.buf, q)
}

func (c *csvWriter) escapeOf(b byte) byte {
	if e := c.opt.escape(); e != 0 {
		return e
	}
	return b
}

func (c *csvWriter) flush() error {
	_, err := c.w.Write(c.buf)
	c.buf = c.buf[:0]
	return err
}

func (c *csvWriter) close() error {
	if err := c.flush(); err != nil {
		return err
	}
	return c.finish()
}

func isNullField(f csvField, opt Options) bool { return !f.quoted && string(f.text) == opt.NullValue }
