package physical

import (
	"math"
	"math/rand/v2"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Sample passes rows whose uniform draw lies in [Lower, Upper). The draws depend on the seed, the partition and the row's
// place in it, so two samples with the same seed and adjoining bounds split the rows. Of a stream each batch has draws of its own, the same
// when it is run again: draws that began anew would take all rows of small batches, or none. With Replace a row comes as often as a draw
// from a Poisson distribution says, whose mean is Upper - Lower.
type Sample struct {
	Lower, Upper float64
	Seed         int64
	Replace      bool
}

func (s *Sample) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	seed := uint64(s.Seed)
	if b := tc.Binding; b != nil && b.Query != "" {
		seed ^= rand.NewPCG(uint64(s.Seed), uint64(b.Batch)).Uint64()
	}
	rng := rand.New(rand.NewPCG(seed, uint64(tc.Partition)))
	var sel []int32
	var out *column.Batch
	next := func() (*column.Batch, error) {
		for {
			b, err := in[0].Next()
			if err != nil {
				return b, err
			}
			if s.Replace {
				sel = poissonRows(sel[:0], b.N, s.Upper-s.Lower, rng)
			} else {
				sel = s.drawn(sel[:0], b.N, rng)
			}
			if len(sel) > 0 {
				out = column.TakeBatch(out, b, sel)
				return out, nil
			}
		}
	}
	return output(tc, in, next, nil), nil
}

func (s *Sample) drawn(sel []int32, n int, rng *rand.Rand) []int32 {
	for i := 0; i < n; i++ {
		if u := rng.Float64(); u >= s.Lower && u < s.Upper {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

// poissonStep is the mean up to which one draw of the product method is exact enough; larger means are sums of such draws.
const poissonStep = 30

// poissonRows selects each row as often as Knuth's product method draws.
func poissonRows(sel []int32, n int, mean float64, rng *rand.Rand) []int32 {
	for i := 0; i < n; i++ {
		for left := mean; left > 0; left -= poissonStep {
			limit := math.Exp(-math.Min(left, poissonStep))
			for p := rng.Float64(); p > limit; p *= rng.Float64() {
				sel = append(sel, int32(i))
			}
		}
	}
	return sel
}
