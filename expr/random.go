package expr

import (
	mrand "math/rand/v2"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// maxRandstr bounds the texts that randstr makes.
const maxRandstr = 1 << 20

// seeded gives out one generator for each kernel and partition, from the constant at args[at] if it is there.
func seeded(args []Expr, at int) func(k *kctx) *mrand.Rand {
	seed := mrand.Uint64()
	if len(args) > at {
		if l, ok := Transform(args[at], Fold).(*Literal); ok && l.Value != nil {
			if n, is := l.Value.(int64); is {
				seed = uint64(n)
			}
		}
	}
	var r *mrand.Rand
	return func(k *kctx) *mrand.Rand {
		if r == nil {
			r = mrand.New(mrand.NewPCG(seed, uint64(k.ctx.Partition)))
		}
		return r
	}
}

func init() {
	register("math", &Function{Name: "uniform", in: params("n:min n:max l:seed?"), flags: volatile, null: ifArgs, Doc: "A number between min and max for each row, evenly distributed; whole when both are.", Example: "uniform(10, 20, 0) between 10 and 20 -> true", cost: 15,
		out: func(a []Expr) (column.Type, error) {
			if a[0].DataType().IsInteger() && a[1].DataType().IsInteger() {
				t, _ := CommonType(a[0].DataType(), a[1].DataType())
				return t, nil
			}
			return column.Of(column.Float64), nil
		},
		kernel: func(c *Call) kernel {
			next := seeded(c.Args, 2)
			return func(k *kctx, a []*column.Vector, out *column.Vector) {
				r := next(k)
				for i := 0; i < k.n; i++ {
					if !k.ok(i) {
						continue
					}
					if c.Typ.Kind != column.Float64 {
						lo, hi := intAt(a[0], i), intAt(a[1], i)
						if lo > hi {
							lo, hi = hi, lo
						}
						setInt(out, i, lo+int64(r.Uint64N(uint64(hi-lo)+1)))
						continue
					}
					lo, hi := floatAt(a[0], i), floatAt(a[1], i)
					out.F64[i] = lo + r.Float64()*(hi-lo)
				}
			}
		}})
	register("string", &Function{Name: "randstr", in: params("i:length l:seed?"), out: outOf(column.String), flags: volatile, Doc: "A text of letters and digits, another for each row.", Example: "length(randstr(5, 0)) -> 5", cost: 50,
		kernel: func(c *Call) kernel {
			next := seeded(c.Args, 1)
			return rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				n := a[0].I32[constRow(a[0], i)]
				if n < 0 || n > maxRandstr {
					k.fail(i, usererr.New("INVALID_PARAMETER_VALUE.LENGTH", "22023", "randstr makes texts of 0 to %d characters, not %d.", maxRandstr, n))
					return dst
				}
				r := next(k)
				for range n {
					dst = append(dst, alphanumeric[r.IntN(len(alphanumeric))])
				}
				return dst
			})(c)
		}})
	register("collection", &Function{Name: "shuffle", in: params("A l:seed?"), out: typeOfFirst, flags: volatile, Doc: "The elements of the array in random order.", Example: "array_sort(shuffle(array(3, 1, 2))) -> [1, 2, 3]", cost: 100,
		kernel: func(c *Call) kernel {
			next := seeded(c.Args, 1)
			return build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
				rows := rowsOf(a[0], i)
				next(k).Shuffle(len(rows), func(x, y int) { rows[x], rows[y] = rows[y], rows[x] })
				for _, j := range rows {
					b.Kid(0).AppendFrom(a[0].Kids[0], j)
				}
				b.CloseRow()
			})(c)
		}})
}
