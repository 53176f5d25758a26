package expr

import (
	"math/bits"

	"github.com/streamflow/streamflow/column"
)

// kernel computes one operation for k.n rows. When it starts, out has its storage and the validity that follows from
// null arguments (unless the function keeps its own nulls); it fills every row, the null ones with anything.
type kernel func(k *kctx, args []*column.Vector, out *column.Vector)

// kctx is what one instruction of a program has at run time: the context and the buffers it reuses from batch to batch.
type kctx struct {
	ctx   *Context
	n     int
	out   *column.Vector
	valid []uint64 // memory for out.Valid
	buf   []byte   // bytes of a string result; out.Bufs refers to it alone
	bufs  [1][]byte
	errs  RowErrors
}

// null makes row i of the result null.
func (k *kctx) null(i int) {
	if k.out.Valid == nil {
		k.valid = column.AllValid(k.valid, k.n)
		k.out.Valid = k.valid
	}
	k.out.Valid[uint(i)>>6] &^= 1 << (uint(i) & 63)
}

// fail makes row i an error. Whether the error counts is decided by the expressions above: it does not in a branch that
// the row does not take.
func (k *kctx) fail(i int, err error) {
	k.null(i)
	k.errs.Rows = append(k.errs.Rows, int32(i))
	k.errs.Errs = append(k.errs.Errs, err)
}

// ansi fails row i under ANSI rules and makes it null otherwise.
func (k *kctx) ansi(i int, err error) {
	if k.ctx.ANSI {
		k.fail(i, err)
		return
	}
	k.null(i)
}

// failAll makes every row that is not null an error.
func (k *kctx) failAll(err error) {
	for i := 0; i < k.n; i++ {
		if k.ok(i) {
			k.fail(i, err)
		}
	}
}

// ok reports whether row i of the result is not null so far.
func (k *kctx) ok(i int) bool {
	return k.out.Valid == nil || k.out.Valid[uint(i)>>6]>>(uint(i)&63)&1 != 0
}

// strict gives out the validity of a function whose result is null when an argument is.
func (k *kctx) strict(args []*column.Vector) {
	first := true
	for _, a := range args {
		if a.Type.Kind == column.Null {
			k.valid = column.AllValid(k.valid, k.n)
			clear(k.valid)
			k.out.Valid = k.valid
			return
		}
		if a.Valid == nil {
			continue
		}
		if a.Const {
			if a.Valid[0]&1 == 0 {
				k.valid = column.AllValid(k.valid, k.n)
				clear(k.valid)
				k.out.Valid = k.valid
				return
			}
			continue
		}
		words := (k.n + 63) / 64
		if first {
			k.valid = append(k.valid[:0], a.Valid[:words]...)
			first = false
			continue
		}
		for w := range k.valid {
			k.valid[w] &= a.Valid[w]
		}
	}
	if !first {
		k.out.Valid = k.valid
	}
}

// prep gives out storage for n rows of its type, all valid.
func prep(out *column.Vector, t column.Type, n int) {
	out.Type, out.N, out.Valid, out.Const = t, n, nil, false
	out.Codes, out.Dict = nil, nil
	switch t.Kind {
	case column.Bool:
		out.Bools = resize(out.Bools, n)
	case column.Int8:
		out.I8 = resize(out.I8, n)
	case column.Int16:
		out.I16 = resize(out.I16, n)
	case column.Int32, column.Date, column.IntervalYM:
		out.I32 = resize(out.I32, n)
	case column.Int64, column.Timestamp, column.TimestampNTZ, column.IntervalDT, column.Time:
		out.I64 = resize(out.I64, n)
	case column.Float32:
		out.F32 = resize(out.F32, n)
	case column.Float64:
		out.F64 = resize(out.F64, n)
	case column.Decimal, column.Calendar:
		out.Dec = resize(out.Dec, n)
	case column.String, column.Binary, column.Variant:
		out.Views = resize(out.Views, n)
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// text writes the rows of a string result in order.
type text struct {
	k     *kctx
	buf   []byte
	start int
}

func (k *kctx) text() text { return text{k: k, buf: k.buf[:0]} }

// end makes what was appended to buf since the last end row i.
func (t *text) end(i int) {
	n := len(t.buf) - t.start
	t.k.out.Views[i] = column.MakeView(t.buf[t.start:], 0, uint32(t.start))
	if n <= column.InlineLen {
		t.buf = t.buf[:t.start] // the view holds the bytes itself
		return
	}
	t.start = len(t.buf)
}

// set makes s row i.
func (t *text) set(i int, s []byte) {
	t.buf = append(t.buf, s...)
	t.end(i)
}

// done hands the bytes to the result.
func (t *text) done() {
	t.k.buf = t.buf
	t.k.bufs[0] = t.buf
	t.k.out.Bufs = t.k.bufs[:]
}

// eachText is the kernel of a function from one string to another: f appends the result for s to dst.
func eachText(f func(dst, s []byte) []byte) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		t := k.text()
		for i := 0; i < k.n; i++ {
			if k.ok(i) {
				t.buf = f(t.buf, args[0].Bytes(i))
			}
			t.end(i)
		}
		t.done()
	}
}

// hasNulls reports whether any of n rows is null.
func hasNulls(v *column.Vector, n int) bool {
	if v.Type.Kind == column.Null {
		return n > 0
	}
	if v.Valid == nil {
		return false
	}
	if v.Const {
		return v.Valid[0]&1 == 0
	}
	full := n / 64
	for _, w := range v.Valid[:full] {
		if w != ^uint64(0) {
			return true
		}
	}
	rest := uint(n & 63)
	return rest != 0 && bits.TrailingZeros64(^v.Valid[full]) < int(rest)
}
