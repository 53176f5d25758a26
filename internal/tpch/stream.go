package tpch

// stream is a column's random numbers: Lehmer's generator, x = 16807 x mod 2^31-1. Invariant: seed lies between 1 and
// modulus-1, and start is the seed that the current row began with.
type stream struct {
	seed, start int64
	row         int64 // multiplier that moves a seed by the numbers of one row
	perRow      int64
}

const (
	multiplier = 16807
	modulus    = 1<<31 - 1
)

// newStream is the stream of a column each of whose rows has perRow numbers.
func newStream(seed, perRow int64) stream {
	return stream{seed: seed, start: seed, row: power(perRow), perRow: perRow}
}

// times is a*b modulo 2^31-1: the bits above the 31st count once more.
func times(a, b int64) int64 {
	p := a * b
	p = p&modulus + p>>31
	if p >= modulus {
		p -= modulus
	}
	return p
}

// power is multiplier^n.
func power(n int64) int64 {
	out, square := int64(1), int64(multiplier)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out = times(out, square)
		}
		square = times(square, square)
	}
	return out
}

// fraction is the next number, between 0 and 1.
func (s *stream) fraction() float64 {
	s.seed = times(s.seed, multiplier)
	return float64(s.seed) / modulus
}

// between is the next number as one of lo..hi.
func (s *stream) between(lo, hi int64) int64 { return lo + int64(s.fraction()*float64(hi-lo+1)) }

// endRow goes to the numbers of the next row, however many the current one used.
func (s *stream) endRow() {
	s.start = times(s.start, s.row)
	s.seed = s.start
}

// skip passes over whole rows.
func (s *stream) skip(rows int64) {
	s.start = times(s.start, power(rows*s.perRow))
	s.seed = s.start
}

// streams are those of a table's generator.
type streams []*stream

func (all streams) skip(rows int64) {
	for _, s := range all {
		s.skip(rows)
	}
}

func (all streams) endRow() {
	for _, s := range all {
		s.endRow()
	}
}
