package logstore

import (
	"errors"
	"fmt"
	"testing"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// TestChecksum: the sum of a range is of what the records say, not of how they lie.
func TestChecksum(t *testing.T) {
	fill := func(cfg PartitionConfig, codec record.Codec, change int) *Partition {
		l, _ := clocked(t, vfs.NewMem())
		t.Cleanup(func() { mustClose(t, l) })
		p := mustEnsure(t, l, "t", cfg)
		for i := range 100 {
			v := fmt.Sprintf("k%d=%d", i%10, i)
			if i == change {
				v += "!"
			}
			mustAppend(t, p, keyed(t, record.NewBuilder(codec), v))
		}
		settled(t, l)
		return p
	}
	sum := func(p *Partition, from, to int64) string {
		t.Helper()
		s, err := p.Checksum(from, to)
		if err != nil || s.Records != to-from {
			t.Fatalf("%d to %d: %+v, %v", from, to, s, err)
		}
		return s.XXH3
	}
	a, b := fill(PartitionConfig{SegmentBytes: 700}, record.None, -1), fill(PartitionConfig{}, record.Zstd, -1)
	if sum(a, 0, 100) != sum(b, 0, 100) || sum(a, 13, 77) != sum(b, 13, 77) {
		t.Error("segments and codecs change the sum")
	}
	if sum(a, 0, 99) == sum(a, 0, 100) || sum(a, 0, 50) == sum(a, 50, 100) {
		t.Error("ranges do not change the sum")
	}
	c := fill(PartitionConfig{}, record.None, 42)
	if sum(a, 0, 100) == sum(c, 0, 100) || sum(a, 43, 100) != sum(c, 43, 100) {
		t.Error("a changed record is not where it is")
	}
	d := fill(compactConfig(), record.None, -1)
	mustCompact(t, d)
	s, err := d.Checksum(0, 100)
	if err != nil || s.CompactedTo == 0 || s.XXH3 == sum(a, 0, 100) {
		t.Errorf("compacted: %+v, %v", s, err)
	}
	if sum(a, s.CompactedTo, 100) != sum(d, s.CompactedTo, 100) || d.Summable().CompactedTo != s.CompactedTo {
		t.Error("what was not compacted differs")
	}
	if _, err := a.Checksum(0, 101); !errors.Is(err, ErrOffsetOutOfRange) {
		t.Errorf("beyond the high watermark: %v", err)
	}
}
