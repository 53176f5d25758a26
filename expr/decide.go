package expr

import "github.com/streamflow/streamflow/column"

// A lazy operation writes for each row which operand it takes: its number, or one of these.
const (
	open16   int16 = -1 // not decided yet; in the end: null
	failed16 int16 = -2
)

func (l *lazyRun) choices() []int16 {
	l.in.codes.choice = resize(l.in.codes.choice, l.n)
	for i := range l.in.codes.choice {
		l.in.codes.choice[i] = open16
	}
	return l.in.codes.choice
}

func (l *lazyRun) opnds() []operand {
	if l.in.opnds == nil {
		l.in.opnds = make([]operand, len(l.in.args))
	}
	return l.in.opnds
}

// markFailed makes undecided rows that failed in o fail, and returns how many.
func (l *lazyRun) markFailed(o *operand, choice []int16) int {
	n := 0
	for j, r := range o.errs.Rows {
		if choice[r] == open16 {
			choice[r] = failed16
			l.k.null(int(r))
			l.k.errs.Add(r, o.errs.Errs[j])
			n++
		}
	}
	return n
}

// conditions decides the first of n conditions that is true for each row; rows without one take dflt.
func (l *lazyRun) conditions(n int, dflt int16) []int16 {
	choice := l.choices()
	var sel []int32
	for j := 0; j < n; j++ {
		if !l.eager(j) {
			if sel = undecided(sel[:0], choice); len(sel) == 0 {
				break
			}
		}
		o := l.operand(j, sel)
		if o.errs != nil {
			l.markFailed(&o, choice)
		}
		if o.pos == nil && !o.v.Const && o.v.Valid == nil {
			for i, x := range o.v.Bools[:l.n] {
				if x && choice[i] == open16 {
					choice[i] = int16(j)
				}
			}
			continue
		}
		for i, c := range choice {
			if c != open16 {
				continue
			}
			if valid, x := boolAt(&o, i); valid && x {
				choice[i] = int16(j)
			}
		}
	}
	for i, c := range choice {
		if c == open16 {
			choice[i] = dflt
		}
	}
	return choice
}

// decide is CASE: operands are n conditions, n results, and the default if there is one.
func (l *lazyRun) decide(n int, hasElse bool, out *column.Vector) {
	dflt := open16
	if hasElse {
		dflt = int16(n)
	}
	choice := l.conditions(n, dflt)
	results := l.opnds()[n:]
	var sel []int32
	for j := range results {
		if l.eager(n + j) {
			results[j] = l.operand(n+j, nil)
		} else {
			sel = sel[:0]
			for i, c := range choice {
				if int(c) == j {
					sel = append(sel, int32(i))
				}
			}
			if len(sel) == 0 {
				results[j] = operand{}
				continue
			}
			results[j] = l.operand(n+j, sel)
		}
		want := int16(j)
		l.failures(&results[j], func(i int) bool { return choice[i] == want })
	}
	l.pick(out, choice, results)
}

// literalCodes is the dictionary of a CASE whose results are all string literals, nil if they are not.
func literalCodes(e *Case) *column.Vector {
	results := e.Thens
	if e.Else != nil {
		results = append(append([]Expr{}, results...), e.Else)
	}
	if e.DataType().Kind != column.String {
		return nil
	}
	b := column.NewBuilder(column.Of(column.String))
	for _, r := range results {
		l, ok := r.(*Literal)
		if !ok || l.Value == nil {
			return nil
		}
		b.AppendString(l.Value.(string))
	}
	return b.Finish()
}

// decideCodes is CASE over string literals: the choice is the dictionary code.
func (l *lazyRun) decideCodes(n int, dict *column.Vector, out *column.Vector) {
	dflt := open16
	if dict.N > n {
		dflt = int16(n)
	}
	codes := resize(l.in.codes.codes, l.n)
	l.in.codes.codes = codes
	if o := l.operand(0, nil); n == 1 && dflt == 1 && o.errs == nil && o.v.Valid == nil && !o.v.Const {
		for i, x := range o.v.Bools[:l.n] {
			code := int32(1)
			if x {
				code = 0
			}
			codes[i] = code
		}
		out.Codes, out.Dict, out.Views = codes, dict, nil
		return
	}
	choice := l.conditions(n, dflt)
	for i, c := range choice {
		codes[i] = int32(c)
		if c < 0 {
			codes[i] = 0
			l.k.null(i)
		}
	}
	out.Codes, out.Dict, out.Views = codes, dict, nil
}

// pick fills out with, for each row, the row of the operand that choice names.
func (l *lazyRun) pick(out *column.Vector, choice []int16, from []operand) {
	switch out.Type.Kind.Storage() {
	case column.StorageBytes:
		l.pickText(out, choice, from)
	case column.StorageList, column.StorageStruct:
		l.pickNested(out, choice, from)
	case column.StorageNone:
		return
	default:
		for j := range from {
			if from[j].v != nil {
				pickFixed(out, choice, int16(j), &from[j])
			}
		}
	}
	if out.Type.Kind.Storage() == column.StorageList || out.Type.Kind.Storage() == column.StorageStruct {
		return
	}
	for i, c := range choice {
		if c < 0 || !from[c].v.IsValid(from[c].at(i)) {
			l.k.null(i)
		}
	}
}

func pickFixed(out *column.Vector, choice []int16, j int16, o *operand) {
	switch out.Type.Kind.Storage() {
	case column.StorageBool:
		pickRows(out.Bools, o.v.Bools, choice, j, o)
	case column.StorageI8:
		pickRows(out.I8, o.v.I8, choice, j, o)
	case column.StorageI16:
		pickRows(out.I16, o.v.I16, choice, j, o)
	case column.StorageI32:
		pickRows(out.I32, o.v.I32, choice, j, o)
	case column.StorageI64:
		pickRows(out.I64, o.v.I64, choice, j, o)
	case column.StorageF32:
		pickRows(out.F32, o.v.F32, choice, j, o)
	case column.StorageF64:
		pickRows(out.F64, o.v.F64, choice, j, o)
	case column.StorageDec:
		pickRows(out.Dec, o.v.Dec, choice, j, o)
	}
}

func pickRows[T any](dst, src []T, choice []int16, j int16, o *operand) {
	switch {
	case o.v.Const:
		x := src[0]
		for i, c := range choice {
			if c == j {
				dst[i] = x
			}
		}
	case o.pos != nil:
		for i, c := range choice {
			if c == j {
				dst[i] = src[o.pos[i]]
			}
		}
	default:
		for i, c := range choice {
			if c == j {
				dst[i] = src[i]
			}
		}
	}
}

func (l *lazyRun) pickText(out *column.Vector, choice []int16, from []operand) {
	t := l.k.text()
	for i, c := range choice {
		if c >= 0 {
			t.set(i, from[c].v.Bytes(from[c].at(i)))
		} else {
			t.end(i)
		}
	}
	t.done()
}

func (l *lazyRun) pickNested(out *column.Vector, choice []int16, from []operand) {
	b := column.NewBuilder(out.Type)
	for i, c := range choice {
		if c < 0 {
			b.AppendNull()
		} else {
			b.AppendFrom(from[c].v, from[c].at(i))
		}
	}
	*out = *b.Finish()
}
