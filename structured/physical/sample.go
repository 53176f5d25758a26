package physical

import (
	"math/rand/v2"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Sample passes rows whose uniform draw lies in [Lower, Upper). The draws depend on the seed, the partition and the row's
// place in it, so two samples with the same seed and adjoining bounds split the rows. Of a stream each batch has draws of its own, the same
// when it is run again: draws that began anew would take all rows of small batches, or none.
type Sample struct {
	Lower, Upper float64
	Seed         int64
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
			sel = sel[:0]
			for i := 0; i < b.N; i++ {
				if u := rng.Float64(); u >= s.Lower && u < s.Upper {
					sel = append(sel, int32(i))
				}
			}
			if len(sel) > 0 {
				out = column.TakeBatch(out, b, sel)
				return out, nil
			}
		}
	}
	return output(tc, in, next, nil), nil
}
