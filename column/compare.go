package column

// CmpOp is a comparison.
type CmpOp uint8

const (
	EQ CmpOp = iota
	NE
	LT
	LE
	GT
	GE
)

var cmpNames = [...]string{"=", "!=", "<", "<=", ">", ">="}

func (o CmpOp) String() string { return cmpNames[o] }

// Swap is the comparison with its sides exchanged: a < b is b > a.
func (o CmpOp) Swap() CmpOp { return [...]CmpOp{EQ, NE, GT, GE, LT, LE}[o] }

// SelectConst returns the rows i with v[i] op c, reusing dst. The loops have no branch that depends on data. Floats
// compare by IEEE rules here; see CompareFloatConst for Spark's NaN.
func SelectConst[T Number](dst []int32, op CmpOp, v []T, c T) []int32 {
	dst = resize(dst, len(v))
	k := 0
	switch op {
	case EQ:
		for i, x := range v {
			dst[k] = int32(i)
			inc := 0
			if x == c {
				inc = 1
			}
			k += inc
		}
	case NE:
		for i, x := range v {
			dst[k] = int32(i)
			inc := 0
			if x != c {
				inc = 1
			}
			k += inc
		}
	case LT:
		for i, x := range v {
			dst[k] = int32(i)
			inc := 0
			if x < c {
				inc = 1
			}
			k += inc
		}
	case LE:
		for i, x := range v {
			dst[k] = int32(i)
			inc := 0
			if x <= c {
				inc = 1
			}
			k += inc
		}
	case GT:
		for i, x := range v {
			dst[k] = int32(i)
			inc := 0
			if x > c {
				inc = 1
			}
			k += inc
		}
	case GE:
		for i, x := range v {
			dst[k] = int32(i)
			inc := 0
			if x >= c {
				inc = 1
			}
			k += inc
		}
	}
	return dst[:k]
}

// CompareConst writes v[i] op c to dst, reusing it.
func CompareConst[T Number](dst []bool, op CmpOp, v []T, c T) []bool {
	dst = resize(dst, len(v))
	switch op {
	case EQ:
		for i, x := range v {
			dst[i] = x == c
		}
	case NE:
		for i, x := range v {
			dst[i] = x != c
		}
	case LT:
		for i, x := range v {
			dst[i] = x < c
		}
	case LE:
		for i, x := range v {
			dst[i] = x <= c
		}
	case GT:
		for i, x := range v {
			dst[i] = x > c
		}
	case GE:
		for i, x := range v {
			dst[i] = x >= c
		}
	}
	return dst
}

// Compare writes a[i] op b[i] to dst, reusing it.
func Compare[T Number](dst []bool, op CmpOp, a, b []T) []bool {
	dst = resize(dst, len(a))
	b = b[:len(a)]
	switch op {
	case EQ:
		for i, x := range a {
			dst[i] = x == b[i]
		}
	case NE:
		for i, x := range a {
			dst[i] = x != b[i]
		}
	case LT:
		for i, x := range a {
			dst[i] = x < b[i]
		}
	case LE:
		for i, x := range a {
			dst[i] = x <= b[i]
		}
	case GT:
		for i, x := range a {
			dst[i] = x > b[i]
		}
	case GE:
		for i, x := range a {
			dst[i] = x >= b[i]
		}
	}
	return dst
}
