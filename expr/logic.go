package expr

import (
	"unsafe"

	"github.com/streamflow/streamflow/column"
)

// logic is AND (decisive false) and OR (decisive true) in three-valued logic: the decisive value wins over null, and the
// right side does not count for rows that the left side has decided.
func logic(decisive bool) lazyKernel {
	var sel []int32
	return func(l *lazyRun, out *column.Vector) {
		a := l.operand(0, nil)
		if !l.eager(1) {
			sel = open(sel[:0], &a, decisive, l.n)
			if len(sel) == 0 {
				copyBool(l.k, out, &a)
				l.failures(&a, nil)
				return
			}
		}
		b := l.operand(1, sel)
		if l.eager(1) && !a.v.Const && !b.v.Const && a.v.Valid == nil && b.v.Valid == nil {
			both(out.Bools, a.v.Bools[:l.n], b.v.Bools[:l.n], decisive)
			return
		}
		for i := 0; i < l.n; i++ {
			l.logicRow(out, &a, &b, i, decisive)
		}
		l.failures(&a, nil)
		l.failures(&b, func(i int) bool { return !decided(&a, i, decisive) })
	}
}

func (l *lazyRun) logicRow(out *column.Vector, a, b *operand, i int, decisive bool) {
	va, xa := boolAt(a, i)
	if va && xa == decisive {
		out.Bools[i] = decisive
		return
	}
	vb, xb := boolAt(b, i)
	switch {
	case vb && xb == decisive:
		out.Bools[i] = decisive
	case va && vb:
		out.Bools[i] = !decisive
	default:
		out.Bools[i] = false
		l.k.null(i)
	}
}

func decided(a *operand, i int, decisive bool) bool {
	valid, x := boolAt(a, i)
	return valid && x == decisive || a.errs != nil && a.errs.Has(int32(i))
}

func boolAt(o *operand, i int) (valid, value bool) {
	j := o.at(i)
	if !o.v.IsValid(j) {
		return false, false
	}
	if o.v.Const {
		j = 0
	}
	return true, o.v.Bools[j]
}

// open appends the rows that a leaves undecided.
func open(sel []int32, a *operand, decisive bool, n int) []int32 {
	for i := 0; i < n; i++ {
		if !decided(a, i, decisive) {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

func copyBool(k *kctx, out *column.Vector, a *operand) {
	for i := range out.Bools {
		valid, x := boolAt(a, i)
		out.Bools[i] = x
		if !valid {
			k.null(i)
		}
	}
}

// failures makes rows that failed in an operand fail here, where keep (nil: always) says that they count.
func (l *lazyRun) failures(o *operand, keep func(i int) bool) {
	if o.errs == nil {
		return
	}
	for j, r := range o.errs.Rows {
		if keep == nil || keep(int(r)) {
			l.k.null(int(r))
			l.k.errs.Add(r, o.errs.Errs[j])
		}
	}
}

// both is a AND b, or a OR b when or is set, eight rows at a step: a bool is a byte that is 0 or 1.
func both(dst, a, b []bool, or bool) {
	n := len(dst)
	i := 0
	for ; i+8 <= n; i += 8 {
		x := *(*uint64)(unsafe.Pointer(&a[i]))
		y := *(*uint64)(unsafe.Pointer(&b[i]))
		if or {
			x |= y
		} else {
			x &= y
		}
		*(*uint64)(unsafe.Pointer(&dst[i])) = x
	}
	for ; i < n; i++ {
		if or {
			dst[i] = a[i] || b[i]
		} else {
			dst[i] = a[i] && b[i]
		}
	}
}

// coalesce is the first operand that is not null.
func coalesce(l *lazyRun, out *column.Vector) {
	n := len(l.in.args)
	choice := l.choices()
	left := l.n
	var sel []int32
	for j := 0; j < n && left > 0; j++ {
		if !l.eager(j) {
			sel = undecided(sel[:0], choice)
		}
		o := l.operand(j, sel)
		if o.errs != nil {
			left -= l.markFailed(&o, choice)
		}
		if o.pos == nil && !hasNulls(o.v, o.v.N) {
			for i, c := range choice {
				if c == open16 {
					choice[i] = int16(j)
				}
			}
			left = 0
		} else {
			for i, c := range choice {
				if c == open16 && o.v.IsValid(o.at(i)) {
					choice[i] = int16(j)
					left--
				}
			}
		}
		l.opnds()[j] = o
	}
	l.pick(out, choice, l.opnds()[:n])
}

func undecided(sel []int32, choice []int16) []int32 {
	for i, c := range choice {
		if c == open16 {
			sel = append(sel, int32(i))
		}
	}
	return sel
}
