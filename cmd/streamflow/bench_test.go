package main

import (
	"testing"
	"time"
)

// Bids are what they say, whichever way their time is written.
func TestBidTimes(t *testing.T) {
	for _, i := range []int64{0, 1, 9_999, 10_000, 36_000_000, 863_999_999, 864_000_000, 900_000_123} {
		at := bidAt(i).ts
		want := time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.000000Z")
		if got := string(appendTime(nil, at)); got != want {
			t.Errorf("bid %d at %s, want %s", i, got, want)
		}
	}
}

func TestQuantiles(t *testing.T) {
	list := []float64{5, 1, 4, 2, 3}
	if quantile(list, 0) != 1 || quantile(list, 0.5) != 3 || quantile(list, 0.99) != 5 || quantile(nil, 0.5) != 0 {
		t.Errorf("%v %v %v", quantile(list, 0), quantile(list, 0.5), quantile(list, 0.99))
	}
	if got := bestSecond([][]float64{{3, 9}, {2, 8}, {1}}, 0.5); got != 8 {
		t.Errorf("best second %v: the last one, cut short, must not count", got)
	}
}
