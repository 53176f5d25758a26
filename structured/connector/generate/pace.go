package generate

import "math"

// pace says how many rows there are after a time. Times are microseconds since the query began.
type pace struct {
	Rate  int64 `json:"rate"`  // rows a second; 0 is no pace: all rows are there at once
	Ramp  int64 `json:"ramp"`  // time until the rate is reached, growing evenly from 0
	Limit int64 `json:"limit"` // rows in all; 0 is no end
	// Without a rate: the rows of a batch and how far its time is from that of the one before.
	Batch   int64 `json:"batch,omitempty"`
	Advance int64 `json:"advance,omitempty"`
}

// endless stands for as many rows as anybody wants.
const endless = 1 << 60

// rows are how many there are after a time.
func (p pace) rows(elapsed int64) int64 {
	n := int64(endless)
	if p.Rate > 0 {
		n = p.free(max(elapsed, 0))
	}
	if p.Limit > 0 {
		n = min(n, p.Limit)
	}
	return n
}

func (p pace) free(elapsed int64) int64 {
	if elapsed < p.Ramp {
		s := float64(elapsed) / 1e6
		return int64(float64(p.Rate) * s * s / 2 / (float64(p.Ramp) / 1e6))
	}
	rest := elapsed - p.Ramp
	return p.ramped() + rest/1e6*p.Rate + rest%1e6*p.Rate/1e6
}

// ramped is how many rows there are when the rate is reached.
func (p pace) ramped() int64 { return int64(float64(p.Rate) * float64(p.Ramp) / 2e6) }

// time is when row n comes: with a rate, rows(time(n)) is n+1 or more, and less before.
func (p pace) time(n int64) int64 {
	if p.Rate == 0 {
		return n / max(p.Batch, 1) * p.Advance
	}
	n++
	if r := p.ramped(); n > r {
		n -= r
		return p.Ramp + n/p.Rate*1e6 + ceil(n%p.Rate*1e6, p.Rate)
	}
	at := int64(math.Sqrt(float64(n)*2*float64(p.Ramp)/1e6/float64(p.Rate)) * 1e6)
	for p.free(at) < n { // the root is rounded
		at++
	}
	return at
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// share says how rows are dealt to partitions: block by block in turn.
type share struct {
	Parts int64 `json:"parts"`
	Block int64 `json:"block"`
}

// of is how many of the first rows a partition has.
func (s share) of(partition, rows int64) int64 {
	round := s.Parts * s.Block
	rest := rows%round - partition*s.Block
	return rows/round*s.Block + max(0, min(rest, s.Block))
}

// row is the number of a partition's row at a place.
func (s share) row(partition, place int64) int64 {
	return (place/s.Block*s.Parts+partition)*s.Block + place%s.Block
}
