package expr

import (
	"math"
	"math/bits"

	"github.com/streamflow/streamflow/column"
)

// hllBits is the number of hash bits that choose a register: 2048 registers, standard error 2.3 %.
const hllBits = 11

const hllRegisters = 1 << hllBits

func init() {
	register("aggregate", &Function{Name: "approx_count_distinct", Kind: Aggregate, in: params("a:x d:rsd?"), out: outOf(column.Int64), null: never,
		Doc: "The number of different values, estimated within about 2 % by HyperLogLog.", Example: "approx_count_distinct(x) over 1, 1, 2 -> 2",
		agg: func(*Agg) (aggregator, error) {
			return aggregator{state: []column.Type{column.Of(column.Binary)}, make: func() Accumulator { return &hllAcc{} }}, nil
		}})
}

// hllAcc keeps for each group the greatest number of leading zeros of the hashes that fell in each register.
type hllAcc struct {
	regs   [][]byte
	hashes []uint64
}

func (h *hllAcc) Resize(n int) { h.regs = grow(h.regs, n) }

func (h *hllAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	h.hashes = column.Hash(h.hashes, args[:1], n)
	for i, g := range gids[:n] {
		if args[0].IsValid(i) {
			h.add(g, mix64(h.hashes[i]))
		}
	}
	return nil
}

// mix64 spreads the hash of a group table, whose high bits need not be uniform, over all bits.
func mix64(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func (h *hllAcc) add(g uint32, x uint64) {
	if h.regs[g] == nil {
		h.regs[g] = make([]byte, hllRegisters)
	}
	at := x >> (64 - hllBits)
	rank := byte(bits.LeadingZeros64(x<<hllBits|1<<(hllBits-1)) + 1)
	if rank > h.regs[g][at] {
		h.regs[g][at] = rank
	}
}

func (h *hllAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if !state[0].IsValid(i) {
			continue
		}
		b := state[0].Bytes(i)
		if h.regs[g] == nil {
			h.regs[g] = make([]byte, hllRegisters)
		}
		for j, r := range b {
			h.regs[g][j] = max(h.regs[g][j], r)
		}
	}
	return nil
}

func (h *hllAcc) State() []*column.Vector {
	b := column.NewBuilder(column.Of(column.Binary))
	for _, r := range h.regs {
		if r == nil {
			b.AppendNull()
		} else {
			b.AppendBytes(r)
		}
	}
	return []*column.Vector{b.Finish()}
}

func (h *hllAcc) Result() (*column.Vector, error) {
	out := column.NewVector(column.Of(column.Int64), len(h.regs))
	for g, r := range h.regs {
		if r != nil {
			out.I64[g] = estimate(r)
		}
	}
	return out, nil
}

// estimate is Flajolet's formula, with linear counting where registers are empty.
func estimate(regs []byte) int64 {
	const m = float64(hllRegisters)
	sum, empty := 0.0, 0
	for _, r := range regs {
		sum += math.Ldexp(1, -int(r))
		empty += boolInt(r == 0)
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && empty > 0 {
		e = m * math.Log(m/float64(empty))
	}
	return int64(math.Round(e))
}

func (h *hllAcc) Reset() { h.regs = h.regs[:0] }

func (h *hllAcc) Bytes() int64 {
	n := int64(24 * cap(h.regs))
	for _, r := range h.regs {
		n += int64(len(r))
	}
	return n
}
