package stream

import (
	"math"
	"slices"
)

// Event time. Every source partition has a clock, the largest event time seen in it in log order; a watermark operator's
// watermark is the least clock of its partitions minus its delay, and a query's watermark is the least of its operators'.
// It only closes windows: lateness is decided by a row's own partition clock, so no answer depends on where a batch ends.
// Because every partition's clock minus the delay is at or above the query's watermark, a row that is not late by its own
// clock always finds its window open.
const (
	// NoTime is a clock that has seen nothing.
	NoTime = math.MinInt64
	// EndOfTime is the watermark after the end of input.
	EndOfTime = math.MaxInt64
)

// minWatermark is the watermark that clocks mean under a delay: NoTime while some partition has seen nothing.
func minWatermark(clocks []int64, delay int64) int64 {
	low := int64(EndOfTime)
	for _, c := range clocks {
		low = min(low, c)
	}
	if low == NoTime || len(clocks) == 0 {
		return NoTime
	}
	if low == EndOfTime {
		return EndOfTime
	}
	return low - delay
}

// queryWatermark is the watermark of a query from those of its watermark operators: the least, so that nothing is lost, or
// the greatest, as Spark's spark.sql.streaming.multipleWatermarkPolicy has it. Under the latter, rows of the slower inputs
// that are behind it are late.
func queryWatermark(all []int64, greatest bool) int64 {
	if len(all) == 0 {
		return NoTime
	}
	if greatest {
		return slices.Max(all)
	}
	return slices.Min(all)
}

// behind is a watermark less lag; the beginning and the end of time stay where they are.
func behind(mark, lag int64) int64 {
	if mark == EndOfTime || mark < NoTime+lag {
		return mark
	}
	return mark - lag
}

// mergeClocks returns before advanced by what the tasks reported; a partition that reported nothing keeps its clock.
func mergeClocks(before []int64, reported map[int]int64) []int64 {
	after := append([]int64(nil), before...)
	for p, c := range reported {
		for len(after) <= p {
			after = append(after, NoTime)
		}
		after[p] = max(after[p], c)
	}
	return after
}
