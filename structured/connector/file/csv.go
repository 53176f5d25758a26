package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

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
	c := &csvReader{r: r, records: &csvRecords{lines: lines, opt: r.s.Options}, rows: column.NewBatchBuilder(r.out()), corrupt: -1}
	if c.form, err = r.s.Options.form(); err != nil {
		return nil, errors.Join(err, lines.close())
	}
	c.place(r.s.Schema, r.s.Columns, corruptAt(r.s.Schema, &r.s.Options))
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
	form    textForm
	fields  []column.Field // of a record
	at      []int          // place of each of them in the output, -1 when it is not asked for
	corrupt int            // place in the output of what cannot be read, -1 for none
	scratch []*column.Builder
	rows    *column.BatchBuilder
	n       int
}

// place finds where the fields of a record go. The column for what cannot be read is none of them.
func (c *csvReader) place(schema *column.Schema, columns []int, corrupt int) {
	for i, f := range schema.Fields {
		to := slices.Index(columns, i)
		if i == corrupt {
			c.corrupt = to
			continue
		}
		c.fields, c.at = append(c.fields, f), append(c.at, to)
	}
	if c.corrupt < 0 {
		return
	}
	c.scratch = make([]*column.Builder, len(c.fields)) // a record is whole only if all its fields are
	for i, f := range c.fields {
		if c.at[i] < 0 {
			c.scratch[i] = column.NewBuilder(f.Type)
		}
	}
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
	bad := c.append(fields)
	if c.corrupt >= 0 {
		if bad != nil {
			c.rows.Cols[c.corrupt].AppendBytes(c.records.raw)
		} else {
			c.rows.Cols[c.corrupt].AppendNull()
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

// append appends the fields that are asked for, null where one cannot be read, and says what is wrong with the record.
func (c *csvReader) append(fields []csvField) (bad error) {
	if len(fields) != len(c.at) {
		bad = fmt.Errorf("%d fields, want %d", len(fields), len(c.at))
	}
	for i, to := range c.at {
		var col *column.Builder
		switch {
		case to >= 0:
			col = c.rows.Cols[to]
		case c.scratch != nil:
			col = c.scratch[i]
			col.Reset()
		default:
			continue
		}
		if i >= len(fields) || isNullField(fields[i], c.r.s.Options) {
			col.AppendNull()
			continue
		}
		text := fields[i].text
		if len(text) == 0 && fields[i].quoted {
			text = []byte(c.r.s.Options.EmptyValue)
		}
		if !c.form.append(col, c.fields[i].Type, text) {
			col.AppendNull()
			bad = fmt.Errorf("%q in column %s is not %s", fields[i].text, c.fields[i].Name, c.fields[i].Type)
		}
	}
	return bad
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
	form   textForm
	buf    []byte
}

func (csvFormat) writer(w io.Writer, schema *column.Schema, opt Options) (writer, error) {
	for _, f := range schema.Fields {
		if f.Type.IsNested() || f.Type.Kind == column.Variant || f.Type.Kind == column.Calendar {
			return nil, unsupportedType("csv", f)
		}
	}
	out, finish, err := behindCompressor(w, opt)
	if err != nil {
		return nil, err
	}
	c := &csvWriter{w: out, finish: finish, schema: schema, opt: opt}
	if c.form, err = c.opt.form(); err != nil {
		return nil, err
	}
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
	if k := v.Type.Kind; c.opt.QuoteAll || k == column.Date && c.form.date != nil || k == column.Timestamp && c.form.timestamp != nil {
		c.text(c.form.value(nil, v, i))
		return
	}
	c.buf = c.form.value(c.buf, v, i)
}

// text writes a field, quoted when it must be: also when it would be read as null.
func (c *csvWriter) text(s []byte) {
	q := c.opt.quote()
	if len(s) == 0 && c.opt.EmptyValue != "" {
		c.buf = append(c.buf, c.opt.EmptyValue...)
		return
	}
	if q == 0 || !c.opt.QuoteAll && string(s) != c.opt.NullValue && len(s) > 0 && !bytes.ContainsAny(s, c.opt.Sep+"\n\r"+c.opt.Quote+c.opt.Escape+c.opt.Comment) {
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
