package expr

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// variantCast converts variants to a type, a batch at once. Values are sorted by what they are, each sort into a vector of
// its own; every vector is cast as CAST casts it, and the results are put together in the order of the rows. Members of
// structs, lists and maps have a variantCast each, so no document is built.
type variantCast struct {
	to      column.Type
	n       int
	valid   []bool
	sources []*variantSource
	place   []int32 // scalars: the source of each row
	row     []int32 // scalars: the row within the source, -1 for null
	offs    []int32 // lists and maps
	kids    []*variantCast
	paths   []*column.VariantPath // structs: the way to each member
	buf     []byte
	bad     *variantFailures
}

// variantSource holds the values of one type.
type variantSource struct {
	typ  column.Type
	b    *column.Builder
	tops []int32 // the batch's row of each value
}

// variantFailures are the rows that hold a value which cannot be cast.
type variantFailures struct {
	loc  *time.Location // of times in JSON
	rows []int32
	errs []error
}

func newVariantCast(to column.Type, bad *variantFailures) *variantCast {
	c := &variantCast{to: to, bad: bad}
	for _, f := range to.Fields {
		c.kids = append(c.kids, newVariantCast(f.Type, bad))
		if to.Kind == column.Struct {
			c.paths = append(c.paths, column.VariantMemberPath(f.Name))
		}
	}
	c.reset()
	return c
}

func (c *variantCast) reset() {
	c.n, c.valid, c.place, c.row, c.offs = 0, c.valid[:0], c.place[:0], c.row[:0], append(c.offs[:0], 0)
	for _, s := range c.sources {
		s.b.Reset()
		s.tops = s.tops[:0]
	}
	for _, k := range c.kids {
		k.reset()
	}
}

// null appends a row without value.
func (c *variantCast) null() {
	c.n++
	c.valid = append(c.valid, false)
	switch c.to.Kind {
	case column.Struct:
		for _, k := range c.kids {
			k.null()
		}
	case column.List, column.Map:
		c.offs = append(c.offs, c.offs[len(c.offs)-1])
	default:
		c.place, c.row = append(c.place, 0), append(c.row, -1)
	}
}

// add appends a value, which belongs to row top of the batch.
func (c *variantCast) add(r column.VariantRef, top int32) {
	kind := r.Kind()
	switch {
	case kind == column.VariantBad:
		c.bad.add(top, errMalformedVariant)
		c.null()
	case kind == column.VariantNull && c.to.Kind != column.Variant:
		c.null()
	case c.to.Kind == column.Struct && kind == column.VariantObject:
		c.n, c.valid = c.n+1, append(c.valid, true)
		for i, k := range c.kids {
			k.addOrNull(c.paths[i], r, top)
		}
	case c.to.Kind == column.List && kind == column.VariantArray:
		c.list(r, top)
	case c.to.Kind == column.Map && kind == column.VariantObject:
		c.members(r, top)
	case c.to.IsNested():
		c.refuse(r, top)
	default:
		c.scalar(r, kind, top)
	}
}

func (c *variantCast) addOrNull(path *column.VariantPath, r column.VariantRef, top int32) {
	if v, ok := path.Find(r); ok {
		c.add(v, top)
		return
	}
	c.null()
}

func (c *variantCast) list(r column.VariantRef, top int32) {
	c.n, c.valid = c.n+1, append(c.valid, true)
	for i := range r.Len() {
		v, _ := r.At(i)
		c.kids[0].add(v, top)
	}
	c.offs = append(c.offs, int32(c.kids[0].n))
}

func (c *variantCast) members(r column.VariantRef, top int32) {
	c.n, c.valid = c.n+1, append(c.valid, true)
	for i := range r.Len() {
		key, v, _ := r.Member(i)
		c.kids[0].text(key, top)
		c.kids[1].add(v, top)
	}
	c.offs = append(c.offs, int32(c.kids[0].n))
}

// refuse makes the value a failure of its row.
func (c *variantCast) refuse(r column.VariantRef, top int32) {
	text, _ := r.AppendJSON(nil, c.bad.loc)
	c.bad.add(top, errVariantCast(string(text), c.to))
	c.null()
}

// text appends a string.
func (c *variantCast) text(s []byte, top int32) {
	c.source(column.Of(column.String), top).AppendBytes(s)
}

// scalar appends a value that is to become one of a type without members.
func (c *variantCast) scalar(r column.VariantRef, kind column.VariantKind, top int32) {
	if c.to.Kind == column.Variant {
		var ok bool
		if c.buf, ok = r.Append(c.buf[:0]); !ok {
			c.bad.add(top, errMalformedVariant)
		}
		c.source(c.to, top).AppendBytes(c.buf)
		return
	}
	t, ok := variantType(r, kind)
	switch {
	case (kind == column.VariantObject || kind == column.VariantArray || kind == column.VariantUUID) && c.to.Kind == column.String:
		c.buf = c.buf[:0]
		if kind == column.VariantUUID {
			c.buf, ok = r.AppendText(c.buf, c.bad.loc)
		} else {
			c.buf, ok = r.AppendJSON(c.buf, c.bad.loc)
		}
		if !ok {
			c.bad.add(top, errMalformedVariant)
		}
		c.text(c.buf, top)
		return
	case !ok || !CanCast(t, c.to):
		c.refuse(r, top)
		return
	}
	appendVariant(c.source(t, top), r, kind)
}

// variantType is the column type of a scalar; false for objects, arrays and what no column holds.
func variantType(r column.VariantRef, kind column.VariantKind) (column.Type, bool) {
	switch kind {
	case column.VariantBool:
		return column.Of(column.Bool), true
	case column.VariantInt:
		return column.Of(column.Int64), true
	case column.VariantDouble:
		return column.Of(column.Float64), true
	case column.VariantFloat:
		return column.Of(column.Float32), true
	case column.VariantDecimal:
		_, precision, scale, ok := r.Decimal()
		return column.DecimalOf(min(max(precision, 1), column.MaxPrecision), min(scale, column.MaxPrecision)), ok
	case column.VariantDate:
		return column.Of(column.Date), true
	case column.VariantTimestamp:
		return column.Of(column.Timestamp), true
	case column.VariantTimestampNTZ:
		return column.Of(column.TimestampNTZ), true
	case column.VariantTime:
		return column.TimeOf(column.MaxTimePrecision), true
	case column.VariantString:
		return column.Of(column.String), true
	case column.VariantBinary:
		return column.Of(column.Binary), true
	case column.VariantNull:
		return column.Of(column.Null), true
	}
	return column.Type{}, false
}

// appendVariant appends a scalar to a builder of its variantType.
func appendVariant(b *column.Builder, r column.VariantRef, kind column.VariantKind) {
	switch kind {
	case column.VariantBool:
		b.AppendBool(r.Bool())
	case column.VariantDouble, column.VariantFloat:
		b.AppendF64(r.Float())
	case column.VariantDecimal:
		d, _, _, _ := r.Decimal()
		b.AppendDec(d)
	case column.VariantString, column.VariantBinary:
		b.AppendBytes(r.Bytes())
	default:
		b.AppendI64(r.Int())
	}
}

// source is where the next value, of type t, goes.
func (c *variantCast) source(t column.Type, top int32) *column.Builder {
	at := slices.IndexFunc(c.sources, func(s *variantSource) bool { return s.typ.Equal(t) })
	if at < 0 {
		at = len(c.sources)
		c.sources = append(c.sources, &variantSource{typ: t, b: column.NewBuilder(t)})
	}
	s := c.sources[at]
	c.n, c.valid = c.n+1, append(c.valid, true)
	c.place, c.row = append(c.place, int32(at)), append(c.row, int32(len(s.tops)))
	s.tops = append(s.tops, top)
	return s.b
}

// finish is the vector of the rows appended since the last reset.
func (c *variantCast) finish(ctx *Context) *column.Vector {
	switch c.to.Kind {
	case column.Struct, column.List, column.Map:
		out := &column.Vector{Type: c.to, N: c.n}
		for _, k := range c.kids {
			out.Kids = append(out.Kids, k.finish(ctx))
		}
		if c.to.Kind != column.Struct {
			out.Offs = slices.Clone(c.offs)
		}
		for i, ok := range c.valid {
			if !ok {
				out.SetNull(i)
			}
		}
		return out
	}
	return c.together(ctx)
}

// together casts the sources and brings their rows into order.
func (c *variantCast) together(ctx *Context) *column.Vector {
	var cols []*column.Batch
	first := make([]int32, len(c.sources)) // where each source begins in the whole
	total := 0
	schema := column.NewSchema(column.Field{Name: "v", Type: c.to, Nullable: true})
	for i, s := range c.sources {
		first[i] = int32(total)
		if len(s.tops) == 0 {
			continue
		}
		v := c.cast(ctx, s)
		if len(s.tops) == c.n {
			return v
		}
		cols = append(cols, column.NewBatch(schema, v.N, v))
		total += v.N
	}
	if total == 0 {
		return column.Nulls(c.to, c.n)
	}
	sel := make([]int32, c.n)
	for i, r := range c.row {
		if sel[i] = -1; r >= 0 {
			sel[i] = first[c.place[i]] + r
		}
	}
	return column.Take(nil, column.Concat(schema, cols).Cols[0], sel)
}

// cast converts the values of one type; those that cannot be converted are failures.
func (c *variantCast) cast(ctx *Context, s *variantSource) *column.Vector {
	v := s.b.Finish()
	if s.typ.Equal(c.to) {
		return v
	}
	out := convertVector(ctx, v, c.to)
	if out.Valid == nil {
		return out
	}
	for i, top := range s.tops {
		if !out.IsValid(i) {
			c.bad.add(top, errVariantCast(string(column.AppendJSONValue(nil, v, i, c.bad.loc)), c.to))
		}
	}
	return out
}

// convertVector casts a vector outside of a program; what cannot be converted is null.
func convertVector(ctx *Context, v *column.Vector, to column.Type) *column.Vector {
	out := &column.Vector{}
	k := &kctx{ctx: ctx, n: v.N, out: out}
	prep(out, to, v.N)
	k.strict([]*column.Vector{v})
	castKernel(v.Type, to, true)(k, []*column.Vector{v}, out)
	return out
}

func (f *variantFailures) add(row int32, err error) {
	f.rows, f.errs = append(f.rows, row), append(f.errs, err)
}

// report fails the rows, each with its first reason.
func (f *variantFailures) report(k *kctx, out *column.Vector) {
	order := make([]int, len(f.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f.rows[a], f.rows[b]) })
	last := int32(-1)
	for _, i := range order {
		if row := f.rows[i]; row != last {
			k.errs.Rows, k.errs.Errs = append(k.errs.Rows, row), append(k.errs.Errs, f.errs[i])
			out.SetNull(int(row))
			last = row
		}
	}
}

var errMalformedVariant = usererr.New("MALFORMED_VARIANT", "22023", "Variant binary is malformed. Please check the data source is valid.")

func errVariantCast(value string, to column.Type) error {
	return usererr.New("INVALID_VARIANT_CAST", "22023", "The variant value `%s` cannot be cast into `%s`.", value, upperType(to)).
		With("value", value).With("dataType", upperType(to)).WithFix("Please use `try_variant_get` instead.")
}
