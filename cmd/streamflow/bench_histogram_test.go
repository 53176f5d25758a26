package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestHistogramQuantiles compares with the sorted sample: never below, at most a 32nd and a nanosecond above.
func TestHistogramQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []int64{20, 1_000, 1_000_000, 5_000_000_000} {
		h, sample := &histogram{}, make([]time.Duration, 10_000)
		for i := range sample {
			sample[i] = time.Duration(r.Int64N(scale))
			h.observe(sample[i])
		}
		slices.Sort(sample)
		for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999} {
			want, got := sample[int(q*10_000)], h.quantile(q)
			if got < want || float64(got) > float64(want)*(1+1.0/32)+1 {
				t.Errorf("scale %d: quantile %v is %d, want %d", scale, q, got, want)
			}
		}
		if got := h.quantile(1); got != sample[len(sample)-1] {
			t.Errorf("scale %d: the greatest is %d, want %d", scale, got, sample[len(sample)-1])
		}
	}
}

func TestHistogramBuckets(t *testing.T) {
	for _, ns := range []int64{0, 1, 31, 32, 33, 63, 64, 1 << 20, 1<<20 - 1, 1<<40 + 12345} {
		i := bucketOf(ns)
		if ns >= bucketEnd(i) || i > 0 && ns < bucketEnd(i-1) {
			t.Errorf("%d ns is in bucket %d, which is [%d, %d)", ns, i, bucketEnd(i-1), bucketEnd(i))
		}
	}
}

func TestHistogramDraw(t *testing.T) {
	h := &histogram{}
	for range 3 {
		h.observe(900 * time.Microsecond)
	}
	h.observe(3 * time.Millisecond)
	var out strings.Builder
	h.draw(&out, 8)
	want := "" +
		" < 1.05 ms  ████████ 75.00 %\n" +
		"  < 2.1 ms           0.00 %\n" +
		" < 4.19 ms  ██▋      25.00 %\n"
	if out.String() != want {
		t.Errorf("drew\n%swant\n%s", out.String(), want)
	}
}

func BenchmarkHistogramObserve(b *testing.B) {
	h := &histogram{}
	for i := range b.N {
		h.observe(time.Duration(i))
	}
}
