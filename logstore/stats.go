package logstore

import "sync/atomic"

// Stats counts what a log has done to its segments since it was opened.
type Stats struct {
	Compactions     int64 // passes over a partition that replaced segments
	CompactedBefore int64 // bytes of the segments that were replaced
	CompactedAfter  int64 // bytes of what was written for them
	ScrubbedBytes   int64
	DamagedReads    int64 // reads that met damage
	Damaged         int   // partitions that are out of use
	OpenFiles       int   // of segments
}

type stats struct {
	compactions, before, after, scrubbed, damagedReads atomic.Int64
}

// Stats tells what the log has done.
func (l *Log) Stats() Stats {
	s := Stats{
		Compactions: l.stats.compactions.Load(), CompactedBefore: l.stats.before.Load(), CompactedAfter: l.stats.after.Load(),
		ScrubbedBytes: l.stats.scrubbed.Load(), DamagedReads: l.stats.damagedReads.Load(), OpenFiles: l.files.Open(),
	}
	for _, p := range l.open() {
		if p.Damaged() != nil {
			s.Damaged++
		}
	}
	return s
}
