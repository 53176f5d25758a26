package segment

import "sort"

// entry is one point of the index: the batch at pos begins at the offset base+rel, and no batch before it has a timestamp
// above before.
type entry struct {
	rel    uint32
	pos    uint32
	before int64
}

// noTimestamp is below every timestamp.
const noTimestamp = -1 << 63

// index is the points, in order; the first is the start of the file.
type index []entry

// floor is where to start looking for an offset: the last point at or before it.
func (x index) floor(rel uint32) int64 {
	i := sort.Search(len(x), func(i int) bool { return x[i].rel > rel })
	if i == 0 {
		return 0
	}
	return int64(x[i-1].pos)
}

// before is the last point at or before both a position and a relative offset: what lies before it ends before them.
func (x index) before(pos, rel int64) int64 {
	i := sort.Search(len(x), func(i int) bool { return int64(x[i].pos) > pos || int64(x[i].rel) > rel })
	if i == 0 {
		return 0
	}
	return int64(x[i-1].pos)
}

// floorTime is where to start looking for the first timestamp that is at least ms: before it all are smaller.
func (x index) floorTime(ms int64) int64 {
	i := sort.Search(len(x), func(i int) bool { return x[i].before >= ms })
	if i == 0 {
		return 0
	}
	return int64(x[i-1].pos)
}

// Summary is what a segment knows of its batches without reading them.
type Summary struct {
	Base         int64 // offset of the first batch
	Next         int64 // offset after the last
	Bytes        int64
	Records      int64
	MaxTimestamp int64 // of data batches, or noTimestamp
	MaxOffset    int64 // base offset of the batch that has it
	Created      int64 // milliseconds, when the first batch was written
	Appended     int64 // milliseconds, when the last batch was written
}

// HasData tells whether MaxTimestamp means something.
func (s Summary) HasData() bool { return s.MaxTimestamp != noTimestamp }
