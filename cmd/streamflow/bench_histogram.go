package main

import (
	"fmt"
	"io"
	"math/bits"
	"strings"
	"sync/atomic"
	"time"
)

// histogram counts durations in buckets that are each 1/32 wider than they are long: a quantile is right within 3 %. It may be
// written by many and read at the same time.
type histogram struct {
	buckets [60 * histogramSteps]atomic.Int64
	sum     atomic.Int64
	max     atomic.Int64
}

// histogramSteps are the buckets of each power of two.
const histogramSteps = 32

// bucketOf is the bucket of a duration in nanoseconds.
func bucketOf(ns int64) int {
	if ns < histogramSteps {
		return int(max(ns, 0))
	}
	shift := bits.Len64(uint64(ns)) - 6
	return (shift+1)*histogramSteps + int(ns>>shift) - histogramSteps
}

// bucketEnd is the least duration in nanoseconds that is past a bucket.
func bucketEnd(i int) int64 {
	if i < histogramSteps {
		return int64(i) + 1
	}
	shift := i/histogramSteps - 1
	return (int64(i%histogramSteps) + histogramSteps + 1) << shift
}

func (h *histogram) observe(d time.Duration) {
	ns := d.Nanoseconds()
	h.buckets[min(bucketOf(ns), len(h.buckets)-1)].Add(1)
	h.sum.Add(ns)
	for {
		m := h.max.Load()
		if ns <= m || h.max.CompareAndSwap(m, ns) {
			return
		}
	}
}

func (h *histogram) count() int64 {
	n := int64(0)
	for i := range h.buckets {
		n += h.buckets[i].Load()
	}
	return n
}

// quantile is a duration that the share q of all does not exceed.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int64(q * float64(h.count()))
	for i := range h.buckets {
		if rank -= h.buckets[i].Load(); rank < 0 {
			return time.Duration(min(bucketEnd(i), h.max.Load()))
		}
	}
	return time.Duration(h.max.Load())
}

func (h *histogram) mean() time.Duration {
	return time.Duration(h.sum.Load() / max(h.count(), 1))
}

// draw prints a line for each power of two that holds something: its upper end, a bar, its share.
func (h *histogram) draw(w io.Writer, width int) {
	total := h.count()
	if total == 0 {
		return
	}
	powers := make([]int64, len(h.buckets)/histogramSteps)
	first, last, most := len(powers), 0, int64(0)
	for i := range h.buckets {
		if n := h.buckets[i].Load(); n > 0 {
			p := i / histogramSteps
			powers[p] += n
			first, last, most = min(first, p), max(last, p), max(most, powers[p])
		}
	}
	for p := first; p <= last; p++ {
		end := bucketEnd(p*histogramSteps + histogramSteps - 1)
		fmt.Fprintf(w, "%10s  %s %.2f %%\n", "< "+shortDuration(end), bar(powers[p], most, width), 100*float64(powers[p])/float64(total))
	}
}

// bar is n of most, as blocks; whatever is there at all is seen.
func bar(n, most int64, width int) string {
	const eighths = "▏▎▍▌▋▊▉█"
	units := int(float64(n) / float64(most) * float64(width*8))
	if n > 0 {
		units = max(units, 1)
	}
	s := strings.Repeat("█", units/8)
	if r := units % 8; r > 0 {
		s += string([]rune(eighths)[r-1])
	}
	return s + strings.Repeat(" ", width-len([]rune(s)))
}

// shortDuration is a duration with three digits.
func shortDuration(ns int64) string {
	switch f := float64(ns); {
	case f < 1e3:
		return fmt.Sprintf("%d ns", ns)
	case f < 1e6:
		return fmt.Sprintf("%.3g µs", f/1e3)
	case f < 1e9:
		return fmt.Sprintf("%.3g ms", f/1e6)
	default:
		return fmt.Sprintf("%.3g s", f/1e9)
	}
}
