package stream

import (
	"testing"
	"time"
)

// TestPace lets a query catch up whose batches cost a millisecond and a microsecond for each row.
func TestPace(t *testing.T) {
	p := pace{target: 50 * time.Millisecond, max: 1 << 20}
	cost := func(rows int64) time.Duration {
		return time.Millisecond + time.Duration(rows)*time.Microsecond
	}
	for range 20 {
		n := p.next()
		p.after(n, cost(n))
	}
	if took := cost(p.next()); took < 40*time.Millisecond || took > 51*time.Millisecond {
		t.Errorf("batches of %d rows take %s, not about 50 ms", p.next(), took)
	}
	for range 20 { // rows become ten times as dear
		n := p.next()
		p.after(n, 10*cost(n))
	}
	if took := 10 * cost(p.next()); took < 30*time.Millisecond || took > 55*time.Millisecond {
		t.Errorf("dear batches of %d rows take %s, not about 50 ms", p.next(), took)
	}
	before := p.next()
	for range 20 { // little comes: nothing is learned
		p.after(1, 5*time.Millisecond)
	}
	if p.next() != before {
		t.Errorf("the bound went from %d to %d while little came", before, p.next())
	}
	for range 40 { // even the least takes too long
		p.after(p.next(), time.Second)
	}
	if p.next() != minBite {
		t.Errorf("the bound went to %d, not to %d", p.next(), minBite)
	}
	free := pace{max: 7}
	free.after(7, time.Hour)
	if free.next() != 7 {
		t.Error("without a target the bound is max")
	}
}
