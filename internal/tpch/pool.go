package tpch

import "sync"

// poolBytes is the size of the text that comments are cut from, poolSeed the seed of its random numbers.
const (
	poolBytes = 300 << 20
	poolSeed  = 933588178
)

// pool returns the text, made once for the process. Clause 4.2.2.14: sentences of a grammar, one after the other.
var pool = sync.OnceValue(func() []byte {
	p := prose{text: make([]byte, 0, poolBytes+1<<10), s: newStream(poolSeed, 1)}
	for len(p.text) < poolBytes {
		p.sentence()
	}
	return p.text[:poolBytes:poolBytes]
})

// prose writes text. Each word and each sentence is followed by a space.
type prose struct {
	text []byte
	s    stream
}

func (p *prose) sentence() {
	for _, part := range sentences.pick(&p.s) {
		switch part {
		case 'N':
			p.phrase(nounPhrases)
		case 'V':
			p.phrase(verbPhrases)
		case 'P':
			p.word(prepositions)
			p.text = append(p.text, "the "...)
			p.phrase(nounPhrases)
		case 'T':
			p.text = p.text[:len(p.text)-1]
			p.word(terminators)
		}
	}
}

func (p *prose) phrase(kinds words) {
	for _, part := range kinds.pick(&p.s) {
		switch part {
		case 'N':
			p.word(nouns)
		case 'J':
			p.word(adjectives)
		case 'D':
			p.word(adverbs)
		case 'V':
			p.word(verbs)
		case 'X':
			p.word(auxiliaries)
		case ',':
			p.text = append(p.text[:len(p.text)-1], ", "...)
		}
	}
}

func (p *prose) word(w words) {
	p.text = append(p.text, w.pick(&p.s)...)
	p.text = append(p.text, ' ')
}

// comment is a stream of texts of a length of 0.4 to 1.6 times the average.
type comment struct {
	stream
	pool   []byte
	lo, hi int64
}

func newComment(seed, average, rows int64) comment {
	return comment{newStream(seed, 2*rows), pool(), average * 4 / 10, average * 16 / 10}
}

// next is the place of a comment in the pool.
func (c *comment) next() (from, n int64) {
	from = c.between(0, poolBytes-c.hi)
	return from, c.between(c.lo, c.hi)
}
