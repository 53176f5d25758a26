package nexmark

import "math"

// random is a stream of random numbers: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
// 2014).
type random uint64

// randomOf is the stream of one event.
func randomOf(seed, event int64) random {
	r := random(uint64(seed)*0x9e3779b97f4a7c15 ^ uint64(event))
	r = random(r.next() ^ uint64(event)<<32)
	return r
}

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a number of 0 to n-1, n up to 2^31.
func (r *random) below(n int64) int64 { return int64(r.next() >> 32 * uint64(n) >> 32) }

// hot is true in all but one of n cases.
func (r *random) hot(n int64) bool { return r.below(n) > 0 }

// priceSteps cuts the six decades of prices; between two steps prices are taken from the straight line.
const priceSteps = 4096

var powers = func() (p [priceSteps + 1]float64) {
	for i := range p {
		p[i] = math.Pow(10, 6*float64(i)/priceSteps)
	}
	return p
}()

// price is logarithmically uniform between 100 and 100,000,000.
func (r *random) price() int64 {
	x := r.next()
	i := x >> 52
	rest := float64(x>>20&0xffffffff) / (1 << 32)
	step := float64((powers[i+1] - powers[i]) * rest)
	return int64(float64(100*(powers[i]+step)) + 0.5)
}

// poolBytes is the size of a pool of letters.
const poolBytes = 1 << 18

// pool is random letters from which strings are cut.
type pool []byte

// newPool makes letters; with blanks, one of thirteen is a blank.
func newPool(seed int64, blanks bool) pool {
	r, p := randomOf(seed, math.MinInt64), make(pool, poolBytes)
	for i := range p {
		if blanks && r.below(13) == 0 {
			p[i] = ' '
		} else {
			p[i] = 'a' + byte(r.below(26))
		}
	}
	return p
}

// cut is n bytes from somewhere.
func (p pool) cut(r *random, n int64) []byte {
	at := r.below(poolBytes - n)
	return p[at : at+n]
}

// word is a string of 3 to most-1 letters, shorter where blanks stood at its ends.
func (p pool) word(r *random, most int64) []byte {
	s := p.cut(r, 3+r.below(most-3))
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// extra pads a row of some bytes to an average size, give or take a fifth of what is missing.
func (p pool) extra(r *random, size, average int64) []byte {
	if size > average {
		return nil
	}
	missing := average - size
	delta := (missing + 2) / 5 // a fifth, rounded
	n := missing - delta
	if delta > 0 {
		n += r.below(2 * delta)
	}
	return p.cut(r, n)
}
