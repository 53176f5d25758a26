package connector

import "encoding/binary"

// ArrivalsKey is the report key under which a source's tasks tell when their rows' records were stamped, from which the
// latency of a query is known: pairs of unsigned varints, a time in milliseconds (the first absolute, then differences)
// and a number of rows.
const ArrivalsKey = "arrivals"

// AppendArrival adds a pair to a report.
func AppendArrival(dst []byte, deltaMs, rows uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, deltaMs), rows)
}

// AddArrivals adds a report's rows to sum, by time. A report that is cut short counts as far as it goes.
func AddArrivals(sum map[int64]int64, report []byte) {
	ms := int64(0)
	for len(report) > 0 {
		d, n := binary.Uvarint(report)
		if n <= 0 {
			return
		}
		rows, m := binary.Uvarint(report[n:])
		if m <= 0 {
			return
		}
		ms += int64(d)
		sum[ms] += int64(rows)
		report = report[n+m:]
	}
}
