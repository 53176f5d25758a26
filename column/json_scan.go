package column

import (
	"fmt"
	"unicode/utf8"
)

// JSONScanner turns JSON objects into columns. It expects the members in the order of the record before, at first in the
// schema's, and while they come so compares each key with one constant; other orders cost one look-up a key. Values go straight into the
// columns: no value is boxed, no record is built.
//
// Missing members and nulls are null. Numbers must be in range, strings that should be dates must be dates: otherwise the
// record is refused as a whole and nothing of it is kept. A string column takes any value, as its JSON text. A timestamp
// may be text or a number since the epoch, in seconds, milliseconds, microseconds or nanoseconds by its size.
type JSONScanner struct {
	schema *Schema
	cols   []jsonColumn
	byName map[string]int
	order  []jsonMember // what each member of the last record was, by position; see expect
	n      int          // complete rows
	room   int          // rows that the columns have space for
	buf    []byte
	bufs   [][]byte
	rec    []byte
	text   []byte // scratch for unescaped strings
	err    *JSONError

	builder *VariantBuilder // of variant columns
}

// jsonColumn is a column being filled. Fixed-width values are stored at index n and count only once the row is complete.
type jsonColumn struct {
	v    *Vector
	row  int      // the last row that has a value, counted from 1
	nest *Builder // lists, structs, maps
}

// JSONError says which member of a record could not be read and why.
type JSONError struct {
	Field  string // empty when the record is no object at all
	Offset int    // in the record
	Reason string
}

func (e *JSONError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("json: %s at byte %d", e.Reason, e.Offset)
	}
	return fmt.Sprintf("json: field %q: %s at byte %d", e.Field, e.Reason, e.Offset)
}

// NewJSONScanner returns a scanner for records of the schema.
func NewJSONScanner(schema *Schema) *JSONScanner {
	s := &JSONScanner{schema: schema, byName: map[string]int{}}
	s.cols = make([]jsonColumn, schema.Len())
	for i, f := range schema.Fields {
		s.byName[f.Name] = i
		s.order = append(s.order, jsonMember{key: append(AppendJSONString(nil, []byte(f.Name)), ':'), col: i})
	}
	s.start(nil)
	return s
}

// start takes the memory of an earlier batch, or new memory, for the next one.
func (s *JSONScanner) start(reuse *Batch) {
	s.n, s.room = 0, 0
	s.buf, s.bufs = nil, nil
	for i, f := range s.schema.Fields {
		c := &s.cols[i]
		c.row = 0
		if f.Type.IsNested() {
			if c.nest == nil {
				c.nest = NewBuilder(f.Type)
			}
			c.v = nil
			continue
		}
		c.v = &Vector{Type: f.Type}
		if reuse != nil && i < len(reuse.Cols) && reuse.Cols[i].Type.Equal(f.Type) {
			c.v = reuse.Cols[i]
			if n := len(c.v.Bufs); n > 0 && cap(c.v.Bufs[n-1]) > cap(s.buf) {
				s.buf = c.v.Bufs[n-1][:0]
			}
		}
		c.v.Reset(f.Type, 0)
	}
}

// Len is the number of rows scanned since the last Finish.
func (s *JSONScanner) Len() int { return s.n }

// Finish returns the rows scanned so far. reuse, when not nil, is a batch that an earlier Finish returned and nobody
// needs any more: the scanner goes on in its memory.
func (s *JSONScanner) Finish(reuse *Batch) *Batch {
	out := &Batch{Schema: s.schema, N: s.n, Cols: make([]*Vector, len(s.cols))}
	bufs := s.bufs
	if len(s.buf) > 0 {
		bufs = append(bufs, s.buf)
	}
	for i := range s.cols {
		c := &s.cols[i]
		if c.nest != nil {
			out.Cols[i] = c.nest.Finish()
			continue
		}
		c.v.setRows(s.n)
		if c.v.Type.Kind.Storage() == StorageBytes {
			c.v.Bufs = bufs
		}
		out.Cols[i] = c.v
	}
	s.start(reuse)
	return out
}

// setRows gives the vector's slices the length n.
func (v *Vector) setRows(n int) {
	v.N = n
	if v.Valid != nil {
		v.Valid = v.Valid[:(n+63)/64]
	}
	switch v.Type.Kind.Storage() {
	case StorageBool:
		v.Bools = v.Bools[:n]
	case StorageI8:
		v.I8 = v.I8[:n]
	case StorageI16:
		v.I16 = v.I16[:n]
	case StorageI32:
		v.I32 = v.I32[:n]
	case StorageI64:
		v.I64 = v.I64[:n]
	case StorageF32:
		v.F32 = v.F32[:n]
	case StorageF64:
		v.F64 = v.F64[:n]
	case StorageDec:
		v.Dec = v.Dec[:n]
	case StorageBytes:
		v.Views = v.Views[:n]
	}
}

// grow makes room for more rows in every column.
func (s *JSONScanner) grow() {
	s.room = max(BatchRows, 2*s.room)
	for i := range s.cols {
		if v := s.cols[i].v; v != nil {
			v.growTo(s.n, s.room)
		}
	}
}

// growTo gives the slices the length room, keeping the first n rows.
func (v *Vector) growTo(n, room int) {
	if v.Valid != nil {
		v.Valid = extend(v.Valid, (n+63)/64, (room+63)/64)
	}
	switch v.Type.Kind.Storage() {
	case StorageBool:
		v.Bools = extend(v.Bools, n, room)
	case StorageI8:
		v.I8 = extend(v.I8, n, room)
	case StorageI16:
		v.I16 = extend(v.I16, n, room)
	case StorageI32:
		v.I32 = extend(v.I32, n, room)
	case StorageI64:
		v.I64 = extend(v.I64, n, room)
	case StorageF32:
		v.F32 = extend(v.F32, n, room)
	case StorageF64:
		v.F64 = extend(v.F64, n, room)
	case StorageDec:
		v.Dec = extend(v.Dec, n, room)
	case StorageBytes:
		v.Views = extend(v.Views, n, room)
	}
}

func extend[T any](s []T, n, room int) []T {
	if cap(s) >= room {
		return s[:room]
	}
	out := make([]T, room)
	copy(out, s[:n])
	return out
}

// Scan appends one record, a JSON object. On an error, a *JSONError, nothing is appended.
func (s *JSONScanner) Scan(rec []byte) error {
	if s.n == s.room {
		s.grow()
	}
	s.rec, s.err = rec, nil
	bufLen := len(s.buf)
	at := s.object(skipSpace(rec, 0))
	if at >= 0 {
		if at = skipSpace(rec, at); at < len(rec) {
			at = s.fail("", at, "something follows the object")
		}
	}
	if at < 0 || !s.commit() {
		s.undo()
		if len(s.buf) >= bufLen {
			s.buf = s.buf[:bufLen]
		}
		return s.err
	}
	return nil
}

// commit makes the row count: columns without a value get a null.
func (s *JSONScanner) commit() bool {
	row := s.n + 1
	for i := range s.cols {
		c := &s.cols[i]
		if c.row == row && (c.nest != nil || c.v.Valid == nil) {
			continue
		}
		if c.row != row && !s.schema.Fields[i].Nullable {
			s.fail(s.schema.Fields[i].Name, 0, "the field is NOT NULL and the record has no value for it")
			return false
		}
		c.close(s.n, c.row == row)
	}
	s.n = row
	return true
}

// close settles the validity of the column's row n.
func (c *jsonColumn) close(n int, valid bool) {
	if c.nest != nil {
		if c.nest.Len() == n {
			c.nest.AppendNull()
		}
		return
	}
	v := c.v
	if v.Type.Kind == Null {
		return
	}
	if v.Valid == nil {
		v.Valid = AllValid(v.spare, n)
		v.spare = nil
	}
	if w := n >> 6; w >= len(v.Valid) {
		v.Valid = append(v.Valid, 0)
	}
	if valid {
		v.Valid[n>>6] |= 1 << (uint(n) & 63)
		return
	}
	v.Valid[n>>6] &^= 1 << (uint(n) & 63)
	if v.Type.Kind.Storage() == StorageBytes {
		v.Views[n] = View{}
	}
}

// undo drops what a refused record left behind.
func (s *JSONScanner) undo() {
	for i := range s.cols {
		c := &s.cols[i]
		if c.row > s.n {
			c.row = 0
		}
		if c.nest != nil {
			c.nest.Truncate(s.n)
		}
	}
}

// fail records why the record is refused and returns -1.
func (s *JSONScanner) fail(field string, at int, format string, args ...any) int {
	if s.err == nil {
		s.err = &JSONError{Field: field, Offset: at, Reason: fmt.Sprintf(format, args...)}
	}
	return -1
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// object reads the top-level object at i and returns the position after it, or -1.
func (s *JSONScanner) object(i int) int {
	rec := s.rec
	if i >= len(rec) || rec[i] != '{' {
		return s.fail("", i, "a record must be a JSON object")
	}
	if i = skipSpace(rec, i+1); i < len(rec) && rec[i] == '}' {
		return i + 1
	}
	for pos := 0; ; pos++ {
		col := -1
		if m := s.expect(pos); m != nil && hasKey(rec, i, m.key) {
			col, i = m.col, i+len(m.key)
		} else {
			from := i
			if col, i = s.key(i); i < 0 {
				return -1
			}
			s.learn(pos, rec[from:i], col)
		}
		if i < len(rec) && rec[i] <= ' ' {
			i = skipSpace(rec, i)
		}
		if i = s.member(col, i); i < 0 {
			return -1
		}
		if i < len(rec) && rec[i] <= ' ' {
			i = skipSpace(rec, i)
		}
		if i >= len(rec) {
			return s.fail("", i, "the object is not closed")
		}
		c := rec[i]
		i++
		if c == '}' {
			return i
		}
		if c != ',' {
			return s.fail("", i-1, "a comma or } must follow a member")
		}
		if i < len(rec) && rec[i] <= ' ' {
			i = skipSpace(rec, i)
		}
	}
}

// jsonMember is a member of a record as it was read: its key as it stands there, with quotes and colon, and its column.
type jsonMember struct {
	key []byte // empty when nothing is expected here
	col int    // -1 for a member that the schema does not have
}

// A monstrous record is not remembered: these bound the positions and the length of a key.
const (
	maxExpected = 256
	maxKey      = 256
)

// expect is what the member at a position of a record is likely to be: what it was in the record before, at first the
// schema's own order; nil for a position that had none. Members that the schema does not have are expected too: most
// queries read a few columns of many.
func (s *JSONScanner) expect(pos int) *jsonMember {
	if pos < len(s.order) {
		return &s.order[pos]
	}
	return nil
}

// learn notes what the member at a position was. key ends where its value begins.
func (s *JSONScanner) learn(pos int, key []byte, col int) {
	if pos >= maxExpected || len(key) > maxKey {
		return
	}
	for pos >= len(s.order) {
		s.order = append(s.order, jsonMember{})
	}
	m := &s.order[pos]
	m.key, m.col = append(m.key[:0], key...), col
}

func hasKey[K string | []byte](rec []byte, i int, key K) bool {
	return len(key) > 0 && len(rec)-i >= len(key) && string(rec[i:i+len(key)]) == string(key)
}

// key reads a member name and its colon; the column is -1 when the schema has no such field.
func (s *JSONScanner) key(i int) (col, next int) {
	name, i := s.str("", i)
	if i < 0 {
		return -1, -1
	}
	col, ok := s.byName[string(name)]
	if !ok {
		col = -1
	}
	if i = skipSpace(s.rec, i); i >= len(s.rec) || s.rec[i] != ':' {
		return -1, s.fail("", i, "a colon must follow a member's name")
	}
	return col, skipSpace(s.rec, i+1)
}

// str reads the string at i. The result is part of the record, or of s.text when it holds escapes, and valid UTF-8.
func (s *JSONScanner) str(field string, i int) ([]byte, int) {
	if i >= len(s.rec) || s.rec[i] != '"' {
		return nil, s.fail(field, i, "expected a string, found %s", s.found(i))
	}
	from := i + 1
	end, ascii := findQuote(s.rec, from)
	if end < len(s.rec) && s.rec[end] == '"' {
		text := s.rec[from:end]
		if !ascii && !utf8.Valid(text) {
			s.text = appendValid(s.text[:0], text)
			text = s.text
		}
		return text, end + 1
	}
	return s.escaped(field, from, end)
}

func appendValid(dst, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		dst = utf8.AppendRune(dst, r)
		text = text[size:]
	}
	return dst
}
